"""Whatever anybody types into a form is either kept as it was meant or refused in words."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.collection import Submission, form
from troth.collection.rules import LONGEST, age, case_ref, check
from troth.policy.check import check_texts
from troth.policy.compile import Compiled, compile_policy

NOW = utc(2026, 1, 5, 9)
SHOP = Path(__file__).parents[1] / "shop"
EMAIL, NAME = "ann@shop.example", "Ann Other"


@cache
def shop() -> Compiled:
    checked = check_texts(*((SHOP / name).read_text() for name in ("policy.yaml", "decisions.yaml")))
    assert checked.policy is not None
    return compile_policy(checked.policy)


def registering(**values: str) -> Submission:
    return Submission("register", {"email": EMAIL, "full_name": NAME} | values, key="k")


def problems(submission: Submission) -> dict[str, str]:
    return dict(check(shop(), submission, NOW).problems)


def wrong(field: str, value: str) -> bool:
    found = problems(registering(**{field: value}))
    assert found.keys() <= {field}
    return bool(found)


anything = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "\x00",
        "\ud800",
        "\u202e",
        "\u200b",
        "👩‍👩‍👧",
        "נועה",
        "e\u0301",
        "٠٢٠٧٩٤٦٠٩٥٨",
        "4111 1111 1111 1111",
        "@",
        "1990-13-45",
    ]
)


@given(st.dictionaries(st.sampled_from(["email", "full_name", "phone", "interest", "birth_date"]) | anything, anything))
def test_nothing_that_anybody_can_type_raises_or_is_repeated(values: dict[str, str]) -> None:
    checked = check(shop(), Submission("register", values, key="k"), NOW)
    declared = {"email", "full_name", "phone", "interest", "birth_date"}
    assert checked.values.keys() <= declared
    if not checked.problems:
        assert {"email", "full_name"} <= checked.values.keys() <= declared
        assert values.keys() <= declared
        assert all(value.strip() and value == value.strip() for value in checked.values.values())


@given(anything, anything, anything, anything)
def test_no_key_choice_partner_or_source_raises(key: str, choice: str, partner: str, source: str) -> None:
    submission = replace(registering(), key=key, choices={choice: True}, partner=partner, source=source, language=key)
    checked = check(shop(), submission, NOW)
    assert checked.problems
    assert checked.facts == frozenset()


@given(anything)
def test_checking_what_was_kept_keeps_it_again(name: str) -> None:
    checked = check(shop(), registering(full_name=name), NOW)
    if not checked.problems:
        again = check(shop(), replace(registering(), values=checked.values), NOW)
        assert (again.values, dict(again.problems)) == (checked.values, {})


def test_two_spellings_of_one_name_are_kept_alike() -> None:
    kept = {check(shop(), registering(full_name=name), NOW).values["full_name"] for name in ("e\u0301ric", " éric ")}
    assert kept == {"éric"}


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u200b", "\u200b \ufeff\u2060", "\u00a0", "\u3000", "\u202e"])
def test_what_nobody_can_see_is_no_answer(blank: str) -> None:
    assert problems(registering(full_name=blank)) == {"full_name": "This field is required."}
    assert not problems(registering(phone=blank))
    assert "phone" not in check(shop(), registering(phone=blank), NOW).values


@pytest.mark.parametrize("phone", ["020 7946 0958", "+44 (0)20 7946-0958", "０２０７９４６０９５８", "02-2712-3456 ext. 12",
                                   "+886 2 2712 3456 分機 12", "\u202a+44 20 7946 0958\u202c", "1234567"])  # fmt: skip
def test_telephone_numbers_come_in_many_spellings(phone: str) -> None:
    assert not wrong("phone", phone)


@pytest.mark.parametrize(
    "phone", ["ask my wife", "1234", "12 34 call before noon", "1" * 21, "²³²³²³", "020\n7946\x0c0958"]
)
def test_what_is_no_telephone_number_is_not_kept_as_one(phone: str) -> None:
    assert wrong("phone", phone)


@pytest.mark.parametrize(
    "email", ["ann@shop.example", "ann+lists@sub.shop.example", "ann@bücher.example", "伊昭傑@郵件.商務"]
)
def test_addresses_of_every_script_are_taken(email: str) -> None:
    assert not wrong("email", email)


@pytest.mark.parametrize("email", ["ann", "ann@", "@shop.example", "ann@shop", "ann@shop.example\nBcc: all@shop.example",
                                   "ann@a.example, bob@a.example", "a" * 300 + "@shop.example", "ann@127.0.0.1"])  # fmt: skip
def test_what_no_mail_can_reach_is_no_address(email: str) -> None:
    assert wrong("email", email)


@pytest.mark.parametrize("day", ["1990-02-30", "90-01-01", "19900101", "1990-W01-1", "tomorrow", "2026-01-06", "1890-01-01",
                                 "１９９０-01-01", "0000-00-00"])  # fmt: skip
def test_what_is_nobodys_birthday_is_refused(day: str) -> None:
    assert wrong("birth_date", day)


@pytest.mark.parametrize(
    ("day", "years"), [("2010-01-05", 16), ("2010-01-06", 15), ("2009-12-31", 16), ("1996-02-29", 29)]
)
def test_somebody_is_a_year_older_on_the_day_itself(day: str, years: int) -> None:
    assert age(day, NOW.date()) == years
    assert ("under_age" in check(shop(), registering(birth_date=day), NOW).facts) == (years < 16)


def test_the_longest_answer_is_taken_and_one_more_character_is_not() -> None:
    assert not wrong("interest", "x" * LONGEST)
    assert wrong("interest", "x" * (LONGEST + 1))


@pytest.mark.parametrize("filler", ["x", " x", "\u0301\u0323", "4111 1111 1111 1111 ", "\u202e", "👩‍👩‍👧"])
def test_a_megabyte_is_refused_without_being_looked_through(filler: str) -> None:
    assert wrong("interest", "e" + filler * (1_000_000 // len(filler)) + "e")


def test_an_undeclared_name_is_repeated_only_when_it_is_a_word() -> None:
    names = ["passport", "4111111111111111", "<script>", "x" * 100, "ann@shop.example"]
    found = problems(registering(**dict.fromkeys(names, "value")))
    assert found.keys() == {"passport", "(a field)"}


@pytest.mark.parametrize("value", [None, 7, ["a"], b"a"])
def test_what_is_no_text_is_refused_in_words(value: object) -> None:
    assert problems(registering(full_name=value)) == {"full_name": "This must be text."}  # type: ignore[arg-type]


def test_the_source_is_the_points_own_and_a_partner_counts_only_where_it_is_listed() -> None:
    fair = Submission("fair_import", {"email": EMAIL}, key="k", partner="fair")
    assert check(shop(), fair, NOW).facts == {"source:partner", "partner:fair"}
    assert check(shop(), replace(fair, source="partner"), NOW).facts == {"source:partner", "partner:fair"}
    assert check(shop(), replace(fair, partner="courier"), NOW).facts == frozenset()
    assert check(shop(), replace(fair, source="bought"), NOW).facts == frozenset()
    assert check(shop(), registering(), NOW).facts == {"source:registration"}


def test_neither_a_submission_nor_what_was_checked_shows_a_value_when_printed() -> None:
    submission = registering(interest="canary lamps")
    assert "canary" not in repr(submission) and EMAIL not in repr(submission)
    assert "canary" not in repr(check(shop(), submission, NOW))


def test_a_form_marks_every_field_and_ticks_no_box() -> None:
    shown = form(shop(), "register", "en")
    point = shop().policy.collection["register"]
    assert [(one.id, one.required) for one in shown.fields] == [
        *((key, True) for key in point.required),
        *((key, False) for key in point.optional),
    ]
    assert {one.mark for one in shown.fields if one.required} == {"required"}
    assert {one.mark for one in shown.fields if not one.required} == {"optional"}
    assert [one.scope for one in shown.choices] == ["marketing", "newsletter_house"]
    assert all(part in shown.told_words for part in (shown.title, *shown.told, *(one.label for one in shown.choices)))


def test_a_case_is_named_after_its_point_and_key() -> None:
    assert case_ref("order", "a1") == "order:a1"
