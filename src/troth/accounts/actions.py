"""Opening an account, choosing its password, closing it, and deleting it with everything that is held.

What could go wrong: somebody registers with an address that is not theirs and sees, or changes, what its owner gave, or fills
its owner's mailbox; a page that answers otherwise when an address is known; an account without the data it belongs to, or data
without its account after a crash. So an account is opened by whoever reads the mail at the address, with a link that is good
for once; for an address that has an account a registration stores nothing and tells its owner, a few times a day at most; the
answer on screen is the same in both cases; and the registration that a crash left without its account gets it when the form is
sent again or a new password is asked for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, literal, select, update

from troth import ledger
from troth.accounts import once, tries
from troth.accounts.factors.tables import half_log_in, passkey, recovery_code, second_factor, spent
from troth.accounts.publicity.tables import public_profile
from troth.accounts.rules import LINK_LASTS, RESET_LASTS, may_write
from troth.accounts.tables import account, attempt, session
from troth.accounts.tables import once as once_link
from troth.clock import DAY
from troth.collection import rules as collection
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.decide import Ask
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.logins.passwords import hashed
from troth.logins.rules import EASY, password_problem
from troth.messages.actions import ONCE, queue
from troth.messages.rules import addresses
from troth.people import dealings, moving, vault
from troth.people.blind import normalised
from troth.people.tables import dealing, person
from troth.people.tables import moving as waiting_address
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker
from troth.policy.notice.language import language as words_of
from troth.retention import relationship
from troth.store.insert import insert_into
from troth.store.site import Site
from troth.store.turns import take_turns

FACTORS = (recovery_code, second_factor, passkey)
LOG_IN, OWN_PASSWORD = "log in", "password"
"""what somebody tries at who types a password: to enter, or to show at an open session that it is they"""
MAIL = "mail"
CANCELLED = "@closed"
"""what stands for the purposes that the data of a closed account may still be read for: none is called so, and a restriction
that its person asked for is spelt otherwise, since coming back lifts the one and not the other"""


def register(site: Site, submission: Submission) -> None:
    """Take in a registration and send its address a link to choose a password with.

    For an address that has an account already nothing is stored, its owner is told, and the caller cannot tell.

    Raises:
        InvalidInput, Refused, StoreError: as ``collect`` does, for known addresses and new ones alike.
    """
    compiled = site.policy()
    known = _holder(site, compiled, submission)
    if known is None:
        receipt = collect(site, submission)
        if not opened(site, receipt.person_id) and not receipt.repeated:
            _send_again(site, receipt.person_id)
        return
    _refused_like_anybody(site, compiled, submission)
    with site.writing() as conn:
        turn_of(conn, known)
        if _room_for_mail(site, conn, known):
            terms = letter_terms(site, compiled)
            queue(site, conn, known, "account_exists", "account_exists", terms, f"exists:{submission.key}")


def _holder(site: Site, compiled: Compiled, submission: Submission) -> str | None:
    """Who has the account that one of the values names; what a program sent that is no text names nobody."""
    with site.reading() as conn:
        for field in sorted(compiled.identifying & submission.values.keys()):
            value: object = submission.values[field]
            found = vault.find(site, conn, field, value) if isinstance(value, str) else None
            state = state_of(conn, found) if found else None
            if state is not None and state.state in {"open", "suspended"}:
                return found
    return None


def _send_again(site: Site, person_id: str) -> None:
    """Somebody registered anew before they chose a password: the link in the newer message is the good one."""
    with site.writing() as conn:
        turn_of(conn, person_id)
        state = state_of(conn, person_id)
        if state is not None and state.state == "waiting":
            _send_link(site, conn, person_id, new=True)


def _refused_like_anybody(site: Site, compiled: Compiled, submission: Submission) -> None:
    """What ``collect`` would have said to anybody new, so that an account cannot be told from its absence."""
    checked = collection.check(compiled, submission, site.now())
    if checked.problems:
        raise InvalidInput("Some answers need your attention. Nothing was stored.", dict(checked.problems))
    people = compiled.policy.collection[submission.point].people
    decision = compiled.decide(Ask("collect", submission.point, frozenset(checked.values), people, facts=checked.facts))
    if not decision.allowed:
        reason = f"{decision.reason[:1].upper()}{decision.reason[1:]}."
        raise Refused("We may not take this in.", reason, decision.because)


def opened(site: Site, person_id: str) -> bool:
    """Open an account that waits for its address to be confirmed, if its person registered; whether there is a new one now."""
    with site.writing() as conn:
        turn_of(conn, person_id)
        state = state_of(conn, person_id)
        if vault.kind_of(conn, person_id) is None or (state is not None and state.state != "closed"):
            return False
        if conn.execute(_REGISTERED, {"person_id": person_id}).first() is None:
            return False
        _open(site, conn, person_id)
    return True


_REGISTERED = select(dealing.c.id).where(
    dealing.c.person_id == bindparam("person_id"), dealing.c.kind == "registration", dealing.c.closed_at.is_(None)
)


def _open(site: Site, conn: Connection, person_id: str) -> None:
    """A new account, or one that was closed and is wanted again; either waits for its address to be confirmed."""
    fresh = {"state": "waiting", "made_at": site.now(), "confirmed_at": None, "closed_at": None}
    new = insert_into(conn, account).values(person_id=person_id, because="", **fresh)
    conn.execute(new.on_conflict_do_update(index_elements=["person_id"], set_=fresh))
    ledger.append(conn, site.now(), events.ACCOUNT_REGISTERED, {"person": person_id})
    _send_link(site, conn, person_id, new=True)


def forgot(site: Site, address: str) -> None:
    """Send a link to choose a new password to ``address``, if an account is reached by it; says nothing either way.

    Whoever registered and has no account, after a crash or through another door than ours, gets it now.
    """
    with site.reading() as conn:
        person_id = by_address(site, conn, address)
    if person_id is None or opened(site, person_id):
        return
    with site.writing() as conn:
        turn_of(conn, person_id)
        state = state_of(conn, person_id)
        if state is not None and state.state in {"waiting", "open"}:
            _send_link(site, conn, person_id, new=state.state == "waiting")


def by_address(site: Site, conn: Connection, address: str) -> str | None:
    """Whoever an e-mail address belongs to, if it identifies anybody here."""
    compiled = site.policy(conn)
    found = (vault.find(site, conn, one, address) for one in sorted(compiled.identifying & addresses(compiled.policy)))
    return next(filter(None, found), None)


def spelt(compiled: Compiled, address: str) -> str:
    """An e-mail address as ``by_address`` spells it, so that one that is nobody's is the same however it is written."""
    return normalised(compiled, min(compiled.identifying & addresses(compiled.policy), default=""), address)


