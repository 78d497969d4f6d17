"""Decisions: may this be done with that data, and which line of the policy says so.

The whole product leans on three theorems, each a test in ``tests/rules/test_decide.py``:

* ``default_deny``: what no rule permits is refused;
* ``forbid_trumps_permit``: one forbidding rule outweighs any number of permitting ones;
* ``order_never_matters``: the rules are a set; two files with the same lines decide alike.

A rule speaks of acts, purposes, fields, recipients and people. ``None`` in one of these means *any*; an empty set means
*none*, so that a blank list in a policy allows nothing. A rule applies only when every fact it ``requires`` is among the
facts of the question and none of those it has an ``unless`` for. Facts are short words such as ``consent:marketing``,
``case:order``, ``role:hr`` or ``objection:marketing``: those who ask never invent them, the rooms that own them do.
A question about several fields is answered field by field: all must be permitted, or the whole is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Words = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: may ``act`` be done for ``purpose`` with ``fields`` of one of ``people`` (to ``recipient``)?"""

    act: str
    purpose: str
    fields: frozenset[str]
    people: str = ""
    recipient: str = ""
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One enforceable line of a policy; ``id`` is its promise's, ``reason`` a sentence in plain words."""

    id: str
    effect: Literal["permit", "forbid"]
    acts: Words
    purposes: Words
    fields: Words
    recipients: Words = None
    people: Words = None
    requires: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    reason: str = ""

    def speaks_of(self, ask: Ask) -> bool:
        """Whether act, purpose, recipient and people match; facts and fields are another matter."""
        return (
            _within(ask.act, self.acts)
            and _within(ask.purpose, self.purposes)
            and _within(ask.recipient, self.recipients)
            and _within(ask.people, self.people)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: ``because`` holds the ids of the rules that settled it, sorted; empty when no rule spoke."""

    allowed: bool
    because: tuple[str, ...]
    reason: str


Spoken = tuple[tuple[Rule, ...], tuple[Rule, ...]]
"""The forbidding and the permitting rules that speak of one act, purpose, recipient and kind of people."""


@dataclass(frozen=True)
class RuleSet:
    """Rules ready to be asked.

    Which rules speak of an act, a purpose, a recipient and a kind of people is worked out once and remembered, so that a
    question costs little more than comparing its facts and fields. Words that no rule holds are remembered as one: what
    strangers invent takes no memory.
    """

    rules: frozenset[Rule]
    _sorted: tuple[Rule, ...] = field(init=False, repr=False, compare=False)
    _words: frozenset[str] = field(init=False, repr=False, compare=False)
    _spoken: dict[tuple[str | None, ...], Spoken] = field(init=False, repr=False, compare=False, default_factory=dict)
    _alone: dict[int, Decision] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.rules, key=_order))
        named = (words for rule in ordered for words in (rule.acts, rule.purposes, rule.recipients, rule.people))
        object.__setattr__(self, "_sorted", ordered)
        object.__setattr__(self, "_words", frozenset({""}).union(*(words or () for words in named)))
        object.__setattr__(self, "_alone", {id(rule): _said([rule]) for rule in ordered})

    def decide(self, ask: Ask) -> Decision:
        """Answer ``ask`` from these rules alone; pure, so it can be replayed years later."""
        key = (ask.act, ask.purpose, ask.recipient, ask.people)
        forbids, permits = self._spoken.get(key) or self._speaking(ask, key)
        facts, fields = ask.facts, ask.fields
        heard = [
            rule
            for rule in forbids
            if (rule.fields is None or not rule.fields.isdisjoint(fields))
            and rule.requires <= facts
            and rule.unless.isdisjoint(facts)
        ]
        if heard:
            return self._answer(heard)
        heard = [rule for rule in permits if rule.requires <= facts and rule.unless.isdisjoint(facts)]
        if len(heard) == 1 and (heard[0].fields is None or fields <= heard[0].fields):
            return self._alone[id(heard[0])]
        return self._permitted(ask, heard)

    def _speaking(self, ask: Ask, key: tuple[str, str, str, str]) -> Spoken:
        """What ``_spoken`` should hold for ``key``; words that no rule holds are all alike."""
        known = tuple(word if word in self._words else None for word in key)
        spoken = self._spoken.get(known)
        if spoken is None:
            rules = [rule for rule in self._sorted if rule.speaks_of(ask)]
            forbids = tuple(rule for rule in rules if rule.effect == "forbid")
            spoken = forbids, tuple(rule for rule in rules if rule.effect == "permit")
            self._spoken[known] = spoken
        return spoken

    def _permitted(self, ask: Ask, permits: list[Rule]) -> Decision:
        if not permits:
            return Decision(False, (), f"no promise allows to {ask.act} for the purpose `{ask.purpose}`")
        if any(rule.fields is None for rule in permits):
            return self._answer(permits)
        used = [rule for rule in permits if not ask.fields or _touches(rule, ask.fields)]
        covered = frozenset[str]().union(*(rule.fields or frozenset() for rule in used))
        missing = sorted(ask.fields - covered)
        if missing:
            names = ", ".join(missing)
            return Decision(False, _ids(used), f"no promise allows to {ask.act} {names} for `{ask.purpose}`")
        return self._answer(used)

    def _answer(self, rules: list[Rule]) -> Decision:
        return self._alone[id(rules[0])] if len(rules) == 1 else _said(rules)


def _order(rule: Rule) -> tuple[int, str, str, str]:
    """Rules that name their act and purpose come before general ones, so that the reason given is the closest."""
    general = 2 * (rule.acts is None) + (rule.purposes is None)
    return general, rule.id, rule.effect, repr(rule)


def _said(rules: list[Rule]) -> Decision:
    allowed = rules[0].effect == "permit"
    return Decision(allowed, _ids(rules), rules[0].reason or ("" if allowed else "a promise forbids this"))


def _within(word: str, words: Words) -> bool:
    return words is None or word in words


def _touches(rule: Rule, fields: frozenset[str]) -> bool:
    return rule.fields is None or not rule.fields.isdisjoint(fields)


def _ids(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(sorted({rule.id for rule in rules}))
