"""Shuts out again, in a copy that is put back, everybody and every program that was shut out since it was made.

What could go wrong: somebody who left the staff, a suspended member or a program whose token was revoked is in again, since
the copy is older than the no; a password that was changed because somebody knew it, or a set-up link that was used already,
works again; a session that ended goes on. The ledger knows that there is something new to log in with, and not what. So in
doubt nothing opens: what was replaced since is taken out, sessions end, and whoever may come in sets up their log-in anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Connection, Table, delete, update

from troth.accounts import actions as accounts
from troth.accounts import once
from troth.accounts.factors.tables import half_log_in, passkey, recovery_code
from troth.accounts.publicity.tables import public_profile
from troth.accounts.tables import account, session
from troth.acts.tables import program_token
from troth.errors import Refused
from troth.ledger import events
from troth.policy.rules import one_word
from troth.restoring.record import Said, of
from troth.staff.actions import close
from troth.staff.rules import roles_of
from troth.staff.tables import staff, staff_recovery, staff_session
from troth.store.site import Site

UNKNOWN_REASON = "It was suspended before a backup was put back, and the reason was lost. Ask us for it."
NEW_PASSWORD, NEW_CODES = "staff:password", "staff:codes"
"""what a member of staff does with their own log-in, as words of ``staff:acted``"""
Step = Callable[[Site, Connection, Said], tuple[str, int]]
"""does one event again; what was done, in words, and how often"""


def shut_out_again(site: Site, said: Sequence[Said]) -> Counter[str]:
    """Do again in ``site`` every no to somebody who comes in, in the order in which they were said; how many, by kind."""
    done = Counter[str]()
    with site.writing() as conn:
        for table in (staff_session, session, half_log_in):
            done["sessions ended"] += conn.execute(delete(table)).rowcount
        for one in of(said, *STEPS):
            what, count = STEPS[one.event](site, conn, one)
            done[what] += count
    return done


def _token_revoked(_site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    mine = program_token.c.id == str(one.body["token"]), program_token.c.revoked_at.is_(None)
    return "tokens revoked", conn.execute(update(program_token).where(*mine).values(revoked_at=one.at)).rowcount


def _staff_removed(_site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    mine = staff.c.id == str(one.body["staff"]), staff.c.state != "removed"
    removed = conn.execute(update(staff).where(*mine).values(state="removed", removed_at=one.at)).rowcount
    close(conn, str(one.body["staff"]), "removed")
    return "staff removed", removed


def _staff_log_in_replaced(_site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    """What they logged in or set themselves up with when the copy was made is not good any more; they need a new link."""
    mine = staff.c.id == str(one.body["staff"]), staff.c.state != "removed"
    there = conn.execute(update(staff).where(*mine).values(state="waiting")).rowcount
    if there:
        close(conn, str(one.body["staff"]), "waiting")
    return "log-ins of staff to be set up anew", there


def _staff_acted(site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    if one.body.get("act") == NEW_PASSWORD:
        return _staff_log_in_replaced(site, conn, one)
    if one.body.get("act") == NEW_CODES:
        mine = staff_recovery.c.staff_id == str(one.body["staff"])
        return "recovery codes of staff taken out", conn.execute(delete(staff_recovery).where(mine)).rowcount
    return "", 0


def _staff_changed(site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    """The roles they were given, as far as the policy in the copy knows them; one that it does not know is left out."""
    given = set(map(str, one.body["roles"]))
    roles = [role for role in roles_of(site.policy(conn).policy) if one_word(role) in given]
    mine = staff.c.id == str(one.body["staff"]), staff.c.state != "removed"
    return "roles of staff", conn.execute(update(staff).where(*mine).values(roles=roles)).rowcount


def _account_confirmed(site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    """A new password was chosen since: the one before it and the links before it open nothing."""
    person_id = str(one.body["person"])
    once.void(conn, person_id, site.now(), None)
    mine = account.c.person_id == person_id, account.c.state.in_(("waiting", "open"))
    changed = conn.execute(update(account).where(*mine).values(password=None)).rowcount
    return "members who choose a new password", changed


def _account_changed(_site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    """What may have been taken back goes, and its member can set it up anew; older entries do not say which setting it was."""
    gone = 0
    for table in _TAKEN_BACK.get(str(one.body.get("what", "")), (passkey, recovery_code, public_profile)):
        gone += conn.execute(delete(table).where(table.c.person_id == str(one.body["person"]))).rowcount
    return "passkeys, recovery codes and public pages taken out", gone


_TAKEN_BACK: Mapping[str, tuple[Table, ...]] = {
    "profile": (),
    "codes-on": (recovery_code,),
    "codes-off": (recovery_code,),  # whoever has the app of that day and no password does not get in by this
    "recovery-used": (),  # what was used up: ``spent``
    "recovery-renewed": (),
    "passkey-added": (),
    "passkey-removed": (passkey,),
    "public-page": (public_profile,),
}
"""what is not good any more of what the copy has, by what a member changed"""


def _account_suspended(site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    with suppress(Refused):
        accounts.suspend_in(site, conn, str(one.body["person"]), UNKNOWN_REASON)
        return "accounts suspended", 1
    return "accounts suspended", 0


def _account_cancelled(site: Site, conn: Connection, one: Said) -> tuple[str, int]:
    with suppress(Refused):
        accounts.cancel_in(site, conn, str(one.body["person"]))
        return "accounts closed", 1
    return "accounts closed", 0


STEPS: Mapping[str, Step] = {
    events.TOKEN_REVOKED: _token_revoked,
    events.STAFF_REMOVED: _staff_removed,
    events.STAFF_RESET: _staff_log_in_replaced,
    events.STAFF_READY: _staff_log_in_replaced,
    events.STAFF_ACTED: _staff_acted,
    events.STAFF_CHANGED: _staff_changed,
    events.ACCOUNT_CONFIRMED: _account_confirmed,
    events.ACCOUNT_CHANGED: _account_changed,
    events.ACCOUNT_SUSPENDED: _account_suspended,
    events.ACCOUNT_CANCELLED: _account_cancelled,
}
