"""The page behind the link in a message that stops messages of its kind (RFC 8058).

What could go wrong: a mail scanner or a preview opens every link in a message and so unsubscribes people. So opening the link
only asks; the button, or the one-click request of a mail program, does it. That request comes from the program's own
servers, without our page, so the token alone is the right to do it, and all it gives is the right to be left alone.
"""

from __future__ import annotations

from litestar import Response, get, post

from troth.errors import InvalidInput
from troth.messages.actions import stop
from troth.messages.links import Stop, read_stop_token
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.web.pages import Asked, language_of, site_of, site_page
from troth.web.visits import SECRET_PATH
from troth.web.words import say


@get("/unsubscribe/{token:str}", sync_to_thread=True, opt={SECRET_PATH: True}, include_in_schema=False)
def ask_page(request: Asked) -> Response[str]:
    """Ask whether to stop; nothing happens yet."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    return _page(request, site, compiled, _link(site, compiled, request), tag, done=False)


@post(
    "/unsubscribe/{token:str}", sync_to_thread=True, status_code=200, opt={SECRET_PATH: True}, include_in_schema=False
)
def stop_page(request: Asked) -> Response[str]:
    """Stop, from this moment on."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    link = _link(site, compiled, request)
    if link is not None:
        stop(site, link, _words(compiled, link, tag), tag)
    return _page(request, site, compiled, link, tag, done=True)


def _link(site: Site, compiled: Compiled, request: Asked) -> Stop | None:
    try:
        link = read_stop_token(site, request.path_params["token"])
    except InvalidInput:
        return None
    return link if link.message_class in compiled.policy.messages else None


def _label(compiled: Compiled, link: Stop, tag: str) -> str:
    return compiled.policy.messages[link.message_class].label.say(tag)


def _words(compiled: Compiled, link: Stop, tag: str) -> str:
    return say(tag, "stop.button", label=_label(compiled, link, tag))


def _page(request: Asked, site: Site, compiled: Compiled, link: Stop | None, tag: str, *, done: bool) -> Response[str]:
    label = _label(compiled, link, tag) if link else ""
    status = 200 if link else 404
    return site_page(
        request, site, compiled, "stop.html", status=status, found=link is not None, label=label, done=done
    )
