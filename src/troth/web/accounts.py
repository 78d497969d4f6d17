"""The pages of an account: registering ends here, the profile, and the two ways to leave. Logging in is in ``entering``.

What could go wrong: a page that tells whether somebody has an account; a link that a mail scanner uses up; a form that another
site's page sends from a member's browser; a redirect to wherever a link says. So asking for a new password is answered in one
way whatever the address, a link is redeemed by a button, every form carries a token of its session, and redirects lead to
pages of this file alone.
"""

from __future__ import annotations

from litestar import Response, get, post

from troth.accounts import actions, address, profile, sessions
from troth.accounts.publicity import actions as publicity
from troth.accounts.sessions import Member
from troth.collection.forms import form
from troth.errors import InvalidInput, Refused
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.rights import erasing
from troth.rights.cases import CLOSED
from troth.rights.centre import Visitor, ask
from troth.rights.rules import CANCEL, destroys_within, terms
from troth.store.site import Site
from troth.web.members import (
    account_point_of,
    account_view,
    elsewhere,
    here,
    let_go,
    member_of,
    member_token,
    refuse_forged,
)
from troth.web.pages import Asked, language_of
from troth.web.sent import FORM, Sent, to_mend, without_cards
from troth.web.tokens import new_key
from troth.web.visits import SECRET_PATH
from troth.web.words import problem, say

FIELD = "field."


@get("/account", sync_to_thread=True, include_in_schema=False)
def account_page(request: Asked) -> Response[str]:
    """A member's own page; for everybody else, the way to log in."""
    site, compiled, tag = here(request)
    member = member_of(request, site)
    if member is None:
        return elsewhere(request, site, "/login")
    point = account_point_of(compiled)
    shown, values = form(compiled, point, tag), profile.read(site, compiled, member, point)
    services = [
        form(compiled, key, tag)
        for key, one in compiled.policy.collection.items()
        if one.members_only and one.kind == "form"
    ]
    return account_view(
        request, site, compiled, "account.html",
        rows=[(one.label, values.get(one.id, "")) for one in shown.fields if one.id not in compiled.never_stored],
        services=services,
        moves=address.field_of(compiled, point) is not None,
        public=bool(publicity.ways(site, compiled, member)),
        sessions=len(sessions.open_sessions(site, member)),
        token=member_token(site, member, "log out"),
    )  # fmt: skip


@post("/account/logout", **FORM)
def logout(request: Asked, data: Sent) -> Response[str]:
    """End this session, or every session of the member."""
    site, _, tag = here(request)
    member = member_of(request, site)
    answer = elsewhere(request, site, "/login")
    if member is not None:
        refuse_forged(request, site, member, "log out", data.get("token", ""), tag)
        sessions.log_out(site, member, everywhere=data.get("everywhere") == "yes")
    let_go(site, answer)
    return answer


@get("/account/forgot", sync_to_thread=True, include_in_schema=False)
def forgot_page(request: Asked) -> Response[str]:
    """Ask for the address that a link is to be sent to."""
    site, compiled, _ = here(request)
    return account_view(request, site, compiled, "forgot.html", sent=False, token=member_token(site, None, "forgot"))


@post("/account/forgot", **FORM)
def forgot(request: Asked, data: Sent) -> Response[str]:
    """Send the link if there is an account; the page is the same if there is none."""
    site, compiled, tag = here(request)
    refuse_forged(request, site, None, "forgot", data.get("token", ""), tag)
    actions.forgot(site, data.get("address", ""))
    return account_view(request, site, compiled, "forgot.html", sent=True, token="")


@get("/account/link/{token:str}", sync_to_thread=True, opt={SECRET_PATH: True}, include_in_schema=False)
def link_page(request: Asked) -> Response[str]:
    """Where a link in a mail leads: a password may be chosen. Looking at it uses nothing up."""
    site, compiled, _ = here(request)
    return _link(request, site, compiled)


def _link(request: Asked, site: Site, compiled: Compiled, wrong: str = "", hint: str = "") -> Response[str]:
    good = sessions.link_is_good(site, request.path_params["token"])
    status = 404 if not good else 422 if wrong else 200
    return account_view(request, site, compiled, "password.html", status, good=good, wrong=wrong, hint=hint)


@post("/account/link/{token:str}", opt={SECRET_PATH: True}, **FORM)
def choose_password(request: Asked, data: Sent) -> Response[str]:
    """Choose the password: whoever has the link is whoever reads the mail, so the link alone is the right to do it."""
    site, compiled, tag = here(request)
    try:
        actions.choose_password(site, request.path_params["token"], data.get("password", ""))
    except InvalidInput as error:
        return _link(request, site, compiled, problem(tag, error.message), problem(tag, error.hint))
    return _done(request, site, compiled, "opened")


