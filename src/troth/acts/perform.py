"""Carrying one act out for a caller: may they, do the arguments fit, was it done before, do it, and note who did it.

All of it is one transaction: the key, the act, the ledger's entries and the line in the log of the staff. A refusal of the
policy is committed, so that it stays on the ledger, and keeps no key: asked again, it is decided again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from troth import ledger
from troth.acts import keys
from troth.acts.arguments import read
from troth.acts.model import Act, Caller, Declined, Doing, Result
from troth.acts.table import may, named
from troth.errors import Refused
from troth.ledger import events
from troth.policy.rules import one_word
from troth.staff import log
from troth.store.site import Site

PATH = "/api/acts"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act; ``repeated`` when it had been done before under the same key."""

    act: str
    result: Result
    repeated: bool = False


def perform(site: Site, caller: Caller, name: str, given: Mapping[str, Any], key: str = "") -> Done:
    """Carry out the act ``name`` with the arguments ``given``; with a ``key``, once.

    Raises:
        Refused: when the caller may not do it, or the policy does not allow it, which is then on the ledger.
        InvalidInput: when there is no such act, when arguments do not fit, or (``KeyUsed``) the key came with another body.
        StoreError: when a store is gone or locked; nothing was done.
    """
    act = named(name)
    if not may(caller, act):
        raise Refused("You may not do this here.", f"It takes the right to `{act.scope}`, or to `{act.name}`.")
    with site.writing() as conn:
        came = _once(site, conn, caller, act, given, key)
    if isinstance(came, Declined):
        raise Refused(came.message, came.hint, came.because)
    return came


def _once(
    site: Site, conn: Connection, caller: Caller, act: Act, given: Mapping[str, Any], key: str
) -> Done | Declined:
    own = keys.key_of(site, caller.id, key, "POST", f"{PATH}/{act.name}", dict(given)) if key else None
    before = keys.first_answer(conn, own) if own else None
    if before is not None:
        return Done(act.name, before, repeated=True)
    compiled, now = site.policy(conn), site.now()
    result = act.run(Doing(site, conn, compiled, caller, read(act.arguments, given, compiled), now))
    if isinstance(result, Declined):
        return result
    _note(site, conn, caller, act, result)
    if own:
        keys.keep(conn, own, {name: said for name, said in result.items() if name not in act.private}, now)
    return Done(act.name, result)


def _note(site: Site, conn: Connection, caller: Caller, act: Act, result: Result) -> None:
    """Who did it, on the ledger; and for a member of staff in their log, with where from."""
    about = str(result.get("person") or "")
    word = one_word(act.name.replace("-", "_"))
    if caller.kind == "staff":
        log.note(site, conn, "acted", caller.id, caller.ip, act=f"act_{word}", ref=about)
    body = {"act": word, "by": caller.kind, "who": caller.id, "person": about}
    ledger.append(conn, site.now(), events.ACT_DONE, {name: said for name, said in body.items() if said})
