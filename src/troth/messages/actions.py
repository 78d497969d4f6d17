"""Mail out: queued with its cause, decided again when it leaves, sent once for a key.

What could go wrong: a message for something that was rolled back, or none for something that happened; one sent to a person who
said no a minute before; the same one sent twice; an address lying about in a queue. So a row and its job are written in the
transaction of their cause and hold no address; the delivery asks the policy again, reads the address through the vault and
only then speaks to the mail server; a row leaves the state ``queued`` once. A process that dies between the server's answer
and the commit sends again under the same Message-ID: SMTP itself knows no more than *at least once* (RFC 5321, 4.5.4), and a
reader's program drops the double. A mail that fails never fails what caused it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from troth import agenda, ledger
from troth.agenda import Handler, Job, NewJob
from troth.consent import actions as consent
from troth.consent.rules import stands
from troth.decide import Ask, Decision
from troth.errors import InvalidInput, Refused
from troth.ids import new_id
from troth.ledger import events
from troth.messages.compose import Letter, compose
from troth.messages.links import Removal, Stop, once_link, removal_link, stop_link
from troth.messages.outdated import outdated
from troth.messages.post import LEAVES_WITHIN, Undelivered, hand_over
from troth.messages.rules import (
    MOVING,
    NOTICES,
    UNCONFIRMED,
    Sending,
    can_be_stopped,
    declared,
    promotes,
    purpose_of,
    sending,
    stopping,
)
from troth.messages.tables import message
from troth.people import facts as people
from troth.people import moving, vault
from troth.people.confirmed import unconfirmed
from troth.people.tables import holding, person, shape
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker
from troth.policy.notice.language import language as words_of
from troth.recipients.switches import say_no
from troth.retention import relationship
from troth.store.insert import insert_into
from troth.store.site import Site

DELIVER = "message:deliver"
SECOND_HAND = "tell:second-hand"
ONCE, ONCE_PAGE = "once", "once_page"
"""the term that names a link which is good for once, and the one that names its page, when it is not the password's; the
template is given ``link``"""
ROLE = "role"
"""the term with the role of whoever writes, which the template is not given"""
REMOVAL = "removal"
"""the term with the version that somebody may disagree with, for a link that asks for the removal of their data"""
REMOVAL_LASTS = timedelta(days=90)


def queue(
    site: Site,
    conn: Connection,
    person_id: str,
    name: str,
    template: str,
    terms: Mapping[str, Any],
    key: str,
    role: str = "",
    *,
    final: bool = False,
    by: vault.By | None = None,
) -> bool:
    """Queue a message of the class (or notice) ``name`` in the caller's transaction; it leaves after the commit.

    ``terms`` fill the template: names and dates of the policy, never a personal value. ``key`` stands for the event that
    causes the message. ``role`` is that of the member of staff who writes, for a purpose that some roles alone may act for;
    ``by`` is who asks for the message, if neither they nor the operator's system. When it leaves, the system asks again.
    With ``final`` a no counts for this ``key`` for good: a row says so, and whoever looks for what is owed asks no more.
    Returns False when the policy or a choice does not allow it, when it was queued before, and when it promotes something
    and nobody has confirmed the address: whoever registered may have given somebody else's.

    Raises:
        InvalidInput: when the policy has no such class.
    """
    compiled, now = site.policy(conn), site.now()
    wanted, decision = _decided(site, conn, compiled, person_id, name, role, by)
    early = decision.allowed and _must_confirm(conn, compiled, name, person_id)
    allowed = decision.allowed and not early
    refusal = None if allowed else UNCONFIRMED if early else decision.reason
    row = _row_of(person_id, key, name, template, {**terms, ROLE: role} if role else terms, now, refusal)
    ref = row["id"]
    kept = allowed or final
    if kept and not _inserted(conn, row):
        return False
    about = {"message": ref, "class": name} if kept else {}
    if early:
        ledger.append(conn, now, events.MESSAGE_REFUSED, {"person": person_id, **about})
    else:
        event = events.MESSAGE_QUEUED if allowed else events.MESSAGE_REFUSED
        _ledgered(site, conn, event, compiled, wanted.ask, decision, person_id, about)
    return allowed and agenda.put(
        conn, DELIVER, f"{DELIVER}:{ref}", ref, due_at=now, at=now, deadline=now + LEAVES_WITHIN
    )


def queue_many(
    site: Site, conn: Connection, keys: Mapping[str, str], name: str, template: str, terms: Mapping[str, Any]
) -> int:
    """As ``queue`` with ``final`` for a set of people, each with the key in ``keys``, in a few statements for all of them.

    Returns how many messages were queued. Those whom the policy or a choice excludes have a row that says so. Whether
    an address must be confirmed first is looked at when each leaves: what many are told at once promotes nothing.

    Raises:
        InvalidInput: when the policy has no such class.
    """
    compiled, now, purpose = site.policy(conn), site.now(), declared(site.policy(conn).policy, name).for_
    known = people.known(conn, keys)
    by, scopes = vault.By("system"), (purpose,)
    facts = vault.facts(site, conn, list(keys), by, now, purpose=purpose, policy=compiled, people=known, scopes=scopes)
    asks = {one: sending(compiled, name, known[one].kind if one in known else "", facts[one]).ask for one in keys}
    decided = {one: compiled.decide(ask) for one, ask in asks.items()}
    refusals = {one: None if decided[one].allowed else decided[one].reason for one in keys}
    rows = {one: _row_of(one, keys[one], name, template, terms, now, refusals[one]) for one in keys}
    new = insert_into(conn, message).values(list(rows.values())).on_conflict_do_nothing(index_elements=["key"])
    made = set(conn.scalars(new.returning(message.c.person_id)))
    ledger.append_all(conn, now, [_entry(compiled, rows[one], asks[one], decided[one]) for one in keys if one in made])
    leaving = [str(rows[one]["id"]) for one in keys if one in made and decided[one].allowed]
    late = now + LEAVES_WITHIN
    return agenda.put_many(conn, [NewJob(DELIVER, f"{DELIVER}:{ref}", ref, now, late) for ref in leaving], now)


def _must_confirm(conn: Connection, compiled: Compiled, name: str, person_id: str) -> bool:
    """Whether somebody must confirm their address before they are sent ``name``."""
    return promotes(compiled.policy, name) and bool(unconfirmed(conn, [person_id]))


def _row_of(
    person_id: str, key: str, name: str, template: str, terms: Mapping[str, Any], now: datetime, refusal: str | None
) -> dict[str, Any]:
    """A new row of ``message``: queued, or refused for the reason that ``refusal`` gives."""
    row: dict[str, Any] = {"id": new_id(now), "key": key, "person_id": person_id, "class": name, "template": template}
    row |= {"terms": dict(terms), "at": now, "state": "queued" if refusal is None else "refused"}
    return row | {"because": (refusal or "")[:200]}


def _entry(compiled: Compiled, row: Mapping[str, Any], ask: Ask, decision: Decision) -> ledger.Told:
    event = events.MESSAGE_QUEUED if decision.allowed else events.MESSAGE_REFUSED
    about = {"person": row["person_id"], "message": row["id"], "class": row["class"]}
    return event, {**ledger.decision_body(ask, decision, compiled.version), **about}


def _inserted(conn: Connection, row: Mapping[str, Any]) -> bool:
    new = insert_into(conn, message).values(row).on_conflict_do_nothing(index_elements=["key"])
    return conn.execute(new.returning(message.c.id)).first() is not None


def _decided(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    person_id: str,
    name: str,
    role: str,
    asker: vault.By | None = None,
) -> tuple[Sending, Decision]:
    by, purpose = (asker if asker and name not in NOTICES else _by(name, person_id, role)), purpose_of(compiled, name)
    scopes = () if name in NOTICES else (purpose,)
    facts = vault.facts(site, conn, [person_id], by, site.now(), purpose=purpose, policy=compiled, scopes=scopes)
    wanted = sending(compiled, name, vault.kind_of(conn, person_id) or "", facts[person_id])
    return wanted, compiled.decide(wanted.ask)


def _by(name: str, person_id: str, role: str) -> vault.By:
    """A notice is read for the person it is about; anything else for whoever writes it, or for the operator's system."""
    if role and name not in NOTICES:
        return vault.By("staff", role)
    return vault.By("person", ref=person_id) if name in NOTICES else vault.By("system")


