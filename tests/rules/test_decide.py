"""The three theorems that everything leans on, a fourth about narrower policies, and Cedar as an oracle of its own mind."""

import json
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import cedarpy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from troth.decide import Ask, Decision, Rule, RuleSet
from troth.policy.assurances import Absolute
from troth.policy.check import check
from troth.policy.compile import Compiled, compile_policy
from troth.policy.model import Header, Policy
from troth.policy.rules import OWN_ACCESS
from troth.policy.words import Text

ACTS = ("read", "disclose", "count")
PURPOSES = ("marketing", "orders", "books")
FIELDS = ("email", "name", "phone")
RECIPIENTS = ("", "courier", "fair")
PEOPLE = ("customer", "lead")
FACTS = ("consent:marketing", "case:order", "barred")
SHOP = Path(__file__).parents[1] / "shop"


def some(words: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(words))


def any_or(words: tuple[str, ...]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | some(words)


rule = st.builds(
    Rule,
    id=st.sampled_from(("a", "b", "c", "d")),
    effect=st.sampled_from(("permit", "permit", "forbid")),
    acts=any_or(ACTS),
    purposes=any_or(PURPOSES),
    fields=any_or(FIELDS),
    recipients=any_or(RECIPIENTS),
    people=any_or(PEOPLE),
    requires=some(FACTS),
    unless=some(FACTS),
    reason=st.sampled_from(("", "so it is")),
)
rules = st.frozensets(rule, max_size=8)
ask = st.builds(
    Ask,
    act=st.sampled_from((*ACTS, "unheard of")),
    purpose=st.sampled_from((*PURPOSES, "credit_scoring")),
    fields=some((*FIELDS, "shoe_size")),
    people=st.sampled_from((*PEOPLE, "")),
    recipient=st.sampled_from((*RECIPIENTS, "stranger")),
    facts=some(FACTS),
)


def decide(made: frozenset[Rule], question: Ask) -> Decision:
    return RuleSet(made).decide(question)


@given(ask)
def test_default_deny(question: Ask) -> None:
    assert not decide(frozenset(), question).allowed


@given(rules, ask)
def test_default_deny_of_what_no_rule_permits(made: frozenset[Rule], question: Ask) -> None:
    forbids = frozenset(rule for rule in made if rule.effect == "forbid")
    assert not decide(forbids, question).allowed


@given(rules, rule, ask)
def test_forbid_trumps_permit(made: frozenset[Rule], other: Rule, question: Ask) -> None:
    forbid = replace(
        other, effect="forbid", acts=None, purposes=None, fields=None, recipients=None, people=None,
        requires=frozenset(), unless=frozenset(),
    )  # fmt: skip
    answer = decide(made | {forbid}, question)
    assert not answer.allowed
    assert forbid.id in answer.because


@given(st.lists(rule, max_size=8), ask, st.randoms())
def test_order_never_matters(made: list[Rule], question: Ask, chance) -> None:
    shuffled = made + made[:2]
    chance.shuffle(shuffled)
    assert decide(frozenset(shuffled), question) == decide(frozenset(made), question)


@given(rules, st.lists(ask, min_size=2, max_size=6))
def test_earlier_questions_never_matter(made: frozenset[Rule], questions: list[Ask]) -> None:
    asked = RuleSet(made)
    assert [asked.decide(one) for one in questions] == [decide(made, one) for one in questions]


@given(rules, ask)
def test_an_answer_cites_only_rules_that_spoke_its_way(made: frozenset[Rule], question: Ask) -> None:
    answer = decide(made, question)
    effects = {"permit"} if answer.allowed else {"permit", "forbid"}
    assert set(answer.because) <= {rule.id for rule in made if rule.effect in effects and rule.speaks_of(question)}
    assert answer.because or not answer.allowed


@given(rules, ask)
def test_all_fields_are_permitted_or_the_whole_is_refused(made: frozenset[Rule], question: Ask) -> None:
    assume(question.fields)
    each = [decide(made, replace(question, fields=frozenset({one}))).allowed for one in question.fields]
    assert decide(made, question).allowed == all(each)


narrowings = st.sampled_from(("drop permit", "add forbid", "fewer fields", "one more fact", "one more exception"))


@given(rules, rule, ask, narrowings, st.data())
def test_narrower_rules_never_allow_more(
    made: frozenset[Rule], extra: Rule, question: Ask, how: str, data: st.DataObject
) -> None:
    permits = sorted((one for one in made if one.effect == "permit"), key=repr)
    if how == "add forbid":
        narrower = made | {replace(extra, effect="forbid")}
    else:
        assume(permits)
        chosen = data.draw(st.sampled_from(permits))
        narrower = made - {chosen} | _narrowed(chosen, how, data)
    if decide(narrower, question).allowed:
        assert decide(made, question).allowed


def _narrowed(permit: Rule, how: str, data: st.DataObject) -> frozenset[Rule]:
    fact = frozenset({data.draw(st.sampled_from(FACTS))})
    some_fields = (permit.fields or frozenset(FIELDS)) - {data.draw(st.sampled_from(FIELDS))}
    return {
        "drop permit": frozenset[Rule](),
        "fewer fields": frozenset({replace(permit, fields=some_fields)}),
        "one more fact": frozenset({replace(permit, requires=permit.requires | fact)}),
        "one more exception": frozenset({replace(permit, unless=permit.unless | fact)}),
    }[how]


# The shop's own policy


@cache
def shop() -> Compiled:
    checked = check(SHOP)
    assert checked.policy is not None
    return compile_policy(checked.policy)


def every_fact(policy: Policy) -> tuple[str, ...]:
    scopes = (*policy.purposes, *(f"@{one}" for one in policy.recipients))
    chosen = (f"{kind}:{scope}" for kind in ("consent", "objection") for scope in scopes)
    cases = ("case:order", "case:ticket", "case:request", "registered", "by:person", "role:finance", "barred")
    legal = (f"legal:{key}" for key in policy.legal)
    return (*chosen, *cases, *legal, *(f"safeguard:{key}" for key in policy.recipients), "consideration", "consent")


@st.composite
def asks_of(draw: st.DrawFn, policy: Policy) -> Ask:
    """Questions that one rule of the shop means to answer, more or less: each part may be something else."""
    aim = draw(st.sampled_from(sorted(shop().rules.rules, key=repr)))
    fields = draw(st.frozensets(_mostly(draw, aim.fields, (*policy.data, "shoe_size")), min_size=1, max_size=2))
    return Ask(
        draw(_mostly(draw, aim.acts, ("read", "disclose", "count", "collect", "send", "store"))),
        draw(_mostly(draw, aim.purposes, (*policy.purposes, *policy.collection, "own_access", "credit_scoring"))),
        fields,
        draw(_mostly(draw, aim.people, (*policy.people, ""))),
        draw(_mostly(draw, aim.recipients, (*policy.recipients, *policy.messages, "", "stranger"))),
        aim.requires | draw(st.frozensets(st.sampled_from(every_fact(policy)), max_size=3)),
    )


def _mostly(draw: st.DrawFn, words: frozenset[str] | None, others: tuple[str, ...]) -> st.SearchStrategy[str]:
    near = bool(words) and draw(st.integers(0, 4)) > 0
    return st.sampled_from(sorted(words)) if near and words else st.sampled_from(others)


CUTS = (
    ("purposes", "uses"),
    ("recipients", "receives"),
    ("recipients", "for_"),
    ("collection", "optional"),
    ("visits", "records"),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_narrower_policy_never_allows_more(data: st.DataObject) -> None:
    policy = shop().policy
    narrower = data.draw(st.sampled_from((_without_entry, _without_word, _with_absolute)))(policy, data)
    question = data.draw(asks_of(policy))
    if compile_policy(narrower).decide(question).allowed:
        assert shop().decide(question).allowed


def _without_entry(policy: Policy, data: st.DataObject) -> Policy:
    section = data.draw(st.sampled_from(("purposes", "recipients", "collection", "messages", "legal", "cookies")))
    entries = dict(getattr(policy, section))
    del entries[data.draw(st.sampled_from(sorted(entries)))]
    return policy.model_copy(update={section: entries})


def _without_word(policy: Policy, data: st.DataObject) -> Policy:
    section, part = data.draw(st.sampled_from(CUTS))
    if section == "visits":
        return policy.model_copy(update={"visits": policy.visits.model_copy(update={part: policy.visits.records[1:]})})
    entries = dict(getattr(policy, section))
    key = data.draw(st.sampled_from(sorted(entries)))
    words = getattr(entries[key], part)
    assume(words)
    gone = data.draw(st.sampled_from(words))
    entries[key] = entries[key].model_copy(update={part: tuple(word for word in words if word != gone)})
    return policy.model_copy(update={section: entries})


def _with_absolute(policy: Policy, data: st.DataObject) -> Policy:
    never = data.draw(st.sampled_from(("sell", "disclose", "store", "read", "collect")))
    some_absolute = policy.absolutes["never_sold"]
    what = (data.draw(st.sampled_from((*policy.data, "everything"))),)
    more = some_absolute.model_copy(update={"never": never, "what": what})
    return policy.model_copy(update={"absolutes": {**policy.absolutes, "another": more}})


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=20), st.data())
def test_an_invented_purpose_is_refused_whatever_else_is_true(purpose: str, data: st.DataObject) -> None:
    policy = shop().policy
    assume(purpose not in (*policy.purposes, *policy.collection, *policy.cookies, "own_access"))
    question = replace(data.draw(asks_of(policy)), purpose=purpose)
    assert not shop().decide(question).allowed


