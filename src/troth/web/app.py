"""The web: every page and address, put together."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache
from importlib.resources import files
from pathlib import Path

from litestar import Litestar, Router
from litestar.datastructures import CacheControlHeader, State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router

from troth import __version__
from troth.acts.tokens import Pace
from troth.errors import PolicyError, TrothError
from troth.messages.mailbox import Mailbox
from troth.rights.protocols.processor import processor
from troth.store.site import Site
from troth.web import (
    accounts,
    acts,
    announcements,
    api,
    desk,
    drp,
    entering,
    forms,
    given,
    held,
    index,
    moving,
    notices,
    opendsr,
    problems,
    publicity,
    reading,
    security,
    stopping,
    wellknown,
)
from troth.web import mailbox as letters
from troth.web.arrival import App, nameable
from troth.web.desk.frame import NobodyEntered, to_login
from troth.web.evidence import Look, Proofs, Watch
from troth.web.forgetting import remember_nothing, route_without_memory
from troth.web.guard import BODY_LIMIT, seal
from troth.web.privacy import asking, centre, linked
from troth.web.programs import Door
from troth.web.together import Together
from troth.web.visits import recording_visits

TAKEN = frozenset({"static", "health", "schema"})
_STATIC_FOR_SECONDS = 3600


def make_app(
    sites: Sequence[Site], mailbox: Mailbox | None = None, demo: bool = False, look: Look | None = None
) -> Litestar:
    """The application that serves ``sites``.

    ``mailbox`` is shown as the sites' mailbox when ``demo`` is set; ``look``, if any, proves a site's promises for the notice.

    Raises:
        PolicyError: when two sites share a name, one has the name of an address of ours, or a program's token is missing,
            or a certificate is not what it should be.
    """
    by_name = {site.name: site for site in sites}
    if len(by_name) < len(sites) or by_name.keys() & TAKEN:
        raise PolicyError(
            "Two sites have the same name, or one is called like an address of ours.", "See `name` in site.yaml."
        )
    state = State({"sites": by_name, "mailbox": mailbox if demo else None, "watch": Watch(look or Proofs())})
    state["doors"] = {site.name: Door(site) for site in sites}
    state["paces"] = {site.name: Pace() for site in sites}
    for site in sites:
        processor(site)  # whose certificates are read now, so that a file that is missing stops the start
    state["together"] = {site.name: Together(site) for site in sites}
    app = copy(_routed())
    app.state = state
    return app


@cache
def _routed() -> App:
    """Every page at its address, for no sites: they are the same whatever is served, and take a tenth of a second to join.

    What serves sites is a copy with a state of its own, and both have one router. A request gets the copy, since an application
    names itself in the scope of each (``request.app``). The start and the end of a server run what this one was made with: it
    must have no hook for them, as it would run for no site.
    """
    remember_nothing()
    app = App(
        route_handlers=[index.index, wellknown.health, wellknown.security, _of_site(), _static()],
        before_send=[seal],
        exception_handlers={
            NobodyEntered: to_login,
            TrothError: problems.expected,
            HTTPException: problems.http,
            Exception: problems.unexpected,
        },
        request_max_body_size=BODY_LIMIT,
        openapi_config=OpenAPIConfig(
            "Troth",
            __version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
            components=Components(security_schemes={"program": SecurityScheme("http", scheme="bearer")}),
        ),
        logging_config=None,
        debug=False,
    )
    route_without_memory(app)
    return app


def _of_site() -> Router:
    return Router(
        path="/{site_name:str}",
        middleware=[recording_visits],
        route_handlers=[
            *(notices.notice_page, notices.notice_markdown, notices.versions_page, notices.version_page),
            notices.words_page,
            *(announcements.changes_page, announcements.change_page, announcements.changes_json),
            *(forms.forms_page, forms.form_page, forms.submit),
            *(api.collect_json, api.openapi, reading.read_json, *acts.HANDLERS),
            *(*accounts.PAGES, *entering.PAGES, *security.PAGES, *moving.PAGES, *given.PAGES, *publicity.PAGES),
            *(*asking.PAGES, *linked.PAGES, *centre.PAGES),
            desk.pages(),
            *held.PAGES,
            *(stopping.ask_page, stopping.stop_page),
            *(letters.mailbox_page, letters.message_page, letters.message_html),
            *(wellknown.site_security, wellknown.privacy_control),
            *(opendsr.DOORS, drp.DOORS),
        ],
    )


def _static() -> Router:
    folder = Path(str(files("troth.web").joinpath("static")))
    cached = CacheControlHeader(max_age=_STATIC_FOR_SECONDS, public=True)
    return create_static_files_router(
        "/static",
        [folder],
        include_in_schema=False,
        cache_control=cached,
        send_as_attachment=False,
        guards=[nameable],
    )
