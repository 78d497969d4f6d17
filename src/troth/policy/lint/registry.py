"""What a lint rule is, and the list of all of them.

A rule is declared once, with its id, title, severity and what happens when nobody decides; the functions decorated with it
look for it. They are pure: a policy and its context in, flaws out. A flaw becomes a finding here: it gets the place in the
file, the clauses that the entry cites, and what the law of the policy says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from troth.policy.document import Document
from troth.policy.findings import Finding, Path, Severity
from troth.policy.law import Profile, Requirement, profiles_of
from troth.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong: where, what, and what to write instead; ``severity`` only when it differs from the rule's."""

    path: Path
    message: str
    hint: str = ""
    severity: Severity | None = None
    cites: tuple[str, ...] = ()
    about: str = ""
    """which of several requirements that one law has under the same rule, as ``interest`` under E-25"""


@dataclass(frozen=True)
class Context:
    """What a rule may know besides the policy: the raw file, the laws and the day."""

    document: Document
    profiles: tuple[Profile, ...]
    today: date | None = None

    def under(self, *laws: str) -> bool:
        """Whether one of ``laws`` applies to the policy."""
        return any(profile.id in laws for profile in self.profiles)

    @property
    def european(self) -> bool:
        """Whether the law of the EU or of the UK applies."""
        return self.under("eu-gdpr", "uk-gdpr")


Search = Callable[[Policy, Context], Iterable[Flaw]]


@dataclass(frozen=True)
class Rule:
    """A rule of the linter; calling it with a function makes the function part of it."""

    id: str
    title: str
    severity: Severity
    resolution: str
    needs_value: bool = False
    """whether a decision settles it only by setting a value with which it is no longer found"""
    searches: list[Search] = field(default_factory=list, compare=False, repr=False)

    def __call__(self, search: Search) -> Search:
        self.searches.append(search)
        return search

    def run(self, policy: Policy, context: Context) -> Iterator[Finding]:
        """The findings of this rule, once each, in the order they were found."""
        seen = set()
        for search in self.searches:
            for flaw in search(policy, context):
                if flaw not in seen:
                    seen.add(flaw)
                    yield self._finding(policy, context, flaw)

    def _finding(self, policy: Policy, context: Context, flaw: Flaw) -> Finding:
        severity = flaw.severity or _by_law(self.id, flaw.about, context) or self.severity
        cites = tuple(dict.fromkeys((*cited(policy, flaw.path), *flaw.cites)))
        place = context.document.place(flaw.path)
        return Finding(self.id, severity, flaw.path, place, flaw.message, _hint(self.id, context, flaw), cites)


RULES: dict[str, Rule] = {}


def rule(id: str, title: str, severity: Severity, resolution: str) -> Rule:  # noqa: A002  it is the rule's id
    """Declare a rule. ``resolution`` is what holds when a decision cites the finding and sets nothing."""
    return _declared(Rule(id, title, severity, resolution))


def rule_for_a_value(id: str, title: str, severity: Severity, or_else: str = "") -> Rule:  # noqa: A002
    """Declare a rule whose findings no reason settles, only a value does. ``or_else`` is another way out, in words."""
    return _declared(Rule(id, title, severity, f"None: it must be set{or_else}.", needs_value=True))


def _declared(new: Rule) -> Rule:
    if new.id in RULES:
        raise ValueError(f"{new.id} is declared twice")
    RULES[new.id] = new
    return new


def in_order() -> list[Rule]:
    """All rules, by id."""
    return [RULES[key] for key in sorted(RULES)]


def context_of(policy: Policy, document: Document, today: date | None = None) -> Context:
    """The context in which ``policy``, read from ``document``, is linted."""
    return Context(document, profiles_of(policy), today)


def cited(policy: Policy, path: Path) -> tuple[str, ...]:
    """The clauses that the entry at ``path`` cites, or the nearest entry around it that cites any."""
    found: tuple[str, ...] = ()
    part: Any = policy
    for name in path[:2]:
        part = part.get(name) if isinstance(part, Mapping) else getattr(part, name.replace(" ", "_"), None)
        found = getattr(part, "cites", ()) or found
    return found


def _asked(rule_id: str, about: str, context: Context) -> list[Requirement]:
    """What the laws of the policy say about the rule: about the part that is named, if any of them speaks of it."""
    found = [item for law in context.profiles if (item := law.requirement(rule_id, about))]
    return [item for item in found if item.about == about] or found


def _by_law(rule_id: str, about: str, context: Context) -> Severity | None:
    stated = [item.severity for item in _asked(rule_id, about, context) if item.severity]
    return "error" if "error" in stated else next(iter(stated), None)


def _hint(rule_id: str, context: Context, flaw: Flaw) -> str:
    sources = [item.source for item in _asked(rule_id, flaw.about, context)]
    return f"{flaw.hint} ({'; '.join(sources)})".strip() if sources else flaw.hint
