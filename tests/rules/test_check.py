"""Checking a site: decisions settle findings, what they set is laid over the policy, and the law supplies the rest."""

import copy
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.terminal import filled_in
from troth.decide import Ask
from troth.errors import PolicyError
from troth.policy.check import Checked, check, check_texts
from troth.policy.compile import compile_policy
from troth.policy.periods import Period
from troth.policy.references import by_key
from troth.store import versions

POLICY = """policy: {version: 1, effective: 2026-01-01}
operator: {name: Example, email: privacy@example.org, address: Example Street 1}
people: {customer: {label: customers, minimum age: 16}}
data: {email: {category: pd:EmailAddress}}
purposes: {orders: {label: orders, basis: contract, uses: [email]}}
changes: {told by: [page, e-mail], lead time: 30 days, significant means: [purposes]}
messages: {change: {label: changes, kind: notice, for: orders}}
rights:
  access: {right: access, by: [web], answer within: 30 days}
  correct: {right: correction, by: [web], answer within: 30 days}
  forget: {right: erasure, by: [web], answer within: 20 days}
erasure: {destroy within: 20 days}
visits: {records: [email], for: [orders]}
"""
DECIDED = """decisions:
  - settles: E-05 visits
    because: Thirty days show what is read.
    by: privacy lead
    on: 2026-11-20
    set: {visits.keep: 30 days}
"""


def _errors(checked: Checked) -> list[str]:
    return [finding.key for finding in checked.unsettled]


def _decisions(settles: str, values: str = "{}") -> str:
    return f"decisions:\n  - settles: {settles}\n    because: x\n    by: y\n    on: 2026-11-20\n    set: {values}\n"


def test_an_error_that_nobody_settled_stays_an_error() -> None:
    assert _errors(check_texts(POLICY)) == ["E-05 visits"]


def test_a_decision_settles_the_finding_it_cites_and_changes_the_policy() -> None:
    checked = check_texts(POLICY, DECIDED)
    assert _errors(checked) == []
    assert checked.policy.visits.keep == Period(30, "day")
    assert checked.published.visits.keep is None
    (settled,) = [finding for finding in checked.findings if finding.settled_by]
    assert settled.key == "E-05 visits"
    assert settled.settled_by == "privacy lead, 2026-11-20: Thirty days show what is read."
    assert checked.origin(("visits", "keep")) == "decision E-05 visits"
    assert checked.origin(("visits", "records")) == ""


def test_what_a_decision_sets_stands_in_the_decisions_file() -> None:
    place = check_texts(POLICY, DECIDED).document.place(("visits", "keep"))
    assert (place.file, place.line) == ("decisions.yaml", 6)


def test_a_decision_without_a_value_leaves_the_strict_default() -> None:
    checked = check_texts(POLICY, _decisions("E-05 visits"))
    assert _errors(checked) == []
    assert checked.policy.visits.keep is None


