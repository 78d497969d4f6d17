"""One callback: put together as its protocol says when it leaves, signed, and posted to where it was asked to go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from troth.agenda import Job
from troth.clock import from_micros, to_micros
from troth.rights.protocols import drp, opendsr
from troth.rights.protocols.callbacks import post, written
from troth.rights.protocols.known import DRP, OPENDSR, Known, by_id, results_url
from troth.rights.protocols.processor import Processor, processor
from troth.rights.protocols.telling import GIVE_UP
from troth.store.site import Site

VERIFY_PAGE = "privacy"
"""where a person sees what verifying is about; it opens nothing, since an agent is given its address"""


def call(site: Site, job: Job) -> None:
    """Tell one address how a request stands; does nothing when something newer is to be told, or its time is over.

    Raises:
        Refused: when the address may not be called now.
        TrothError: when it does not answer as it must; the agenda tries again.
    """
    row_id, micros, place = job.ref.split(":")
    with site.reading() as conn:
        one = by_id(conn, row_id)
    if one is None or to_micros(one.told_at) != int(micros) or site.now() > from_micros(int(micros)) + GIVE_UP:
        return
    places = json.loads(one.callbacks)
    if int(place) >= len(places):
        return
    if one.protocol == OPENDSR:
        _call_controller(site, one, places[int(place)])
    elif one.protocol == DRP:
        _call_agent(site, one, places[int(place)])


def _call_controller(site: Site, one: Known, address: str) -> None:
    ours = processor(site)
    if ours is None or one.peer not in ours.wires.controllers:
        return  # no controller of ours any more
    raw = written(controllers_status(site, ours, one) | {"status_callback_url": address})
    post(address, raw, ours.sign(raw), ours.callback_hosts(one.peer), ours.wires.private_callbacks)


def _call_agent(site: Site, one: Known, address: str) -> None:
    wires = site.wiring.drp
    if wires is None or one.peer not in wires.agents:
        return  # no agent of ours any more
    raw = written(agents_status(site, one))
    post(address, raw, {}, wires.agents[one.peer].callbacks, wires.private_callbacks)


def controllers_status(site: Site, ours: Processor, one: Known) -> dict[str, Any]:
    """How a request stands, as OpenDSR says it."""
    wired = ours.wires.controllers.get(one.peer)
    results = results_url(site, one, vouches=wired is not None and wired.vouches)
    called = opendsr.status_of(one.state, one.outcome)
    return opendsr.status(one.peer, one.number, called, one.due_at, one.outcome, ours.wires.domain, results)


def agents_status(site: Site, one: Known) -> Mapping[str, Any]:
    """How a request stands, as the Data Rights Protocol says it."""
    wires = site.wiring.drp
    wired = wires.agents.get(one.peer) if wires else None
    now_called = drp.called(one.state, one.outcome)
    asks = now_called.reason == "need_user_verification"
    page = f"{site.wiring.base_url.rstrip('/')}/{VERIFY_PAGE}"
    return drp.status(
        one.number,
        one.received_at,
        one.due_at,
        now_called,
        reference=one.reference,
        verification_url=page if asks else "",
        results_url=results_url(site, one, vouches=wired is not None and wired.vouches),
    )
