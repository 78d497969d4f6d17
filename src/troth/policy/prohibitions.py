"""From the sentences with *never* and *only* to rules that forbid. Pure.

What could go wrong: a sentence is printed, and something that it rules out goes on, because it is done under another name
(visits are recorded and not collected), for something else than a purpose (a statistic, a legal case), or without the words
that the rule looks for (a question about a cookie names no data). So each prohibition is written for every act that its verb
means (``troth.policy.acts``), one act at a time, and what an *only* leaves out is found by looking at what the rules permit.

An *only* is a closed list, and a list that is left blank allows nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from troth.decide import Rule, Words
from troth.policy.acts import ACTS, CORRECTS, LEGAL, STATISTICS, meant_by
from troth.policy.assurances import Absolute
from troth.policy.model import Policy
from troth.policy.places import within

DISCLOSE = "disclose"


def prohibitions(policy: Policy, permits: Collection[Rule]) -> Iterator[Rule]:
    """The rules of every sentence; ``permits`` are the rules by which the policy lets something be done."""
    for key, absolute in policy.absolutes.items():
        yield from prohibited(policy, key, absolute, permits)


def prohibited(policy: Policy, key: str, absolute: Absolute, permits: Collection[Rule]) -> Iterator[Rule]:
    """The rules of one sentence, one or more for each act that it means."""
    for act in sorted(acts_of(absolute)):
        one = _OneAct(policy, key, absolute, act, permits)
        yield from one.never() if absolute.never else one.only()


def acts_of(absolute: Absolute) -> frozenset[str]:
    """The acts that the sentence means; what is stored is elsewhere only when somebody elsewhere was given it."""
    if absolute.only == "store":
        return frozenset({DISCLOSE})
    verb = absolute.never or absolute.only
    return meant_by(verb) if verb else frozenset()


@dataclass(frozen=True, slots=True)
class _OneAct:
    """One sentence about one act."""

    policy: Policy
    key: str
    absolute: Absolute
    act: str
    permits: Collection[Rule]

    def never(self) -> Iterator[Rule]:
        """It is not done; with a `for`, not for what that names."""
        named = frozenset(one for one in self._cases() if self._named(one)) if self.absolute.for_ else None
        yield from self._forbids(named, frozenset(self.absolute.to) or None)

    def only(self) -> Iterator[Rule]:
        """It is not done for what the list does not name, nor with whom it does not name."""
        to, for_ = self.absolute.to, self.absolute.for_
        if self.absolute.only == "store":
            yield from self._forbids(None, frozenset(kept_outside(self.policy, self.absolute)))
            return
        outside = frozenset(one for one in self._cases() if not self._named(one) and not self._is_excepted(one))
        if for_ or not to:
            yield from self._forbids(outside if for_ else None, None)
        if to:
            yield from self._forbids(None, frozenset(self.policy.recipients) - set(to))
            # whom a legal case gives data to is nobody that the policy names
            yield from self._forbids(frozenset(one for one in outside if one.startswith(LEGAL)), None)

    def _cases(self) -> frozenset[str]:
        """All that the act is done for: what the policy declares, and whatever else a rule permits it for."""
        permitted = (rule.purposes or () for rule in self.permits if rule.acts and self.act in rule.acts)
        return self._declared().union(*permitted)

    def _declared(self) -> frozenset[str]:
        named_by = ACTS[self.act].named_by
        return frozenset({"visits"} if named_by == "visits" else getattr(self.policy, named_by))

    def _is_excepted(self, case: str) -> bool:
        """Whether what the policy does not declare is done only with what lifts the sentence: a legal case that it names."""
        facts = frozenset(self._facts())
        return case not in self._declared() and all(facts & one.requires for one in self._permits(case))

    def _named(self, case: str) -> bool:
        """Whether `for` names what the act is done for: an *only* all of it, a *never* some of it."""
        policy, listed = self.policy, set(self.absolute.for_)
        if case.startswith(STATISTICS):
            serves = policy.statistics[case.removeprefix(STATISTICS)].for_
            return bool(listed & set(serves)) if self.absolute.never else bool(serves) and listed.issuperset(serves)
        match ACTS[self.act].named_by:
            case "collection":
                return bool({case, policy.collection[case].source} & listed)
            case "visits" | "cookies" as place:
                return place in listed
            case _:
                return case in listed

    def _forbids(self, cases: Words, recipients: Words) -> Iterator[Rule]:
        fields, people = self._about()
        if self.act == "cookie":  # a question about a cookie names no data: the cookie does
            cases, fields = self._cookies() if cases is None else cases & self._cookies(), None
        for some, lifted in self._lifted(cases):
            if some is None or some:
                yield Rule(
                    f"absolutes.{self.key}",
                    "forbid",
                    frozenset({self.act}),
                    some,
                    fields,
                    recipients=recipients,
                    people=people,
                    requires=frozenset({"consideration"}) if self.absolute.never == "sell" else frozenset(),
                    unless=lifted,
                    reason=f"the promise `{self.key}` " + ("says never" if self.absolute.never else _NAMES),
                )

    def _about(self) -> tuple[Words, Words]:
        """Fields and people; an act of nobody in particular is about what is collected of the people who are named."""
        what = frozenset(self.absolute.what)
        people, data = what & frozenset(self.policy.people), what & frozenset(self.policy.data)
        if not ACTS[self.act].nobody:
            return data or None, people or None
        return data or (concerned(self.policy, self.absolute) if people else None), None

    def _cookies(self) -> frozenset[str]:
        about = concerned(self.policy, self.absolute)
        held = ((key, cookie.holds) for key, cookie in self.policy.cookies.items())
        return frozenset(key for key, holds in held if holds and (about is None or not about.isdisjoint(holds)))

    def _lifted(self, cases: Words) -> Iterator[tuple[Words, frozenset[str]]]:
        """The cases, with the facts that lift the prohibition in each.

        Whoever gives data away asks with the fact `consent`. For other acts it is the consent that the act itself waits for.
        """
        facts = frozenset(self._facts())
        if "consent" not in self.absolute.unless or self.act == DISCLOSE:
            yield cases, facts
            return
        for one in sorted(self._cases() if cases is None else cases):
            yield frozenset({one}), facts | self._consents(one)

    def _facts(self) -> Iterator[str]:
        if self.act == "read":
            yield from ("by:person", CORRECTS)  # people see their own data all the same, and have it put right
        for word in self.absolute.unless:
            if word in self.policy.legal:
                yield f"{LEGAL}{word}"
            elif word in self.policy.purposes:
                yield f"consent:{word}"
            else:
                yield "consent" if word == "consent" else f"consent:@{word}"

    def _consents(self, case: str) -> frozenset[str]:
        waits_for = (fact for one in self._permits(case) for fact in one.requires)
        return frozenset(fact for fact in waits_for if fact.startswith("consent:"))

    def _permits(self, case: str) -> Iterator[Rule]:
        yield from (one for one in self.permits if self.act in (one.acts or ()) and case in (one.purposes or ()))


_NAMES = "names the only cases"


def concerned(policy: Policy, absolute: Absolute) -> Words:
    """The data that the sentence is about, None for all; named people stand for all that is collected about them."""
    if "everything" in absolute.what:
        return None
    named = frozenset(absolute.what)
    points = (point for point in policy.collection.values() if point.people in named)
    return named.union(*(point.required + point.optional for point in points)) & frozenset(policy.data)


def kept_outside(policy: Policy, absolute: Absolute) -> Iterator[str]:
    """The recipients that would keep data outside the places of an ``only: store``; what is published is kept nowhere."""
    for key, recipient in policy.recipients.items():
        if recipient.role != "public" and key not in absolute.to and not within(recipient.country, absolute.in_):
            yield key
