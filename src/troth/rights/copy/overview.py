"""Everything that is held about a person, put together: one audited act, one reading of the store, one way through the records.

What could go wrong: somebody is shown another person's data; something that is held is left out, so that the answer is a lie;
a secret goes along, such as a password's hash; a person with ten thousand records takes the memory of ten thousand. So nothing
is read before ``vault.everything`` has decided that this asker may see this person and has put that on the ledger; the tables
that name people are gone through one by one, and a test compares them with those that are declared; no hash is ever selected
for a cell; and the records are handed on one at a time, a page of them in memory. Quarantined data is named and not shown,
since nobody may read it any more. The log of visits has nothing that ties one to a person, and that is what is said; visits
that a policy has recorded with an account are records like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, RowMapping, select

from troth.consent.stops import actions as stops
from troth.errors import StoreError
from troth.people import vault
from troth.people.tables import person
from troth.people.vault import By, Held
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker, language
from troth.recipients.tables import MAY_HAVE_ARRIVED
from troth.retention.due import happened
from troth.rights.copy.kinds import Disclosed, Kinds, Person
from troth.rights.copy.masks import NONE, Masks
from troth.rights.copy.model import About, Group, Item, Named, Overview, Told
from troth.rights.copy.sections import Found, look, sections
from troth.rights.copy.voice import Older, Voice
from troth.rights.copy.words import say
from troth.store import versions
from troth.store.site import Site

MOST_SHOWN = 1000
"""records on one page; the copies for programs hold all there are"""
Meet = Callable[[Held], None]


def everything_told(
    site: Site, person_id: str, by: By, tag: str, masks: Masks = NONE, meet: Meet | None = None
) -> Told:
    """All that is held about a person, in the language ``tag``, the records oldest first and read as they are gone through.

    Raises:
        Refused: when anybody but the person asks, or there is no such person to be seen; that is on the ledger.
        StoreError: when the key store is missing, or the person was erased.
    """
    records = vault.everything(site, person_id, by)
    records = _met(records, meet) if meet else records
    with site.reading() as conn:
        compiled, now = site.policy(conn), site.now()
        found = look(conn, person_id, now)
        voice = Voice(compiled, Speaker(compiled.policy, language(tag)), tag, _older(site, compiled))
        who = _person(conn, person_id, compiled, found, now)
    notes = [voice.say("copy.whole")]
    notes += [voice.say("copy.restricted")] if who.only_for is not None else []
    notes += [voice.say("copy.newest")] if found.disclosures else []
    notes += [voice.say("copy.masked_note")] if masks else []
    return Told(
        About(
            tag, voice.speaker.operator, compiled.policy.operator.email or "", now, compiled.version, tuple(notes)
        ),
        sections(voice, found, masks),
        _items(records, Kinds(voice, who), masks, voice.say("copy.masked")),
        voice.speaker,
    )  # fmt: skip


def overview(
    site: Site,
    person_id: str,
    by: By,
    tag: str,
    masks: Masks = NONE,
    most: int | None = MOST_SHOWN,
    meet: Meet | None = None,
) -> Overview:
    """The same to be read: grouped by purpose, the newest ``most`` records in memory (all when None).

    ``meet`` is called with each record on the way, the oldest first, by whoever needs something else of them as well.

    Raises:
        Refused, StoreError: as ``everything_told`` does.
    """
    return gathered(everything_told(site, person_id, by, tag, masks, meet), most)


def gathered(told: Told, most: int | None = MOST_SHOWN) -> Overview:
    """``told`` in memory, grouped."""
    kept: list[Item] = []
    count = 0
    for item in told.items:
        count += 1
        kept.append(item)
        if most is not None and len(kept) >= 2 * most:
            del kept[:-most]
    kept = kept[-most:] if most is not None else kept
    return Overview(told.about, _groups(kept, told.speaker), told.sections, count, len(kept), told.speaker)


def _groups(items: Sequence[Item], speaker: Speaker) -> tuple[Group, ...]:
    """By the first purpose of each record, in the order of the policy; what has no purpose comes last."""
    found: dict[str, list[Item]] = {}
    for item in reversed(items):
        found.setdefault(item.kind.uses[0].purpose.id if item.kind.uses else "", []).append(item)
    order = {key: place for place, key in enumerate(speaker.policy.purposes)}
    ordered = sorted(found, key=lambda key: order.get(key, len(order)))
    return tuple(_group(found[key], speaker) for key in ordered)


def _group(items: list[Item], speaker: Speaker) -> Group:
    if uses := items[0].kind.uses:
        return Group(uses[0].purpose, uses[0].basis, tuple(items))
    tag = speaker.words.tag
    return Group(Named("", say(tag, "copy.nothing_for")), say(tag, "copy.unused"), tuple(items))


def _met(records: Iterator[Held], meet: Meet) -> Iterator[Held]:
    for held in records:
        meet(held)
        yield held


def _items(records: Iterator[Held], kinds: Kinds, masks: Masks, masked: str) -> Iterator[Item]:
    for held in records:
        values, touched = masks.of(held, masked) if masks else (held.fields, frozenset[str]())
        yield kinds.item(held, values, touched)


def _older(site: Site, compiled: Compiled) -> Older:
    """Finds the policy of an earlier version, each once; None when the archive lacks it."""

    @cache
    def older(version: int) -> Policy | None:
        if version == compiled.version:
            return compiled.policy
        try:
            with site.reading() as fresh:
                return versions.by_number(fresh, version).policy
        except StoreError:
            return None

    return older


def _person(conn: Connection, person_id: str, compiled: Compiled, found: Found, now: datetime) -> Person:
    """What decides over uses and periods."""
    row = conn.execute(select(person).where(person.c.id == person_id)).mappings().one()
    stopped = stops.facts(conn, list(compiled.policy.purposes))
    return Person(
        kind=row["kind"],
        since=row["since"],
        only_for=row["only_for"],
        facts=found.facts | stopped,
        ends_at=row["relationship_ends_at"],
        events={**_events(found.dealings), **happened(conn, compiled, person_id)},
        disclosed=[
            Disclosed(one["recipient"], frozenset(one["fields"].split()), one["at"])
            for one in found.disclosures
            if one["state"] in MAY_HAVE_ARRIVED
        ],
        holds=found.holds,
        now=now,
    )


def _events(dealings: Sequence[RowMapping]) -> Mapping[str, datetime | None]:
    """The events that follow from dealings, as ``retention.due`` finds them in the store."""
    registrations = [one for one in dealings if one["kind"] == "registration"]
    closed = [one["closed_at"] for one in registrations]
    return {
        "request": max((one["at"] for one in dealings if one["kind"] == "request"), default=None),
        "account closed": max(closed) if closed and None not in closed else None,
        "last contact": max((one["closed_at"] or one["at"] for one in dealings), default=None),
    }