def _send_link(site: Site, conn: Connection, person_id: str, *, new: bool) -> None:
    """Send a link in place of those that were sent before; none, and those stay good, where there was enough mail today."""
    if not _room_for_mail(site, conn, person_id):
        return
    compiled, lasts = site.policy(conn), LINK_LASTS if new else RESET_LASTS
    once.void(conn, person_id, site.now(), None)
    link = once.issue(site, conn, person_id, lasts)
    speaker = Speaker(compiled.policy, words_of(compiled.policy.policy.languages[0]))
    terms = {**letter_terms(site, compiled), ONCE: link, "new": new, "lasts": speaker.duration(lasts)}
    queue(site, conn, person_id, "choose_password", "choose_password", terms, f"password:{link}")


def _room_for_mail(site: Site, conn: Connection, person_id: str) -> bool:
    """Whether somebody may be sent one more mail that anybody can cause who knows their address; it counts if so."""
    return tries.enter(site, conn, tries.mark_of(site, MAIL, person_id), may_write)


def letter_terms(site: Site, compiled: Compiled) -> dict[str, Any]:
    """What every message about an account is given."""
    return {"language": compiled.policy.policy.languages[0], "notice": site.wiring.base_url.rstrip("/") + "/"}


def choose_password(site: Site, token: str, password: str) -> str:
    """Redeem a link: the address is confirmed, the account open, every session before it over; returns the person.

    Codes, if they are on, stay on, and passkeys stay: whoever reads the mail has neither app nor device. Wrong tries are
    forgiven.

    Raises:
        InvalidInput: when the password will not do (the link is still good), or the link is not, or no longer, good.
        Refused: when the account is suspended.
    """
    if problem := password_problem(password):
        raise InvalidInput(problem, {"password": problem})
    kept = hashed(password)  # outside the transaction: it takes long on purpose
    with site.writing() as conn:
        person_id = redeemed(conn, token, site.now())
        state = state_of(conn, person_id) if person_id else None
        if person_id is None or state is None or state.state == "closed":
            raise InvalidInput("This link is no longer good.", hint="Ask for a new one; each works once.")
        if state.state == "suspended":
            raise Refused("This account is suspended.", state.because)
        if by_address(site, conn, password) == person_id:
            raise InvalidInput(EASY, {"password": EASY})
        change = {"state": "open", "password": kept, "confirmed_at": state.confirmed_at or site.now()}
        conn.execute(update(account).where(account.c.person_id == person_id).values(**change))
        if state.state == "waiting":  # whoever had closed the account before is back
            back = (person.c.id == person_id) & (person.c.only_for == CANCELLED)
            conn.execute(update(person).where(back).values(only_for=None))
        _end_sessions(conn, person_id)
        for what in (LOG_IN, OWN_PASSWORD, MAIL):
            tries.forgive(conn, tries.mark_of(site, what, person_id))
        moving.give_up(conn, person_id)
        ledger.append(conn, site.now(), events.ACCOUNT_CONFIRMED, {"person": person_id})
    return person_id


