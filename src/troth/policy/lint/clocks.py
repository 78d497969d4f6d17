"""How long data is kept: clocks that are missing, endless or at odds with each other."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.clocks import REQUEST_LOG, STAFF_LOG, Clock, clocks
from troth.policy.closed import EVERYTHING
from troth.policy.happenings import AGES, withdrawn
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy, Relationship

retention = rule(
    "E-05",
    "Retention is missing, endless or clashing",
    "error",
    "Of two clocks the shorter one rules; visits without a period are not recorded.",
)
BIRTH = "pd:BirthDate"
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
        if clock.keep is None and not clock.until:
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
            hint = f"Write a clock for `{EVERYTHING.spelt(kind)}` under `retention`."
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
        for kind in _people_of(policy, clock) if "relationship ends" in clock.after else ():
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
            if first.keep == second.keep or first.at_once or second.at_once or not first.covers & second.covers:
                continue
            short, long = sorted((first, second), key=lambda clock: clock.keep)
            same_start = (short.after, short.year) == (long.after, long.year)
            message = f"`{long.id}` keeps for {long.keep} what `{short.id}` keeps for {short.keep}" + (
                "; the shorter one rules." if same_start else f" (after {_said(long)} and {_said(short)})."
            )
            hint = "Write one clock, or narrow one of them with `points` or `people`."
            cites = policy.retention[short.id].cites
            yield Flaw(("retention", long.id), message, hint, None if same_start else "warning", cites)


def _said(clock: Clock) -> str:
    events = f" {'and' if clock.later else 'or'} ".join(clock.after)
    return events if clock.year is None else f"the end of the year of {events}"


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
    timed = {word for clock in policy.retention.values() if clock.keep or clock.until for word in clock.what}
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


@retention
def financial_year_that_nobody_knows(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, clock in policy.retention.items():
        if clock.counted_from == "end of financial year" and policy.operator.financial_year_ends is None:
            message = f"`{key}` counts from the end of the financial year, and nothing says when that is."
            hint = "Write `operator.financial year ends: 31 March`, or another day; till then it is the calendar's."
            yield Flaw(("retention", key, "counted from"), message, hint)


@retention
def events_of_which_nobody_knows_which_counts(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, clock in policy.retention.items():
        several = len(clock.until or clock.after) > 1
        if several and not clock.whichever:
            message = f"`{key}` counts from several events, and nothing says which."
            yield Flaw(("retention", key), message, "Write `whichever: earlier`, or `later`.")
        elif clock.whichever and not several:
            message = f"`{key}` counts from one event, so there is no {clock.whichever} one."
            yield Flaw(("retention", key, "whichever"), message, "Leave out `whichever`.", "warning")


@retention
def age_of_people_whose_birth_nobody_knows(policy: Policy, context: Context) -> Iterator[Flaw]:
    births = {key for key, data in policy.data.items() if data.category == BIRTH}
    for clock in clocks(policy):
        ages = [word for word in clock.after if word in AGES]
        for kind in _people_of(policy, clock) if ages else ():
            points = [point for point in policy.collection.values() if point.people == kind]
            if not any(births & {*point.required, *point.optional} for point in points):
                message = f"`{clock.id}` goes by the age of `{kind}`, and no form asks for their date of birth."
                yield Flaw(("retention", clock.id), message, "Ask for a field of the category `pd:BirthDate`.")


@retention
def withdrawal_of_what_nobody_agreed_to(policy: Policy, context: Context) -> Iterator[Flaw]:
    for clock in clocks(policy):
        for purpose in filter(None, map(withdrawn, clock.after)):
            entry = policy.purposes[purpose]
            if entry.basis != "consent" and not entry.opt_out and not entry.marketing:
                message = f"`{clock.id}` waits for a no to `{purpose}`, which nobody is asked about."
                yield Flaw(("retention", clock.id), message, "Name a purpose that rests on consent.")


@retention
def data_that_may_stay_for_ever(policy: Policy, context: Context) -> Iterator[Flaw]:
    """Events that may never come end nothing by themselves."""
    running = [clock for clock in clocks(policy) if not clock.archive]
    sure = {pair for clock in running if not _may_never_come(policy, clock) for pair in clock.covers}
    for clock in running:
        left = list(dict.fromkeys(name for _, name in sorted(clock.covers - sure)))
        if left and _may_never_come(policy, clock):
            message = f"`{clock.id}` alone ends {_listed(left)}, and what it counts from may never happen."
            yield Flaw(
                ("retention", clock.id), message, "Write another clock for it, such as one after collection.", "warning"
            )


def _may_never_come(policy: Policy, clock: Clock) -> bool:
    unsure = [word in getattr(policy, "events", {}) or withdrawn(word) is not None for word in clock.after]
    return any(unsure) if clock.later else all(unsure)
