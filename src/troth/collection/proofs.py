"""Proofs about collection: what came in is what was asked for, from where the policy says, and people were told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select

from troth.bindings import REPLAYED, proves
from troth.collection.actions import collect
from troth.collection.forms import form as form_of
from troth.collection.rules import Submission, age, check
from troth.consent.tables import shown
from troth.errors import InvalidInput, Refused
from troth.people.proofs import groups, open_sample
from troth.policy.model import CollectionPoint
from troth.policy.promises import Promise
from troth.policy.undeclared import NO_RECIPIENT
from troth.proof import Named, Proof, Proving, Some, Tried
from troth.store.site import Site
from troth.store.trial import trial


@proves(
    "collection.form",
    covers=("required", "optional", "source"),
    enforced_by=(collect,),
    rests_on={**REPLAYED, "holding": "", "shape": "point", "quarantined": "", "shown": ""},
    keys={
        "collection.for": form_of,
        "collection.told": form_of,
        "collection.offers": check,
        "collection.opens": collect,
        "collection.warns": check,
        "collection.keeps when different": check,
        "data.category": check,
    },
)
def form(proving: Proving, promise: Promise) -> Proof:
    """All that is held from this point are its declared fields, from its source, with the words that were shown."""
    key = promise.path[1]
    point = proving.compiled.policy.collection[key]
    limit = proving.say("only {fields}", fields=Named("fields", (*point.required, *point.optional)))
    found = proving.replay(f"collection.{key}")
    if found.wrong:
        return proving.replayed(found, limit)
    held, strange = held_of(proving, key)
    if strange:
        return proving.counted(strange, held, limit, "{wrong} with other fields, or from another source")
    return proving.counted(_untold(proving, key), held, limit, "{wrong} without what was told")


def held_of(proving: Proving, key: str) -> tuple[Some, int]:
    """How many holdings this point has, and how many have other fields or another source than their version declares."""
    mine = [group for group in proving.once(groups) if group.point == key]
    strange = [one for one in mine if not _declared(_point(proving, one.version, key), one.source, one.fields)]
    return Some(sum(one.number for one in mine), "record"), sum(one.number for one in strange)


def _point(proving: Proving, version: int, key: str) -> CollectionPoint | None:
    compiled = proving.version(version)
    return compiled.policy.collection.get(key) if compiled else None


def _declared(point: CollectionPoint | None, source: str, fields: str) -> bool:
    return point is not None and source == point.source and set(fields.split()) <= {*point.required, *point.optional}


def _untold(proving: Proving, key: str) -> int:
    known = proving.once(_shown)
    return sum(group.number for group in proving.once(groups) if group.point == key and group.told not in known)


def _shown(proving: Proving) -> frozenset[str]:
    """The digests of all words that were kept of those that holdings name."""
    told = {group.told for group in proving.once(groups)}
    return frozenset(proving.conn.scalars(select(shown.c.digest).where(shown.c.digest.in_(told))))


def imports_refused(proving: Proving) -> Tried:
    """Every import, tried with data of a partner whom nobody named: it must be turned away."""
    policy = proving.compiled.policy
    points = {key: point for key, point in policy.collection.items() if point.kind == "import"}
    with trial(proving.site) as site:
        taken = sum(_taken(site, key, point) for key, point in points.items())
    tried = proving.say("{tries} to hand in data of somebody else refused", tries=Some(len(points) - taken, "try"))
    return proving.tried(tried, taken, "{wrong} to hand in data of somebody else went through")


def _taken(site: Site, key: str, point: CollectionPoint) -> bool:
    values = dict.fromkeys(point.required, "made up")
    try:
        collect(site, Submission(key, values, f"tried:{key}", partner=NO_RECIPIENT))
    except (InvalidInput, Refused):
        return False
    return True


def nameless(proving: Proving, key: str) -> int:
    """How many records of a point for imports come from nobody whom the policy names."""
    mine = (group for group in proving.once(groups) if group.point == key)
    points = ((one, _point(proving, one.version, key)) for one in mine)
    return sum(one.number for one, point in points if point is None or one.partner not in point.partners)


@proves(
    "people.age",
    covers=("minimum age",),
    enforced_by=(check,),
    rests_on={**REPLAYED, "holding": "", "shape": "", "quarantined": "", "person_key": ""},
    keys={"people.minimum age": check},
)
def nobody_too_young(proving: Proving, promise: Promise) -> Proof:
    """Every submission about these people comes out of the ledger again, and no birth date in a sample says otherwise."""
    key, policy = promise.path[1], proving.compiled.policy
    points = {name: point for name, point in policy.collection.items() if point.people == key}
    minimum = policy.people[key].minimum_age or 0
    limit = proving.say("nobody under {age}", age=minimum)
    for name in points:
        if proving.replay(f"collection.{name}").wrong:
            return proving.replayed(proving.replay(f"collection.{name}"), limit)
    births = frozenset(name for name, data in policy.data.items() if data.category == "pd:BirthDate")
    if not any(births & {*point.required, *point.optional} for point in points.values()):
        return proving.nothing_yet("query", limit, "no form asks how old somebody is")
    sample = [
        (one, values or {}) for one, values in proving.once(open_sample) if one.point in points and births & one.fields
    ]
    born = [(values[field], one.at) for one, values in sample for field in births & values.keys()]
    young = sum(_day(day) and age(day, proving.compiled.calendar.day(at)) < minimum for day, at in born)
    found = proving.counted(young, Some(len(sample), "record"), limit, "{wrong} of somebody younger")
    asking = all(births & {*point.required} for point in points.values())
    return found if asking else replace(found, unshown=("minimum age",))


def _day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