def test_every_recipient_ground_and_purpose_off_the_list_is_refused() -> None:
    """All tuples, not a sample: data leaves only to a named recipient, for its purpose, on its ground."""
    policy = shop().policy
    purposes = (*policy.purposes, *(f"legal:{key}" for key in policy.legal), "resale", "own_access")
    grounds = {
        "none": frozenset(),
        "consent": frozenset({"consent:@newsletter_house", "consent:marketing"}),
        "open order": frozenset({"case:order"}),
        "law": frozenset({"legal:court"}),
    }
    safe = frozenset(f"safeguard:{key}" for key in policy.recipients)
    allowed = {
        (recipient, purpose, ground)
        for recipient, purpose, (ground, facts) in product(
            (*policy.recipients, "stranger", ""), purposes, grounds.items()
        )
        if shop().decide(Ask("disclose", purpose, frozenset({"email"}), "customer", recipient, facts | safe)).allowed
        or shop().decide(Ask("disclose", purpose, frozenset({"phone"}), "customer", recipient, facts | safe)).allowed
    }
    by_law = {(recipient, "legal:court", "law") for recipient in (*policy.recipients, "stranger", "")}
    listed = {("newsletter_house", "marketing", "consent"), ("courier", "fulfil_order", "open order")}
    assert allowed == listed | by_law


