"""Correcting what a person gave: what is held together, sent again as a whole; or some fields, wherever they are held.

For the first nothing is opened: whoever corrects sends all that a holding has, as it is shown to be corrected, and what was
there is sealed over. Either way, when, where and under which version something was given stays, and so does the clock that
ends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from troth.decide import Decision
from troth.errors import InvalidInput, Refused, StoreError
from troth.ledger import events
from troth.people.ages import note_ages
from troth.people.cards import refuse_cards
from troth.people.each import Want, ask_each
from troth.people.facts import By
from troth.people.keystore import open_keys
from troth.people.sealing import seal, unseal
from troth.people.shapes import named, shape_ids
from troth.people.storing import refuse_the_unfit
from troth.people.tables import holding, shape
from troth.policy.rules import OWN_ACCESS
from troth.store.prepared import Prepared, among
from troth.store.site import Site

_HELD = Prepared(
    select(holding.c.submission, holding.c.person_id, holding.c.id, shape.c.fields)
    .join(shape, shape.c.id == holding.c.shape_id)
    .where(among(holding.c.submission, "submissions"))
    .order_by(holding.c.id)
)
_CORRECTING = Prepared(update(holding).where(holding.c.id == bindparam("held")).values(body=bindparam("sealed")))


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody sends in the place of what one submission of a person holds."""

    person_id: str
    submission: str
    values: Mapping[str, str] = field(repr=False)
    by: By


def correct(
    site: Site, conn: Connection, person_id: str, submission: str, values: Mapping[str, str], by: By
) -> tuple[str, ...]:
    """Put ``values`` in the place of what ``submission`` of a person holds, in the caller's transaction; returns the holdings.

    Raises:
        Refused: when anybody but the person asks, or nothing of theirs is held of this submission; the refusal of the policy is
            on the ledger if the caller commits.
        InvalidInput: when ``values`` has some but not all fields of a holding, one that is not held, or one that people are
            found by: that is changed where it is collected.
        StoreError: when the key store is missing.
    """
    (changed,) = correct_each(site, conn, [Correction(person_id, submission, values, by)])
    return changed


def correct_each(site: Site, conn: Connection, corrections: Sequence[Correction]) -> list[tuple[str, ...]]:
    """As ``correct``, each of ``corrections``, with as many statements as for one; the holdings of each, in their order.

    Raises:
        Refused, InvalidInput, StoreError: as ``correct`` does, for the first that cannot be done; then none was.
    """
    wants = [Want(one.person_id, frozenset(one.values), OWN_ACCESS, one.by) for one in corrections]
    policy = site.policy(conn)
    asked = ask_each(site, conn, wants, events.PERSON_CORRECTED, policy, to_open=False)
    held = _held_of(conn, corrections)
    changed = [
        _in_question(one, held.get((one.submission, one.person_id), {}), told.decision, policy.identifying)
        for one, told in zip(corrections, asked, strict=True)
    ]
    keys = open_keys(site, {one.person_id for one in corrections})
    _CORRECTING.many(
        conn,
        [
            {"held": id_, "sealed": _sealed(keys, one, id_, names)}
            for one, fields in zip(corrections, changed, strict=True)
            for id_, names in fields.items()
        ],
    )
    for one in corrections:
        note_ages(conn, policy, one.person_id, one.values, site.now())
    return [tuple(fields) for fields in changed]


def _held_of(conn: Connection, corrections: Sequence[Correction]) -> dict[tuple[str, str], dict[str, list[str]]]:
    """By submission and person the holdings with their fields."""
    found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(dict)
    for submission, person_id, id_, fields in _HELD.rows(
        conn, {"submissions": [one.submission for one in corrections]}
    ):
        found[submission, person_id][id_] = fields.split(" ")
    return found


def _in_question(
    one: Correction, held: Mapping[str, list[str]], decision: Decision, identifying: frozenset[str]
) -> dict[str, list[str]]:
    """The holdings that a correction seals over, with their fields."""
    if not decision.allowed or not held:
        raise Refused("There is nothing to correct.", "It is not yours, or is gone.", decision.because)
    fields = {id_: names for id_, names in held.items() if not one.values.keys().isdisjoint(names)}
    _refuse_the_partial({field for names in fields.values() for field in names}, one.values, identifying)
    return fields


def _sealed(keys: Mapping[str, bytes], one: Correction, id_: str, names: Sequence[str]) -> bytes:
    if one.person_id not in keys:
        raise StoreError(*_NO_KEY)
    return seal(keys[one.person_id], one.person_id, id_, {name: one.values[name] for name in names})


def _refuse_the_partial(held: set[str], values: Mapping[str, str], identifying: frozenset[str]) -> None:
    problems = dict.fromkeys(held - values.keys(), "is missing")
    problems |= dict.fromkeys(values.keys() - held, "is not held here")
    problems |= {name: "holds signs that are no text" for name, value in values.items() if not _is_text(value)}
    problems |= dict.fromkeys(identifying & held, "is what you are found by")
    if problems:
        raise InvalidInput("What is held together is corrected together.", problems)
    refuse_cards(values)


