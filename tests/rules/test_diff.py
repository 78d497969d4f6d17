"""What a new version changes for people, how material it is, whom to tell and how soon it may take effect."""

from __future__ import annotations

import copy
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.clock import utc
from troth.policy import kinds
from troth.policy.diff import Change, Difference, diff
from troth.policy.document import read_document
from troth.policy.material import BY_DEFAULT
from troth.policy.model import Policy

SHOP = Path(__file__).parents[1] / "shop" / "policy.yaml"
MONDAY = utc(2026, 1, 5, 9)


@cache
def tree() -> dict[str, Any]:
    return read_document(SHOP).tree


def shop(**edits: Any) -> Policy:
    """The shop's policy as version 2, with some dotted paths set (``__`` for a dot), or taken away by None."""
    edited = copy.deepcopy(tree())
    edited["policy"] |= {"version": 2, "effective": None}
    for name, value in edits.items():
        *around, last = name.replace("__", ".").split(".")
        part = edited
        for key in around:
            part = part.setdefault(key.replace("_", " ") if key in ("request_log", "automated_decisions") else key, {})
        if value is None:
            part.pop(last)
        else:
            part[last.replace("-", "_")] = value
    return Policy.model_validate(edited)


def changed(**edits: Any) -> Difference:
    return diff(Policy.model_validate(tree()), shop(**edits), MONDAY)


def only(found: Difference) -> Change:
    assert len(found.changes) == 1, found.changes
    return found.changes[0]


def test_the_same_policy_changes_nothing_and_tells_nobody() -> None:
    found = changed()
    assert found.changes == ()
    assert found.people == ()
    assert found.problems == ()


def test_a_longer_period_is_significant_and_more_use_of_data() -> None:
    change = only(changed(visits__keep="60 days"))
    assert (change.before, change.after) == ("30 days", "60 days")
    assert (change.significance, change.direction) == ("significant", "more")


def test_a_shorter_period_is_significant_and_less_use_of_data() -> None:
    change = only(changed(retention__leads__keep="10 days"))
    assert (change.significance, change.direction, change.people) == ("significant", "less", ("lead",))


def test_one_more_field_for_a_recipient_is_named_with_its_section() -> None:
    change = only(changed(recipients__courier__receives=["full_name", "phone", "delivery_address", "email"]))
    assert change.path == ("recipients", "courier", "receives")
    assert change.direction == "more"
    assert change.because == "`changes.significant means` names `recipients`"


def test_a_new_recipient_is_one_change_and_not_a_dozen() -> None:
    change = only(changed(recipients__agency={"name": "Ads", "does": "shows ads", "receives": ["email"]}))
    assert (change.path, change.kind, change.direction) == (("recipients", "agency"), "new", "more")
    assert "email" in change.after


def test_losing_a_clock_a_right_or_an_absolute_is_more_use_of_data() -> None:
    for section, key in (("retention", "taste"), ("rights", "objection"), ("absolutes", "never_sold")):
        change = only(changed(**{f"{section}__{key}": None}))
        assert (change.kind, change.direction) == ("gone", "more"), section


REFUSALS: dict[str, dict[str, Any]] = {
    "automated_decisions__credit": {"label": "how much credit you get", "made": "never"},
    "data__card_number": {"category": "pd:PaymentCard", "protect": "never stored"},
    "cookies__spy": {"label": "follows you"},
    "absolutes__never_read": {"never": "read", "label": "We never read it."},
}
"""entries by which the operator promises never to do something, or by which it is refused"""


@pytest.mark.parametrize("path", REFUSALS)
def test_a_new_promise_of_never_is_less_use_and_its_loss_more(path: str) -> None:
    before, after = Policy.model_validate(tree()), shop(**{path: REFUSALS[path]})
    assert [one.direction for one in diff(before, after, MONDAY).changes] == ["less"]
    assert [one.direction for one in diff(after, before, MONDAY).changes] == ["more"]


NEVER, GIVEN = {"never": "read", "label": "We never use it."}, {"never": "disclose", "label": "We never give it."}
ONLY = {"only": "read", "label": "We use it for this only."}

TURNS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"visits__recording": False}, {}, "less"),
    ({"visits__truncate ip": True}, {}, "less"),
    ({"erasure__everywhere": False}, {}, "more"),
    ({"people__customer__minimum age": 21}, {}, "less"),
    ({"data__email__protect": "plain"}, {}, "more"),
    ({"data__email__protect": "plain"}, {"data__email__protect": "never stored"}, "less"),
    ({"purposes__marketing__opt out": False}, {}, "more"),
    ({"rights__access__by": ["web"]}, {"rights__access__by": ["web", "letter"]}, "less"),
    ({"absolutes__never_sold__what": ["email"]}, {"absolutes__never_sold__what": ["email", "phone"]}, "less"),
    (
        {"absolutes__no": {**NEVER, "for": ["marketing"]}},
        {"absolutes__no": {**NEVER, "for": ["marketing", "books"]}},
        "less",
    ),
    ({"absolutes__no": {**NEVER, "for": ["marketing"]}}, {"absolutes__no": NEVER}, "less"),
    ({"absolutes__no": NEVER}, {"absolutes__no": {**NEVER, "for": ["marketing"]}}, "more"),
    ({"absolutes__no": {**GIVEN, "to": ["courier"]}}, {"absolutes__no": GIVEN}, "less"),
    ({"absolutes__no": {**ONLY, "for": ["books"]}}, {"absolutes__no": {**ONLY, "for": ["books", "marketing"]}}, "more"),
    ({"cookies__taste__essential": True}, {}, "more"),
    *[
        (
            {"automated_decisions__credit": {"label": "how much credit you get", "made": made}},
            {"automated_decisions__credit": {"label": "how much credit you get", "made": then}},
            means,
        )
        for made, then, means in (
            ("never", "with a person", "more"),
            ("with a person", "by a machine alone", "more"),
            ("by a machine alone", "never", "less"),
        )
    ],
]


