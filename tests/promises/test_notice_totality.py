"""Nothing is missing from a notice, nothing stands in it twice, and every language can say everything."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.notices import LANGUAGES, ROOT, SITES, SITES_IN_LANGUAGES, checked, compiled, headed, notice_of, small
from troth.policy.assurances import Statement
from troth.policy.check import check
from troth.policy.compile import Compiled, compile_policy
from troth.policy.happenings import LANGUAGE as LANGUAGE_EVENTS
from troth.policy.kind import Telling
from troth.policy.kinds import KINDS
from troth.policy.model import RetentionClock, Right
from troth.policy.notice import notice
from troth.policy.notice.compose import entry_at
from troth.policy.notice.language import Speaker, language
from troth.policy.notice.topics import TOPICS, place
from troth.policy.references import sections
from troth.policy.terms import terms
from troth.policy.vocabulary import SAID
from troth.policy.words import Text

CHINESE = re.compile("[\u4e00-\u9fff]")
RARE = """
operator: {name: Lamp Shop, roles: {clerk: the clerk, guard: the guard}}
people: {child: {label: children, minimum age: 13}}
data:
  name: {category: pd:Name}
  email: {category: pd:EmailAddress, protect: plain}
purposes:
  idle: {label: nothing}
  open: {label: unclear things, uses: [name]}
  old: {label: old business, uses: [name], before: 2018-05-25, people: child, needs: [open order], roles: [clerk]}
collection:
  empty: {label: a look around, people: child}
  choice: {label: a wish, people: child, optional: [name], told: We read it., warns: It is public., members only: true,
           needs: [open project, open application]}
  differs: {label: an address, people: child, required: [name, email], keeps when different: {email: name}}
  nobody: {label: a list, kind: import, people: child, required: [name]}
  told: {label: a told list, kind: import, people: child, required: [name], partners: [shown], told: We tell you.}
recipients:
  sold: {does: buys, receives: [name], for: [open]}
  figures: {name: Figures, does: counts, receives aggregates: true, policy url: "https://figures.example/privacy"}
  shown: {name: Everybody, does: reads, role: public, receives: [name], for: [open], consideration: none}
  both: {name: Both, does: reads and counts, receives: [name], receives aggregates: true, for: [open], choice: true,
         consideration: none, needs: [open order], country: FR, ground: law, why essential: it must, consent: open}
cookies:
  lost: {label: is lost, set by: figures, holds: [name], for: [open]}
visits: {records: [name], keep: 30 days, truncate ip: true}
relationship: {child: {begins: [order]}}
retention:
  some: {what: name, keep: 3 days, points: [choice], people: child}
  until: {what: name, until: account closed}
rights:
  unsaid: {right: access}
  mine: {right: correction, by: [account]}
  limited: {right: erasure, by: [letter], limits: [legal duty], against: [open]}
  complain: {right: complaint}
request log: {records: [name]}
erasure: {everywhere: true}
backups: {by: rotation}
messages:
  a: {label: a, kind: service, for: open, when: registered, unsubscribe: e-mail}
  b: {label: b, kind: service, for: open, unsubscribe: link and e-mail}
statistics:
  unsized: {label: figures, by: [name]}
  total: {label: a total, minimum cell: 5, shared with: [figures], for: [open]}
transfers: {may move to: [FR], held by: [figures], safeguards: [standard clauses], objection: true, agreed by use: true}
changes: {posted before: true, check back: true, disagree: Leave.}
automated decisions: {idle: {label: something, made: with a person}}
security: {guard: {measure: A guard stands there, check: attested, attested by: guard, review by: 2030-01-01}}
legal: {read: {label: a case, act: read}, suspend: {label: abuse, act: suspend, data: [name]}}
absolutes:
  never: {never: sell, label: We never sell, unless: [open]}
  only: {only: disclose, what: [everything], label: Only so, unless: [consent]}
