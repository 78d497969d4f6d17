"""Correcting what a person gave: what they send again takes the place of what was held, in the same holding.

Nothing is opened for it: whoever corrects sends all that a holding has, as it is shown to be corrected, and what was there is
sealed over. When, where and under which version it was given stays, and so does the clock that ends it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, select, update

from troth.errors import InvalidInput, Refused, StoreError
from troth.ledger import events
from troth.people.cards import refuse_cards
from troth.people.each import Want, ask_each
from troth.people.facts import By
from troth.people.keystore import open_keys
from troth.people.sealing import seal
from troth.people.tables import holding, shape
from troth.policy.rules import OWN_ACCESS
from troth.store.prepared import Prepared
from troth.store.site import Site

_HELD = Prepared(
    select(holding.c.id, shape.c.fields)
    .join(shape, shape.c.id == holding.c.shape_id)
    .where(holding.c.submission == bindparam("submission"), holding.c.person_id == bindparam("person_id"))
)
_CORRECTING = Prepared(update(holding).where(holding.c.id == bindparam("held")).values(body=bindparam("sealed")))


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
    (asked,) = ask_each(site, conn, [Want(person_id, frozenset(values), OWN_ACCESS, by)], event=events.PERSON_CORRECTED)
    held = _HELD.rows(conn, {"submission": submission, "person_id": person_id}) if asked.decision.allowed else []
    if not held:
        raise Refused("There is nothing to correct.", "It is not yours, or is gone.", asked.decision.because)
    fields = {
        id_: names for id_, written in held if (names := written.split(" ")) and not values.keys().isdisjoint(names)
    }
    _refuse_the_partial({field for names in fields.values() for field in names}, values, site.policy(conn).identifying)
    key = open_keys(site, [person_id]).get(person_id)
    if key is None:
        raise StoreError("This person has no key: nothing can be sealed.", "This database is an older copy.")
    _CORRECTING.many(
        conn,
        [
            {"held": one, "sealed": seal(key, person_id, one, {name: values[name] for name in names})}
            for one, names in fields.items()
        ],
    )
    return tuple(fields)


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
