"""What a policy never promised, or rules out: questions that it must refuse, whatever speaks for them.

Each names something that nobody declared: a purpose, a recipient, or a field that this recipient is not promised. They are
asked with every fact that any permission of the policy wants and with none that forbids, so that only the undeclared part can
refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from troth.decide import Ask
from troth.policy.compile import Compiled

NO_PURPOSE = "a_purpose_nobody_promised"
NO_RECIPIENT = "a_recipient_nobody_named"
ACTS = ("read", "count", "disclose", "send", "read_visits", "collect", "cookie", "record", "store")


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
    for act in ACTS:
        for people in ("", *compiled.policy.people):
            for name in compiled.policy.data:
                yield Ask(act, NO_PURPOSE, frozenset({name}), people, facts=facts)


def forbidden(compiled: Compiled, promise_id: str) -> Iterator[Ask]:
    """Every question that the prohibition ``promise_id`` speaks of: each act, purpose, field, recipient and kind of people."""
    policy = compiled.policy
    for rule in compiled.rules.rules:
        if rule.id != promise_id or rule.effect != "forbid":
            continue
        facts = (in_favour(compiled) | rule.requires) - rule.unless
        parts = (
            rule.acts or ACTS,
            rule.purposes if rule.purposes is not None else policy.purposes,
            rule.fields if rule.fields is not None else policy.data,
            rule.recipients if rule.recipients is not None else ("", *policy.recipients),
            rule.people if rule.people is not None else ("", *policy.people),
        )
        for act, purpose, name, recipient, people in product(*map(sorted, parts)):
            yield Ask(act, purpose, frozenset({name}), people, recipient if act == "disclose" else "", facts)
