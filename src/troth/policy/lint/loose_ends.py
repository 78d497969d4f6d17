"""Entries that do not meet: data that nothing takes in, clocks that never start, mail that cannot be sent."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.clocks import REQUEST_LOG, STAFF_LOG, people_meant
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy

loose = rule("E-35", "Entries that do not meet", "warning", "Nothing happens where two entries do not meet.")
_LOGS = frozenset({REQUEST_LOG, STAFF_LOG})


def taken_in(policy: Policy) -> set[str]:
    """Every field that comes in anywhere."""
    found = {name for point in policy.collection.values() for name in point.required + point.optional}
    found.update(name for cookie in policy.cookies.values() for name in cookie.holds)
    return found.union(
        policy.visits.records if policy.visits else (), policy.request_log.records if policy.request_log else ()
    )


@loose
def data_that_never_comes_in(policy: Policy, context: Context) -> Iterator[Flaw]:
    came = taken_in(policy)
    used = {name for purpose in policy.purposes.values() for name in purpose.uses}
    used.update(name for recipient in policy.recipients.values() for name in recipient.receives)
    for key, data in policy.data.items():
        if policy.collection and key in used - came and data.protect != "never stored":
            message = f"`{key}` is used, and no form, import, visit or cookie takes it in."
            yield Flaw(("data", key), message, "Ask for it at a collection point, or take it out of the uses.")


@loose
def data_that_is_never_there(policy: Policy, context: Context) -> Iterator[Flaw]:
    never = {key for key, data in policy.data.items() if data.protect == "never stored"}
    uses = [(("purposes", key), one.uses, "uses") for key, one in policy.purposes.items()]
    uses += [(("recipients", key), one.receives, "receives") for key, one in policy.recipients.items()]
    for path, names, verb in uses:
        if lost := sorted(never.intersection(names)):
            message = f"`{path[1]}` {verb} {_listed(lost)}, which is never stored."
            yield Flaw(path, message, f"Take it out of `{verb}`.")


@loose
def mail_that_cannot_be_sent(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, message in policy.messages.items():
        if all("EmailAddress" not in policy.data[name].category for name in message.uses if name in policy.data):
            says = f"`{key}` uses no e-mail address, so it reaches nobody."
            yield Flaw(("messages", key, "uses"), says, "Add the e-mail address to `uses`.")
        beyond = [name for name in message.uses if name not in policy.purposes[message.for_].uses]
        if beyond and policy.purposes[message.for_].uses:
            says = f"`{key}` uses {_listed(beyond)}, which its purpose `{message.for_}` does not."
            yield Flaw(("messages", key), says, f"Add it to `uses` of `{message.for_}`, or take it out of the message.")


@loose
def clock_of_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, clock in policy.retention.items():
        if not policy.collection or _LOGS & set(clock.what):
            continue
        kinds = {kind for word in clock.what if (kind := people_meant(word))}
        points = [point for name, point in policy.collection.items() if not clock.points or name in clock.points]
        points = [point for point in points if not clock.people or point.people == clock.people]
        if not any(point.people in kinds or set(clock.what) & {*point.required, *point.optional} for point in points):
            message = f"the clock `{key}` covers nothing that comes in."
            yield Flaw(("retention", key, "what"), message, "Name data or people of a collection point.")


@loose
def clock_that_never_starts(policy: Policy, context: Context) -> Iterator[Flaw]:
    accounts = any(point.kind == "account" for point in policy.collection.values())
    for key, clock in policy.retention.items():
        if "account closed" in (*clock.after, *clock.until) and not accounts:
            message = f"the clock `{key}` starts when an account is closed, and nobody can open one."
            yield Flaw(
                ("retention", key, "after"), message, "Write another `after`, or a point of kind `account`.", "error"
            )
    met = {point.people for point in policy.collection.values()}
    for kind in policy.relationship:
        if policy.collection and kind not in met:
            message = f"business with `{kind}` never begins: no collection point is about them."
            yield Flaw(("relationship", kind), message, "Take it away, or name them at a collection point.")


@loose
def purpose_of_other_people(policy: Policy, context: Context) -> Iterator[Flaw]:
    about: dict[str, set[str]] = {}
    for point in policy.collection.values():
        for name in point.required + point.optional:
            about.setdefault(name, set()).add(point.people)
    for key, purpose in policy.purposes.items():
        others = [name for name in purpose.uses if name in about and not about[name] & set(purpose.people)]
        if purpose.people and others:
            message = f"`{key}` concerns {_listed(purpose.people)}, and {_listed(others)} comes from others only."
            yield Flaw(("purposes", key), message, "Correct its `people`, or take the data out of `uses`.")


@loose
def statistic_of_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    recorded = set(policy.visits.records) if policy.visits else set()
    held = {name for point in policy.collection.values() for name in point.required + point.optional}
    for key, statistic in policy.statistics.items():
        there = recorded if statistic.from_ == "visits" else held
        missing = [name for name in statistic.by if name != "day" and name not in there]
        if missing and policy.collection:
            message = f"`{key}` counts by {_listed(missing)}, which {statistic.from_} do not hold."
            yield Flaw(("statistics", key, "by"), message, "Correct `by` or `from`.")


@loose
def statistic_for_nobody(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, statistic in policy.statistics.items():
        told = {name for name, recipient in policy.recipients.items() if recipient.receives_aggregates}
        refused = [name for name in statistic.shared_with if name not in told]
        if refused:
            message = (
                f"`{key}` is shared with {_listed(refused)}, of whom the policy does not say that they receive figures."
            )
            yield Flaw(("statistics", key, "shared with"), message, "Write `receives aggregates: true` there.")
        recorded = policy.visits.for_ if policy.visits else ()
        uses = {name: {*purpose.uses} for name, purpose in policy.purposes.items()}
        idle = [
            name
            for name in statistic.for_
            if name not in recorded and not {*statistic.by} - {"day"} <= uses.get(name, set())
        ]
        if idle:
            message = f"`{key}` is counted for {_listed(idle)}, which may not read what it counts by."
            yield Flaw(
                ("statistics", key, "for"), message, "Name the data under `uses` of the purpose, or correct `for`."
            )


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
