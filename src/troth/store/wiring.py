"""``site.yaml`` read; apart from ``site``, so that whoever only checks a site need not wait for a database library."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from troth.errors import PolicyError
from troth.policy.document import read_document
from troth.settings import Wiring


def read_wiring(folder: Path) -> Wiring:
    """``site.yaml`` of the site folder. Raises ``PolicyError`` with every problem and its place."""
    document = read_document(folder / "site.yaml")
    try:
        return Wiring.model_validate(document.tree)
    except ValidationError as errors:
        lines = []
        for error in errors.errors(include_url=False):
            path = tuple(str(part) for part in error["loc"])
            lines.append(f"{document.place(path)}: `{'.'.join(path)}`: {error['msg']}")
        raise PolicyError("\n".join(lines), "docs/operating.md lists what site.yaml may hold.") from None
