"""The pages of logging in: address and password, then a code where the member has turned codes on; or a passkey.

What could go wrong: a page that tells which of the two was wrong; a session that is there before the second step; a cookie for
somebody who never asked to log in; a passkey's answer that is sent again. So both steps refuse in one sentence each, what
stands between them is a secret in the form and no cookie, the session is made by the last step alone, and the challenge of a
passkey belongs to the form that was shown.
"""

from __future__ import annotations

from litestar import Response, get, post

from troth.accounts import sessions
from troth.accounts.factors import passkeys
from troth.accounts.factors.halves import Half
from troth.errors import Refused
from troth.logins.digests import Session
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.store.site import Site
from troth.web.members import (
    account_point_of,
    account_view,
    elsewhere,
    here,
    keep_logged_in,
    member_token,
    refuse_forged,
)
from troth.web.pages import Asked, language_of
from troth.web.scripted import with_script
from troth.web.sent import FORM, Sent
from troth.web.words import say, told


@get("/account/login", sync_to_thread=True, include_in_schema=False)
def login_page(request: Asked) -> Response[str]:
    """Ask for address and password; say which cookie a log-in needs."""
    site, compiled, _ = here(request)
    return _login(request, site, compiled)


def _login(request: Asked, site: Site, compiled: Compiled, wrong: Refused | None = None) -> Response[str]:
    tag = language_of(request, compiled.policy.policy.languages)
    cookie = sessions.permitted(compiled)
    speaker = Speaker(compiled.policy, language(tag))
    about = speaker.text(compiled.policy.cookies[cookie.cookie].label)
    token = member_token(site, None, "log in")
    answer = account_view(
        request, site, compiled, "login.html", 403 if wrong else 200,
        about=say(tag, "account.cookie", about=about, life=speaker.duration(cookie.life)),
        wrong=told(tag, wrong),
        point=account_point_of(compiled),
        token=token,
        options=passkeys.to_log_in(site, token) if passkeys.works(site) else None,
    )  # fmt: skip
    return with_script(answer) if passkeys.works(site) else answer


@post("/account/login", **FORM)
def login(request: Asked, data: Sent) -> Response[str]:
    """The first step: right, or said in one way that it did not work."""
    site, compiled, tag = here(request)
    refuse_forged(request, site, None, "log in", data.get("token", ""), tag)
    try:
        found = sessions.log_in(site, data.get("address", ""), data.get("password", ""))
    except Refused as error:
        return _login(request, site, compiled, error)
    return _code(request, site, compiled, found.secret) if isinstance(found, Half) else _in(request, site, found)


def _code(
    request: Asked, site: Site, compiled: Compiled, half: str, wrong: Refused | None = None, tag: str = "en"
) -> Response[str]:
    token = member_token(site, None, "code")
    return account_view(
        request, site, compiled, "code.html", 403 if wrong else 200, half=half, wrong=told(tag, wrong), token=token
    )


@post("/account/login/code", **FORM)
def login_code(request: Asked, data: Sent) -> Response[str]:
    """The second step: right, or said in one way that it did not work."""
    site, compiled, tag = here(request)
    refuse_forged(request, site, None, "code", data.get("token", ""), tag)
    half = data.get("half", "")
    try:
        return _in(request, site, sessions.second_step(site, half, data.get("code", "")))
    except Refused as error:
        return _code(request, site, compiled, half, error, tag)


@post("/account/login/passkey", **FORM)
def login_passkey(request: Asked, data: Sent) -> Response[str]:
    """Both steps at once, with a passkey."""
    site, compiled, tag = here(request)
    refuse_forged(request, site, None, "log in", data.get("token", ""), tag)
    try:
        fresh = sessions.log_in_with_passkey(site, data.get("token", ""), data.get("answer", ""))
    except Refused as error:
        return _login(request, site, compiled, error)
    return _in(request, site, fresh)


def _in(request: Asked, site: Site, fresh: Session) -> Response[str]:
    answer = elsewhere(request, site, "")
    keep_logged_in(site, answer, fresh)
    return answer


PAGES = (login_page, login, login_code, login_passkey)
"""Every page of this file."""
