"""The addresses that programs look at by themselves: health, security contact, Global Privacy Control."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from troth.clock import iso
from troth.errors import TrothError
from troth.ledger import heads
from troth.policy.compile import Compiled
from troth.retention.alarms import to_show
from troth.store.site import Site
from troth.web.editions import editions, in_force
from troth.web.pages import Asked, site_of, text
from troth.web.visits import UNRECORDED

_EXPIRES_AFTER = timedelta(days=180)


@get("/health", sync_to_thread=True, include_in_schema=False)
def health(request: Asked) -> Response[dict[str, Any]]:
    """Whether every site can answer: 200, or 503 with those that cannot. Alarms are named by their kinds alone.

    For whoever starts processes anew an alarm is no reason, since that mends none. With ``?alarms`` it is answered by 503, too.
    """
    states = {name: _state(site) for name, site in request.app.state.sites.items()}
    alarms = {name: kinds for name, site in request.app.state.sites.items() if (kinds := _alarms(site))}
    up = all(state == "ok" for state in states.values())
    well = up and not (alarms and "alarms" in request.query_params)
    content: dict[str, Any] = {"status": "failing" if not up else "alarms" if alarms else "ok", "sites": states}
    content |= {"alarms": alarms} if alarms else {}
    return Response(content, status_code=200 if well else 503, headers={"Cache-Control": "no-store"})


def _state(site: Site) -> str:
    """``ok``, or why not: no policy is in force, a store does not answer, or the stores are not what was sealed."""
    try:
        site.policy()
        problem = heads.look(site)
    except TrothError as error:
        return error.message
    return "ok" if problem is None else problem.words


def _alarms(site: Site) -> list[str]:
    try:
        with site.reading() as conn:
            return sorted({kind for kind, _ in to_show(conn, site.now())})
    except TrothError:
        return []


@get("/.well-known/security.txt", sync_to_thread=True, include_in_schema=False)
def security(request: Asked) -> Response[str]:
    """Where to report a weakness (RFC 9116), for all sites served here."""
    return _security(request.app.state.sites.values())


@get("/.well-known/security.txt", sync_to_thread=True, opt={UNRECORDED: True}, include_in_schema=False)
def site_security(request: Asked) -> Response[str]:
    """The same for one site."""
    return _security([site_of(request)])


def _security(sites: Iterable[Site]) -> Response[str]:
    known = [(site, site.policy()) for site in sites]
    contacts = list(dict.fromkeys(mail for _, policy in known if (mail := policy.policy.operator.email)))
    if not contacts:
        raise NotFoundException
    expires = min(site.now() for site, _ in known) + _EXPIRES_AFTER
    lines = [f"Contact: mailto:{mail}" for mail in contacts] + [f"Expires: {iso(expires)}"]
    lines += [f"Preferred-Languages: {', '.join(_languages(policy for _, policy in known))}"]
    lines += [f"Policy: {site.wiring.base_url.rstrip('/')}/" for site, _ in known]
    return text("\n".join(lines) + "\n")


def _languages(policies: Iterable[Compiled]) -> list[str]:
    return sorted({tag for policy in policies for tag in policy.policy.policy.languages})


@get("/.well-known/gpc.json", sync_to_thread=True, opt={UNRECORDED: True}, include_in_schema=False)
def privacy_control(request: Asked) -> dict[str, Any]:
    """That a browser's Global Privacy Control is respected: visits are never sold or shared here, asked or not."""
    site = site_of(request)
    edition = in_force(editions(site), site.now())
    return {"gpc": True, "lastUpdate": edition.effective_at.date().isoformat()}
