"""Changing the address one logs in with: confirmed by whoever reads its mail, told to whoever reads the old one.

What could go wrong: a stolen session that moves the account away; a page that tells whether an address has an account; mail
that somebody has sent to strangers in our name; two members who want the same address; the owner who hears of it too late.
So the password is asked for once more, tries are counted, the page is the same whoever has the address, its owner is told
when somebody else wanted it, the old address hears of the wish before anything changes, and a new password ends the wish.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from troth import agenda, ledger
from troth.accounts import once, tries
from troth.accounts.actions import letter_terms, redeemed, state_of, turn_of
from troth.accounts.profile import account_point, read
from troth.accounts.rules import LINK_LASTS
from troth.accounts.sessions import Member, prove_password
from troth.agenda import Job
from troth.clock import DAY
from troth.collection import rules as collection
from troth.collection.rules import Submission
from troth.errors import InvalidInput, Refused
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.guard import instant
from troth.messages.actions import ONCE, ONCE_PAGE, queue
from troth.messages.rules import addresses
from troth.messages.tables import message
from troth.people import moving, vault
from troth.people.facts import By
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.recipients.renewing import renew
from troth.store.site import Site

TELL = "account:tell"
"""the job that gives recipients a new address"""
TOLD_WITHIN = 3 * DAY
SPENT = "This link is no longer good."


def field_of(compiled: Compiled, point: str) -> str | None:
    """The field that members log in with and that mail can go to; None where the account's form asks for none."""
    declared = compiled.policy.collection[point]
    able = compiled.identifying & addresses(compiled.policy)
    return next((one for one in (*declared.required, *declared.optional) if one in able), None)


def waiting(site: Site, member: Member) -> str | None:
    """The new address that waits to be confirmed; None when there is none."""
    with site.reading() as conn:
        return moving.address(site, conn, member.person_id, "new")


def ask(site: Site, member: Member, new: str, password: str) -> None:
    """Send a link to ``new``, by which this member is to be found from then on, and tell the address before it.

    Says nothing of whether the address is somebody's: then its owner is told, and no link goes out.

    Raises:
        InvalidInput: when ``new`` is no address, or the one there is.
        Refused: when the password is wrong, or there were too many tries.
    """
    compiled = site.policy()
    point = account_point(compiled)
    field = field_of(compiled, point) if point else None
    if point is None or field is None:
        raise Refused("There is no address to change here.", "Members are found by something else.")
    prove_password(site, member, password)
    before = read(site, compiled, member, point)
    wanted = _checked(site, compiled, point, field, {**before, field: new})
    old = before.get(field, "")
    with site.writing() as conn:
        turn_of(conn, member.person_id)
        if not tries.enter(site, conn, tries.mark_of(site, "moving", member.person_id)):
            raise Refused("There were too many tries.", "Wait a quarter of an hour.")
        if moving.same(site, conn, field, wanted, old):
            raise InvalidInput("This is your address already.", {field: "This is your address already."})
        moving.begin(site, conn, member.person_id, field, wanted, old, LINK_LASTS, point)
        _write(site, conn, compiled, member.person_id, vault.find(site, conn, field, wanted))


def _checked(site: Site, compiled: Compiled, point: str, field: str, values: dict[str, str]) -> str:
    """The new address as it is stored. Raises ``InvalidInput`` when it is none."""
    checked = collection.check(compiled, Submission(point, values, key="address"), site.now())
    problem = checked.problems.get(field)
    if problem or field not in checked.values:
        raise InvalidInput(
            "Some answers need your attention. Nothing was stored.", {field: problem or "This field is required."}
        )
    return checked.values[field]


def _write(site: Site, conn: Connection, compiled: Compiled, person_id: str, holder: str | None) -> None:
    terms, day = letter_terms(site, compiled), f"{site.now():%Y-%m-%d}"
    once.void(conn, person_id, site.now(), "address")  # one that was sent elsewhere must not confirm this
    link = once.issue(site, conn, person_id, LINK_LASTS, "address")
    queue(site, conn, person_id, "address_changes", "address_changes", terms, f"moves:{link}")
    if holder is not None and holder != person_id:
        queue(site, conn, holder, "address_taken", "address_taken", terms, f"taken:{holder}:{person_id}:{day}")
        return
    lasts = Speaker(compiled.policy, language(compiled.policy.policy.languages[0])).duration(LINK_LASTS)
    more = {ONCE: link, ONCE_PAGE: "address", "lasts": lasts}
    queue(site, conn, person_id, "confirm_address", "confirm_address", {**terms, **more}, f"moved:{link}")


def give_up(site: Site, member: Member) -> None:
    """Stay with the address there is: the link that was sent is good for nothing."""
    with site.writing() as conn:
        moving.give_up(conn, member.person_id)


def link_is_good(site: Site, token: str) -> bool:
    """Whether a link that confirms an address still does; asking uses nothing up."""
    with site.reading() as conn:
        person_id = once.whose(conn, token, site.now(), "address")
        return person_id is not None and moving.address(site, conn, person_id, "new") is not None


def confirm(site: Site, token: str) -> str:
    """Redeem a link: its person is found by the new address from now on, and by the old one no more; returns the person.

    Raises:
        InvalidInput: when the link is not, or no longer, good, or the address has become somebody else's.
        Refused: when the account is suspended.
    """
    with site.writing() as conn:
        person_id = redeemed(conn, token, site.now(), "address")
        state = state_of(conn, person_id) if person_id else None
        point = account_point(site.policy(conn))
        if person_id is None or state is None or state.state in {"closed", "waiting"} or point is None:
            raise InvalidInput(SPENT, hint="Ask for a new one; each works once.")
        if state.state == "suspended":
            raise Refused("This account is suspended.", state.because)
        if moving.address(site, conn, person_id, "new") is None:
            raise InvalidInput(SPENT, hint="Ask for a new one; each works once.")
        moving.complete(site, conn, person_id, point, By("person", ref=person_id))
        _tell_recipients(site, conn, person_id, field_of(site.policy(conn), point) or "")
        if not _old_one_waits(conn, person_id):
            moving.give_up(conn, person_id)
        ledger.append(conn, site.now(), events.ACCOUNT_MOVED, {"person": person_id})
    return person_id


def _tell_recipients(site: Site, conn: Connection, person_id: str, field: str) -> None:
    now = site.now()
    ref = f"{person_id} {field} {instant(now)}"  # exactly: what left a moment before it left with the old address
    agenda.put(conn, TELL, f"{TELL}:{new_id(now)}", ref, due_at=now, at=now, deadline=now + TOLD_WITHIN)


def tell_recipients(site: Site, job: Job) -> None:
    """Give everybody who was given the old address, and still may have it, the new one."""
    person_id, field, since = job.ref.split(" ")
    renew(site, person_id, [field], datetime.fromisoformat(since))


def _old_one_waits(conn: Connection, person_id: str) -> bool:
    """Whether the old address is still to be told; it is kept, sealed, until then, for a day at most."""
    mine = (
        (message.c.person_id == person_id) & (message.c["class"] == "address_changes") & (message.c.state == "queued")
    )
    return conn.execute(select(message.c.id).where(mine).limit(1)).first() is not None
