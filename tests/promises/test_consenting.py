"""Consent is asked for first, is not ticked in advance, and is taken back at once: somebody made up tries it at the doors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flights import walking_only
from tests.mutation.targets import forget
from tests.operators import open_operator
from tests.shoppers import ANN
from troth.clock import MovedClock, utc
from troth.collection.actions import _Intake, collect
from troth.collection.forms import _Writer
from troth.collection.rules import Submission
from troth.decide import Ask, Decision, RuleSet
from troth.evidence import canary
from troth.evidence.consenting import boxes
from troth.evidence.prove import prove
from troth.policy.model import Policy
from troth.rights import choosing
from troth.store.site import Site
from troth.web.forms import Draft
from troth.web.inside import Inside

TRADES = Path(__file__).parents[1] / "trades"


@pytest.fixture
def store_kind() -> str:
    return "sqlite"


def verdicts(site: Site) -> dict[str, tuple[str, tuple[str, ...]]]:
    proven = prove(site, door=Inside).proven
    return {
        one.promise.id: (one.proof.verdict, one.uncovered) for one in proven if one.promise.kind == "consent.choice"
    }


def asked(policy: Policy) -> set[str]:
    own = {f"recipients.{key}.consent" for key, one in policy.recipients.items() if one.consent == "itself"}
    return own | {f"purposes.{key}.consent" for key, one in policy.purposes.items() if one.basis == "consent"}


def test_each_consent_is_tried_before_anybody_has_chosen(site: Site) -> None:
    found = verdicts(site)
    assert asked(site.policy().policy) <= set(found)
    assert set(found.values()) == {("kept", ())}


def a_box_is_ticked_in_advance(patch: pytest.MonkeyPatch) -> None:
    shown = Draft.__init__

    def ticked(draft: Draft, key: str, *rest: object, **more: object) -> None:
        shown(draft, key, *rest, **more)  # type: ignore[arg-type]
        object.__setattr__(draft, "choices", frozenset({"marketing"}))

    patch.setattr(Draft, "__init__", ticked)


def silence_is_a_yes(patch: pytest.MonkeyPatch) -> None:
    chosen = _Intake._choices

    def all_of_them(intake: _Intake, *rest: object) -> object:
        yes = dataclasses.replace(intake.submission, choices=dict.fromkeys(intake.point.offers, True))
        return chosen(dataclasses.replace(intake, submission=yes), *rest)  # type: ignore[arg-type]

    patch.setattr(_Intake, "_choices", all_of_them)


def a_no_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(choosing, "_no", lambda *_: None)


def nobody_is_asked(patch: pytest.MonkeyPatch) -> None:
    written = _Writer.form
    patch.setattr(_Writer, "form", lambda writer, point: dataclasses.replace(written(writer, point), choices=()))
    forget()  # forms are put together once for a version of the policy


def test_silence_that_is_taken_for_a_yes_breaks_the_statement_that_it_never_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody real has come so far: what is on record shows nothing."""
    silence_is_a_yes(monkeypatch)
    proofs = {one.promise.id: one.proof for one in prove(site, door=Inside).proven}
    assert (proofs["statements.consent"].verdict, proofs["statements.consent"].how) == ("broken", "canary")


@pytest.mark.parametrize("lie", [a_box_is_ticked_in_advance, nobody_is_asked, silence_is_a_yes, a_no_is_not_heard])
def test_a_site_that_does_not_ask_breaks_its_promise(
    site: Site, monkeypatch: pytest.MonkeyPatch, lie: Callable[[pytest.MonkeyPatch], None]
) -> None:
    lie(monkeypatch)
    assert verdicts(site)["purposes.marketing.consent"][0] == "broken"


def test_a_use_that_people_may_say_no_to_is_kept_only_when_a_no_counts(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = site.policy().policy
    may = {key for key, one in policy.purposes.items() if one.opt_out and one.basis != "consent"}
    assert may
    flown = canary.fly(site, Inside)
    assert {f"purposes.{key}" for key in may} <= set(flown.steps) and flown.failed == {}
    a_no_is_not_heard(monkeypatch)
    assert {f"purposes.{key}" for key in may} <= set(canary.fly(site, Inside).failed)


def a_no_is_recorded_and_changes_nothing(patch: pytest.MonkeyPatch) -> None:
    decided = RuleSet.decide

    def deaf(rules: RuleSet, ask: Ask) -> Decision:
        facts = frozenset(fact for fact in ask.facts if not fact.startswith("objection:"))
        return decided(rules, dataclasses.replace(ask, facts=facts))

    patch.setattr(RuleSet, "decide", deaf)


def test_a_no_that_changes_no_reading_breaks_the_promise(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up person comes in by a form that asks for what is read for it; another asks for nothing of the kind."""
    walking_only(monkeypatch, "purposes.improvement")
    assert "purposes.improvement" in canary.fly(site, Inside).steps
    a_no_is_recorded_and_changes_nothing(monkeypatch)
    assert "purposes.improvement" in canary.fly(site, Inside).failed


def test_a_no_to_what_reads_nothing_of_any_form_shows_nothing(
    fresh_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that this purpose uses is recorded of visits."""
    walking_only(monkeypatch, "purposes.operations")
    site = open_operator("saas", tmp_path, MovedClock(utc(2026, 11, 20, 9)), fresh_database, among=TRADES)
    flown = canary.fly(site, Inside)
    assert flown.failed == {} and "silence.help" in flown.steps and "purposes.operations" not in flown.steps
    site.close()


def test_marketing_is_stopped_for_somebody_who_was_written_to_before(
    fresh_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form that everybody comes in by asks for no yes here; another does, and only a yes can be taken back."""
    site = open_operator("infortrend", tmp_path, MovedClock(utc(2026, 11, 20, 9)), fresh_database)
    assert "rights.stop_marketing" in canary.fly(site, Inside).steps
    a_no_is_not_heard(monkeypatch)
    assert canary.fly(site, Inside).failed["rights.stop_marketing"] == "marketing was not stopped at once"
    site.close()


def test_where_nobody_tried_that_part_is_not_proven(site: Site) -> None:
    choices = {"marketing": True}
    collect(site, Submission("register", ANN, "r1", choices=choices))
    tried = {one.promise.id: one for one in prove(site, door=Inside).proven}["purposes.marketing.consent"]
    assert (tried.proof.verdict, tried.uncovered) == ("kept", ())
    site.clock.move(canary.KEPT_FOR * 2)  # type: ignore[attr-defined]
    proven = {one.promise.id: one for one in prove(site).proven}["purposes.marketing.consent"]
    assert (proven.proof.verdict, proven.uncovered) == ("kept", ("consent",))


def test_the_boxes_of_a_page_are_read_as_a_browser_reads_them() -> None:
    page = "<input type=checkbox name=a checked><INPUT TYPE='checkbox' NAME='b'><input name=c value='checked'>"
    assert boxes(page) == {"a": True, "b": False}
