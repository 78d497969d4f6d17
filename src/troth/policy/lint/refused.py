"""What a policy permits and a *never* or an *only* of it refuses, found by asking the rules themselves.

Searches that know the sections find more than this (a tracker, a store abroad) and say it better. This one forgets nothing:
an entry that the rules refuse for a sentence is a contradiction, whatever kind of entry it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from troth.decide import Rule, Words
from troth.policy.acts import READ_VISITS
from troth.policy.assurances import Absolute
from troth.policy.findings import Path
from troth.policy.model import Policy
from troth.policy.prohibitions import DISCLOSE, concerned, prohibited
from troth.policy.rules import permits


@dataclass(frozen=True, slots=True)
class Against:
    """One entry that contradicts an absolute: where it stands and what it does."""

    path: Path
    does: str
    cites: tuple[str, ...]


class Permitted:
    """What a policy permits, ready to be held against each of its sentences; by the data, so that few are looked at."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._all = sorted(permits(policy), key=lambda one: (one.id, sorted(one.acts or ()), repr(one)))
        self._of: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self._all):
            for name in ("",) if one.fields is None else one.fields:
                self._of[name].append(number)

    def against(self, key: str, absolute: Absolute) -> Iterator[Against]:
        """Each entry by which something is permitted that the sentence refuses, whatever else is true."""
        forbids = list(prohibited(self._policy, key, absolute, self._all))
        seen: set[Path] = set()
        for permit in self._about(absolute):
            path = _path(permit)
            meets = None if path in seen else next((one for one in forbids if _meets(one, permit)), None)
            if meets is not None and concerns(self._policy, absolute, _data(self._policy, permit)):
                seen.add(path)
                yield Against(path, _does(self._policy, absolute, permit, meets), _cites(self._policy, path))

    def _about(self, absolute: Absolute) -> Iterator[Rule]:
        about = concerned(self._policy, absolute)
        if about is None:
            return iter(self._all)
        numbers = {number for name in ("", *about) for number in self._of.get(name, ())}
        return (self._all[number] for number in sorted(numbers))


def concerns(policy: Policy, absolute: Absolute, data: Iterable[str]) -> bool:
    """Whether the absolute is about any of ``data``; named people stand for all that is collected about them."""
    about = concerned(policy, absolute)
    return any(True for _ in data) if about is None else not about.isdisjoint(data)


def _meets(forbid: Rule, permit: Rule) -> bool:
    """Whether ``forbid`` refuses something that ``permit`` allows, though all that it waits for is so."""
    if forbid.requires or (forbid.recipients is not None and permit.recipients is None):
        return False  # whether it pays is another search's; so are cases in which anybody may be given something
    facts = permit.requires | _live(permit)
    same = ((forbid.acts, permit.acts), (forbid.purposes, permit.purposes), (forbid.recipients, permit.recipients))
    sorts = (*same, (forbid.fields, permit.fields), (forbid.people, permit.people))
    return forbid.unless.isdisjoint(facts) and all(_both(one, other) for one, other in sorts)


def _live(permit: Rule) -> frozenset[str]:
    """The fact ``consent``, with which whoever gives data away asks when the person agreed to just that."""
    scopes = (*(permit.purposes or ()), *(f"@{one}" for one in permit.recipients or ()))
    asked = {f"consent:{one}" for one in scopes}
    return frozenset({"consent"}) if DISCLOSE in (permit.acts or ()) and asked & permit.requires else frozenset()


def _both(one: Words, other: Words) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


def _path(permit: Rule) -> Path:
    section, _, key = permit.id.partition(".")
    return (section,) if section == "visits" else (section, key)


def _data(policy: Policy, permit: Rule) -> Iterable[str]:
    if permit.fields is not None:
        return sorted(permit.fields)
    cookie = policy.cookies.get(_path(permit)[-1]) if "cookie" in (permit.acts or ()) else None
    return cookie.holds if cookie else policy.data


def _cites(policy: Policy, path: Path) -> tuple[str, ...]:
    entry = getattr(policy, path[0])
    return tuple((entry if len(path) == 1 else entry[path[1]]).cites)


_SAYS = {
    "collect": "takes in {data}",
    "record": "records {data}",
    "cookie": "holds {data}",
    "read": "reads {data}",
    READ_VISITS: "lets visits be read ({data})",
    "count": "counts {data}",
    "send": "sends messages with {data}",
    "disclose": "gives away {data}",
    "transfer controller": "hands over {data}",
}


def _does(policy: Policy, absolute: Absolute, permit: Rule, forbid: Rule) -> str:
    act = min((forbid.acts or frozenset()) & (permit.acts or frozenset()))
    data = ["everything"] if permit.fields is None and permit.id.startswith("legal.") else _data(policy, permit)
    about = [one for one in data if one == "everything" or concerns(policy, absolute, (one,))]
    said = _SAYS.get(act, f"permits to {act} {{data}}").format(data=in_words(about))
    return said if permit.id.partition(".")[0] not in ("visits", "legal") else f"{said}{_case(permit, forbid)}"


def _case(permit: Rule, forbid: Rule) -> str:
    common = (permit.purposes or frozenset()) & (forbid.purposes or permit.purposes or frozenset())
    return f" for {in_words(sorted(common))}"


def in_words(words: Iterable[str]) -> str:
    """The first four of ``words`` in backquotes, and how many more there are."""
    listed = list(words)
    shown = ", ".join(f"`{word}`" for word in listed[:4])
    return f"{shown} and {len(listed) - 4} more" if len(listed) > 4 else shown