def _ledgered(
    site: Site,
    conn: Connection,
    event: str,
    compiled: Compiled,
    ask: Ask,
    decision: Decision,
    person_id: str,
    about: Mapping[str, str],
) -> None:
    body = {**ledger.decision_body(ask, decision, compiled.version), "person": person_id, **about}
    ledger.append(conn, site.now(), event, body)


def deliver(site: Site, job: Job) -> None:
    """Send one queued message: decided again, addressed through the vault; does nothing when it has left already.

    Raises:
        Undelivered: when the mail server does not take it for now; the agenda tries again.
        StoreError: when a store is locked or gone.
    """
    with site.reading() as conn:
        leaving = _leaving(site, conn, job.ref)
    if leaving is not None and not leaving.decision.allowed:
        leaving = _allowed_after_all(site, job.ref)
    if leaving is None:
        return
    row = leaving.row
    if leaving.withheld:
        _ended(site, row, "refused", events.MESSAGE_REFUSED, leaving.withheld)
        return
    try:
        _sent(site, leaving.compiled, row, leaving.wanted)
    except (Refused, InvalidInput) as error:
        _ended(site, row, "refused", events.MESSAGE_REFUSED, error.message)
    except Undelivered as error:
        if not error.for_good:
            raise
        _ended(site, row, "failed", events.MESSAGE_FAILED, error.message)
    else:
        _ended(site, row, "sent", events.MESSAGE_SENT, "")


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A message that waits, as it is decided about when it leaves."""

    row: Row[Any]
    compiled: Compiled
    wanted: Sending
    decision: Decision
    withheld: str
    """why what it says is not true any more, or its address is not confirmed any more; blank when it may leave"""


def _leaving(site: Site, conn: Connection, message_id: str) -> _Leaving | None:
    row = conn.execute(select(message).where(message.c.id == message_id)).first()
    if row is None or row.state != "queued":
        return None
    compiled, name = site.policy(conn), row._mapping["class"]
    wanted, decision = _decided(site, conn, compiled, row.person_id, name, row.terms.get(ROLE, ""))
    early = UNCONFIRMED if _must_confirm(conn, compiled, name, row.person_id) else ""
    return _Leaving(row, compiled, wanted, decision, outdated(conn, row.template, row.terms, site.now()) or early)


def _allowed_after_all(site: Site, message_id: str) -> _Leaving | None:
    """Decide again in the transaction that enters a refusal, so that the ledger has what was true there."""
    with site.writing() as conn:
        found = _leaving(site, conn, message_id)
        if found is None or found.decision.allowed:
            return found
        row, asked = found.row, found.wanted.ask
        about = {"message": str(row.id), "class": str(row._mapping["class"])}
        _ledgered(site, conn, events.MESSAGE_REFUSED, found.compiled, asked, found.decision, row.person_id, about)
        _close(site, conn, row.id, "refused", found.decision.reason)
    return None


def _sent(site: Site, compiled: Compiled, row: Row[Any], wanted: Sending) -> None:
    name = row._mapping["class"]
    by = _by(name, row.person_id, row.terms.get(ROLE, ""))
    reading = vault.read(site, row.person_id, wanted.fields, wanted.purpose, by)
    to = next((reading.values[key] for key in sorted(wanted.address) if reading.values.get(key)), None)
    if name in MOVING:
        with site.reading() as conn:
            to = moving.address(site, conn, row.person_id, MOVING[name])
    if to is None or site.wiring.mail is None:
        raise InvalidInput("There is no address to write to.", hint="The person gave none, or `mail` is not set up.")
    letter = Letter(
        id=row.id,
        template=row.template,
        language=language(compiled, row.terms),
        terms=_terms(site, row.person_id, row.terms),
        operator=compiled.policy.operator.name or site.wiring.title,
        sender=site.wiring.mail.sender,
        to=to,
        at=site.now(),
        stop_link=stop_link(site, row.person_id, name) if can_be_stopped(compiled.policy, name) else None,
        promotional=name not in NOTICES and declared(compiled.policy, name).kind == "promotional",
    )
    hand_over(site.wiring.mail, compose(letter))


def _terms(site: Site, person_id: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What the template is given; the links that only this person may have are made now, so that no row ever holds one."""
    given = {key: value for key, value in terms.items() if key not in {"language", ONCE, ONCE_PAGE, REMOVAL, ROLE}}
    if ONCE in terms:
        given["link"] = once_link(site, terms[ONCE], terms.get(ONCE_PAGE, "link"))
    if REMOVAL in terms:
        disagreeing = Removal(person_id, int(terms[REMOVAL]), site.now() + REMOVAL_LASTS)
        given["remove_link"] = removal_link(site, disagreeing) if terms[REMOVAL] else ""
    return given


