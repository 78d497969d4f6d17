"""How long data is kept: clocks that are missing, endless or at odds with each other."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.clocks import REQUEST_LOG, STAFF_LOG, Clock, clocks
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy, Relationship

retention = rule(
    "E-05",
    "Retention is missing, endless or clashing",
    "error",
    "Of two clocks the shorter one rules; visits without a period are not recorded.",
)
_BY_THE_PERSON = ("notice", "cancel", "closed", "request", "objection")


@retention
def visits_without_an_end(policy: Policy, context: Context) -> Iterator[Flaw]:
    if policy.visits and policy.visits.recording and policy.visits.keep is None:
        message = "visits are recorded, but nothing says for how long they are kept."
        yield Flaw(("visits",), message, "Write `keep: 30 days`, or another period.")


@retention
def clock_without_a_period(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, clock in policy.retention.items():
        path, kind = ("retention", key), "archive" if clock.archive else "clock"
        if clock.keep is None:
            yield Flaw(path, f"the {kind} `{key}` never ends: it has no period.", "Write `keep:` and a period.")
        elif clock.archive and not clock.because:
            yield Flaw(path, f"the archive `{key}` names no legal reason.", "Write `because:` and the duty it serves.")


@retention
def data_that_no_clock_covers(policy: Policy, context: Context) -> Iterator[Flaw]:
    covered = {pair for clock in clocks(policy) if not clock.archive for pair in clock.covers}
    for kind in dict.fromkeys(point.people for point in policy.collection.values()):
        data = _kept(policy, kind, covered)
        if data:
            message = f"nothing says when this data of `{kind}` ends: {_listed(data)}."
            article = "an" if kind[0] in "aeiou" else "a"
            hint = f"Write a clock for `everything about {article} {kind}` under `retention`."
            yield Flaw(("people", kind), message, hint, cites=_cites(policy, kind))


def _kept(policy: Policy, kind: str, covered: set[tuple[str, str]]) -> list[str]:
    return list(
        dict.fromkeys(
            name
            for key, point in policy.collection.items()
            if point.people == kind
            for name in point.required + point.optional
            if (key, name) not in covered and not _never_stored(policy, name)
        )
    )


def _never_stored(policy: Policy, name: str) -> bool:
    return name in policy.data and policy.data[name].protect == "never stored"


def _cites(policy: Policy, kind: str) -> tuple[str, ...]:
    return tuple(c for point in policy.collection.values() if point.people == kind for c in point.cites)


def _listed(words: list[str]) -> str:
    shown = ", ".join(f"`{word}`" for word in words[:12])
    return f"{shown} and {len(words) - 12} more" if len(words) > 12 else shown


@retention
def relationship_that_never_ends(policy: Policy, context: Context) -> Iterator[Flaw]:
    for clock in clocks(policy):
        for kind in _people_of(policy, clock) if clock.after == "relationship ends" else ():
            if kind not in policy.relationship:
                message = (
                    f"the clock `{clock.id}` starts when business with `{kind}` ends, but nothing says when that is."
                )
                yield Flaw(("retention", clock.id), message, f"Write `relationship.{kind}` with what `ends` it.")
    for kind, relation in policy.relationship.items():
        yield from _endless(kind, relation)


def _endless(kind: str, relation: Relationship) -> Iterator[Flaw]:
    path = ("relationship", kind)
    if not relation.ends:
        yield Flaw(path, f"business with `{kind}` never ends.", "Write `ends:` and what ends it.")
    elif "silence" in relation.ends and relation.silence is None:
        message = f"business with `{kind}` ends by silence, but nothing says after how much."
        yield Flaw(path, message, "Write `silence: 1 year`, or another period.")
    elif all(any(word in end for word in _BY_THE_PERSON) for end in relation.ends):
        message = f"business with `{kind}` ends only if the person acts; silent people are kept without end."
        yield Flaw(path, message, "Add `silence` to `ends`, with a period.", "warning")


def _people_of(policy: Policy, clock: Clock) -> list[str]:
    """Everybody whose data the clock covers, once each, in the order of the collection points."""
    covered = {point for point, _ in clock.covers}
    return list(dict.fromkeys(point.people for key, point in policy.collection.items() if key in covered))


@retention
def clocks_at_odds(policy: Policy, context: Context) -> Iterator[Flaw]:
    running = [clock for clock in clocks(policy) if not clock.archive]
    for number, first in enumerate(running):
        for second in running[number + 1 :]:
            if first.keep == second.keep or not first.covers & second.covers:
                continue
            short, long = sorted((first, second), key=lambda clock: clock.keep)
            same_start = short.after == long.after
            message = f"`{long.id}` keeps for {long.keep} what `{short.id}` keeps for {short.keep}" + (
                "; the shorter one rules." if same_start else f" (after {long.after} and {short.after})."
            )
            hint = "Write one clock, or narrow one of them with `points` or `people`."
            cites = policy.retention[short.id].cites
            yield Flaw(("retention", long.id), message, hint, None if same_start else "warning", cites)


@retention
def archive_that_erasure_does_not_know(policy: Policy, context: Context) -> Iterator[Flaw]:
    if policy.erasure is None or policy.erasure.may_keep:
        return
    for key, clock in policy.retention.items():
        if clock.archive:
            message = f"the archive `{key}` keeps what erasure promises to destroy without exception."
            hint = "Name the exception under `erasure.may keep`."
            yield Flaw(("retention", key), message, hint, cites=policy.erasure.cites)


@retention
def erasure_without_a_deadline(policy: Policy, context: Context) -> Iterator[Flaw]:
    promised = any(right.right == "erasure" for right in policy.rights.values())
    if (promised or policy.erasure) and (policy.erasure is None or policy.erasure.destroy_within is None):
        message = "deletion is promised, but nothing says by when data is destroyed."
        yield Flaw(("erasure",), message, "Write `destroy within: 20 days`, or another period.")


@retention
def logs_without_an_end(policy: Policy, context: Context) -> Iterator[Flaw]:
    timed = {word for clock in policy.retention.values() if clock.keep for word in clock.what}
    log = policy.request_log
    if log and log.keep is None and REQUEST_LOG not in timed:
        message = "requests are logged, but nothing says for how long."
        yield Flaw((REQUEST_LOG,), message, "Write `keep: 175 days`, or another period.")
    for key, measure in policy.security.items():
        if measure.check == "login log" and STAFF_LOG not in timed:
            message = f"`{key}` records the staff's log-ins, but nothing says for how long."
            yield Flaw(("security", key), message, "Write a clock for `staff log` under `retention`.")


@retention
def log_that_outlives_the_person(policy: Policy, context: Context) -> Iterator[Flaw]:
    log, erasure = policy.request_log, policy.erasure
    if log is None or erasure is None or log.keep is None or erasure.destroy_within is None:
        return
    named = [name for name in log.records if name in policy.data]
    if named and log.keep > erasure.destroy_within:
        message = (
            f"an erased person's {_listed(named)} stays in the request log for {log.keep}; "
            f"the erasure is done within {erasure.destroy_within}."
        )
        yield Flaw((REQUEST_LOG,), message, "Say so in `erasure.may keep`, or keep the log shorter.", "warning")


@retention
def cookie_that_outlives_the_visit_log(policy: Policy, context: Context) -> Iterator[Flaw]:
    visits = policy.visits
    for key, cookie in policy.cookies.items() if visits and visits.keep else ():
        shared = [name for name in cookie.holds if visits and name in visits.records]
        if shared and visits and visits.keep and cookie.life and cookie.life > visits.keep:
            message = f"`{key}` holds {_listed(shared)} for {cookie.life}; the visit log promises {visits.keep}."
            yield Flaw(("cookies", key), message, "Shorten its `life`.", cites=visits.cites)
