"""Each act against each prohibition: what a sentence with never or only rules out is refused, by whatever name it is done.

The acts are counted in the code and in the rules of every policy there is, so that a new one fails here until somebody says
which verbs mean it and what a question about it looks like.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.notices import ROOT
from troth import source
from troth.decide import Ask
from troth.policy import acts
from troth.policy.acts import ACTS, LEGAL, NEVER_ASKED, READ_VISITS
from troth.policy.assurances import LegalGround
from troth.policy.check import check, check_texts
from troth.policy.compile import Compiled, compile_policy
from troth.policy.rules import OWN_ACCESS, rules
from troth.policy.undeclared import forbidden

MEANT: dict[str, set[str]] = {
    "collect": {"collect", "store"},
    "record": {"collect", "store"},
    "cookie": {"collect"},
    "store": {"store"},
    "keep": set(),
    "read": {"read"},
    "read_visits": {"read"},
    "count": {"read"},
    "send": {"read"},
    "disclose": {"disclose", "sell"},
    "transfer controller": {"disclose"},
    "suspend": set(),
}
"""the verbs that mean each act, as a reader of the sentence would say it"""

POLICY = """
policy: {version: 1, effective: 2026-01-01}
people: {customer: {label: customers}, lead: {label: leads}}
data:
  email: {category: 'pd:EmailAddress'}
  phone: {category: 'pd:TelephoneNumber'}
  address: {category: 'pd:IPAddress'}
  number: {category: 'pd:DeviceBased'}
purposes:
  orders: {label: orders, basis: contract, uses: [email, phone, address]}
  growth: {label: growth, basis: legitimate interest, uses: [email, phone, address]}
  offers: {label: offers, basis: consent, uses: [email]}
collection:
  order: {label: order, source: shop, people: customer, required: [email, phone], for: [orders]}
  stand: {label: stand, source: fair, people: lead, required: [email], for: [growth]}
visits: {records: [address], for: [orders, growth], keep: 1 day}
cookies:
  session: {label: a session, holds: [number], essential: true}
  choice: {label: a choice, holds: [], essential: true}
recipients:
  courier: {name: Courier, does: delivers, receives: [phone], for: [orders], country: IE, consideration: none}
  agency: {name: Agency, does: advertises, receives: [email], for: [growth], country: IE, consideration: none}
messages:
  order_mail: {label: orders, kind: service, for: orders, uses: [email]}
  growth_mail: {label: growth, kind: service, for: growth, uses: [email]}
statistics:
  sold: {label: sold, by: [phone], for: [orders], minimum cell: 5}
  grown: {label: grown, by: [email], for: [orders, growth], minimum cell: 5}
legal:
  court: {label: a court, data: everything}
  audit: {label: an audit, act: read, data: everything}
  merger: {label: a merger, act: transfer controller, data: everything}
  dispute: {label: a dispute, act: keep, data: everything}
  abuse: {label: abuse, act: suspend, data: everything}