def language(compiled: Compiled, terms: Mapping[str, Any]) -> str:
    """The language a message asks for, if the policy is published in it; else the policy's first."""
    known, wanted = compiled.policy.policy.languages, str(terms.get("language", ""))
    return wanted if wanted in known else known[0]


def _ended(site: Site, row: Row[Any], state: str, event: str, because: str) -> None:
    with site.writing() as conn:
        if _close(site, conn, row.id, state, because):
            ledger.append(conn, site.now(), event, {"person": row.person_id, "message": row.id})


def _close(site: Site, conn: Connection, message_id: str, state: str, because: str) -> bool:
    still = (message.c.id == message_id) & (message.c.state == "queued")
    sent_at = site.now() if state == "sent" else None
    closing = update(message).where(still).values(state=state, because=because[:200], sent_at=sent_at)
    return conn.execute(closing).rowcount == 1


def tell_second_hand(site: Site, job: Job) -> None:
    """Queue the notice that data came from a partner: which partner, which data, for what, and what the person can do.

    One notice tells of a whole submission, in however many parts it is held by now. A job of an earlier version names the
    first of these parts.
    """
    with site.writing() as conn:
        parts = _of_submission(conn, job.ref)
        if not parts or parts[0].partner is None:
            return
        first, fields = parts[0], sorted({field for part in parts for field in part.fields.split()})
        terms = second_hand_terms(site.policy(conn), first.partner, first.point, fields, first.at)
        terms |= {"notice": site.wiring.base_url.rstrip("/") + "/"}
        queue(site, conn, first.person_id, "second_hand", "second_hand", terms, f"{SECOND_HAND}:{job.ref}")


