"""A checked policy, compiled: its promises, the rules that decide, the clocks that run. Pure; made once for a version."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from troth.decide import Ask, Decision, RuleSet
from troth.policy.announced import Announced
from troth.policy.clocks import Clock, clocks
from troth.policy.findings import Path, Place
from troth.policy.kinds import promises
from troth.policy.model import Policy
from troth.policy.periods import Calendar
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules
from troth.policy.uses import Uses, uses
from troth.policy.zones import calendar_of

Made = TypeVar("Made")


@dataclass(frozen=True)
class Compiled:
    """A policy version ready to run."""

    policy: Policy
    promises: tuple[Promise, ...]
    rules: RuleSet
    clocks: tuple[Clock, ...]
    follows: Announced | None = field(default=None, compare=False)
    """how this version was announced; None for the first one, and where the archive was not asked"""
    later: tuple[Announced, ...] = field(default=(), compare=False)
    """the versions that are published and follow this one, in the order of their effect, as far as is known"""
    _uses: dict[tuple[str, frozenset[str]], Uses] = field(default_factory=dict, repr=False, compare=False)
    _once: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def version(self) -> int:
        return self.policy.policy.version

    @property
    def coming(self) -> Announced | None:
        """The version that takes effect next."""
        return self.later[0] if self.later else None

    def announced(self, now: datetime) -> tuple[Announced, ...]:
        """The changes that people are told of at ``now``: all that come, the next first, or the last one while it is new."""
        if self.later:
            return self.later
        return (self.follows,) if self.follows is not None and self.follows.runs(now) else ()

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` gives of this version alone; worked out the first time and then remembered under ``key``."""
        if key not in self._once:
            self._once[key] = make()
        made: Made = self._once[key]
        return made

    def decide(self, ask: Ask) -> Decision:
        """What this version answers to ``ask``."""
        return self.rules.decide(ask)

    def uses(self, point: str, fields: frozenset[str]) -> Uses:
        """What this version says of ``fields`` that came in at ``point``; worked out once for each kind of holding."""
        found = self._uses.get((point, fields))
        if found is None:
            found = self._uses[point, fields] = uses(self.policy, self.clocks, point, fields)
        return found

    @cached_property
    def calendar(self) -> Calendar:
        """By which its periods end."""
        return calendar_of(self.policy)

    @cached_property
    def by_id(self) -> Mapping[str, Promise]:
        """Promises by their id."""
        return {promise.id: promise for promise in self.promises}

    @cached_property
    def never_stored(self) -> frozenset[str]:
        """Fields that no store may ever hold."""
        return frozenset(key for key, data in self.policy.data.items() if data.protect == "never stored")

    @cached_property
    def identifying(self) -> frozenset[str]:
        """Fields by which a person can be found."""
        return frozenset(key for key, data in self.policy.data.items() if data.identifies)


def compile_policy(
    policy: Policy, places: Mapping[Path, Place] | None = None, origins: Mapping[Path, str] | None = None
) -> Compiled:
    """Compile ``policy``; ``places`` and ``origins`` let promises say where they stand and where they come from."""
    source = Source(policy, places or {}, origins or {})
    return Compiled(policy, promises(source), RuleSet(rules(policy)), clocks(policy))