"""


DATA = ("email", "phone", "address", "number")


@dataclass(frozen=True)
class Done:
    """Something that the policy permits: a question, the entry by which it is permitted, and what a `for` calls it."""

    ask: Ask
    entry: str
    serves: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset({"customer", "lead"})
    """those of whom it is, or of whom its data is collected"""
    holds: frozenset[str] = frozenset()
    """data that the question does not name"""

    @property
    def data(self) -> frozenset[str]:
        return self.ask.fields | self.holds


def _done(act: str, purpose: str, data: str, entry: str, serves: str = "", people: str = "", **more: Any) -> Done:
    fields, facts = frozenset(data.split()), frozenset(more.pop("facts", "").split())
    ask = Ask(act, purpose, fields, people, more.pop("recipient", ""), facts)
    whose = frozenset({people}) if people else frozenset(more.pop("of", "customer lead").split())
    return Done(ask, entry, frozenset(serves.split()), whose, frozenset(more.pop("holds", "").split()))


def _legal(act: str, key: str) -> Done:
    return _done(act, f"{LEGAL}{key}", " ".join(DATA), f"legal.{key}", people="customer", facts=f"{LEGAL}{key}")


DONE = (
    _done("collect", "order", "email phone", "collection.order", "order shop", "customer", facts="source:shop"),
    _done("collect", "stand", "email", "collection.stand", "stand fair", "lead", facts="source:fair"),
    _done("record", "visits", "address", "visits", "visits", of=""),
    _done("cookie", "session", "", "cookies.session", "cookies", holds="number", of=""),
    _done("cookie", "choice", "", "cookies.choice", "cookies", of=""),
    _done("read", "orders", "phone", "purposes.orders", "orders", "customer"),
    _done("read", "growth", "email", "purposes.growth", "growth", "lead"),
    _done("read", "offers", "email", "purposes.offers", "offers", "customer", facts="consent:offers"),
    _done(READ_VISITS, "orders", "address", "visits", "orders", of=""),
    _done(READ_VISITS, "growth", "address", "visits", "growth", of=""),
    _done("count", "orders", "phone", "purposes.orders", "orders", of="customer"),
    _done("count", "statistics:sold", "phone", "statistics.sold", "orders", of="customer"),
    _done("count", "statistics:grown", "email", "statistics.grown", "orders growth"),
    _done("send", "orders", "email", "messages.order_mail", "orders", "customer", recipient="order_mail"),
    _done("send", "growth", "email", "messages.growth_mail", "growth", "lead", recipient="growth_mail"),
    _done("disclose", "orders", "phone", "recipients.courier", "orders", "customer", recipient="courier",
          facts="safeguard:courier"),
    _done("disclose", "growth", "email", "recipients.agency", "growth", "lead", recipient="agency",
          facts="safeguard:agency"),
    replace(_legal("disclose", "court"), ask=replace(_legal("disclose", "court").ask, recipient="district-court")),
    _legal("read", "audit"),
    _legal("transfer controller", "merger"),
    _legal("keep", "dispute"),
    _legal("suspend", "abuse"),
)  # fmt: skip
"""one of each thing that the policy permits, and two where it matters"""

FORMS: tuple[dict[str, Any], ...] = (
    *({kind: verb} for kind, verb in product(("never", "only"), ("disclose", "read", "collect"))),
    {"never": "store"},
    *({"never": verb, "what": [what]} for verb, what in product(
        ("disclose", "read", "collect", "store"), ("email", "phone", "address", "number", "customer", "lead"))),
    *({"only": verb, "what": [what]} for verb, what in product(
        ("disclose", "read", "collect"), ("email", "phone", "address", "number", "customer", "lead"))),
    *({kind: verb, "for": [purpose]} for kind, verb, purpose in product(
        ("never", "only"), ("disclose", "read"), ("orders", "growth", "offers"))),
    *({kind: "collect", "for": [place]} for kind, place in product(
        ("never", "only"), ("order", "shop", "stand", "visits", "cookies"))),
    *({kind: "disclose", "to": ["courier"]} for kind in ("never", "only")),
    {"only": "disclose", "to": ["courier", "agency"], "for": ["orders"]},
    {"only": "disclose", "to": ["courier"], "unless": ["court"]},
    {"never": "read", "for": ["growth"], "what": ["email"]},
    {"only": "read", "for": ["orders"], "unless": ["audit"]},
    {"only": "read", "for": ["orders"], "unless": ["consent"]},
    {"never": "read", "unless": ["consent"]},
    {"never": "read", "unless": ["audit"]},
    {"never": "collect", "what": ["number", "address"]},
)  # fmt: skip


def ruled_out(form: dict[str, Any], done: Done) -> bool:
    """Whether a reader of the sentence would say that it rules this out; as plain as the sentence."""
    verb, what = form.get("never") or form["only"], set(form.get("what", ()))
    if verb not in MEANT[done.ask.act] or (done.ask.act == "cookie" and not done.holds):
        return False
    people, data = what & {"customer", "lead"}, what - {"customer", "lead"}
    if (people and not people & done.people) or (data and not data & done.data):
        return False
    unless = set(form.get("unless", ()))
    lifted = done.entry.removeprefix("legal.") in unless or (
        "consent" in unless and any(fact.startswith("consent:") for fact in done.ask.facts)
    )
    return not lifted and _outside(form, done)


def _outside(form: dict[str, Any], done: Done) -> bool:
    for_, to = set(form.get("for", ())), set(form.get("to", ()))
    if "never" in form:
        return (not for_ or bool(for_ & done.serves)) and (not to or done.ask.recipient in to)
    named = bool(for_ & done.serves) if MEANT[done.ask.act] & {"collect"} else bool(done.serves) and done.serves <= for_
    return not (named or (bool(to) and not for_)) or (bool(to) and done.ask.recipient not in to)


def text(form: dict[str, Any]) -> str:
    words = "".join(f", {key}: {'[' + ', '.join(v) + ']' if isinstance(v, list) else v}" for key, v in form.items())
    return f"{POLICY}absolutes: {{it: {{label: We said so{words}}}}}\n"


@cache
def with_it(form: str) -> Compiled:
    checked = check_texts(form)
    assert checked.policy is not None, [one.line() for one in checked.findings]
    return compile_policy(checked.policy)


def shown(form: dict[str, Any]) -> str:
    return " ".join(f"{key} {' '.join(v) if isinstance(v, list) else v}" for key, v in form.items())


def test_the_table_of_acts_says_what_readers_mean() -> None:
    assert {name: set(act.verbs) for name, act in ACTS.items()} == MEANT


def test_every_act_of_the_product_is_in_the_table() -> None:
    policies = [check(folder).policy for folder in _folders()]
    by_rules = {act for one in policies if one for rule in rules(one) for act in rule.acts or ()}
    by_ground = set(get_args(LegalGround.model_fields["act"].annotation))
    assert by_ground == {"disclose", "read"} | NEVER_ASKED
    assert set(_asked()) | by_rules | by_ground <= set(ACTS)
    assert set(ACTS) - NEVER_ASKED - {"store", "count"} <= {*_asked(), "record"}


def _folders() -> Iterator[Path]:
    yield from (one.parent for one in (ROOT / "sites").glob("*/policy.yaml"))
    yield from (one.parent for one in (ROOT / "tests" / "trades").glob("*/policy.yaml"))
    yield from (ROOT / "tests" / "shop", ROOT / "src" / "troth" / "starter")


def _asked() -> Iterator[str]:
    """The act of each question that the code makes: a word, or a name that the table gives one."""
    for module, code in source.texts().items():
        for call in ast.walk(ast.parse(code)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Ask":
                act = call.args[0]
                if isinstance(act, ast.Constant):
                    yield str(act.value)
                elif isinstance(act, ast.Name) and act.id.isupper():
                    yield getattr(acts, act.id)
                else:
                    assert module in {"troth.policy.undeclared", "troth.evidence.entries"}, module


def test_something_is_done_for_every_act() -> None:
    assert {one.ask.act for one in DONE} == set(ACTS) - {"store"}


@pytest.mark.parametrize("done", DONE, ids=lambda one: f"{one.ask.act} {one.entry}")
def test_without_a_prohibition_it_is_done(done: Done) -> None:
    assert with_it(POLICY).decide(done.ask).allowed


@pytest.mark.parametrize("form", FORMS, ids=shown)
def test_what_a_sentence_rules_out_is_refused_and_nothing_else(form: dict[str, Any]) -> None:
    compiled = with_it(text(form))
    refused = {one for one in DONE if "absolutes.it" in compiled.decide(one.ask).because}
    assert refused == {one for one in DONE if ruled_out(form, one)}
    assert {one for one in DONE if not compiled.decide(one.ask).allowed} == refused


@pytest.mark.parametrize("form", FORMS, ids=shown)
def test_the_linter_names_every_entry_that_a_sentence_refuses(form: dict[str, Any]) -> None:
    found = [one.message for one in check_texts(text(form)).findings if one.key == "E-01 absolutes.it"]
    named = set(re.findall(r"`([a-z_.]+)` \(line \d+\)", " ".join(found)))
    stored = {f"data.{one}" for one in form.get("what", ()) if one in DATA} if form.get("never") == "store" else set()
    refused = {one.entry for one in DONE if ruled_out(form, one)}
    assert refused <= named - stored, "others read more than was tried here"
    assert refused or not named - stored
    assert {one for one in named ^ refused if one.startswith("collection.")} == set()


@pytest.mark.parametrize("form", FORMS, ids=shown)
def test_a_proof_tries_each_act_that_a_sentence_rules_out_as_it_is_asked_about(form: dict[str, Any]) -> None:
    compiled = with_it(text(form))
    tried = list(forbidden(compiled, "absolutes.it"))
    assert not any(compiled.decide(ask).allowed for ask in tried)
    assert {one.ask.act for one in DONE if ruled_out(form, one)} <= {ask.act for ask in tried}
    for ask in tried:
        assert ACTS[ask.act].nobody <= (not ask.people) and (ask.act != "cookie" or not ask.fields)


def test_nobody_is_kept_from_their_own_data_and_nothing_else_is_exempt_for_them() -> None:
    never = with_it(text({"never": "read"}))
    own = Ask("read", OWN_ACCESS, frozenset({"email"}), "customer", facts=frozenset({"by:person"}))
    assert never.decide(own).allowed
    assert never.decide(replace(own, facts=frozenset({"corrects"}))).allowed
    assert not never.decide(replace(own, facts=frozenset({"by:staff"}))).allowed
    sent = next(one.ask for one in DONE if one.ask.act == "send")
    assert not never.decide(replace(sent, facts=frozenset({"by:person"}))).allowed


def test_staff_read_visits_for_no_purpose_that_a_measure_leaves_out() -> None:
    named = with_it(f"{POLICY}security: {{roles: {{measure: Staff see orders only, check: access, for: [orders]}}}}\n")
    for act, field in (("read", "email"), (READ_VISITS, "address")):
        ask = Ask(act, "growth", frozenset({field}), "", facts=frozenset({"by:staff"}))
        assert named.decide(ask).because == ("security.roles",)
        assert named.decide(replace(ask, purpose="orders")).allowed


def test_visits_that_tell_of_health_are_read_under_a_condition_only() -> None:
    told = POLICY.replace("address: {category: 'pd:IPAddress'}", "address: {category: 'pd:Health'}")
    ask = Ask(READ_VISITS, "growth", frozenset({"address"}))
    assert with_it(POLICY).decide(ask).allowed
    assert not with_it(told).decide(ask).allowed


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"never": "store", "for": ["orders"]}, "write `never: collect` with the collection points"),
        ({"only": "store", "in": ["IE"], "for": ["orders"]}, "write `never: collect` with the collection points"),
        ({"never": "read", "to": ["courier"]}, "write it beside `sell`, `disclose` or `only: store`"),
        ({"only": "collect", "to": ["courier"]}, "write it beside `sell`, `disclose` or `only: store`"),
    ],
    ids=lambda one: shown(one) if isinstance(one, dict) else "",
)
def test_what_would_enforce_nothing_cannot_be_written(wrong: dict[str, Any], says: str) -> None:
    (found,) = [one for one in check_texts(text(wrong)).findings if one.rule.startswith("P-")]
    assert says in found.line()


def test_a_sale_for_one_purpose_is_refused_and_found() -> None:
    paid = POLICY.replace("country: IE, consideration: none}\nmessages", "country: IE, consideration: money}\nmessages")
    words = "absolutes: {it: {never: sell, for: [growth], label: Never for growth}}\n"
    assert [one.key for one in check_texts(paid + words).findings if one.rule == "E-01"] == ["E-01 absolutes.it"]
    other = words.replace("[growth]", "[orders]")
    assert [one.key for one in check_texts(paid + other).findings if one.rule == "E-01"] == []
