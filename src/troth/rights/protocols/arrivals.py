"""Requests that come over a protocol, taken in: once for their number, however often they are sent.

What could go wrong: one number for two requests; a request that is taken in while its number is lost, so that it comes again.
So a number is kept before the request is taken in, with a keyed hash of what it stood for, and another request under it is
refused; the request is taken in under a key made of that number, so that whoever was interrupted finds it when the same is
sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, delete, select, update

from troth.errors import InvalidInput, Refused
from troth.ids import new_id
from troth.policy.model import Policy
from troth.rights.cases import CLOSED
from troth.rights.intake import receive
from troth.rights.protocols import drp, opendsr
from troth.rights.protocols.known import Known, known
from troth.rights.protocols.tables import protocol_request
from troth.rights.rules import Intake
from troth.rights.tables import request
from troth.settings import Agent, Controller
from troth.store.insert import insert_into
from troth.store.secret import derived_key
from troth.store.site import Site

_CONSIDERED = frozenset({"money", "rent", "barter", "licence"})
"""what a recipient gives for data that makes handing it over a sale"""
NOTHING = "nothing sold"
"""names no purpose and no recipient: whoever opts out of a sale where nothing is sold objects to nothing else"""
PENDING = "open"
"""what the receipt of OpenDSR tells, which has no status"""


@dataclass(frozen=True, slots=True)
class _Arrival:
    protocol: Literal["opendsr", "drp"]
    peer: str
    own: str
    number: str
    meaning: str
    callbacks: tuple[str, ...]
    reference: str = ""

    @property
    def key(self) -> str:
        whole = "\x00".join((self.protocol, self.peer, self.own))
        return f"{self.protocol}:{hashlib.sha256(whole.encode()).hexdigest()[:48]}"


def from_controller(site: Site, peer: str, wired: Controller, asked: opendsr.Request) -> Known:
    """Take in what a controller asks for, or find it.

    Raises:
        Refused: when its number stands for another request.
        InvalidInput: when the request cannot be taken in.
    """
    arrival = _Arrival("opendsr", peer, asked.id, asked.id, asked.meaning, asked.callbacks)
    return _take_in(site, arrival, opendsr.RIGHTS[asked.type], asked.email, vouched=wired.vouches)


def from_agent(site: Site, peer: str, wired: Agent, asked: drp.Exercise, message: bytes) -> Known:
    """Take in what an agent asks for, or find it by the agent's own number, or by the bytes of the message. Raises as above."""
    own = f"own {asked.reference}" if asked.reference else f"message {hashlib.sha256(message).hexdigest()}"
    called_back = (asked.callback,) if asked.callback else ()
    arrival = _Arrival("drp", peer, own, str(uuid.uuid4()), asked.meaning, called_back, asked.reference)
    about = sold_to(site.policy().policy) if asked.right == "objection" else ()
    vouched = wired.vouches and asked.verified
    return _take_in(site, arrival, asked.right, asked.email, name=asked.name, about=about, vouched=vouched)


def sold_to(policy: Policy) -> tuple[str, ...]:
    """The recipients that give something for the data they get, as scopes of an objection. Pure."""
    found = tuple(f"@{key}" for key, one in policy.recipients.items() if one.consideration in _CONSIDERED)
    return found or (NOTHING,)


def _take_in(
    site: Site, arrival: _Arrival, right: str, email: str, *, vouched: bool, name: str = "", about: tuple[str, ...] = ()
) -> Known:
    there = _reserve(site, arrival)
    if there.request_id is None:
        intake = Intake(
            right=right, channel=arrival.protocol, key=arrival.key, email=email, name=name, about=about,
            language=site.policy().policy.policy.languages[0], vouched="mandate" if vouched else "",
        )  # fmt: skip
        try:
            received = receive(site, intake)
        except InvalidInput:
            _unreserve(site, there.id)
            raise
        _tie(site, arrival, there.id, received.id)
    found = known(site, arrival.protocol, arrival.peer, there.number)
    assert found is not None
    return found


def _reserve(site: Site, arrival: _Arrival) -> Row[Any]:
    """Keep the number of an arrival, or find what it stands for. Raises ``Refused`` when that is something else."""
    now, key = site.now(), hashlib.sha256(arrival.own.encode()).digest()
    meaning = hmac.new(derived_key(site, "protocols"), arrival.meaning.encode(), hashlib.sha256).digest()
    row: dict[str, object] = {
        "id": new_id(now),
        "protocol": arrival.protocol,
        "peer": arrival.peer,
        "number": arrival.number,
        "key": key,
    }
    row |= {
        "meaning": meaning,
        "reference": arrival.reference,
        "joined": 0,
        "received_at": now,
        "told": "",
        "told_at": now,
    }
    row |= {"callbacks": json.dumps(arrival.callbacks)}
    mine = (protocol_request.c.protocol == arrival.protocol) & (protocol_request.c.peer == arrival.peer)
    with site.writing() as conn:
        conn.execute(insert_into(conn, protocol_request).values(row).on_conflict_do_nothing())
        there = conn.execute(select(protocol_request).where(mine, protocol_request.c.key == key)).one()
    if not hmac.compare_digest(there.meaning, meaning):
        raise Refused("This number stands for another request.", "Give each request a number of its own.")
    return there


def _unreserve(site: Site, row_id: str) -> None:
    with site.writing() as conn:
        conn.execute(delete(protocol_request).where(_untied(row_id)))


def _tie(site: Site, arrival: _Arrival, row_id: str, request_id: str) -> None:
    """Tie a number to its request, and note what its sender is answered now."""
    with site.writing() as conn:
        its = conn.execute(select(request).where(request.c.id == request_id)).one()
        told = PENDING if arrival.protocol == "opendsr" else f"{its.state} {its.outcome}".strip()
        values = {"request_id": request_id, "joined": int(its.key != arrival.key), "told": told, "told_at": site.now()}
        ended = {"ended_at": site.now()} if its.state == CLOSED and arrival.protocol == "drp" else {}
        conn.execute(update(protocol_request).where(_untied(row_id)).values(**values, **ended))


def _untied(row_id: str) -> ColumnElement[bool]:
    return (protocol_request.c.id == row_id) & protocol_request.c.request_id.is_(None)
