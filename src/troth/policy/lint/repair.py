"""A policy that names what nothing defines, made fit for the linter: the rules may follow every name without looking first.

A misspelt name stands for the one that was meant, so that it is one finding and not five; a name that is near nothing is
left out, and the entry with it when it cannot be without. What is repaired is linted and never published.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from pydantic import ValidationError

from troth.policy.findings import Finding, Path
from troth.policy.model import Policy
from troth.policy.parse import Reading

_MEANT = re.compile(r"Did you mean `([^`]+)`")
_UNDEFINED = "P-03"


def lintable(reading: Reading) -> Policy | None:
    """The policy of ``reading`` without names that nothing defines; None when nothing is left that could be linted."""
    wrong = [finding for finding in reading.findings if finding.rule == _UNDEFINED]
    if reading.policy is None or not wrong:
        return reading.policy
    tree = copy.deepcopy(reading.document.tree)
    for finding in sorted(wrong, key=lambda one: one.path, reverse=True):  # the last of a list first
        _mend(tree, finding)
    try:
        return Policy.model_validate(tree)
    except ValidationError as errors:
        for error in errors.errors():
            _drop(tree, tuple(str(part) for part in error["loc"][:2]))
    return Policy.model_validate(tree)


def _mend(tree: dict[str, Any], finding: Finding) -> None:
    meant = _MEANT.search(finding.hint)
    *around, last = finding.path
    holder: Any = tree
    for number, part in enumerate(around):
        inner = holder[int(part)] if isinstance(holder, list) else holder[part]
        if isinstance(inner, str):  # one word that stands for a list of one
            last, around = part, around[:number]
            break
        holder = inner
    key: Any = int(last) if isinstance(holder, list) else last
    written = holder[key]
    if meant and isinstance(written, str):
        before, space, _ = written.rpartition(" ")  # of a phrase, the last word is the name
        holder[key] = f"{before}{space}{meant[1]}" if " " not in meant[1] else meant[1]
    else:
        del holder[key]


def _drop(tree: dict[str, Any], path: Path) -> None:
    section = tree.get(path[0])
    if len(path) > 1 and isinstance(section, dict):
        section.pop(path[1], None)
    else:
        tree.pop(path[0], None)
