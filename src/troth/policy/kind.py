"""What a kind of promise is: everything that the language knows about it, in one object. ``kinds/`` has one file for each.

A kind says which promises the entries of its section make, which sentences tell them and where these stand in the notice,
which rules of the linter look at them, how much a change of them matters, which picture shows them and what they are in the
Data Privacy Vocabulary. What enforces and proves it is bound by the room that owns the act: ``troth.bindings.proves``. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from troth.policy.jsonld import Node
from troth.policy.lint.registry import Search
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.promises import Promise, Source
from troth.policy.words import Section

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker

Direction = Literal["more", "less"]
"""Whether the operator may do more or less with data."""


@dataclass(frozen=True)
class Telling:
    """A promise to be told: ``it`` is its entry, ``values`` what templates need besides."""

    promise: Promise
    policy: Policy
    speaker: Speaker
    it: Any
    at: date | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.promise.path[-1]


Teller = Callable[[Telling], Iterator[str]]
"""Looks at an entry and names the sentences it needs, in order: keys of ``say``, and of ``also`` written as ``+key``.

It decides nothing that ``rules`` does not decide in the same way: what the rules refuse, the sentence calls refused.
"""


def when(*pairs: tuple[object, str]) -> Iterator[str]:
    """The keys whose value says something."""
    return (key for value, key in pairs if value)


def always(key: str) -> Teller:
    """A teller for what is told in one way."""
    return lambda _: iter((key,))


@dataclass(frozen=True, slots=True)
class Bar:
    """One period in the picture of how long things stay; ``apart`` when it is kept apart from all else."""

    what: str
    keep: Period
    after: str
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """Something that goes from ``source`` to ``target``; ``width`` is how much, and it is dashed when somebody is ``asked``."""

    source: str
    target: str
    width: int
    asked: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """What a recipient gets, as bands of the picture of who receives what, and as a row of the table beside it."""

    bands: tuple[Band, ...]
    row: tuple[str, str, str]


def _nobody(_policy: Policy, _key: str) -> Iterable[str]:
    return ()


def _by_section(_entry: Mapping[str, Any]) -> Direction | None:
    return None


@dataclass(frozen=True)
class Weight:
    """How a change of a section is judged.

    ``significant``: it is about data, purposes, recipients or periods, so that a change counts whatever the policy says.
    ``protects``: its entries protect people, so that a new one lets the operator do less. ``judged``: what one entry lets the
    operator do where that is not the same for all, as one that promises never to do something. ``more`` and ``less``: keys
    whose growth lets the operator do more, or less. ``yes``: what a yes under a key lets the operator do. ``scales``: the words
    of a key, from the one that lets the operator do least, and the one that holds when it is blank. ``narrows``: lists that say
    whom or what an entry that rules something out is about, so that a longer one lets the operator do less, and a blank one,
    which means all, least; and when an entry is such a one. ``spans``: periods, and
    what a longer one lets the operator do. ``wording``: keys whose words may change without a change of what is promised.
    ``internal``: keys of which the notice says nothing. ``concerns``: the kinds of people whom an entry is about; none means
    everybody.
    """

    significant: bool = False
    protects: bool = False
    judged: Callable[[Mapping[str, Any]], Direction | None] = _by_section
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    yes: Mapping[str, Direction] = field(default_factory=dict)
    scales: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    narrows: tuple[tuple[str, ...], Callable[[Mapping[str, Any]], bool]] = ((), bool)
    spans: Mapping[str, Direction] = field(default_factory=dict)
    wording: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    concerns: Callable[[Policy, str], Iterable[str]] = _nobody


class Counts(Enum):
    """For what a key counts when it is neither in a rule, nor in a clock, nor looked at by the linter alone."""

    ROOM = "a room reads it, and names the function that does: ``troth.bindings.proves``"
    NOTICE = "it decides how the notice is made: what something is called, and where it stands"
    STATEMENT = "it is told to people as a statement, and nothing depends on it"
    PROOF = "its proof goes by it"
    WEIGHT = "it decides which changes are significant"
    EXPORT = "it is for other programs that read the policy"
    INTERNAL = "it is for the team"


ROOM, NOTICE, STATEMENT = Counts.ROOM, Counts.NOTICE, Counts.STATEMENT
PROOF, WEIGHT, EXPORT, INTERNAL = Counts.PROOF, Counts.WEIGHT, Counts.EXPORT, Counts.INTERNAL

Claim = Counts | Callable[..., Any]
"""For what a key counts: the function of the language that reads it (``rules``, ``clocks``, one of the linter's), or a word."""

OF_EVERY_ENTRY: Mapping[str, Claim] = {"cites": INTERNAL, "note": INTERNAL, "wording": INTERNAL}


@dataclass(frozen=True)
class Entries:
    """The section of ``policy.yaml`` that a kind owns, and for what each of its keys counts.

    ``model`` is that of a section which ``Policy`` does not name itself. ``many`` is for a mapping from ids to entries.
    """

    section: str
    weight: Weight = Weight()
    model: type[Section] | None = None
    many: bool = False
    keys: Mapping[str, Claim] = field(default_factory=dict)


Place = tuple[str, str]
"""Topic and group of the notice."""


@dataclass(frozen=True)
class Kind:
    """One kind of promise.

    ``order`` is its place among the promises of a policy. ``makes`` is None where another kind of the same entry makes its
    promises. ``entries`` is the section it owns; None where another kind owns it. ``no_lint``, ``no_picture`` and ``no_dpv``
    say why there is none. ``of_section``: it speaks of a whole section, so that where one entry comes from is not its own.
    """

    id: str
    order: int
    tell: Teller
    place: Place | Callable[[Any], Place]
    makes: Callable[[Source], Iterator[Promise]] | None = None
    entries: Entries | None = None
    lint: tuple[Search, ...] = ()
    no_lint: str = ""
    of_section: bool = False
    bars: Callable[[Policy, Speaker], Iterator[Bar]] | None = None
    flows: Callable[[Policy, Speaker], Iterator[Flow]] | None = None
    nodes: Callable[[Policy], Iterable[Node]] | None = None
    """nodes of its own in the Data Privacy Vocabulary"""
    process: Callable[[Policy, str], Mapping[str, list[Any]]] | None = None
    """what it adds to the process of one purpose, by the bare name of the property"""
    listing: Callable[[Telling], Iterator[tuple[str, str, str, bool]]] | None = None
    """a list below the sentence: label, text and address of each line"""

    def placed(self, entry: object) -> Place:
        """Topic and group of a promise of this kind about ``entry``."""
        return self.place(entry) if callable(self.place) else self.place
