"""Decisions that name the policy line, at 100 rules, beside Cedar's engine and casbin's with the same rules and questions.

The rules: 90 permits, each for a purpose of its own and five fields, a third of them with a needed fact, and 10 that forbid
a field unless a fact holds. Each engine is loaded once, is asked the same questions ready-made in its own form, and must
say which rule settled it; before anything is measured all three must answer every question alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path

import casbin  # type: ignore[import-untyped]
import cedarpy

from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from troth.decide import Ask, Rule, RuleSet

FIELDS = [f"field_{n}" for n in range(30)]
MODEL = Path(__file__).parent / "casbin.conf"
REPEATS = {"troth": 20_000, "cedar": 300, "casbin": 60}


def rules() -> list[Rule]:
    """A hundred rules."""
    permits = [_permit(n) for n in range(90)]
    return permits + [_forbid(n) for n in range(10)]


def _permit(n: int) -> Rule:
    words = frozenset(FIELDS[(3 * n + k) % 30] for k in range(5))
    needs = frozenset({f"consent:purpose_{n}"}) if n % 3 == 0 else frozenset[str]()
    return Rule(f"purposes.p{n}", "permit", frozenset({"read"}), frozenset({f"purpose_{n}"}), words, requires=needs)


def _forbid(n: int) -> Rule:
    lifted = frozenset({f"legal:ground_{n}"})
    return Rule(f"absolutes.a{n}", "forbid", None, None, frozenset({FIELDS[3 * n]}), unless=lifted)


def questions() -> list[Ask]:
    """Half of them allowed: two fields of a purpose each, with and without the facts they need."""
    lifted = frozenset(f"legal:ground_{n}" for n in range(10))
    asks = []
    for n in range(90):
        fields = frozenset(FIELDS[(3 * n + k) % 30] for k in (1, 2))
        facts = frozenset({f"consent:purpose_{n}", "by:staff"}) if n % 2 else frozenset({"by:staff"})
        other = frozenset({FIELDS[3 * n % 30]})
        asks += [Ask("read", f"purpose_{n}", fields, "customer", facts=facts)]
        asks += [Ask("read", f"purpose_{n}", other, "customer", facts=facts | (lifted if n % 4 else frozenset()))]
    return asks


def in_cedar(rule: Rule) -> str:
    """``rule`` as a Cedar policy: act and purpose in its scope, where Cedar looks first."""
    action = f'action == Action::"{min(rule.acts)}"' if rule.acts else "action"
    resource = f'resource == Purpose::"{min(rule.purposes)}"' if rule.purposes else "resource"
    fields = json.dumps(sorted(rule.fields or ()))
    means = "containsAll" if rule.effect == "permit" else "containsAny"
    when = [f"{fields}.{means}(context.fields)", f"context.facts.containsAll({json.dumps(sorted(rule.requires))})"]
    unless = f" unless {{ context.facts.containsAny({json.dumps(sorted(rule.unless))}) }}" if rule.unless else ""
    return f'@id("{rule.id}") {rule.effect}(principal, {action}, {resource}) when {{ {" && ".join(when)} }}{unless};'


def cedar(made: list[Rule], asks: list[Ask]) -> Callable[[int], bool]:
    """Asks Cedar the n-th question; policies and entities are parsed beforehand."""
    policies = cedarpy.PolicySet.from_str("\n".join(map(in_cedar, made)))
    entities = cedarpy.Entities.from_json_str("[]")
    requests = [
        {
            "principal": 'Who::"staff"',
            "action": f'Action::"{ask.act}"',
            "resource": f'Purpose::"{ask.purpose}"',
            "context": {"fields": sorted(ask.fields), "facts": sorted(ask.facts)},
        }
        for ask in asks
    ]

    def decide(n: int) -> bool:
        answer = cedarpy.is_authorized(requests[n], policies, entities)
        return bool(answer.diagnostics.reasons) and answer.decision == cedarpy.Decision.Allow

    return decide


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    """The words of a cell of casbin's policy, split once."""
    return frozenset(text.split())


def fits(effect: str, asked: frozenset[str], facts: frozenset[str], fields: str, requires: str, unless: str) -> bool:
    """What casbin's matcher cannot say of sets."""
    named = words(fields)
    touched = asked <= named if effect == "allow" else not named.isdisjoint(asked)
    return touched and words(requires) <= facts and words(unless).isdisjoint(facts)


def in_casbin(rule: Rule) -> str:
    """``rule`` as a line of casbin's policy."""
    act, purpose = (min(named) if named else "*" for named in (rule.acts, rule.purposes))
    sets = (" ".join(sorted(named or ())) or " " for named in (rule.fields, rule.requires, rule.unless))
    return ", ".join(("p", act, purpose, *sets, "allow" if rule.effect == "permit" else "deny"))


def casbins(made: list[Rule], asks: list[Ask]) -> Callable[[int], bool]:
    """Asks casbin the n-th question."""
    enforcer = casbin.Enforcer(str(MODEL))
    for rule in made:
        casbin.persist.load_policy_line(in_casbin(rule), enforcer.get_model())
    enforcer.add_function("fits", fits)
    requests = [(ask.act, ask.purpose, ask.fields, ask.facts) for ask in asks]

    def decide(n: int) -> bool:
        allowed, because = enforcer.enforce_ex(*requests[n])
        return bool(allowed and because is not None)

    return decide


def troths(made: list[Rule], asks: list[Ask]) -> Callable[[int], bool]:
    """Asks Troth the n-th question."""
    ruleset = RuleSet(frozenset(made))
    return lambda n: ruleset.decide(asks[n]).allowed


@benchmark("decisions")
def decisions(bench: Bench) -> Iterator[Figure]:
    """Troth's decisions beside two engines'."""
    made, asks = rules(), questions()
    engines = {"troth": troths(made, asks), "cedar": cedar(made, asks), "casbin": casbins(made, asks)}
    answers = {name: [decide(n) for n in range(len(asks))] for name, decide in engines.items()}
    if not answers["troth"] == answers["cedar"] == answers["casbin"]:
        raise AssertionError("the engines do not agree, so there is nothing to compare")

    def side(name: str) -> Callable[[], float]:
        decide, times = engines[name], bench.size(REPEATS[name])
        order = list(islice(cycle(range(len(asks))), times))
        return lambda: seconds(lambda: [decide(n) for n in order], times)

    size = f"{len(made)} rules, {len(asks)} questions, {sum(answers['troth'])} of them allowed"
    for name, goal, theirs in (
        ("cedar", 100, "cedarpy.is_authorized with a parsed PolicySet"),
        ("casbin", 200, "casbin.Enforcer.enforce_ex"),
    ):
        made_of = bench.in_turn(side("troth"), side(name))
        found = figure(
            f"decision, {name}", made_of, Goal("speed", goal), ours="RuleSet.decide", theirs=theirs, size=size
        )
        yield found.with_spent(spent(side("troth")))
