"""Of several rights of one kind, and of several decisions that can be reviewed, each has its own requests as evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.fixtures import days
from troth.evidence.doors import MakeDoor
from troth.evidence.prove import Proven, prove
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.rights.intake import receive
from troth.rights.rules import Intake, concerns, terms
from troth.rights.tables import request
from troth.store import versions
from troth.store.site import Site
from troth.web.inside import Inside

TWO = """
  objection_to_counting: {right: objection, by: [e-mail], answer within: 30 days, against: [market_facts]}
  complaint: {right: complaint, by: [e-mail]}
  complaint_to_us: {right: complaint to us, by: [e-mail], answer within: 30 days}
"""
LATER = "  pay_later: {"
LIMITS = (
    "  limits: {label: how much you may owe, for: fulfil_order, ground: contract, logic: What you paid before is added up., "
    "consequences: You may have to pay in advance.}\n"
)


@pytest.fixture
def shop(site: Site) -> Site:
    """The shop with two objections, a complaint to it besides that to an authority, and two decisions."""
    text = (site.folder / "policy.yaml").read_text("utf-8").replace("version: 1", "version: 2", 1)
    text = text.replace("\nrights:", "\nrights:" + TWO.rstrip(), 1).replace(LATER, LIMITS + LATER, 1)
    with site.writing() as conn:
        decisions = (site.folder / "decisions.yaml").read_text("utf-8")
        versions.archive(conn, text, decisions, effective_at=site.now(), at=site.now() - days(60))
    return site


def forgotten(site: Site, right: str, *about: str) -> None:
    """A request that came by letter and that nobody answered in time."""
    received = receive(site, Intake(right, "letter", f"letter:{right}", by="staff", about=about))
    with site.writing() as conn:
        mine = request.c.id == received.id
        assert conn.execute(update(request).where(mine).values(at=site.now() - days(100))).rowcount == 1


def broken(site: Site) -> set[str]:
    """What does not hold, but for that nobody was told of the change by which the shop got these rights."""
    return {one.promise.id for one in prove(site).broken} - {"changes"}


def test_a_request_is_evidence_for_the_right_of_its_own_scope_alone(shop: Site) -> None:
    assert broken(shop) == set()
    forgotten(shop, "objection", "market_facts")
    assert broken(shop) == {"rights.objection_to_counting"}


def test_a_request_that_names_no_scope_is_evidence_for_every_right_of_its_kind(shop: Site) -> None:
    forgotten(shop, "objection")
    assert broken(shop) == {"rights.objection", "rights.objection_to_counting"}


def test_a_complaint_to_the_operator_is_no_evidence_for_that_to_an_authority(shop: Site) -> None:
    forgotten(shop, "complaint")
    assert broken(shop) == {"rights.complaint_to_us"}


def test_a_review_is_evidence_for_the_decision_that_it_is_about(shop: Site) -> None:
    forgotten(shop, "review", "decision:limits")
    assert broken(shop) == {"automated_decisions.limits", "rights.review"}


def closed_at_the_desk(site: Site, right: str, **values: object) -> None:
    """A request that came by letter and was called done within the hour, whatever was done."""
    received = receive(site, Intake(right, "letter", f"letter:{right}", by="staff"))
    closed = {"state": "closed", "outcome": "done", "closed_at": site.now() + timedelta(hours=1), **values}
    with site.writing() as conn:
        assert conn.execute(update(request).where(request.c.id == received.id).values(**closed)).rowcount == 1


def shown(site: Site, promise_id: str, door: MakeDoor | None = None) -> Proven:
    return next(one for one in prove(site, door=door).proven if one.promise.id == promise_id)


def test_that_a_request_was_closed_in_time_does_not_show_that_it_was_done(site: Site) -> None:
    closed_at_the_desk(site, "objection")
    found = shown(site, "rights.objection")
    assert (found.proof.verdict, found.proof.measured) == ("kept", "0 requests not answered in time")
    assert set(found.uncovered) >= {"right", "against"}
    tried = shown(site, "rights.objection", Inside)
    assert (tried.proof.verdict, tried.proof.measured) == ("kept", "0 requests not answered in time; done as asked")
    assert not {"right", "against"} & set(tried.uncovered)


def test_a_day_that_was_put_off_past_the_promise_is_not_believed(site: Site) -> None:
    """The lie: the day stands where nobody promised it, and nobody prolonged anything."""
    late = {"at": site.now() - days(31), "due_at": site.now() + days(60)}
    closed_at_the_desk(site, "objection", **late)
    found = shown(site, "rights.objection").proof
    assert (found.verdict, found.measured) == ("broken", "1 request not answered in time")


def test_that_a_request_was_prolonged_counts_for_nothing_where_no_law_allows_it(site: Site) -> None:
    closed_at_the_desk(site, "access", at=site.now() - days(31), extended=1)
    assert shown(site, "rights.access").proof.verdict == "broken"


def test_what_a_law_let_be_answered_later_was_not_answered_within_the_time_promised(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_law = replace(terms(site.policy(), "access"), longer=Period(60, "day"))
    monkeypatch.setattr("troth.rights.proofs.terms", lambda *_: by_law)
    closed_at_the_desk(site, "access", at=site.now() - days(40), extended=1)
    found = shown(site, "rights.access").proof
    assert (found.verdict, found.measured) == ("not proven", "1 request answered later, as a law allows")
    receive(site, Intake("access", "letter", "in-time", by="staff"))
    with site.writing() as conn:
        mine = request.c.key == "in-time"
        conn.execute(update(request).where(mine).values(state="closed", outcome="done", closed_at=site.now()))
    found = shown(site, "rights.access").proof
    assert (found.verdict, found.evidence) == (
        "kept", "1 request looked at; 1 request answered later, as a law allows",
    )  # fmt: skip


def test_what_a_request_concerns_is_said_by_its_scopes(site: Site) -> None:
    compiled: Compiled = site.policy()
    policy: Policy = compiled.policy
    objection, access = policy.rights["objection"], policy.rights["access"]
    assert concerns(policy, objection, "objection", ("improvement", "market_facts"))
    assert not concerns(policy, objection, "objection", ("market_facts",))
    assert concerns(policy, objection, "objection", ())
    assert not concerns(policy, objection, "access", ())
    assert concerns(policy, access, "access", ("email",))


@pytest.mark.parametrize("outcome", ["cancelled", "not verified"])
def test_a_request_that_ended_without_an_answer_shows_nothing_of_its_right(shop: Site, outcome: str) -> None:
    closed_at_the_desk(shop, "access", outcome=outcome)
    assert shown(shop, "rights.access").proof.verdict == "nothing to check yet"
