"""Data that is taken in: without need, under the wrong name, or from children."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Data, Policy

anonymous = rule(
    "E-12", "Identifiers are called anonymous", "error", "They are treated as personal data, in every gate and clock."
)
unneeded = rule("E-16", "Data without a purpose or a need", "warning", "No purpose may read it.")
children = rule("E-22", "No rule for children", "warning", "Nobody is refused for their age.")

_IDENTIFIERS = ("IPAddress", "Cookie", "Device", "Identifier", "Fingerprint", "UID", "MACAddress", "AccountID")
_AGE = ("BirthDate", "DateOfBirth", "Age", "BirthYear")


def identifies(data: Data) -> bool:
    """Whether single people or their machines can be told apart by this data."""
    return data.identifies or any(word in data.category for word in _IDENTIFIERS)


@anonymous
def identifier_called_anonymous(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, data in policy.data.items():
        if data.claimed_anonymous and identifies(data) and not _said_of_visits(policy, key):
            message = f"`{key}` ({data.category}) is called anonymous, but it tells people apart."
            yield Flaw(("data", key), message, "Call it personal data, or cut it until it no longer does.")


@anonymous
def visits_called_anonymous(policy: Policy, context: Context) -> Iterator[Flaw]:
    visits = policy.visits
    if visits is None or not visits.claimed_anonymous:
        return
    telling = [name for name in visits.records if name in policy.data and identifies(policy.data[name])]
    left = [name for name in telling if not (visits.truncate_ip and _address(policy, name))]
    if left:
        message = f"visits are called anonymous, but they record {_listed(left)}."
        yield Flaw(("visits",), message, _until_anonymous(policy, left))


def _until_anonymous(policy: Policy, left: list[str]) -> str:
    cut = policy.visits is not None and not policy.visits.truncate_ip and all(_address(policy, name) for name in left)
    ways = "Leave it out, write `truncate ip: true`" if cut else f"Do not record {_listed(left)}"
    return f"{ways}, or call the records personal."


def _address(policy: Policy, name: str) -> bool:
    return "IPAddress" in policy.data[name].category


def _said_of_visits(policy: Policy, name: str) -> bool:
    """Whether the finding about visits says it already: the data comes in with visits only."""
    visits = policy.visits
    elsewhere = any(name in point.required + point.optional for point in policy.collection.values())
    return bool(visits and visits.claimed_anonymous and name in visits.records and not elsewhere)


@anonymous
def statistics_of_one(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, statistic in policy.statistics.items():
        if statistic.minimum_cell is None:
            message = f"`{key}` names no smallest group; a group of one is a person."
            yield Flaw(("statistics", key), message, "Write `minimum cell: 10`, or another number.", "warning")


@unneeded
def data_no_purpose_uses(policy: Policy, context: Context) -> Iterator[Flaw]:
    used = {name for purpose in policy.purposes.values() for name in purpose.uses}
    used |= {name for clock in policy.statistics.values() for name in clock.by}
    taken = {n: k for k, point in policy.collection.items() for n in point.required + point.optional}
    for name in policy.data:
        if name in taken and name not in used:
            message = f"`{taken[name]}` takes `{name}`, but no purpose uses it."
            cites = policy.collection[taken[name]].cites
            yield Flaw(("data", name), message, "Name a purpose that uses it, or do not ask for it.", cites=cites)


@unneeded
def data_not_needed_here(policy: Policy, context: Context) -> Iterator[Flaw]:
    everywhere = {name for purpose in policy.purposes.values() for name in purpose.uses}
    for key, point in policy.collection.items():
        here = {name for purpose in point.for_ for name in policy.purposes[purpose].uses}
        idle = [name for name in dict.fromkeys(point.required) if name in everywhere and name not in here]
        if idle:
            message = f"`{key}` demands {_listed(idle)}, which none of its own purposes uses."
            yield Flaw(("collection", key), message, "Make it optional, ask for it later, or add the purpose.")


@children
def nothing_about_children(policy: Policy, context: Context) -> Iterator[Flaw]:
    if not policy.people or any(people.minimum_age is not None for people in policy.people.values()):
        return
    ages = [key for key, data in policy.data.items() if any(data.category.endswith(word) for word in _AGE)]
    known = f", although {_listed(ages)} tells who is a child" if ages else ""
    message = f"nothing says from which age on people may give their data{known}."
    cites = tuple(cite for key in ages for cite in policy.data[key].cites)
    yield Flaw(("people",), message, "Write `minimum age: 16` for the people concerned.", cites=cites)


def _listed(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
