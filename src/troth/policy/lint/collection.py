"""Data that is taken in: without need, or under the wrong name."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Data, Policy

anonymous = rule(
    "E-12", "Identifiers are called anonymous", "error", "They are treated as personal data, in every gate and clock."
)
unneeded = rule("E-16", "Data without a purpose or a need", "warning", "No purpose may read it.")

_IDENTIFIERS = ("IPAddress", "Cookie", "Device", "Identifier", "Fingerprint", "UID", "MACAddress", "AccountID")


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
        if idle and point.for_:
            message = f"`{key}` demands {_listed(idle)}, which none of its own purposes uses."
            yield Flaw(("collection", key), message, "Make it optional, ask for it later, or add the purpose.")


@unneeded
def form_for_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if point.kind != "visit" and point.required + point.optional and not point.for_:
            message = f"`{key}` takes {_listed([*point.required, *point.optional][:4])} for no purpose."
            yield Flaw(("collection", key, "for"), message, "Write `for:` and what it is needed for.", about="purpose")


@unneeded
def given_more_than_needed(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        needed = {name for purpose in recipient.for_ for name in policy.purposes[purpose].uses}
        beyond = [name for name in recipient.receives if name not in needed] if needed else []
        if beyond:
            message = f"`{key}` receives {_listed(beyond)}, which none of its purposes uses."
            yield Flaw(("recipients", key, "receives"), message, "Take it out of `receives`, or name the purpose.")


def _listed(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
