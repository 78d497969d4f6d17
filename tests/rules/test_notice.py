"""What the notice says, promise by promise, for policies of a few lines."""

from datetime import UTC, datetime

import pytest

from tests.notices import headed, items, notice_of, said, small
from troth.errors import PolicyError
from troth.policy.notice import as_markdown, notice
from troth.policy.notice.language import Speaker, language

PEOPLE = "people: {customer: {label: {en: customers, zh-Hant: 客戶}}}\n"
DATA = """
data:
  name: {category: pd:Name}
  email: {category: pd:EmailAddress}
  words: {category: pd:Communication}
purposes:
  letters: {label: {en: sending letters, zh-Hant: 寄送信件}, basis: consent, uses: [name, email]}
"""
RECIPIENT = """
recipients:
  house: {{name: Letter House, does: sends letters, receives: [name], for: [letters], {more}}}
"""


def test_a_sentence_names_exactly_the_data_that_a_purpose_uses() -> None:
    item = said(DATA, "purposes.letters")
    assert item.sentence == "Sending letters: we use your name and e-mail address, but only if you agree."
    assert item.lead == "Sending letters"


def test_a_chinese_sentence_uses_chinese_marks_and_words() -> None:
    item = said(DATA, "purposes.letters", "zh-Hant")
    assert item.sentence == "寄送信件：我們使用您的姓名和電子郵件地址，但須經您同意。"


def test_data_that_is_already_somebodys_is_not_called_yours_twice() -> None:
    speaker = Speaker(small(DATA).policy, language("en"))
    assert speaker.data(["words", "name"]) == "your name and what you write to us"
    assert speaker.data(["words"]) == "what you write to us"


def test_a_recipient_that_might_pay_is_said_to_get_nothing() -> None:
    item = said(DATA + RECIPIENT.format(more="consideration: not stated"), "recipients.house")
    assert "We hand over nothing about you." in item.sentence
    assert "name" not in item.sentence


def test_a_recipient_gets_exactly_what_is_listed() -> None:
    item = said(DATA + RECIPIENT.format(more="consideration: none, consent: itself"), "recipients.house")
    assert (
        item.sentence == "Letter House: sends letters. We hand over your name, but only if you agree, and nothing more."
    )


def test_a_cookie_that_nobody_agreed_to_is_said_not_to_be_set() -> None:
    item = said("cookies: {spy: {label: watches you}}", "cookies.spy")
    assert item.sentence == "Watches you: we do not set this cookie."


def test_visits_without_a_period_are_said_not_to_be_recorded() -> None:
    item = said("data: {ip: {category: pd:IPAddress}}\nvisits: {records: [ip]}", "visits.records")
    assert item.sentence == "When you open a page we record nothing about you."


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        ("30 days", "30 days", "30 天"),
        ("1 year", "1 year", "1 年"),
        ("36 hours", "36 hours", "36 小時"),
        ("1 minute", "1 minute", "1 分鐘"),
    ],
)
def test_durations_are_said_in_the_largest_whole_unit(days: str, english: str, chinese: str) -> None:
    text = f"data: {{ip: {{category: pd:IPAddress}}}}\nvisits: {{records: [ip], keep: {days}}}"
    assert said(text, "visits.keep").sentence == f"What we recorded of a visit is gone {english} after it."
    assert chinese in said(text, "visits.keep", "zh-Hant").sentence


def test_a_clock_says_whose_data_it_rules() -> None:
    text = PEOPLE + "retention: {all: {what: everything about a customer, keep: 175 days, after: relationship ends}}"
    item = said(text, "retention.all")
    assert item.sentence == "Everything about customers: we destroy this 175 days after business with us ends."


def test_a_version_that_is_still_to_come_says_so() -> None:
    text = "policy: {version: 2, effective: 2030-01-01}\noperator: {name: Lamp Shop}"
    policy = headed(text)
    before, after = (datetime(year, 6, 1, tzinfo=UTC) for year in (2029, 2031))
    shown = [items(notice(policy, "en", at))["policy"].sentence for at in (before, after)]
    assert "takes effect on 1 January 2030" in shown[0]
    assert "has applied since 1 January 2030" in shown[1]


def test_an_absolute_names_what_lifts_it() -> None:
    text = DATA + "absolutes: {no: {never: disclose, what: [name], label: We tell nobody, unless: [letters]}}"
    item = said(text, "absolutes.no")
    assert item.sentence == "We tell nobody."
    assert item.details == ("Except: sending letters.",)


def test_consent_by_use_is_shown_as_having_no_effect() -> None:
    text = "statements: {use: {text: By using this site you agree, about: choices, kind: consent by use}}"
    item = said(text, "statement-use")
    assert (item.kind, item.sentence) == ("statement", "By using this site you agree.")
    assert "no effect" in item.details[0]


def test_what_was_decided_says_by_whom_and_when() -> None:
    shown = items(notice_of("ledflex"))["purposes.invoicing"].origins
    assert [origin.kind for origin in shown] == ["decision"]
    assert shown[0].sentence.startswith("Decided by LED Flex Limited on 4 November 2026 (E-25")


def test_what_the_law_adds_names_the_article() -> None:
    shown = items(notice_of("ledinside"))["rights.law_correction"].origins
    assert [(origin.kind, origin.sentence) for origin in shown] == [("law", "From the law: PDPA Art. 11 and 13(2).")]


def test_questions_hold_what_they_name_and_nothing_is_lost() -> None:
    text = """
people: {visitor: {label: visitors}}
data: {ip: {category: pd:IPAddress}}
visits: {records: [ip], keep: 1 day}
"""
    header = "answers: [{question: What of visits?, holds: visits}, {question: What else?, holds: [what, how long]}]"
    whole = f"policy: {{version: 1, {header}}}\noperator: {{name: Lamp Shop}}{text}"
    made = notice(headed(whole), "en")
    first = next(section for section in made.sections if section.heading == "What of visits?")
    assert [item.promise_id for item in first.items] == ["visits.records", "visits.keep"]
    assert [section.id for section in made.sections][:2] == ["who", "question-1"]


def test_markdown_takes_nothing_of_a_policy_for_markup() -> None:
    text = "statements: {x: {text: 'See [here](javascript:alert) <b>*now*</b>', about: who}}"
    made = as_markdown(notice(small(text), "en"))
    assert "See \\[here\\](javascript:alert) &lt;b>\\*now\\*&lt;/b>." in made


def test_a_template_cannot_reach_beyond_the_policy() -> None:
    speaker = Speaker(small("").policy, language("en"))
    with pytest.raises(Exception, match="unsafe"):
        speaker.render("{{ policy.__class__.__mro__ }}")


def test_a_language_without_sentences_is_refused() -> None:
    with pytest.raises(PolicyError, match="no sentences in the language `de`"):
        notice(small(""), "de")


@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
def test_silence_of_no_length_ends_nothing_and_is_not_said_to(tag: str) -> None:
    """The linter calls it an error; a decision may leave it at that."""
    never = said(f"{PEOPLE}relationship: {{customer: {{ends: [silence]}}}}", "relationship.customer", tag).sentence
    both = said(
        f"{PEOPLE}relationship: {{customer: {{ends: [silence, customer notice]}}}}", "relationship.customer", tag
    )
    assert ("does not say" in never) or ("並未說明" in never)
    assert ("when they tell us so." in both.sentence) or (
        "silence" not in both.sentence and "沒有任何往來" not in both.sentence
    )
