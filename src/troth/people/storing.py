"""Storing a submission: refused whole, or sealed whole."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Executable, bindparam, literal, select, union_all

from troth.errors import InvalidInput, Refused, StoreError
from troth.ids import new_id
from troth.people.ages import note_ages
from troth.people.blind import blind, normalised
from troth.people.cards import refuse_cards
from troth.people.keystore import open_keys
from troth.people.sealing import seal
from troth.people.shapes import groups, named, shape_ids
from troth.people.tables import holding, identifier, person
from troth.policy.compile import Compiled
from troth.store.insert import insert_for
from troth.store.prepared import Prepared
from troth.store.secret import read_ring
from troth.store.site import Site


def hold(
    site: Site,
    conn: Connection,
    *,
    person_id: str,
    point: str,
    source: str,
    values: Mapping[str, str],
    told: str,
    submission: str,
    policy: Compiled,
    partner: str | None = None,
) -> list[str]:
    """Seal one submission of a person in the caller's transaction and return the ids of its holdings.

    Fields that end by different clocks become holdings of their own. The same ``submission`` stored twice is stored once.

    Args:
        told: digest of what the person was told at the point.
        submission: a key of the submission, at most 64 characters, unlike any other.
        partner: the recipient of the policy who supplied the data, when it was not the person.

    Raises:
        Refused: for a field that this point does not ask for or that is never stored, for card numbers, and for a person who
            is unknown, held or quarantined: whoever comes back is admitted anew.
        InvalidInput: for text that cannot be stored.
        StoreError: when the person has no key, or the key store or its secret is missing.
    """
    refuse_the_unfit(policy, point, values)
    if not values:
        return []
    there = _stored(conn, person_id, submission, to_be_active=True)
    if there:
        return there
    key = open_keys(site, [person_id]).get(person_id)
    if key is None:
        raise StoreError("This person has no key: nothing can be sealed.", "Admit the person first.")
    shapes = {named(group): group for group in groups(policy, point, values)}
    ids = shape_ids(conn, point, source, shapes)
    common = {"person_id": person_id, "at": site.now(), "policy_version": policy.version, "told": told}
    common |= {"submission": submission, "partner": partner}
    rows = [
        {"shape_id": ids[name], **common, **_body(site, key, person_id, {one: values[one] for one in group})}
        for name, group in shapes.items()
    ]
    identify(site, conn, person_id, values, policy)
    note_ages(conn, policy, person_id, values, site.now())
    if _HOLDING_ONCE.many(conn, rows) == len(rows):
        return [str(row["id"]) for row in rows]
    return _stored(conn, person_id, submission)


def refuse_the_unfit(policy: Compiled, point: str, values: Mapping[str, str]) -> None:
    """Refuse what ``point`` does not ask for, what is never stored, card numbers and what is no text; as ``hold`` does."""
    never = sorted(policy.never_stored & values.keys())
    if never:
        raise Refused(f"The policy never stores: {', '.join(never)}.", because=("data.never_stored",))
    asked = policy.policy.collection.get(point)
    fields = {*asked.required, *asked.optional} if asked else set()
    if values.keys() - fields:
        known = sorted(values.keys() & policy.policy.data.keys() - fields) or ["what the policy does not declare"]
        raise Refused(f"`{point}` does not ask for: {', '.join(known)}.", "Declare it in the policy.")
    refuse_cards(values)
    for field, value in values.items():
        if "\x00" in value or not _is_text(value):
            raise InvalidInput("This cannot be stored as text.", {field: "holds signs that are no text"})


def _is_text(value: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _body(site: Site, key: bytes, person_id: str, values: Mapping[str, str]) -> dict[str, object]:
    made = new_id(site.now())
    return {"id": made, "body": seal(key, person_id, made, values)}


def identify(site: Site, conn: Connection, person_id: str, values: Mapping[str, str], policy: Compiled) -> None:
    """Let the person be found by their identifying fields; what somebody who is gone was found by is theirs now."""
    index = read_ring(site).index
    rows = [
        {"person_id": person_id, "field": name, "blind": blind(index, name, normalised(policy, name, values[name]))}
        for name in sorted(policy.identifying & values.keys())
        if values[name]
    ]
    if not rows:
        return
    _TAKING_OVER.send(conn, *rows)


_THERE = Prepared(
    union_all(
        select(literal("").label("id"), person.c.state.label("of")).where(person.c.id == bindparam("person_id")),
        select(holding.c.id, holding.c.person_id).where(holding.c.submission == bindparam("submission")),
    ).order_by("id")
)


_HELD = ("id", "person_id", "shape_id", "at", "policy_version", "told", "partner", "submission", "body")
_HOLDING_ONCE = Prepared(
    lambda dialect: insert_for(dialect, holding).on_conflict_do_nothing(index_elements=["submission", "shape_id"]),
    _HELD,
    together=True,
)


def _taking_over(dialect: str) -> Executable:
    new = insert_for(dialect, identifier)
    gone = select(person.c.id).where(person.c.state != "active")
    return new.on_conflict_do_update(
        index_elements=["field", "blind"],
        set_={"person_id": new.excluded.person_id},
        where=identifier.c.person_id.in_(gone),
    )


_TAKING_OVER = Prepared(_taking_over, ("person_id", "field", "blind"))


def _stored(conn: Connection, person_id: str, submission: str, *, to_be_active: bool = False) -> list[str]:
    """What is held of a submission already; empty when it is new.

    Raises:
        Refused: when it is another person's, or the person is not there as they are ``to_be``.
    """
    rows = _THERE.rows(conn, {"person_id": person_id, "submission": submission})
    if to_be_active and ("", "active") not in rows:
        raise Refused("There is nobody to store this for.", "Admit the person anew.")
    there = [(id_, whose) for id_, whose in rows if id_]
    if any(whose != person_id for _, whose in there):
        raise Refused("This submission is somebody else's.", "Every submission needs a key of its own.")
    return [id_ for id_, _ in there]
