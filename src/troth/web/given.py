"""What a member gave beside their profile, to look at and to change, one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.accounts import given
from troth.accounts.given import Given
from troth.collection.forms import form
from troth.errors import InvalidInput
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
from troth.web.sent import FORM, Sent, to_mend, without_cards
from troth.web.visits import SECRET_PATH
from troth.web.words import problem, say

FIELD = "field."


@get("/account/given", sync_to_thread=True, include_in_schema=False)
def given_page(request: Asked) -> Response[str]:
    """All that this member gave beside the profile."""
    at = present(request)
    if at is None:
        return to_log_in(request)
    speaker = Speaker(at.compiled.policy, language(at.tag))
    rows = [
        (one.id, form(at.compiled, one.point, at.tag).title, moment(speaker, one.at), _labelled(at, one, one.values))
        for one in given.listed(at.site, at.compiled, at.member, account_point_of(at.compiled))
    ]
    return account_view(request, at.site, at.compiled, "given.html", rows=rows)


def _labelled(at: Acting, one: Given, values: Mapping[str, str]) -> list[tuple[str, str]]:
    shown = form(at.compiled, one.point, at.tag)
    return [(field.label, values[field.id]) for field in shown.fields if field.id in values]


@get("/account/given/{given_id:str}", sync_to_thread=True, opt={SECRET_PATH: True}, include_in_schema=False)
def one_page(request: Asked) -> Response[str]:
    """One thing that this member gave, to be changed."""
    at = present(request)
    if at is None:
        return to_log_in(request)
    return _one(request, at, {}, {})


def _one(request: Asked, at: Acting, typed: Mapping[str, str], problems: Mapping[str, str]) -> Response[str]:
    mine = given.listed(at.site, at.compiled, at.member, account_point_of(at.compiled))
    one = next((one for one in mine if one.id == request.path_params["given_id"]), None)
    if one is None:
        raise NotFoundException
    shown = form(at.compiled, one.point, at.tag)
    fields = [field for field in shown.fields if field.id in one.values]
    places = {field.id: (f"f-{field.id}", field.label) for field in fields}
    said = {key: problem(at.tag, words) for key, words in problems.items()}
    return account_view(
        request, at.site, at.compiled, "given_one.html", 422 if problems else 200,
        id=one.id,
        title=shown.title,
        fields=fields,
        values={**one.values, **typed},
        problems=said,
        summary=to_mend(places, said, say(at.tag, "form.unknown")),
        token=member_token(at.site, at.member, "given"),
    )  # fmt: skip


@post("/account/given/{given_id:str}", opt={SECRET_PATH: True}, **FORM)
def save_one(request: Asked, data: Sent) -> Response[str]:
    """Save it at once: nobody has to approve it."""
    at = acting(request, data, "given")
    values = {key.removeprefix(FIELD): value for key, value in data.items() if key.startswith(FIELD)}
    point = account_point_of(at.compiled)
    try:
        given.save(at.site, at.compiled, at.member, point, request.path_params["given_id"], values)
    except InvalidInput as error:
        return _one(request, at, without_cards(values), error.problems)
    return elsewhere(request, at.site, "/given")


PAGES = (given_page, one_page, save_one)
"""Every page of this file."""