def test_consent_to_one_purpose_opens_no_other() -> None:
    def allowed(purpose: str, *facts: str) -> bool:
        return shop().decide(Ask("read", purpose, frozenset({"interest"}), "customer", facts=frozenset(facts))).allowed

    assert not allowed("preferences")
    assert not allowed("preferences", "consent:marketing")
    assert allowed("preferences", "consent:preferences")
    assert not allowed("preferences", "consent:preferences", "objection:preferences")


def test_what_is_barred_is_refused_for_every_act() -> None:
    policy = shop().policy
    everything = frozenset(every_fact(policy)) - {fact for fact in every_fact(policy) if fact.startswith("objection:")}
    for act, purpose in product(("read", "disclose", "send", "count"), (*policy.purposes, "own_access", "legal:court")):
        question = Ask(act, purpose, frozenset({"email"}), "customer", "courier", everything | {"barred"})
        assert not shop().decide(question).allowed


# Cedar


def in_cedar(rule: Rule) -> str:
    conditions = [
        _among("act", rule.acts),
        _among("purpose", rule.purposes),
        _among("recipient", rule.recipients),
        _among("people", rule.people),
        *(f'context.facts.contains("{fact}")' for fact in sorted(rule.requires)),
        *(f'!context.facts.contains("{fact}")' for fact in sorted(rule.unless)),
    ]
    if rule.fields is not None and rule.effect == "permit":
        conditions.append(f"(!(context has field) || {_among('field', rule.fields)})")
    elif rule.fields is not None:
        conditions.append(f"(context has field && {_among('field', rule.fields)})")
    return f"{rule.effect}(principal, action, resource) when {{ {' && '.join(conditions)} }};"


def _among(name: str, words: frozenset[str] | None) -> str:
    if words is None:
        return "true"
    return f"{json.dumps(sorted(words))}.contains(context.{name})" if words else "false"


def ask_cedar(policies: str, question: Ask) -> bool:
    context = {"act": question.act, "purpose": question.purpose, "recipient": question.recipient}
    context |= {"people": question.people, "facts": sorted(question.facts)}
    each = [context | {"field": one} for one in sorted(question.fields)] or [context]
    entities = {"principal": 'Who::"staff"', "action": 'Action::"do"', "resource": 'Data::"person"'}
    return all(
        cedarpy.is_authorized({**entities, "context": one}, policies, []).decision == cedarpy.Decision.Allow
        for one in each
    )


@settings(max_examples=100, deadline=None)
@given(rules, ask)
def test_cedar_decides_alike(made: frozenset[Rule], question: Ask) -> None:
    policies = "\n".join(in_cedar(rule) for rule in sorted(made, key=repr))
    assert decide(made, question).allowed == ask_cedar(policies, question)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_cedar_decides_alike_about_the_shop(data: st.DataObject) -> None:
    question = data.draw(asks_of(shop().policy))
    assert shop().decide(question).allowed == ask_cedar(shop_in_cedar(), question)


@cache
def shop_in_cedar() -> str:
    return "\n".join(in_cedar(rule) for rule in sorted(shop().rules.rules, key=repr))


def test_never_read_keeps_nobody_from_their_own_data() -> None:
    never = Absolute(never="read", what=("everything",), label=Text("We never read it."))
    policy = Policy(policy=Header(), absolutes={"private": never})
    own = Ask("read", OWN_ACCESS, frozenset(), facts=frozenset({"by:person"}))
    assert compile_policy(policy).decide(own).allowed
    assert not compile_policy(policy).decide(replace(own, facts=frozenset({"by:staff"}))).allowed
