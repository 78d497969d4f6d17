"""How a member logs in, and where they are logged in: codes, passkeys and sessions, each to be added, seen and taken away.

What could go wrong: a page left open that hands the account over; a secret that is shown twice, or kept by a browser;
another member's passkey or session named in a form. So what is added asks for the password and what is taken away for a code
too (``factors.settings``), no answer is kept by anybody (``no-store``), and every name in a form is looked for among the
member's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, get, post

from troth.accounts import address, sessions
from troth.accounts.factors import codes, passkeys, settings
from troth.accounts.profile import read
from troth.errors import Refused
from troth.logins.totp import picture, totp_address
from troth.policy.notice.language import Speaker, language
from troth.web.members import (
    Acting,
    account_point_of,
    account_view,
    acting,
    elsewhere,
    member_token,
    present,
    to_log_in,
)
from troth.web.moments import moment
from troth.web.pages import Asked
from troth.web.scripted import with_script
from troth.web.sent import FORM, Sent
from troth.web.words import say, told


@get("/account/security", sync_to_thread=True, include_in_schema=False)
def security_page(request: Asked) -> Response[str]:
    """How this member logs in, and where."""
    at = present(request)
    return _security(request, at) if at else to_log_in(request)


def _security(request: Asked, at: Acting, wrong: Refused | None = None, about: str = "") -> Response[str]:
    """The page, with what was ``wrong`` beside the form it is ``about``."""
    with at.site.reading() as conn:
        state, keys = codes.state(conn, at.member.person_id), passkeys.listed(conn, at.member.person_id)
    speaker = Speaker(at.compiled.policy, language(at.tag))
    return account_view(
        request, at.site, at.compiled, "security.html", 403 if wrong else 200,
        codes_since=moment(speaker, state.since) if state.since else "",
        codes_left=state.left,
        passkeys=[(one.id, moment(speaker, one.made_at), moment(speaker, one.used_at) if one.used_at else "") for one in keys],
        passkeys_work=passkeys.works(at.site),
        sessions=[
            (one.name, moment(speaker, one.since), moment(speaker, one.until), one.here)
            for one in sessions.open_sessions(at.site, at.member)
        ],
        token=member_token(at.site, at.member, "security"),
        wrong=told(at.tag, wrong),
        about=about,
    )  # fmt: skip


@post("/account/codes/begin", **FORM)
def begin_codes(request: Asked, data: Sent) -> Response[str]:
    """Show the secret for an app, once the password was right."""
    at = acting(request, data, "security")
    try:
        secret = settings.begin_codes(at.site, at.member, data.get("password", ""))
    except Refused as error:
        return _security(request, at, error, "codes")
    return _codes(request, at, secret)


def _codes(request: Asked, at: Acting, secret: str, wrong: Refused | None = None) -> Response[str]:
    name = at.compiled.policy.operator.name or at.site.wiring.title
    drawn = picture(totp_address(secret, name, _called(at)), say(at.tag, "security.picture"))
    return account_view(
        request, at.site, at.compiled, "codes.html", 403 if wrong else 200,
        picture=drawn,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        wrong=told(at.tag, wrong),
        token=member_token(at.site, at.member, "codes"),
    )  # fmt: skip


def _called(at: Acting) -> str:
    """What the member logs in with, for their own device to show; the site's title where that is no address."""
    point = account_point_of(at.compiled)
    field = address.field_of(at.compiled, point)
    return read(at.site, at.compiled, at.member, point).get(field or "", at.site.wiring.title)


@post("/account/codes/on", **FORM)
def codes_on(request: Asked, data: Sent) -> Response[str]:
    """Turn codes on with a first one, and show the recovery codes."""
    at = acting(request, data, "codes")
    try:
        made = settings.turn_codes_on(at.site, at.member, data.get("code", ""))
    except Refused as error:
        with at.site.reading() as conn:
            secret = codes.pending(at.site, conn, at.member.person_id)
        return _codes(request, at, secret, error) if secret else elsewhere(request, at.site, "/security")
    return _paper(request, at, made, first=True)


def _paper(request: Asked, at: Acting, made: Sequence[str], *, first: bool) -> Response[str]:
    return account_view(request, at.site, at.compiled, "recovery.html", codes=list(made), first=first)


@post("/account/codes/paper", **FORM)
def new_paper(request: Asked, data: Sent) -> Response[str]:
    """Ten recovery codes in place of those there are."""
    at = acting(request, data, "security")
    try:
        made = settings.renew_recovery(at.site, at.member, data.get("password", ""), data.get("code", ""))
    except Refused as error:
        return _security(request, at, error, "paper")
    return _paper(request, at, made, first=False)


@post("/account/codes/off", **FORM)
def codes_off(request: Asked, data: Sent) -> Response[str]:
    """Turn codes off."""
    at = acting(request, data, "security")
    try:
        settings.turn_codes_off(at.site, at.member, data.get("password", ""), data.get("code", ""))
    except Refused as error:
        return _security(request, at, error, "off")
    return elsewhere(request, at.site, "/security")


@post("/account/passkeys/begin", **FORM)
def begin_passkey(request: Asked, data: Sent) -> Response[str]:
    """The page on which a passkey is made, once the password was right."""
    at = acting(request, data, "security")
    try:
        sessions.prove_password(at.site, at.member, data.get("password", ""))
        return _passkey(request, at)
    except Refused as error:
        return _security(request, at, error, "passkeys")


def _passkey(request: Asked, at: Acting, wrong: Refused | None = None) -> Response[str]:
    token = member_token(at.site, at.member, "passkey")
    with at.site.reading() as conn:
        options = passkeys.to_make(at.site, conn, at.member.person_id, _called(at), token)
    return with_script(
        account_view(
            request, at.site, at.compiled, "passkey.html", 403 if wrong else 200,
            options=options, token=token, wrong=told(at.tag, wrong),
        )
    )  # fmt: skip


@post("/account/passkeys/add", **FORM)
def add_passkey(request: Asked, data: Sent) -> Response[str]:
    """Keep the passkey that a device has made."""
    at = acting(request, data, "passkey")
    try:
        passkeys.add(at.site, at.member.person_id, data.get("token", ""), data.get("answer", ""))
    except Refused as error:
        return _passkey(request, at, error)
    return elsewhere(request, at.site, "/security")


@post("/account/passkeys/remove", **FORM)
def remove_passkey(request: Asked, data: Sent) -> Response[str]:
    """Forget one of the member's passkeys, once the password was right, and the code where codes are on."""
    at, named = acting(request, data, "security"), data.get("passkey", "")
    try:
        settings.remove_passkey(at.site, at.member, named, data.get("password", ""), data.get("code", ""))
    except Refused as error:
        return _security(request, at, error, named)
    return elsewhere(request, at.site, "/security")


@post("/account/sessions/end", **FORM)
def end_session(request: Asked, data: Sent) -> Response[str]:
    """End one of the member's sessions."""
    at = acting(request, data, "security")
    sessions.end_one(at.site, at.member, data.get("session", ""))
    return elsewhere(request, at.site, "/security")


PAGES = (
    *(security_page, begin_codes, codes_on, new_paper, codes_off),
    *(begin_passkey, add_passkey, remove_passkey, end_session),
)
"""Every page of this file."""
