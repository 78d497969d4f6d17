"""What tests of requests share: the worker's part in them, and the links that people find in their mail."""

from __future__ import annotations

import re
from dataclasses import replace

from troth.agenda import run_due
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.messages.mailbox import Mailbox
from troth.rights import following
from troth.rights.rules import Intake
from troth.store.site import Site
from troth.work import HANDLERS

ANN = {"email": "ann@shop.example", "full_name": "Ann Sparrow"}


def run(site: Site) -> None:
    """Do what is on the agenda, and what that puts there; then follow the requests that are under way."""
    for _ in range(4):
        run_due(site, HANDLERS)
    following.follow(site)


def secret(mailbox: Mailbox, page: str) -> str:
    """What the newest link to ``page`` ends with, in all the mail that came."""
    letters = sorted(mailbox.messages(), key=lambda one: one.number)
    found = [re.search(rf"/{page}/([\w-]+)", one.body("plain")) for one in letters]
    return [one[1] for one in found if one][-1]


def ann(shop: Site, key: str = "ann-1") -> str:
    """Ann orders two lamps; her number."""
    values = ANN | {"delivery_address": "9 Quay Road", "order_total": "2 lamps"}
    return collect(shop, Submission("order", values, key)).person_id


def asked(right: str, key: str = "r-1", **more: object) -> Intake:
    """What Ann asks for on the web, or ``more`` as it comes otherwise."""
    return replace(Intake(right, "web", key, email=ANN["email"], ip="192.0.2.7"), **more)  # type: ignore[arg-type]
