"""Records that a page was looked at, exactly as the policy says, after the page has gone out.

A visit is a page of a site that was shown: not a style sheet, not a picture, not a form that was sent, not an address that
does not exist. The visits room is offered the client's address, the path and the language of the page, and keeps what the
policy declares; it is never offered the query or a header, so neither can be kept. A visit that cannot be recorded costs nobody
their page. Where the policy has a collection point for the visits of members, theirs come in there and are with their account,
not in the log: shown, exported, guarded and deleted as all that is held about them. Of whoever is logged in and has paused the
use of their data no visit is recorded; of somebody who is not logged in nobody can tell.
"""

from __future__ import annotations

import logging
from typing import Any

from anyio import to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy import Connection

from troth.accounts.sessions import who
from troth.collection.actions import collect_in
from troth.collection.rules import Submission
from troth.ids import new_id
from troth.rights.restricting import is_restricted
from troth.store.site import Site
from troth.visits import actions as visits
from troth.visits.rules import of_member, of_members
from troth.web.arrival import ONLY_HEAD
from troth.web.members import cookie_name
from troth.web.pages import language_of

UNRECORDED = "unrecorded"
SECRET_PATH = "secret_path"  # noqa: S105  (the name of an option)
_log = logging.getLogger("troth.web")


def recording_visits(app: ASGIApp) -> ASGIApp:
    """Middleware of the pages of a site. Handlers opt out with ``unrecorded``, and hide a secret end with ``secret_path``."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        shown = False

        async def watched(message: Message) -> None:
            nonlocal shown
            if message["type"] == "http.response.start":
                shown = message["status"] == 200 and _is_page(message)
            await send(message)

        await app(scope, receive, watched)
        site = _recorded_site(scope) if shown else None
        if site is not None:
            await to_thread.run_sync(
                record, site, _offered(scope), ASGIConnection(scope).cookies.get(cookie_name(site), "")
            )

    return recorded


def _is_page(message: Any) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def _recorded_site(scope: Any) -> Site | None:
    if scope.get("method") != "GET" or scope.get(ONLY_HEAD) or scope["route_handler"].opt.get(UNRECORDED):
        return None
    site: Site | None = scope["litestar_app"].state.sites.get(scope["path_params"].get("site_name"))
    return site


def _offered(scope: Any) -> dict[str, str]:
    path = scope["path"]
    if scope["route_handler"].opt.get(SECRET_PATH):
        path = path.rstrip("/").rpartition("/")[0]
    client = scope.get("client")
    offered = {"pd:IPAddress": client[0] if client else "", "pd:BrowserHistory": path}
    return offered | {"pd:Language": language_of(Request(scope))}


def record(site: Site, offered: dict[str, str], session: str = "") -> None:
    """Record one visit, or say in the log, without a word about the visitor, that it could not be."""
    try:
        point = of_members(site.policy()) if session else None
        member = who(site, session) if session else None
        with site.writing() as conn:
            if member and is_restricted(conn, member.person_id):
                return  # of their data nothing is done but that it is kept
            if point and member:
                _with_account(site, conn, point, member.person_id, offered)
            else:
                visits.record(site, conn, offered)
    except Exception as error:
        _log.warning("%s: a visit was not recorded (%s)", site.name, type(error).__name__)


def _with_account(site: Site, conn: Connection, point: str, member: str, offered: dict[str, str]) -> None:
    number = visits.number_of(conn, member, point) + 1
    values = of_member(site.policy(conn), offered | {"pd:BrowsingBehaviour": str(number)})
    key = f"visit:{new_id(site.now())}"
    collect_in(site, conn, Submission(point, values, key, language=offered["pd:Language"], member=member))
