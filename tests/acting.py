"""The table of acts for tests: a shop with somebody who ordered, and an argument that fits each act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fixtures import days
from tests.served import Client
from tests.shoppers import ANN, registered
from troth.acts import tokens
from troth.acts.model import SCOPES, Caller
from troth.acts.perform import Done, perform
from troth.store.site import Site

LEAD = Caller("staff", "0" * 26, "privacy lead", frozenset(SCOPES), "192.0.2.7", ("privacy lead",))
PROGRAM = Caller("program", "0" * 26, "web-shop", frozenset(SCOPES))
CONSOLE = Caller("console", "console", "console", frozenset())


@dataclass
class Program:
    """A program of the operator with a token, and the address of its doors."""

    web: Client
    site: Site
    secret: str

    def act(self, name: str, key: str = "", token: str | None = None, **given: Any) -> httpx.Response:
        """Carry out the act ``name`` over HTTP."""
        headers = {"authorization": f"Bearer {self.secret if token is None else token}"}
        headers |= {"idempotency-key": key} if key else {}
        found: httpx.Response = self.web.post(f"/{self.site.name}/api/acts/{name}", json=given, headers=headers)
        return found


def program(web: Client, site: Site, *may: str) -> Program:
    """A program that may do all, or what is named."""
    return Program(web, site, tokens.add(site, "web-shop", may or tuple(SCOPES))[1])


@dataclass
class Case:
    """What must be there before an act, and arguments that fit it; ``{}`` names found while it is set up."""

    given: Mapping[str, Any]
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    knows: dict[str, str] = field(default_factory=dict)


def cases(site: Site) -> dict[str, Case]:
    """For each act of the table, arguments with which it can be carried out in ``tests/shop``."""
    ann = registered(site, ANN)
    order = {"person": ann, "kind": "order", "number": "A-1"}
    opened = (("open-dealing", order),)
    paid = (*opened, ("pay-order", {"number": "A-1"}))
    courier = {"person": ann, "recipient": "courier", "purpose": "fulfil_order", "fields": ["full_name"], "case": "A-1"}
    record = {"reference": "C-2026-1", "approver": "privacy lead"}
    court = {"person": ann, "ground": "court", "recipient": "district-court", "fields": ["email"], "record": record}
    hold = {"person": ann, "ground": "open orders", "because": "a claim", "ends": (site.now() + days(90)).isoformat()}
    agree = {"person": ann, "about": "marketing", "channel": "letter"}
    claim = {"person": ann, "event": "claim_settled", "number": "C-1"}
    mail = {"class": "offers", "subject": "Lamps", "words": "We have new lamps.\n\nCome and see."}
    return {
        "find-person": Case({"field": "email", "value": ANN["email"].replace("shop.", "SHOP.")}),
        "correct": Case({"person": ann, "field": "full_name", "value": "Ann Starling"}),
        "open-dealing": Case(order),
        "pay-order": Case({"number": "A-1"}, opened),
        "dispatch-order": Case({"number": "A-1"}, paid),
        "close-dealing": Case({"kind": "order", "number": "A-1"}, opened),
        "set-warranty": Case({"number": "A-1", "warranty_ends": "2031-05-31"}, opened),
        "customer-notice": Case({"person": ann, "number": "N-1"}),
        "report-event": Case(claim),
        "retract-event": Case(claim, (("report-event", claim),)),
        "give-consent": Case(agree),
        "withdraw-consent": Case(agree, (("give-consent", agree),)),
        "object": Case(agree | {"about": "improvement"}),
        "lift-objection": Case(agree | {"about": "improvement"}, (("object", agree | {"about": "improvement"}),)),
        "disclose": Case(courier, opened),
        "disclose-in-case": Case(court),
        "hand-over": Case({"disclosure": "{disclosure}"}, (*opened, ("disclose", courier), ("worker", {}))),
        "acknowledge-deletion": Case(
            {"recipient": "courier", "person": ann},
            (
                *opened,
                ("disclose", courier),
                ("worker", {}),
                ("hand-over", {"disclosure": "{disclosure}"}),
                ("suspend", {"scope": "@courier", "because": "a breach", "recall": "yes"}),
            ),
        ),
        "place-hold": Case(hold),
        "release-hold": Case({"hold": "{hold}"}, (("place-hold", hold),)),
        "restrict": Case({"person": ann}),
        "lift-restriction": Case({"person": ann}, (("restrict", {"person": ann}),)),
        "suspend": Case({"scope": "@courier", "because": "their breach"}),
        "lift-suspension": Case(
            {"scope": "@courier", "because": "mended"}, (("suspend", {"scope": "@courier", "because": "breach"}),)
        ),
        "send-message": Case({"person": ann, **mail}, (("give-consent", agree),)),
        "send-to-everybody": Case(mail, (("give-consent", agree),)),
    }


def ready(site: Site, case: Case) -> dict[str, Any]:
    """Do what must come before, and return the arguments of the act itself."""
    from troth.work import turn

    for name, given in case.before:
        if name == "worker":
            turn(site)
        else:
            case.knows.update(done(site, name, filled(case, given)).result)
    return filled(case, case.given)


def filled(case: Case, given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: case.knows[said.strip("{}")] if isinstance(said, str) and said.startswith("{") else said
        for name, said in given.items()
    }


def done(site: Site, name: str, given: Mapping[str, Any], caller: Caller = CONSOLE, key: str = "") -> Done:
    return perform(site, caller, name, given, key)
