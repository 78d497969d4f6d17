"""What a member does about how they log in: each change asks again for what a stolen session does not have.

What could go wrong: whoever finds a session open adds a factor of their own, turns off the owner's, or prints recovery
codes. So the password is asked for before anything is added, a code as well, where codes are on, before anything is taken
away, tries at both are counted, and turning codes on ends every other session.
"""

from __future__ import annotations

from collections.abc import Sequence

from troth.accounts import tries
from troth.accounts.factors import codes, passkeys
from troth.accounts.factors.rules import may_try_codes
from troth.accounts.sessions import CODE_HINT, WRONG_CODE, Member, end_others, prove_password
from troth.errors import Refused
from troth.store.site import Site


def begin_codes(site: Site, member: Member, password: str) -> str:
    """A fresh secret for the member's app. Raises ``Refused`` for a wrong password, and when codes are on already."""
    prove_password(site, member, password)
    with site.writing() as conn:
        return codes.begin(site, conn, member.person_id)


def turn_codes_on(site: Site, member: Member, typed: str) -> Sequence[str]:
    """Ask for codes from now on; ten recovery codes. Raises ``Refused`` for a wrong code and for too many tries."""
    mark = tries.mark_of(site, "code", member.person_id)
    with site.writing() as conn:
        in_time = tries.enter(site, conn, mark, may_try_codes)
    with site.writing() as conn:
        made = codes.turn_on(site, conn, member.person_id, typed) if in_time else None
        if made is None:
            raise Refused(WRONG_CODE, CODE_HINT)
        tries.forgive(conn, mark)
        end_others(conn, member)
    return made


def turn_codes_off(site: Site, member: Member, password: str, typed: str) -> None:
    """Ask for no codes any more. Raises ``Refused`` for a wrong password, a wrong code, and for too many tries."""
    _prove_both(site, member, password, typed)
    with site.writing() as conn:
        codes.turn_off(site, conn, member.person_id)


def renew_recovery(site: Site, member: Member, password: str, typed: str) -> Sequence[str]:
    """Ten recovery codes in place of those there are. Raises ``Refused`` as ``turn_codes_off`` does."""
    _prove_both(site, member, password, typed)
    with site.writing() as conn:
        return codes.renew_recovery(site, conn, member.person_id)


def _prove_both(site: Site, member: Member, password: str, typed: str) -> None:
    prove_password(site, member, password)
    mark = tries.mark_of(site, "code", member.person_id)
    with site.writing() as conn:
        in_time = tries.enter(site, conn, mark, may_try_codes)
    with site.writing() as conn:
        if not in_time or not codes.right(site, conn, member.person_id, typed):
            raise Refused(WRONG_CODE, CODE_HINT)
        tries.forgive(conn, mark)


def remove_passkey(site: Site, member: Member, passkey_id: str, password: str, typed: str = "") -> bool:
    """Forget a passkey; whether there was one. It opens nothing from now on, also where the device still offers it.

    Raises:
        Refused: for a wrong password, where codes are on a wrong code as well, and for too many tries.
    """
    with site.reading() as conn:
        coded = codes.are_on(conn, member.person_id)
    if coded:
        _prove_both(site, member, password, typed)
    else:
        prove_password(site, member, password)
    with site.writing() as conn:
        return passkeys.remove(site, conn, member.person_id, passkey_id)