@get("/account/profile", sync_to_thread=True, include_in_schema=False)
def profile_page(request: Asked) -> Response[str]:
    """A member's profile, to be changed."""
    site, compiled, tag = here(request)
    member = member_of(request, site)
    if member is None:
        return elsewhere(request, site, "/login")
    values = profile.read(site, compiled, member, account_point_of(compiled))
    return _profile(request, site, compiled, member, dict(values), {}, tag)


def _profile(
    request: Asked,
    site: Site,
    compiled: Compiled,
    member: Member,
    values: dict[str, str],
    problems: dict[str, str],
    tag: str,
) -> Response[str]:
    point = account_point_of(compiled)
    shown = form(compiled, point, tag)
    kept = set(profile.fields(compiled, point))
    fields = [one for one in shown.fields if one.id in kept and one.id not in compiled.identifying]
    said = {key: problem(tag, words) for key, words in problems.items()}
    return account_view(
        request, site, compiled, "profile.html", 422 if problems else 200,
        fields=fields,
        fixed=[(one.label, values.get(one.id, "")) for one in shown.fields if one.id in compiled.identifying],
        moves=address.field_of(compiled, point) is not None,
        values=values,
        problems=said,
        summary=to_mend({one.id: (f"f-{one.id}", one.label) for one in fields}, said, say(tag, "form.unknown")),
        token=member_token(site, member, "profile"),
    )  # fmt: skip


@post("/account/profile", **FORM)
def save_profile(request: Asked, data: Sent) -> Response[str]:
    """Save the profile at once: nobody has to approve it."""
    site, compiled, tag = here(request)
    member = member_of(request, site)
    if member is None:
        return elsewhere(request, site, "/login")
    refuse_forged(request, site, member, "profile", data.get("token", ""), tag)
    values = {key.removeprefix(FIELD): value for key, value in data.items() if key.startswith(FIELD)}
    try:
        profile.save(site, compiled, member, account_point_of(compiled), values)
    except InvalidInput as error:
        held = profile.read(site, compiled, member, account_point_of(compiled))
        typed = {key: value for key, value in without_cards(values).items() if key not in compiled.identifying}
        return _profile(request, site, compiled, member, {**held, **typed}, error.problems, tag)
    return elsewhere(request, site, "")


@get("/account/leave", sync_to_thread=True, include_in_schema=False)
def leave_page(request: Asked) -> Response[str]:
    """The two ways to leave, and what each of them does."""
    site, compiled, tag = here(request)
    member = member_of(request, site)
    if member is None:
        return elsewhere(request, site, "/login")
    period = Speaker(compiled.policy, language(tag)).duration(destroys_within(compiled))
    return account_view(
        request, site, compiled, "leave.html", period=period, token=member_token(site, member, "leave")
    )  # fmt: skip


@post("/account/cancel", **FORM)
def cancel(request: Asked, data: Sent) -> Response[str]:
    """Close the account; what is held stays for as long as the policy says, used for nothing.

    Where the policy promises it, it is a request like any other.
    """
    site, compiled, member = _leaving(request, data)
    tag, what = language_of(request, compiled.policy.policy.languages), "closed"
    if terms(compiled, CANCEL).offered:
        received = ask(site, Visitor(member.person_id, "account"), CANCEL, f"account:{new_key()}", tag)
        what = "closed" if received.state == CLOSED else "closing"
    else:
        actions.cancel(site, member.person_id)
    answer = _done(request, site, compiled, what)
    let_go(site, answer)
    return answer


@post("/account/delete", **FORM)
def delete(request: Asked, data: Sent) -> Response[str]:
    """Delete the account and everything that is held: a request for erasure like any other, by somebody who is logged in."""
    site, compiled, member = _leaving(request, data)
    tag = language_of(request, compiled.policy.policy.languages)
    speaker, visitor = Speaker(compiled.policy, language(tag)), Visitor(member.person_id, "account")
    planned = erasing.plan(site, member.person_id)
    received = ask(site, visitor, "erasure", f"account:{new_key()}", tag)
    kept = erasing.kept_words(speaker, planned.kept)
    what = "heard" if received.waits else "deleted"
    answer = _done(request, site, compiled, what, until=speaker.date(compiled.calendar.day(planned.until)), kept=kept)
    let_go(site, answer)
    return answer


def _leaving(request: Asked, data: dict[str, str]) -> tuple[Site, Compiled, Member]:
    site, compiled, tag = here(request)
    member = member_of(request, site)
    if member is None:
        raise Refused(say(tag, "account.nobody"), say(tag, "account.left_hint"))
    refuse_forged(request, site, member, "leave", data.get("token", ""), tag)
    return site, compiled, member


def _done(
    request: Asked,
    site: Site,
    compiled: Compiled,
    what: str,
    until: str = "",
    kept: str = "",
) -> Response[str]:
    return account_view(request, site, compiled, "account_done.html", what=what, until=until, kept=kept)


PAGES = (
    *(account_page, logout, forgot_page, forgot, link_page, choose_password),
    *(profile_page, save_profile, leave_page, cancel, delete),
)
"""Every page of this file."""