def redeemed(conn: Connection, token: str, now: datetime, what: once.What = None) -> str | None:
    """As ``once.redeem``, once nobody else does anything about the account of its person until this transaction ends."""
    person_id = once.whose(conn, token, now, what)
    if person_id is not None:
        turn_of(conn, person_id)
    return once.redeem(conn, token, now, what)


def turn_of(conn: Connection, person_id: str) -> None:
    """Wait for the turn at somebody's account: what is read of it stays true until the caller's transaction ends."""
    take_turns(conn, f"person:{person_id}")


def cancel(site: Site, person_id: str) -> None:
    """Close an account at its member's wish: no log-in, no mail, no use of the data but what the law asks; clocks begin."""
    with site.writing() as conn:
        cancel_in(site, conn, person_id)


def cancel_in(site: Site, conn: Connection, person_id: str) -> None:
    """As ``cancel``, in the caller's transaction. Raises ``Refused`` when there is no account to close."""
    now = site.now()
    turn_of(conn, person_id)
    closing = update(account).where(account.c.person_id == person_id, account.c.state != "closed")
    if not conn.execute(closing.values(state="closed", closed_at=now, password=None)).rowcount:
        raise Refused("There is no account to close.", "It was closed before.")
    _end_sessions(conn, person_id)
    moving.give_up(conn, person_id)
    for table in (*FACTORS, public_profile):
        conn.execute(delete(table).where(table.c.person_id == person_id))
    mine = select(dealing.c.ref).where(dealing.c.person_id == person_id, dealing.c.kind == "registration")
    for ref in conn.scalars(mine.where(dealing.c.closed_at.is_(None))).all():
        dealings.close_dealing(site, conn, person_id, "registration", ref, now)
    relationship.refresh(site, conn, [person_id])
    free = (person.c.id == person_id) & person.c.only_for.is_(None)  # a restriction stands, for whoever comes back too
    conn.execute(update(person).where(free).values(only_for=CANCELLED))
    ledger.append(conn, now, events.ACCOUNT_CANCELLED, {"person": person_id})


def suspend(site: Site, person_id: str, because: str) -> None:
    """Suspend an account for a reason that its member is told at the next log-in; ``because`` names nobody."""
    with site.writing() as conn:
        suspend_in(site, conn, person_id, because)


def suspend_in(site: Site, conn: Connection, person_id: str, because: str) -> None:
    """As ``suspend``, in the caller's transaction.

    Raises:
        InvalidInput: without a reason.
        Refused: when there is no account to suspend.
    """
    _refuse_the_reasonless(because)
    turn_of(conn, person_id)
    mine = update(account).where(account.c.person_id == person_id, account.c.state.in_(("waiting", "open")))
    if not conn.execute(mine.values(state="suspended", because=because)).rowcount:
        raise Refused("There is no open account to suspend.", "It is closed or suspended already.")
    _end_sessions(conn, person_id)
    ledger.append(conn, site.now(), events.ACCOUNT_SUSPENDED, {"person": person_id})


def _refuse_the_reasonless(because: str) -> None:
    if not because.strip():
        raise InvalidInput("An account is suspended for a reason, which its member is told.", {"because": "is missing"})


def forget_the_past(site: Site) -> int:
    """Remove sessions, links and whatever else is over by now, and tries that are a day old; returns how many."""
    now = site.now()
    ending = (session, once_link, half_log_in, spent, waiting_address)
    past = [(table, table.c.ends_at <= now) for table in ending] + [(attempt, attempt.c.at <= now - DAY)]
    with site.reading() as conn:
        if not any(conn.execute(select(literal(1)).where(over).limit(1)).first() for _, over in past):
            return 0
    with site.writing() as conn:
        return sum(conn.execute(delete(table).where(over)).rowcount for table, over in past)


def state_of(conn: Connection, person_id: str) -> Row[Any] | None:
    """The account of a person, if there is one."""
    return conn.execute(select(account).where(account.c.person_id == person_id)).first()


def _end_sessions(conn: Connection, person_id: str) -> None:
    for table in (session, half_log_in):
        conn.execute(delete(table).where(table.c.person_id == person_id))
