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

from collections import defaultdict
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
        """Whether everything but the fields matches."""
        return (
            _within(ask.act, self.acts)
            and _within(ask.purpose, self.purposes)
            and _within(ask.recipient, self.recipients)
            and _within(ask.people, self.people)
            and self.requires <= ask.facts
            and self.unless.isdisjoint(ask.facts)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: ``because`` holds the ids of the rules that settled it, sorted; empty when no rule spoke."""

    allowed: bool
    because: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class RuleSet:
    """Rules ready to be asked: kept by act and purpose, so that a question meets only the rules that might speak."""

    rules: frozenset[Rule]
    _index: dict[tuple[str | None, str | None], tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[tuple[str | None, str | None], list[Rule]] = defaultdict(list)
        for rule in sorted(self.rules, key=lambda r: (r.id, r.effect, repr(r))):
            for act in _keys(rule.acts):
                for purpose in _keys(rule.purposes):
                    index[act, purpose].append(rule)
        object.__setattr__(self, "_index", {key: tuple(rules) for key, rules in index.items()})

    def decide(self, ask: Ask) -> Decision:
        """Answer ``ask`` from these rules alone; pure, so it can be replayed years later."""
        heard = [rule for rule in self._candidates(ask) if rule.speaks_of(ask)]
        forbids = [r for r in heard if r.effect == "forbid" and _touches(r, ask.fields)]
        if forbids:
            return Decision(False, _ids(forbids), forbids[0].reason or "a promise forbids this")
        permits = [r for r in heard if r.effect == "permit"]
        return _permitted(ask, permits)

    def _candidates(self, ask: Ask) -> Iterable[Rule]:
        for key in ((ask.act, ask.purpose), (ask.act, None), (None, ask.purpose), (None, None)):
            yield from self._index.get(key, ())


def _permitted(ask: Ask, permits: list[Rule]) -> Decision:
    if not permits:
        return Decision(False, (), f"no promise allows to {ask.act} for the purpose `{ask.purpose}`")
    if any(rule.fields is None for rule in permits):
        return Decision(True, _ids(permits), permits[0].reason)
    used = [rule for rule in permits if not ask.fields or _touches(rule, ask.fields)]
    covered = frozenset[str]().union(*(rule.fields or frozenset() for rule in used))
    missing = sorted(ask.fields - covered)
    if missing:
        return Decision(False, _ids(used), f"no promise allows to {ask.act} {', '.join(missing)} for `{ask.purpose}`")
    return Decision(True, _ids(used), used[0].reason)


def _within(word: str, words: Words) -> bool:
    return words is None or word in words


def _keys(words: Words) -> Iterable[str | None]:
    return (None,) if words is None else words


def _touches(rule: Rule, fields: frozenset[str]) -> bool:
    return rule.fields is None or not rule.fields.isdisjoint(fields)


def _ids(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(sorted({rule.id for rule in rules}))
