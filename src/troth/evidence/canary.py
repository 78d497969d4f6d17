"""The canary: somebody made up goes through the doors that people use, once for each thing they may ask for, and is undone.

Each walk is a trial (``store.trial``): the site's own web application, forms, tokens, links in real mail, requests and acts, on
the real stores, in a transaction that is never committed. So the canary is nobody's case: staff never see it, nothing counts
it, its mail goes to a mailbox of its own in this process, and a flight that is killed leaves nothing behind. What a walk
found is entered into the ledger, without anything of the canary, and counts for some days.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

from sqlalchemy import Connection, func, select

from troth import ledger
from troth.agenda.tables import job
from troth.clock import AHEAD
from troth.errors import PolicyError, TrothError
from troth.evidence.asker import made_up_form
from troth.evidence.doors import Door, MakeDoor, Walk, staged
from troth.evidence.probes import handshake
from troth.evidence.walks import SAID_FAILED, walks
from troth.ledger import events
from troth.ledger.tables import entry
from troth.messages.mailbox import Mailbox
from troth.proof import Canary
from troth.store.site import Site
from troth.store.trial import Stage

KEPT_FOR = timedelta(days=7)
"""How long the last flight counts as evidence."""


def fly(site: Site, door: MakeDoor) -> Canary:
    """Walk every door of ``site`` once and say what became of it.

    ``door`` opens the site's web application. Sites without a form that a person could fill in, without mail, or whose pages
    cannot be served here, have no door to try; the canary then has walked none, and says what hindered it.
    """
    found, hindered = dict(_probed(site)), _hindrance(site)
    mailbox = Mailbox()
    mailbox.start()
    try:
        stage = staged(site, mailbox)
        inside = hindered or _entered(door, stage)
        if isinstance(inside, str):
            hindered = inside
        else:
            found |= dict(_walked(site, stage, inside, mailbox))
    finally:
        mailbox.stop()
    steps = tuple(name for name, (_, holds) in found.items() if holds is not None)
    failed = {name: SAID_FAILED[kind] for name, (kind, holds) in found.items() if holds is False}
    if steps:
        with site.writing() as conn:
            body = {"version": site.policy(conn).version, "steps": list(steps), "failed": failed_kinds(failed)}
            ledger.append(conn, site.now(), events.CANARY_SEARCHED, body)
    return Canary(steps, failed, site.now() if steps else None, hindered)


def _hindrance(site: Site) -> str:
    """Why nobody made up can go through the doors of ``site``, and what to do; blank when they can."""
    if site.wiring.mail is None:
        return (
            "site.yaml has no `mail`, and people confirm what they ask for by a link in a mail. "
            "Set `mail: {smtp: HOST:PORT, sender: ADDRESS}` and prove again."
        )
    if made_up_form(site.policy()) is None:
        return (
            "The policy has no form that anybody may fill in and that asks an e-mail address by which a person is found. "
            "Without one, prove these promises by what really happens, or add such a form under `collection`."
        )
    return ""


def _entered(door: MakeDoor, stage: Stage) -> Door | str:
    """The site's own pages, or why they cannot be served here."""
    try:
        return door(stage.site)
    except PolicyError as error:
        return f"The pages cannot be served here. {error}"


Found = tuple[str, bool | None]
"""the kind of a step, and whether it held; None when there was nothing to try"""


def _probed(site: Site) -> Iterator[tuple[str, Found]]:
    """What is looked at from outside, while no transaction is open."""
    for key, one in site.policy().policy.security.items():
        if one.check == "tls":
            yield f"security.{key}", ("tls", handshake(site.wiring.base_url))


def _walked(site: Site, stage: Stage, inside: Door, mailbox: Mailbox) -> Iterator[tuple[str, Found]]:
    for names, kind, walk in walks(site.policy()):
        with site.reading() as conn:
            before = frozenset(conn.scalars(select(job.c.id)))
        try:
            with stage.trial() as tried:
                held = walk(Walk(tried, inside, mailbox, before))
        except TrothError:
            held = dict.fromkeys(names, False)
        yield from ((name, (kind, held[name])) for name in names)


def failed_kinds(failed: Mapping[str, str]) -> dict[str, str]:
    """The steps that failed with the kind of failure, which is a word; what it means is said when it is shown."""
    kinds = {said: kind for kind, said in SAID_FAILED.items()}
    return {name: kinds[said] for name, said in failed.items()}


def last(conn: Connection, site: Site) -> Canary:
    """What became of the last canary, from the ledger; no steps when there was none in the last days.

    Nor when it flew under another version: what it tried there may be called the same and be something else here.
    """
    query = select(entry.c.at, entry.c.body).where(
        entry.c.event == events.CANARY_SEARCHED, entry.c.at.between(site.now() - KEPT_FOR, site.now() + AHEAD)
    )
    row = conn.execute(query.order_by(entry.c.at.desc(), entry.c.id.desc()).limit(1)).first()
    body = json.loads(row.body) if row else {}
    if not row or body.get("version") != site.policy(conn).version:
        return Canary()
    told = body.get("failed")
    failed = {step: SAID_FAILED[kind] for step, kind in told.items()} if isinstance(told, dict) else {}
    return Canary(tuple(body.get("steps", ())), failed, row.at)


def flights(conn: Connection) -> int:
    """A number that grows with every flight, whoever had it flown: what was proven before the last one may be out of date."""
    return conn.scalar(select(func.max(entry.c.id)).where(entry.c.event == events.CANARY_SEARCHED)) or 0
