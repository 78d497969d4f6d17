"""The desk of an operator's staff, under ``/SITE/desk``: its frame, and the pages where staff enter and are looked after."""

from __future__ import annotations

from litestar import Router

from troth.web.desk import acts, entering, mine, others, people, requests
from troth.web.visits import UNRECORDED


def pages() -> Router:
    """All pages of the desk. What staff look at is no visit of the site."""
    return Router(
        path="/desk",
        route_handlers=[*requests.PAGES, *people.PAGES, *acts.PAGES, *entering.PAGES, *mine.PAGES, *others.PAGES],
        opt={UNRECORDED: True},
        include_in_schema=False,
    )