def _is_text(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def correct_everywhere(
    site: Site, conn: Connection, person_id: str, point: str, changes: Mapping[str, str | None], by: By
) -> int:
    """Set fields that ``point`` asks for to new values, or take them away (None), in every holding of a person that is in use.

    So the old value is nowhere left but where a hold keeps it: a closed invoice names the address it named. What was never
    given joins the youngest holding of the point. In the caller's transaction; returns how many holdings changed.

    Raises:
        Refused: when a person asks about another; for a field that ``point`` does not ask for, a card number, and what others
            find the person by, which must be confirmed first.
        StoreError: when the key store is missing.
    """
    policy = site.policy(conn)
    refuse_the_unfit(policy, point, {field: value or "" for field, value in changes.items()})
    if policy.identifying & changes.keys():
        raise Refused("What somebody is found by is not changed like this.", "It must be confirmed first.")
    want = Want(person_id, frozenset(changes), OWN_ACCESS, by)
    (asked,) = ask_each(site, conn, [want], events.PERSON_CORRECTED, to_open=False, corrects=True)
    if not asked.decision.allowed:
        raise Refused("There is nothing to correct.", "It is not yours, or is gone.", asked.decision.because)
    return rewrite_everywhere(site, conn, person_id, point, changes)


def rewrite_everywhere(
    site: Site, conn: Connection, person_id: str, point: str, changes: Mapping[str, str | None]
) -> int:
    """Carry out what ``correct_everywhere`` and ``moving`` have decided; returns how many holdings changed."""
    kept = {field: value for field, value in changes.items() if value is not None}
    note_ages(conn, site.policy(conn), person_id, kept, site.now())
    rows = conn.execute(_IN_USE, {"person_id": person_id}).all()
    opened = _opened(site, person_id, rows)
    there = set().union(*opened.values())
    new = {field: value for field, value in changes.items() if value is not None and field not in there}
    home = next((row.id for row in reversed(rows) if row.point == point), None)
    after = {row.id: _corrected(opened[row.id], changes) | (new if row.id == home else {}) for row in rows}
    return _rewrite_changed(site, conn, person_id, rows, opened, after)


def correct_held(
    site: Site, conn: Connection, person_id: str, holding_id: str, changes: Mapping[str, str | None], by: By
) -> int:
    """As ``correct_everywhere``, in one holding only: of two reviews somebody wrote, the one they mean.

    Raises:
        Refused: when anybody but the person asks, for a holding that is not theirs or not in use, a field it does not have,
            and what others find the person by.
        InvalidInput: for text that cannot be stored.
        StoreError: when the key store is missing.
    """
    want = Want(person_id, frozenset(changes), OWN_ACCESS, by)
    (asked,) = ask_each(site, conn, [want], events.PERSON_CORRECTED, to_open=False)
    rows = [row for row in conn.execute(_IN_USE, {"person_id": person_id}) if row.id == holding_id]
    if not asked.decision.allowed or not rows or changes.keys() - set(rows[0].fields.split()):
        raise Refused("There is nothing to correct.", "It is not yours, or is gone.", asked.decision.because)
    policy = site.policy(conn)
    refuse_the_unfit(policy, rows[0].point, {field: value or "" for field, value in changes.items()})
    if policy.identifying & changes.keys():
        raise Refused("What somebody is found by is not changed like this.", "It must be confirmed first.")
    opened = _opened(site, person_id, rows)
    after = {holding_id: _corrected(opened[holding_id], changes)}
    return _rewrite_changed(site, conn, person_id, rows, opened, after)


def _opened(site: Site, person_id: str, rows: Sequence[Row[Any]]) -> dict[str, dict[str, str]]:
    key = _key(site, person_id)
    return {row.id: unseal(key, person_id, row.id, row.fields.split(), row.body) for row in rows}


_NO_KEY = ("This person has no key: nothing can be sealed.", "This database is an older copy.")


def _key(site: Site, person_id: str) -> bytes:
    key = open_keys(site, [person_id]).get(person_id)
    if key is None:
        raise StoreError(*_NO_KEY)
    return key


def _rewrite_changed(
    site: Site,
    conn: Connection,
    person_id: str,
    rows: Sequence[Row[Any]],
    before: Mapping[str, Mapping[str, str]],
    after: Mapping[str, Mapping[str, str]],
) -> int:
    key, changed = _key(site, person_id), [row for row in rows if after[row.id] != before[row.id]]
    for row in changed:
        _rewrite(conn, row, key, after[row.id])
    return len(changed)


_IN_USE = (
    select(holding, shape.c.point, shape.c.source, shape.c.fields)
    .join(shape, shape.c.id == holding.c.shape_id)
    .where(holding.c.person_id == bindparam("person_id"), holding.c.only_for.is_(None))
    .order_by(holding.c.at, holding.c.id)
)


def _corrected(values: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    after = {field: changes.get(field, value) for field, value in values.items()}
    return {field: value for field, value in after.items() if value is not None}


def _rewrite(conn: Connection, row: Row[Any], key: bytes, values: Mapping[str, str]) -> None:
    """Seal a holding anew in its place; one of which nothing is left goes."""
    mine, name = holding.c.id == row.id, named(values)
    if not values:
        conn.execute(delete(holding).where(mine))
        return
    kept = name == row.fields
    shape_id = row.shape_id if kept else shape_ids(conn, row.point, row.source, [name])[name]
    conn.execute(update(holding).where(mine).values(shape_id=shape_id, body=seal(key, row.person_id, row.id, values)))
