"""Erases again who was erased since a backup, and what was, so that putting it back brings nobody back.

What could go wrong: somebody is back because their ending named nobody. Who asks for themselves has an ending of their own,
which says whom it is of when it begins. A clock ends many people at once: only the entry of the destruction names them
(``gone``), after it was decided who stays because of a hold. So these names, and nothing in the copy, decide who is destroyed:
a case that the copy has as open, or a hold that was released since, keeps nobody. What a clock took of people who stay is due
in the copy, too: the next sweep takes it, and it is counted until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from troth.batches import batches
from troth.errors import Refused
from troth.ledger import events
from troth.people.keystore import destroy_keys
from troth.people.tables import person
from troth.restoring.record import Said, of
from troth.retention import ending as endings
from troth.retention.destroy import destroy
from troth.retention.leaving import leave_at_once
from troth.retention.tables import ending
from troth.store.site import Site

BATCH = 200
_IDS = 1000
"""ids in one query that only reads"""
WHOLE: frozenset[str] = frozenset()
LEFT_OUT = "endings left out, of which the ledger does not say what ended"
BY_A_CLOCK = "endings by a clock, left to the next sweep"


def erase_again(site: Site, said: Sequence[Said], since: datetime | None) -> Counter[str]:
    """Who went since goes again, at once where they were destroyed; who was put back is put back. Counts, by what was done.

    Args:
        since: when this was first begun, where it may have been interrupted.
    """
    done: Counter[str] = Counter()
    destroyed = {str(one.body["ending"]): one for one in of(said, events.ENDING_DESTROYED)}
    undone = {str(one.body["ending"]) for one in of(said, events.ENDING_RESTORED)}
    begun = {str(one.body["ending"]): one for one in of(said, events.ENDING_QUARANTINED)}
    there = _in_copy(site, sorted(begun))
    begun = {id_: one for id_, one in begun.items() if id_ not in there}
    for id_ in sorted(undone - begun.keys()):
        done["endings undone"] += _put_back(site, id_)
    done += _each_again(site, {id_: one for id_, one in begun.items() if id_ not in undone}, destroyed, since)
    went = who_went((one.body for one in destroyed.values()), (one.body for one in begun.values()))
    done["keys destroyed again"] += destroy_keys(site, _never_there(site, sorted(went)))
    for id_ in sorted(destroyed.keys() - begun.keys()):
        done["endings destroyed again"] += _destroyed_now(site, id_)
    endings.destroy_quietly(site)
    done["people destroyed again, whom a clock had ended"] += _gone_again(site, destroyed.values())
    done[BY_A_CLOCK] += _by_a_clock(site, begun, destroyed, undone)
    return done


def who_went(destroyed: Iterable[Mapping[str, Any]], begun: Iterable[Mapping[str, Any]]) -> set[str]:
    """The people who were destroyed with their keys, by what the ledger says of destructions, and of how they began.

    An older entry of a destruction says how many went, and only the one of its beginning says who.
    """
    whose = {str(one["ending"]): str(one["person"]) for one in begun if one.get("person") and not one.get("fields")}
    went: set[str] = set()
    for one in destroyed:
        named = one.get("gone") or ([whose[str(one["ending"])]] if str(one["ending"]) in whose else [])
        went.update(map(str, named) if one.get("people") else ())
    return went


def people_in(conn: Connection, ids: Iterable[object]) -> set[str]:
    """Those of ``ids`` who are in the store of ``conn``."""
    wanted, found = sorted({str(one) for one in ids if one}), set[str]()
    for some in batches(wanted, _IDS):
        found |= set(conn.scalars(select(person.c.id).where(person.c.id.in_(some))))
    return found


def _in_copy(site: Site, ids: Sequence[str]) -> set[str]:
    """Those of these endings that the copy has, which nobody had sealed when it was made."""
    found: set[str] = set()
    with site.reading() as conn:
        for some in batches(ids, BATCH):
            found |= set(conn.scalars(select(ending.c.id).where(ending.c.id.in_(some))))
    return found


def _put_back(site: Site, id_: str) -> int:
    with site.writing() as conn:
        try:
            endings.restore(site, conn, id_)
        except Refused:
            return 0
    return 1


def _each_again(
    site: Site, begun: Mapping[str, Said], destroyed: Mapping[str, Said], since: datetime | None
) -> Counter[str]:
    """Begin again each ending of one person that was ``begun`` since, of them whole or of the fields that it named."""
    done: Counter[str] = Counter()
    people = {id_ for id_, one in destroyed.items() if one.body.get("people")}
    for id_, one in begun.items():
        if not one.body.get("person"):
            done[LEFT_OUT] += id_ not in destroyed and not _of_a_clock(one)
            continue
        scope, now = _scope(one, people), id_ in destroyed
        if scope is None:
            done[LEFT_OUT] += 1
        else:
            what = "destroyed" if now else "in quarantine"
            done[f"people and fields {what} again"] += _begun_again(site, one, scope, now, since)
    return done


def _of_a_clock(one: Said) -> bool:
    """Whether a sweep began this ending, and begins it again by itself."""
    return str(one.body["cause"]).startswith(("clock:", "hold:"))


def _scope(one: Said, people: Collection[str]) -> frozenset[str] | None:
    """The fields that an ending was of, ``WHOLE`` for the person, or None where an older entry does not say.

    An entry that names no scope says nothing of fields either; that a person was destroyed with it says that it was of all.
    """
    if one.body.get("fields"):
        return frozenset(map(str, one.body["fields"]))
    scope = one.body.get("scope") or ("person" if str(one.body["ending"]) in people else None)
    return WHOLE if scope == "person" else None


def _begun_again(site: Site, one: Said, scope: frozenset[str], at_once: bool, since: datetime | None) -> int:
    going = endings.Going(
        person_id=str(one.body["person"]),
        cause=str(one.body["cause"]),
        deadline=site.now() if at_once else datetime.fromisoformat(one.body["by"]),
        fields=scope or None,
    )
    with site.writing() as conn:
        if not people_in(conn, [going.person_id]) or _begun_before(conn, going, since):
            return 0
        endings.begin_each(site, conn, [going])
    return 1


def _begun_before(conn: Connection, going: endings.Going, since: datetime | None) -> bool:
    """Whether an interrupted replay had begun this ending."""
    if since is None:
        return False
    same = ending.c.person_id == going.person_id, ending.c.cause == going.cause, ending.c.began_at >= since
    return conn.execute(select(ending.c.id).where(*same).limit(1)).first() is not None


def _never_there(site: Site, ids: Sequence[str]) -> list[str]:
    """Those who came after the data was copied: their keys may be in the copy of the keys all the same."""
    with site.reading() as conn:
        there = people_in(conn, ids)
    return [one for one in ids if one not in there]


def _destroyed_now(site: Site, id_: str) -> int:
    """Destroy what was in quarantine already when the copy was made."""
    with site.reading() as conn:
        state = conn.scalar(select(ending.c.state).where(ending.c.id == id_))
    if state != "quarantined":
        return 0
    destroy(site, id_)
    return 1


def _gone_again(site: Site, destroyed: Iterable[Said]) -> int:
    """Destroy who is still there of those whom a destruction names; how many there were."""
    again = 0
    for one in destroyed:
        for named in batches(sorted(map(str, one.body.get("gone") or ())), BATCH):
            with site.writing() as conn:
                there = people_in(conn, named)
                again += leave_at_once(site, conn, sorted(there), str(one.body["cause"]))
    if again:
        endings.destroy_quietly(site)
    return again


def _by_a_clock(site: Site, begun: Mapping[str, Said], destroyed: Mapping[str, Said], undone: Collection[str]) -> int:
    """How many endings of many people's data the copy knows nothing of: the next sweep takes what is left of each."""
    many = {id_ for id_, one in begun.items() if not one.body.get("person") and _of_a_clock(one)} - set(undone)
    by_age = {id_ for id_ in destroyed.keys() - begun.keys() if not destroyed[id_].body.get("people")}
    return len(many | by_age) - len(_in_copy(site, sorted(many | by_age)))
