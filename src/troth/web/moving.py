"""The pages on which a member changes the address they log in with.

What could go wrong: a page that tells whose address it is; a link that a mail scanner uses up; a link that opens something
else. So the page says the same whoever has the address, the link only shows a button, and the button does this one thing.
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.accounts import address
from troth.accounts.profile import read
from troth.errors import InvalidInput, Refused
from troth.web.members import (
    Acting,
    account_point_of,
    account_view,
    acting,
    elsewhere,
    here,
    member_token,
    present,
    refuse_forged,
    to_log_in,
)
from troth.web.pages import Asked
from troth.web.sent import FORM, Sent, without_cards
from troth.web.visits import SECRET_PATH
from troth.web.words import problem


@get("/account/address", sync_to_thread=True, include_in_schema=False)
def address_page(request: Asked) -> Response[str]:
    """The address there is, the one that waits, and a form for another."""
    at = present(request)
    return _address(request, at) if at else to_log_in(request)


def _address(
    request: Asked, at: Acting, status: int = 200, wrong: str = "", hint: str = "", typed: str = ""
) -> Response[str]:
    point = account_point_of(at.compiled)
    field = address.field_of(at.compiled, point)
    if field is None:
        raise NotFoundException
    return account_view(
        request, at.site, at.compiled, "address.html", status,
        now=read(at.site, at.compiled, at.member, point).get(field, ""),
        waiting=address.waiting(at.site, at.member),
        wrong=problem(at.tag, wrong),
        hint=problem(at.tag, hint),
        typed=typed,
        token=member_token(at.site, at.member, "address"),
    )  # fmt: skip


@post("/account/address", **FORM)
def change_address(request: Asked, data: Sent) -> Response[str]:
    """Send a link to the new address; the page is the same whoever has it."""
    at = acting(request, data, "address")
    typed = without_cards(data).get("address", "")
    try:
        address.ask(at.site, at.member, data.get("address", ""), data.get("password", ""))
    except InvalidInput as error:
        return _address(request, at, 422, next(iter(error.problems.values()), error.message), typed=typed)
    except Refused as error:
        return _address(request, at, 403, error.message, error.hint, typed)
    return elsewhere(request, at.site, "/address")


@post("/account/address/stay", **FORM)
def stay(request: Asked, data: Sent) -> Response[str]:
    """Stay with the address there is."""
    at = acting(request, data, "address")
    address.give_up(at.site, at.member)
    return elsewhere(request, at.site, "/address")


@get("/account/address/{token:str}", sync_to_thread=True, opt={SECRET_PATH: True}, include_in_schema=False)
def confirm_page(request: Asked) -> Response[str]:
    """Where the link in the mail leads: a button. Looking at it uses nothing up."""
    return _confirm(request)


def _confirm(request: Asked, done: bool = False, pressed: bool = False) -> Response[str]:
    site, compiled, _ = here(request)
    good = not done and address.link_is_good(site, request.path_params["token"])
    status = 200 if good or done else 404
    token = member_token(site, None, "confirm address")
    return account_view(
        request, site, compiled, "moved.html", status, good=good, done=done, pressed=pressed, token=token
    )


@post("/account/address/{token:str}", opt={SECRET_PATH: True}, **FORM)
def confirm_address(request: Asked, data: Sent) -> Response[str]:
    """Change the address: whoever has the link is whoever reads the mail, so the link alone is the right to do it."""
    site, _, tag = here(request)
    refuse_forged(request, site, None, "confirm address", data.get("token", ""), tag)
    try:
        address.confirm(site, request.path_params["token"])
    except InvalidInput:
        return _confirm(request, pressed=True)
    return _confirm(request, done=True)


PAGES = (address_page, change_address, stay, confirm_page, confirm_address)
"""Every page of this file."""