@pytest.mark.parametrize(("one", "other", "means"), TURNS)
def test_a_yes_a_word_or_a_list_says_whether_the_operator_may_do_more(
    one: dict[str, Any], other: dict[str, Any], means: str
) -> None:
    first, second = (shop(**one), shop(**other)) if other else (Policy.model_validate(tree()), shop(**one))
    assert [change.direction for change in diff(first, second, MONDAY).changes] == [means]
    back = "less" if means == "more" else "more"
    assert [change.direction for change in diff(second, first, MONDAY).changes] == [back]


def test_an_archive_is_more_use_of_data_and_any_other_clock_is_less() -> None:
    clock = {"what": ["interest"], "keep": "6 years"}
    archived = {**clock, "archive": True, "because": "tax law", "for": ["accounts"]}
    assert only(changed(retention__more=clock)).direction == "less"
    assert only(changed(retention__more=archived)).direction == "more"


def test_every_yes_and_every_word_that_is_judged_is_a_key_of_its_section() -> None:
    for section, entries in kinds.SECTIONS.items():
        weight = entries.weight
        assert {*weight.yes, *weight.scales, *weight.more, *weight.less, *weight.spans} <= set(
            kinds.keys_of(section)
        ), section


def test_other_words_for_the_same_thing_are_small() -> None:
    assert only(changed(collection__contact__label="write to us")).significance == "small"


def test_what_the_policy_calls_significant_is_significant_in_every_word() -> None:
    assert only(changed(purposes__answer__label="write back")).significance == "significant"


def test_a_note_for_the_team_is_internal_and_tells_nobody() -> None:
    found = changed(purposes__answer__note="see the wiki", purposes__answer__dpv="dpv:CommunicationForCustomerCare")
    assert {change.significance for change in found.changes} == {"internal"}
    assert found.people == ()
    assert found.significance == "internal"


def test_only_those_concerned_are_told() -> None:
    found = changed(collection__contact__optional=["full_name", "phone"])
    assert found.people == ("lead",)
    assert found.told_by == ("page", "e-mail")


def test_a_change_that_concerns_everybody_tells_everybody() -> None:
    assert changed(erasure__everywhere=False).people == ("customer", "lead")


def test_nobody_is_told_of_a_small_change() -> None:
    found = changed(collection__contact__label="write to us")
    assert found.people == ()


def test_the_earliest_day_keeps_the_promised_notice_to_the_minute() -> None:
    assert changed(visits__keep="60 days").earliest == date(
        2026, 1, 20
    )  # 14 days from the 5th, 09:00, are not over on the 19th
    old, new = Policy.model_validate(tree()), shop(visits__keep="60 days")
    assert diff(old, new, utc(2026, 1, 4, 18)).earliest == date(2026, 1, 19)  # and six hours in which people are told
    assert diff(old, new, utc(2026, 1, 4, 18, 1)).earliest == date(2026, 1, 20)


def test_the_notice_promised_by_the_old_version_counts_not_that_of_the_new() -> None:
    assert changed(changes={"told by": ["page"], "lead time": "1 day"}).earliest == date(2026, 1, 20)


def test_a_day_that_is_too_early_is_a_problem() -> None:
    early = changed(visits__keep="60 days", policy__effective=date(2026, 1, 19))
    assert [problem for problem in early.problems if "too early" in problem and "2026-01-20" in problem]
    assert changed(visits__keep="60 days", policy__effective=date(2026, 1, 20)).problems == ()


def test_a_version_that_was_not_counted_up_is_a_problem() -> None:
    assert "count `policy.version` up to 2" in changed(visits__keep="60 days", policy__version=1).problems[0]


def test_the_sentences_of_the_notice_are_shown_before_and_after() -> None:
    found = changed(visits__keep="60 days")
    [sentence] = [one for one in found.sentences if "visit" in one.before and "30 days" in one.before]
    assert "60 days" in sentence.after


@pytest.mark.parametrize("section", sorted(BY_DEFAULT))
def test_every_section_about_data_is_a_section_of_the_language(section: str) -> None:
    assert section in {info.alias for info in Policy.model_fields.values()}


SECTIONS = sorted(set(tree()) - {"policy", "operator", "people", "data"})  # a notice cannot be written without these


@settings(deadline=None)  # a busy machine is no defect
@given(st.sets(st.sampled_from(SECTIONS), min_size=1))
def test_going_back_is_the_same_changes_the_other_way_round(sections: set[str]) -> None:
    whole = shop()
    without = Policy.model_validate({key: part for key, part in tree().items() if key not in sections})
    there, back = (diff(*pair, MONDAY).changes for pair in ((whole, without), (without, whole)))
    flipped = {"new": "gone", "gone": "new", "changed": "changed"}
    assert there
    assert {(change.path, flipped[change.kind]) for change in there} == {(change.path, change.kind) for change in back}