"""
UNBOUND = """policy: {version: 1, law: [eu-gdpr]}
operator: {name: Lamp Shop}
data: {name: {category: pd:Name}}
purposes: {open: {label: unclear things, uses: [name]}}
recipients: {mailer: {does: sends mail, receives: [name], for: [open], consideration: none}}
"""
BARE = [
    "",
    "visits: {recording: false}\nbackups: {purge within: 35 days, by: rotation}\n",
    "changes: {told by: [page], remind every: 7 days, significant means: [data]}\n",
]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_kind_of_promise_has_sentences_in_every_language(tag: str) -> None:
    assert set(language(tag).tree["kinds"]) == set(KINDS)


def test_both_languages_have_the_same_entries() -> None:
    words_of_policies = {"phrases", "units"}
    trees = [
        {key: tree for key, tree in language(tag).tree.items() if key not in words_of_policies} for tag in LANGUAGES
    ]
    assert set(_leaves(trees[0])) == set(_leaves(trees[1]))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_sentence_of_the_catalogue_is_said_by_some_policy(tag: str) -> None:
    known = {(kind, key) for kind, entry in language(tag).tree["kinds"].items() for key in _keys(entry)}
    used = {use for policy in _all_policies() for use in _uses(policy, tag)}
    assert used == known


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_every_promise_stands_in_the_notice_exactly_once(site: str, tag: str) -> None:
    shown = [item.promise_id for item in notice_of(site, tag).items if item.promise_id is not None]
    assert sorted(shown) == sorted(promise.id for promise in compiled(site).promises)


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_every_statement_is_shown_as_a_statement_and_never_as_a_promise(site: str, tag: str) -> None:
    statements = compiled(site).policy.statements
    shown = {item.id: item for item in notice_of(site, tag).items if item.kind == "statement"}
    assert set(shown) == {f"statement-{key}" for key in statements}
    assert all(item.promise_id is None for item in shown.values())
    assert all(statements[key].text.say(tag).strip()[1:-1] in shown[f"statement-{key}"].sentence for key in statements)


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_every_sentence_is_whole(site: str, tag: str) -> None:
    for item in notice_of(site, tag).items:
        lines = (item.sentence, *(origin.sentence for origin in item.origins))
        assert all(line.endswith((".", "!", "?", "。", "！", "？")) for line in lines), item
        assert all(line and not re.search(r"[{}]|\bNone\b|  |\.\.|。。", line) for line in (*lines, *item.details)), (
            item
        )


@pytest.mark.parametrize("site", SITES)
def test_a_chinese_notice_has_chinese_in_every_sentence(site: str) -> None:
    for item in notice_of(site, "zh-Hant").items:
        assert all(CHINESE.search(line) for line in (item.sentence, *item.details)), item


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("table", sorted(SAID))
def test_every_closed_word_has_words_in_every_language_and_no_other_has(table: str, tag: str) -> None:
    assert set(language(tag).tree["phrases"][table]) == set(SAID[table])


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_section_has_words_in_every_language(tag: str) -> None:
    assert set(language(tag).tree["phrases"]["sections"]) == set(sections())


@pytest.mark.parametrize("site", SITES)
def test_every_kind_of_data_that_a_site_holds_has_a_default_word(site: str) -> None:
    assert {data.category for data in compiled(site).policy.data.values()} <= set(terms())


def test_every_term_has_words_in_both_languages_and_a_family() -> None:
    families = set(language("en").tree["families"])
    assert all({"en", "zh-Hant", "family"} == set(entry) and entry["family"] in families for entry in terms().values())


def test_every_kind_of_promise_has_a_place_in_the_notice() -> None:
    for policy in _all_policies():
        for promise in policy.promises:
            topic, group = place(promise, entry_at(policy.policy, promise.path))
            assert group in TOPICS[topic]


def test_what_a_policy_may_call_a_topic_is_a_topic() -> None:
    assert set(get_args(Statement.model_fields["about"].annotation)) == set(TOPICS)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_closed_list_of_words_can_be_said(tag: str) -> None:
    phrases = language(tag).tree["phrases"]
    assert set(get_args(Right.model_fields["right"].annotation)) == set(phrases["rights"])
    assert {*LANGUAGE_EVENTS, "withdrawal", "age"} == set(phrases["happens"])
    assert set(phrases["after"]) <= set(LANGUAGE_EVENTS) & set(phrases["starts"])
    assert set(get_args(RetentionClock.model_fields["whichever"].annotation)) == {"", *phrases["whichever"]}
    counted = set(get_args(RetentionClock.model_fields["counted_from"].annotation))
    assert counted == {"the event", *(f"end of {year}" for year in phrases["year ends"])}


@pytest.mark.parametrize("site", SITES)
def test_the_sites_are_settled_so_that_their_notice_may_be_published(site: str) -> None:
    assert checked(site).unsettled == ()


def _of_trade(file: Path) -> Compiled:
    found = check(file.parent).policy
    assert found is not None
    return compile_policy(found)


def _all_policies() -> Iterator[Compiled]:
    yield from map(compiled, SITES)
    yield from map(small, [RARE, *BARE])
    yield headed(UNBOUND)
    yield from map(_of_trade, sorted((ROOT / "tests" / "trades").glob("*/policy.yaml")))
    found = check(ROOT / "tests" / "shop").policy
    assert found is not None
    yield compile_policy(found)
    header = found.policy.model_copy(update={"effective": None, "glossary": {"lamp": Text("A light.")}})
    contact = found.operator.model_copy(update={"email": None, "also_named": ("Lamp Shop",), "representative": "R"})
    yield compile_policy(found.model_copy(update={"policy": header, "operator": contact}))
    yield compile_policy(found.model_copy(update={"operator": found.operator.model_copy(update={"address": None})}))


def _uses(policy: Compiled, tag: str) -> Iterator[tuple[str, str]]:
    speaker = Speaker(policy.policy, language(tag))
    notice(policy, tag)
    for promise in policy.promises:
        for at in (None, date(2000, 1, 1)):
            telling = Telling(promise, policy.policy, speaker, entry_at(policy.policy, promise.path), at)
            yield from ((promise.kind, key) for key in KINDS[promise.kind].tell(telling))


def _keys(entry: dict[str, Any]) -> Iterator[str]:
    yield from entry.get("say", ())
    yield from (f"+{key}" for key in entry.get("also", ()))


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(tree, dict):
        yield path
        return
    for key, value in tree.items():
        yield from _leaves(value, (*path, key))
