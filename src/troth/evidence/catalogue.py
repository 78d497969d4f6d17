"""Every kind of promise with what enforces and proves it, gathered from the rooms' ``proofs`` modules.

Importing it finds them all and refuses a kind that is incomplete: one that no room binds, or that no rule of the linter looks
at without its file saying why.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import troth
from troth.bindings import BINDINGS, Binding
from troth.policy.kinds import KINDS


def _gathered() -> Mapping[str, Binding]:
    for room in iter_modules(troth.__path__, "troth."):
        if room.ispkg and find_spec(f"{room.name}.proofs"):
            import_module(f"{room.name}.proofs")
    missing = sorted(set(KINDS) - set(BINDINGS))
    if missing:
        raise LookupError(f"no room enforces and proves {', '.join(missing)}")
    unlinted = sorted(kind.id for kind in KINDS.values() if bool(kind.lint) == bool(kind.no_lint))
    if unlinted:
        raise LookupError(f"either rules of the linter, or the reason why there are none: {', '.join(unlinted)}")
    return {kind: BINDINGS[kind] for kind in KINDS}


CATALOGUE: Mapping[str, Binding] = _gathered()
