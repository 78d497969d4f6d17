"""The development mailbox: what a site would have sent, for trying things out. Only where a mailbox was given to the app."""

from __future__ import annotations

from litestar import Response, get
from litestar.exceptions import NotFoundException

from troth.accounts.profile import account_point
from troth.messages.mailbox import Mailbox, Received
from troth.rehearsal.desk import key_of, member_of
from troth.store.site import Site
from troth.web.pages import HTML, Asked, site_of, site_page
from troth.web.visits import UNRECORDED

# The message is shown alone, cut off from our pages: no script, no picture from outside, no way to reach anything of ours.
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups; frame-ancestors 'none'"


@get("/mailbox", sync_to_thread=True, opt={UNRECORDED: True}, include_in_schema=False)
def mailbox_page(request: Asked) -> Response[str]:
    """The messages of a site, newest first."""
    site = site_of(request)
    messages = _mailbox(request).messages(_sender(site))
    key = key_of(site)
    desk = (key.login, key.password, key.code(site)) if key else None
    compiled = site.policy()
    return site_page(
        request, site, compiled, "mailbox.html", here="mailbox", messages=messages, key=desk, member=member_of(site),
        accounts=account_point(compiled) is not None,
    )  # fmt: skip


@get("/mailbox/{number:int}", sync_to_thread=True, opt={UNRECORDED: True}, include_in_schema=False)
def message_page(request: Asked) -> Response[str]:
    """One message as text; addresses of this site in it are links."""
    site = site_of(request)
    message = _message(request, site)
    parts = list(_linked(message.body("plain"), site.wiring.base_url.rstrip("/"), site))
    stops = str(message.message["List-Unsubscribe"] or "").strip("<>")
    return site_page(
        request, site, site.policy(), "letter.html", here="mailbox",
        message=message, parts=parts, stops=list(_linked(stops, site.wiring.base_url.rstrip("/"), site)),
    )  # fmt: skip


@get("/mailbox/{number:int}/html", sync_to_thread=True, opt={UNRECORDED: True}, include_in_schema=False)
def message_html(request: Asked) -> Response[str]:
    """One message as its reader sees it."""
    site = site_of(request)
    headers = {"Content-Security-Policy": _ALONE, "Cache-Control": "no-store"}
    return Response(_message(request, site).body("html"), media_type=HTML, headers=headers)


def _linked(text: str, base_url: str, site: Site) -> list[tuple[str, str]]:
    """``text`` in pieces of words and address; an address of this site leads to where it is served now."""
    pieces: list[tuple[str, str]] = []
    for place, part in enumerate(text.split(base_url) if base_url else [text]):
        path, rest = ("", part) if place == 0 else _split(part)
        pieces += [(base_url + path, f"/{site.name}{path}")] if place else []
        pieces += [(rest, "")]
    return pieces


def _split(text: str) -> tuple[str, str]:
    end = next((place for place, char in enumerate(text) if char.isspace() or char in "<>"), len(text))
    return text[:end], text[end:]


def _mailbox(request: Asked) -> Mailbox:
    mailbox: Mailbox | None = request.app.state.mailbox
    if mailbox is None:
        raise NotFoundException
    return mailbox


def _message(request: Asked, site: Site) -> Received:
    message = _mailbox(request).message(request.path_params["number"])
    if message is None or message.sender != _sender(site):
        raise NotFoundException
    return message


def _sender(site: Site) -> str:
    return site.wiring.mail.sender if site.wiring.mail else ""
