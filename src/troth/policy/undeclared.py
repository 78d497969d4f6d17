"""What a policy never promised, or rules out: questions that it must refuse, whatever speaks for them.

Each names something that nobody declared: a purpose, a recipient, or a field that this recipient is not promised. They are
asked with every fact that any permission of the policy wants and with none that forbids, so that only the undeclared part can
refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from troth.decide import Ask, Rule
from troth.policy.acts import ACTS, NEVER_ASKED
from troth.policy.compile import Compiled

NO_PURPOSE = "a_purpose_nobody_promised"
NO_RECIPIENT = "a_recipient_nobody_named"
ASKED = tuple(act for act in ACTS if act not in NEVER_ASKED)


def in_favour(compiled: Compiled) -> frozenset[str]:
    """Every fact that some permission wants, but for those that a prohibition rests on."""
    wanted: set[str] = set()
    against: set[str] = set()
    for rule in compiled.rules.rules:
        (wanted if rule.effect == "permit" else against).update(rule.requires)
        if rule.effect == "permit":
            against |= rule.unless
    return frozenset(wanted - against)


def without_a_purpose(compiled: Compiled) -> Iterator[Ask]:
    """Every act with each field, for a purpose that nobody promised."""
    facts = in_favour(compiled)
    for act in ASKED:
        for people in ("", *compiled.policy.people):
            for name in compiled.policy.data:
                yield Ask(act, NO_PURPOSE, frozenset({name}), people, facts=facts)


def forbidden(compiled: Compiled, promise_id: str) -> Iterator[Ask]:
    """Every question that the prohibition ``promise_id`` speaks of: each act, purpose, field, recipient and kind of people."""
    for rule in compiled.rules.rules:
        if rule.id == promise_id and rule.effect == "forbid":
            for act in sorted(rule.acts or ASKED):
                yield from _of_act(compiled, rule, act)


def _of_act(compiled: Compiled, rule: Rule, act: str) -> Iterator[Ask]:
    """As the rooms ask about ``act``: a message goes to a class, a cookie is asked about without its data."""
    policy, about = compiled.policy, ACTS[act]
    facts = (in_favour(compiled) | rule.requires) - rule.unless
    to = {"disclose": ("", NO_RECIPIENT, *policy.recipients), "send": (*policy.messages,)}.get(act, ("",))
    cases = ("visits",) if about.named_by == "visits" else getattr(policy, about.named_by)
    fields = rule.fields if rule.fields is not None else policy.data
    parts = (
        rule.purposes if rule.purposes is not None else cases,
        [frozenset[str]()] if act == "cookie" else [frozenset({name}) for name in sorted(fields)],
        rule.recipients if rule.recipients is not None else to,
        [""] if about.nobody else sorted(rule.people if rule.people is not None else ("", *policy.people)),
    )
    for purpose, names, recipient, people in product(*(sorted(part, key=str) for part in parts)):
        yield Ask(act, purpose, names, people, recipient, facts)
