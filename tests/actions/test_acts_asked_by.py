"""An act is decided for whoever asks for it: staff in their role, a program, or the operator's system; never for the person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.acting import CONSOLE, LEAD, PROGRAM, cases, done, ready
from tests.shoppers import ANN
from troth import work
from troth.acts.model import Caller
from troth.acts.table import ACTS
from troth.errors import Refused
from troth.evidence.prove import prove
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.vault import By
from troth.staff import actions
from troth.staff.rules import PRIVACY_LEAD
from troth.staff.tables import staff
from troth.store.site import Site

WHO = {"staff": "by:staff", "program": "by:program", "console": "by:system"}
DECIDING = {"correct", "disclose", "disclose-in-case", "hand-over", "send-message", "send-to-everybody"}
"""acts of which the policy is asked"""


def known(site: Site, caller: Caller) -> Caller:
    """The caller, who is there if they are one of the staff."""
    if caller.kind != "staff":
        return caller
    actions.add(site, "lee", (PRIVACY_LEAD,))
    with site.reading() as conn:
        return replace(caller, id=conn.scalars(select(staff.c.id)).one())


def facts(site: Site, after: int = 0) -> list[set[str]]:
    """The facts of every decision that was entered since."""
    with site.reading() as conn:
        bodies = conn.scalars(select(entry.c.body).where(entry.c.id > after).order_by(entry.c.id))
        asks: list[Mapping[str, Any]] = [told["ask"] for told in map(json.loads, bodies) if "ask" in told]
    return [set(ask["facts"]) for ask in asks]


def last(site: Site) -> int:
    with site.reading() as conn:
        return conn.scalars(select(entry.c.id).order_by(entry.c.id.desc()).limit(1)).first() or 0


@pytest.mark.parametrize("caller", [LEAD, PROGRAM, CONSOLE], ids=lambda one: one.kind)
@pytest.mark.parametrize("act", list(ACTS))
def test_what_an_act_asks_of_the_policy_is_asked_by_whoever_carries_it_out(
    site: Site, act: str, caller: Caller
) -> None:
    given = ready(site, cases(site)[act])
    before = last(site)
    done(site, act, given, known(site, caller))
    if act == "send-to-everybody":
        work.turn(site)
    asked = [{fact for fact in told if fact.startswith(("by:", "role:"))} for told in facts(site, before)]
    assert bool(asked) == (act in DECIDING)
    role = {"role:privacy_lead"} if caller.kind == "staff" else set()
    assert all(told == {WHO[caller.kind]} | role for told in asked[:1])
    assert {"by:person"} not in asked


def test_a_correction_that_staff_make_is_told_as_theirs_and_opens_nothing_for_them(site: Site) -> None:
    ann = cases(site)["correct"].given["person"]
    done(site, "correct", {"person": ann, "field": "full_name", "value": "Ann Starling"}, known(site, LEAD))
    with site.reading() as conn:
        body = conn.scalars(select(entry.c.body).where(entry.c.event == "person:corrected")).one()
    assert (json.loads(body)["by"], json.loads(body)["because"]) == ("staff", ["rights.corrected"])
    with pytest.raises(Refused):
        vault.read(site, ann, ["full_name"], "own_access", By("staff", "privacy lead"))
    mine = vault.read(site, ann, ["full_name"], "own_access", By("person", ref=ann))
    assert mine.values == {"full_name": "Ann Starling"} != {"full_name": ANN["full_name"]}
    assert "purposes" not in {one.promise.id for one in prove(site).broken}, "asked again, it comes out the same"


def test_what_is_given_to_a_court_in_a_case_of_the_policy_breaks_no_promise_about_recipients(site: Site) -> None:
    given = ready(site, cases(site)["disclose-in-case"])
    made = done(site, "disclose-in-case", given).result["disclosure"]
    work.turn(site)
    assert done(site, "hand-over", {"disclosure": made}).result["data"] == {"email": ANN["email"]}
    verdicts = {one.promise.id: one.proof.verdict for one in prove(site).proven}
    assert {verdicts[one] for one in ("recipients", "legal.court", "absolutes.only_named")} == {"kept"}