def test_a_folder_is_checked_with_and_without_its_decisions(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    assert _errors(check(tmp_path)) == ["E-05 visits"]
    (tmp_path / "decisions.yaml").write_text(DECIDED, encoding="utf-8")
    assert _errors(check(tmp_path)) == []
    assert _errors(check(tmp_path, as_published=True)) == ["E-05 visits"]


def test_a_decision_about_nothing_is_an_error_that_names_what_is_near() -> None:
    checked = check_texts(POLICY, DECIDED.replace("E-05 visits", "[E-05 visits, E-05 vists]"))
    (unused,) = checked.unsettled
    assert (unused.rule, unused.place.file, unused.place.line) == ("D-01", "decisions.yaml", 2)
    assert unused.hint == "Did you mean `E-05 visits`?"


def test_a_value_that_does_not_fit_is_an_error_at_its_place() -> None:
    checked = check_texts(POLICY, DECIDED.replace("visits.keep: 30 days", "visits.keep: thirty"))
    assert checked.policy is None
    assert [f.line() for f in checked.unsettled if f.rule == "D-02"] == [
        "decisions.yaml:6:11: error: `thirty` is not a duration; write a whole number and a unit, such as `30 days`."
        " [D-02 visits.keep]"
    ]


def test_a_value_that_names_nothing_defined_is_an_error_at_its_place() -> None:
    checked = check_texts(POLICY, _decisions("E-05 visits", "{visits.keep: 1 day, visits.for: [order]}"))
    (wrong,) = checked.unsettled
    assert (wrong.rule, wrong.place.file) == ("D-02", "decisions.yaml")
    assert "Did you mean `orders`?" in wrong.hint


def test_a_decision_that_opens_a_new_gap_must_settle_it_too() -> None:
    ads = "purposes.ads: {label: ads, basis: legitimate interest, assessment: LIA-1, marketing: true}"
    entry = f"{{visits.keep: 1 day, {ads}}}"
    assert _errors(check_texts(POLICY, _decisions("E-05 visits", entry))) == ["E-14 purposes.ads"]
    assert _errors(check_texts(POLICY, _decisions("[E-05 visits, E-14 purposes.ads]", entry))) == []


def test_an_error_removed_by_the_way_must_be_cited_all_the_same() -> None:
    two = POLICY.replace("visits: {", "cookies: {counter: {label: c, holds: [email]}}\nvisits: {")
    assert _errors(check_texts(two, _decisions("E-05 visits", "{visits.keep: 1 day, cookies.counter: null}"))) == [
        "E-15 cookies.counter"
    ]


def test_a_decision_can_take_an_entry_away_and_add_whole_ones() -> None:
    values = "{visits: null, retention.all: {what: everything about a customer, keep: 1 year}}"
    checked = check_texts(POLICY, _decisions("E-05 visits", values))
    assert _errors(checked) == []
    assert checked.policy.visits is None
    assert checked.policy.retention["all"].keep == Period(1, "year")


ABSOLUTE = POLICY.replace("for: [orders]}", "for: [orders], keep: 1 day}") + (
    "recipients: {sponsor: {name: S, does: pays, role: partner, receives: [email], for: [orders], country: GB}}\n"
    "absolutes: {private: {never: disclose, label: We give your data to nobody}}\n"
)


@pytest.mark.parametrize(
    "value", ["{absolutes: {}}", "{absolutes.private: null}", "{absolutes.private.never: sell}", "{absolutes: null}"]
)
def test_no_decision_switches_an_absolute_off(value: str) -> None:
    checked = check_texts(ABSOLUTE, _decisions("E-01 absolutes.private", value))
    assert [finding.rule for finding in checked.unsettled] == ["D-02"]
    assert checked.policy.absolutes["private"].never == "disclose"


def test_an_absolute_is_lifted_only_for_named_cases() -> None:
    values = "{absolutes.private.unless: [orders], recipients.sponsor.consent: orders}"
    assert _errors(check_texts(ABSOLUTE, _decisions("E-01 absolutes.private", values))) == ["E-03 purposes.orders"]


def test_two_decisions_cannot_set_one_value() -> None:
    twice = DECIDED + _decisions("E-05 visits", "{visits.keep: 60 days}").removeprefix("decisions:\n")
    checked = check_texts(POLICY, twice)
    assert _errors(checked) == ["D-03 decisions.1.set.visits.keep"]
    assert checked.policy.visits.keep == Period(30, "day")


@pytest.mark.parametrize(
    ("key", "sets", "still"),
    [
        ("E-13 operator.email", "{}", True),
        ("E-13 operator.email", "{operator.email: nobody}", True),
        ("E-13 operator.email", "{operator.email: us@example.org}", False),
        ("E-13 operator.name", "{operator.email: us@example.org}", True),
        ("E-27 policy.answers.0", "{}", True),
        ("E-27 policy.answers.0", "{policy.answers: []}", False),
    ],
)
def test_a_reason_alone_does_not_settle_what_only_a_value_can(key: str, sets: str, still: bool) -> None:
    answers = "answers: [{question: Who are you?}], "
    tree = POLICY.replace("policy: {", f"policy: {{{answers}").replace("visits: {", "visits: {keep: 1 day, ")
    tree = re.sub(r"operator: \{.*\}", "operator: {}", tree)
    checked = check_texts(tree, _decisions(key, sets))
    assert (key in {f.key for f in checked.unsettled}) is still
    assert [f.path[:2] for f in checked.findings if f.rule == "D-04"] == [("decisions", "0")] * still


def test_decisions_are_closed_and_dated() -> None:
    checked = check_texts(POLICY, "decisions:\n  - settles: E-05 visits\n    becuase: x\n    by: y\n")
    lines = [finding.line() for finding in checked.findings if finding.place.file == "decisions.yaml"]
    assert any("unknown key `becuase`. Did you mean `because`?" in line for line in lines)
    assert any("`on` is missing" in line for line in lines)


def test_a_policy_that_cannot_be_read_blames_no_decision() -> None:
    checked = check_texts(POLICY.replace("version: 1", "version: one"), DECIDED)
    assert [finding.rule for finding in checked.unsettled] == ["P-01"]
    assert checked.policy is None


def test_an_expired_safeguard_is_found_on_the_day_after() -> None:
    text = ABSOLUTE.replace(
        "country: GB", "country: US, safeguard: {kind: standard clauses, document: S-1, until: 2026-06-30}"
    )
    keys = [_errors(check_texts(text, today=day)) for day in (date(2026, 6, 30), date(2026, 7, 1))]
    assert keys == [["E-01 absolutes.private"], ["E-21 recipients.sponsor", "E-01 absolutes.private"]]


LAW = POLICY.replace("effective: 2026-01-01", "effective: 2026-01-01, law: [tw-pdpa, uk-gdpr]").replace(
    "  correct: {right: correction, by: [web], answer within: 30 days}\n", ""
)


def test_the_law_supplies_rights_visibly() -> None:
    checked = check_texts(LAW, DECIDED)
    right = checked.policy.rights["law_correction"]
    assert (right.right, right.answer_within) == ("correction", Period(30, "day"))
    assert checked.origin(("rights", "law_correction")) == "law tw-pdpa PDPA Art. 11 and 13(2)"
    assert "law_correction" not in checked.published.rights


def test_the_shortest_answer_time_of_several_laws_counts() -> None:
    checked = check_texts(LAW, DECIDED)
    assert checked.policy.rights["access"].answer_within == Period(15, "day")
    assert checked.origin(("rights", "access", "answer within")) == "law tw-pdpa PDPA Art. 10 and 13(1)"
    assert checked.policy.rights["forget"].answer_within == Period(20, "day")


def test_what_the_law_supplies_is_still_a_finding_to_settle() -> None:
    assert "E-17 rights" in _errors(check_texts(LAW, DECIDED))


def test_promotional_mail_gets_a_way_out_by_law() -> None:
    text = LAW.replace("purposes: {", "purposes: {news: {label: news, basis: consent, marketing: true}, ")
    letter = "letter: {label: letter, kind: promotional, for: news, when: elected}"
    text = text.replace("messages: {", f"messages: {{{letter}, ")
    checked = check_texts(text, DECIDED)
    assert checked.policy.messages["letter"].unsubscribe == "link"
    assert "E-14 messages.letter" in _errors(checked)


@pytest.mark.parametrize("blank", ["", ", email: ", ', email: ""', ', email: "[e-mail address]"', ", email: nobody"])
def test_a_blank_contact_stops_the_policy(blank: str) -> None:
    checked = check_texts(POLICY.replace(", email: privacy@example.org", blank), DECIDED)
    assert "E-13 operator.email" in _errors(checked)
    assert "E-13 operator.email" not in _errors(check_texts(POLICY, DECIDED))


@pytest.mark.parametrize("section", ["purposes", "collection", "recipients", "security", "rights"])
def test_a_promised_topic_that_is_empty_stops_the_policy(section: str) -> None:
    full = {
        "purposes": "purposes: {orders: {label: orders, basis: contract}}",
        "collection": "collection: {order: {label: Order, people: customer}}",
        "recipients": "recipients: {court: {does: decides, role: authority}}",
        "security": "security: {tls: {measure: All pages are encrypted, check: tls}}",
        "rights": "rights: {access: {right: access, by: [web], answer within: 30 days}}",
    }
    asked = "".join(f"\n    - {{question: About {name}?, holds: [{name}]}}" for name in full)
    head = f"policy:\n  version: 1\n  answers:{asked}\npeople: {{customer: {{label: customers}}}}\n"
    whole = check_texts(head + "\n".join(full.values()) + "\n")
    without = check_texts(head + "\n".join(text for name, text in full.items() if name != section) + "\n")
    number = list(full).index(section)
    assert not [key for key in _errors(whole) if key.startswith("E-27")]
    assert [key for key in _errors(without) if key.startswith("E-27")] == [f"E-27 policy.answers.{number}"]


def test_a_placeholder_for_countries_is_an_error_and_allows_no_country() -> None:
    text = POLICY + 'transfers: {stored in: [TW], may move to: "[List of countries]", safeguards: [standard clauses]}\n'
    checked = check_texts(text, DECIDED)
    assert _errors(checked) == ["E-02 transfers.may move to"]
    assert checked.policy.transfers.may_move_to == ()
    filled = check_texts(text.replace('"[List of countries]"', "[JP]"), DECIDED)
    assert (_errors(filled), filled.policy.transfers.may_move_to) == ([], ("JP",))


def test_a_placeholder_for_cookies_is_an_error_and_sets_no_cookie() -> None:
    text = POLICY + 'cookies:\n  site: {label: site, life: 1 day, holds: "[List of data]", for: "[Purpose]"}\n'
    checked = check_texts(text, DECIDED)
    assert {"E-02 cookies.site.holds", "E-02 cookies.site.for"} <= set(_errors(checked))
    rules = compile_policy(checked.policy, checked.document.places, checked.origins).rules
    facts = frozenset({"consent", "consent:orders", "consent:site"})
    assert not rules.decide(Ask("cookie", "site", frozenset(), facts=facts)).allowed


def test_a_placeholder_for_affiliates_is_an_error_and_names_nobody() -> None:
    blanks = 'name: "[List]", receives: "[Data]", for: "[Why]", consideration: none'
    text = POLICY + f"recipients:\n  affiliates: {{does: helps, role: affiliate, {blanks}}}\n"
    checked = check_texts(text, DECIDED)
    assert len([key for key in _errors(checked) if key.startswith("E-02 recipients.affiliates.")]) == 3
    affiliate = checked.policy.recipients["affiliates"]
    assert (affiliate.name, affiliate.receives, affiliate.for_) == (None, (), ())
    facts = frozenset({"safeguard:affiliates", "consent", "consent:@affiliates"})
    rules = compile_policy(checked.policy, checked.document.places, checked.origins).rules
    assert not rules.decide(Ask("disclose", "orders", frozenset({"email"}), "", "affiliates", facts)).allowed


def test_a_recipient_missing_from_the_closed_list_is_an_error_and_gets_nothing() -> None:
    common = "does: works, receives: [email], for: [orders], country: GB, consideration: none"
    text = POLICY + (
        f"recipients:\n  mailer: {{name: Mailer, {common}}}\n  sixth: {{name: Sixth, {common}}}\n"
        "absolutes: {only_listed: {only: disclose, to: [mailer], label: Only with the listed services}}\n"
    )
    checked = check_texts(text, DECIDED)
    (found,) = checked.unsettled
    assert found.key == "E-01 absolutes.only_listed"
    assert "`recipients.sixth` (line 16) gets `email`" in found.message
    assert "recipients.mailer" not in found.message
    rules = compile_policy(checked.policy, checked.document.places, checked.origins).rules
    answers = [
        rules.decide(
            Ask("disclose", "orders", frozenset({"email"}), "", name, frozenset({f"safeguard:{name}"}))
        ).allowed
        for name in ("mailer", "sixth", "nobody_knows")
    ]
    assert answers == [True, False, False]


def test_the_work_of_checking_a_policy_grows_little_faster_than_the_policy() -> None:
    """Five times the largest policy we know against half of it, by the calls that are made: no clock decides.

    What is held against each other (promises and recipients) makes it 2.3 times the calls; were all entries, it would be 4.
    """
    _calls(_large(12))  # what is read once and kept
    small, large = _calls(_large(120)), _calls(_large(240))
    assert small > 100_000
    assert large < 2.7 * small


def _calls(text: str) -> int:
    """How many functions are called to check ``text``, which has a finding for each of its fields at least."""
    number = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal number
        number += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        checked = check_texts(text)
    finally:
        sys.setprofile(before)
    assert len(checked.findings) > 12
    return number


def _large(size: int) -> str:
    fields = [f"field_{i}" for i in range(size)]
    sections = {
        "people": [f"kind_{i}: {{label: people {i}}}" for i in range(size // 10)],
        "data": [f"{name}: {{category: pd:Opinion}}" for name in fields],
        "purposes": [f"purpose_{i}: {{label: purpose {i}, uses: [field_{i}]}}" for i in range(size)],
        "collection": [
            f"point_{i}: {{label: point, people: kind_{i % (size // 10)}, required: [{', '.join(fields[i : i + 8])}]}}"
            for i in range(size)
        ],
        "recipients": [f"recipient_{i}: {{does: works, receives: [field_{i}]}}" for i in range(size)],
        "retention": [
            f"clock_{i}: {{what: everything about a kind_{i}, keep: {i + 1} days}}" for i in range(size // 10)
        ],
        "absolutes": [f"never_{i}: {{never: disclose, what: [field_{i}], label: Never}}" for i in range(size // 4)],
        "statements": [
            f"statement_{i}: {{text: We say number {i} about this and that, about: what}}" for i in range(size)
        ],
    }
    body = "".join(f"{name}:\n" + "".join(f"  {line}\n" for line in lines) for name, lines in sections.items())
    return f"policy: {{version: 1, law: [eu-gdpr, uk-gdpr, us-ca, tw-pdpa]}}\n{body}"


def test_a_published_version_is_read_whatever_the_linter_has_learnt_since() -> None:
    slow = filled_in().replace("answer within: 20 days", "answer within: 60 days")
    outdated = _decisions("E-12 data.ip_address")
    for policy, decisions in ((slow, ""), (filled_in(), outdated)):
        with pytest.raises(PolicyError):
            versions.compiled(policy, decisions)
        assert versions.archived(policy, decisions).version == 1
    with pytest.raises(PolicyError, match="P-03"):
        versions.archived(filled_in().replace("for: [answer]", "for: [anser]"), "")


def test_a_misspelt_name_is_one_finding_wherever_it_stands_and_nothing_falls_over_it() -> None:
    clean = yaml.safe_load(filled_in())
    for pattern in by_key():
        for place, tree in _misspelt(clean, pattern.split(".")):
            found = check_texts(yaml.safe_dump(tree, sort_keys=False)).findings
            assert [one.rule for one in found] == ["P-03"], (place, [one.line() for one in found])


def test_a_name_that_is_near_nothing_leaves_the_rest_to_be_checked() -> None:
    clean = yaml.safe_load(filled_in())
    for pattern in by_key():
        for place, tree in _misspelt(clean, pattern.split("."), "zzzzzz"):
            tree["operator"].pop("email")
            rules = {one.rule for one in check_texts(yaml.safe_dump(tree, sort_keys=False)).findings}
            assert {"P-03", "E-13"} <= rules, place


def _misspelt(clean: dict, pattern: list[str], word: str = "") -> Iterator[tuple[str, dict]]:
    """The policy with one name of ``pattern`` written wrongly, for each entry and each name that is there."""
    for key in clean.get(pattern[0], {}) if len(pattern) == 3 and pattern[1] == "*" else ():
        names = clean[pattern[0]][key].get(pattern[2], [])
        for number, name in enumerate([names] if isinstance(names, str) else names):
            tree = copy.deepcopy(clean)
            wrong, entry = word or f"{name}x", tree[pattern[0]][key]
            entry[pattern[2]] = wrong if isinstance(names, str) else [*names[:number], wrong, *names[number + 1 :]]
            yield f"{pattern[0]}.{key}.{pattern[2]} {name}", tree