def _of_submission(conn: Connection, ref: str) -> Sequence[Row[str, str | None, datetime, str, str]]:
    """What is held of a submission, by its key or by the number of one of its parts."""
    query = select(holding.c.person_id, holding.c.partner, holding.c.at, shape.c.point, shape.c.fields)
    query = query.join(shape, shape.c.id == holding.c.shape_id).order_by(holding.c.id)
    key = conn.scalar(select(holding.c.submission).where(holding.c.id == ref)) or ref
    return conn.execute(query.where(holding.c.submission == key)).all()


def second_hand_terms(compiled: Compiled, partner: str, point: str, fields: list[str], at: datetime) -> dict[str, Any]:
    """What the notice of second-hand data names, in the policy's first language."""
    policy = compiled.policy
    speaker = Speaker(policy, words_of(policy.policy.languages[0]))
    purposes = [policy.purposes[key] for key in policy.collection[point].for_]
    rights = [
        speaker.text(one.label) if one.label else speaker.phrase("rights", one.right) for one in policy.rights.values()
    ]
    return {
        "language": speaker.words.tag,
        "day": speaker.date(at.date()),
        "partner": speaker.recipient(partner),
        "fields": [speaker.label(key) for key in fields],
        "purposes": [speaker.text(purpose.label) for purpose in purposes],
        "choices": list(dict.fromkeys(rights)),
        "contact": policy.operator.email or "",
        "address": policy.operator.address or "",
    }


def stop(site: Site, link: Stop, words: str, tag: str) -> None:
    """Record that a person wants no more messages of a class: in force for the next decision. Twice is the same as once,
    unless they agreed in between.

    Recipients who had their data for it are told to delete it.

    Whoever was destroyed gets no message anyway, and a link in an old one must not leave anything of them here again.

    Raises:
        InvalidInput: when the policy in force no longer has the class.
    """
    with site.writing() as conn:
        compiled = site.policy(conn)
        entry = declared(compiled.policy, link.message_class)
        state = stopping(entry)
        chosen = consent.choices(conn, [link.person_id]).get(link.person_id, [])
        there = conn.scalar(select(person.c.id).where(person.c.id == link.person_id))
        if there and not stands(chosen, entry.for_, state):
            say_no(site, conn, link.person_id, entry.for_, state, words, tag, "unsubscribe_link", compiled)
            relationship.refresh(site, conn, [link.person_id], compiled)


HANDLERS: Mapping[str, Handler] = {DELIVER: deliver, SECOND_HAND: tell_second_hand}
