"""Which parts of a promise its proof does not measure: they are shown beside the verdict, as not proven.

A part is a key of the entry that the promise was made from. Keys that name or describe, and promise nothing, are no parts.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from troth.evidence.catalogue import CATALOGUE
from troth.policy.assurances import Measure
from troth.policy.compile import Compiled
from troth.policy.promises import Promise

NO_PART = frozenset(
    {
        *("about", "agreed by use", "also named", "answers", "assessment", "authority", "because", "category", "cites"),
        *("country", "covers", "does", "dpv", "effective", "flows", "glossary", "governing law", "kind", "label"),
        *("languages", "law", "marketing", "measure", "name", "note", "people", "policy url", "representative", "role"),
        *("financial year ends", "roles", "text", "time zone", "why essential", "wording"),
    }
)
"""Keys that name, describe or say why. ``kind``, ``people``, ``role`` and ``roles`` say whom or what an entry is about."""
SAYS_MORE = frozenset(
    {
        *(("absolutes", "label"), ("purposes", "assessment"), ("recipients", "country"), ("recipients", "does")),
        ("security", "measure"),
    }
)
"""keys among them that promise something in that section: words of the operator's own, which no proof reads, a place, and that
reasons were weighed and put on record"""


def uncovered(compiled: Compiled, promise: Promise) -> tuple[str, ...]:
    """The keys of the entry of ``promise`` that say something and that no proof of that entry measures.

    Where several promises are made from one entry the first has them, so that none is shown twice.
    """
    entry, theirs = _entry(compiled, promise), _of_one_entry(compiled, promise)
    if entry is None or theirs[0].id != promise.id:
        return ()
    none = {key for key in NO_PART if (promise.path[0], key) not in SAYS_MORE or _answered_for(entry)}
    measured = none.union(*(CATALOGUE[one.kind].covers for one in theirs))
    said = {info.alias or name for name, info in type(entry).model_fields.items() if _says(entry, name)}
    return tuple(sorted(said - measured))


def _of_one_entry(compiled: Compiled, promise: Promise) -> list[Promise]:
    """The promises that are made from the entry of ``promise``, or from a key of it, in their order."""
    path = promise.path
    return [one for one in compiled.promises if one.path[: len(path)] == path]


def _entry(compiled: Compiled, promise: Promise) -> BaseModel | None:
    found: Any = compiled.policy
    for part in promise.path:
        found = found.get(part) if isinstance(found, dict) else getattr(found, part.replace(" ", "_"), None)
    return found if isinstance(found, BaseModel) else None


def _answered_for(entry: BaseModel) -> bool:
    """Whether somebody answers for the words of a measure of security, as they are."""
    return isinstance(entry, Measure) and (entry.check == "attested" or bool(entry.attested_by))


def _says(entry: BaseModel, name: str) -> bool:
    return name in entry.model_fields_set and getattr(entry, name) not in (None, (), {}, False, "")
