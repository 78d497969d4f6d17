"""Periods that are there, and too long to be needed: visits, silence, clocks, links, and holds without an end."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.clocks import REQUEST_LOG
from troth.policy.lint.clocks import retention
from troth.policy.lint.collection import identifies
from troth.policy.lint.notice import breach
from troth.policy.lint.registry import Context, Flaw
from troth.policy.model import Policy
from troth.policy.periods import Period

LONGEST_LOG = Period(366, "day")
"""how long a log that tells people apart is of use to anybody (CNIL, 2021-122: six months to a year)"""
LONGEST_CLOCK = Period(10, "year")
"""the longest period that commercial law commonly asks for; a longer one names its reason"""
LONGEST_LINK = Period(7, "day")


@retention
def visits_kept_for_years(policy: Policy, context: Context) -> Iterator[Flaw]:
    visits = policy.visits
    if visits is None or not visits.recording or visits.keep is None or visits.keep <= LONGEST_LOG:
        return
    telling = [name for name in visits.records if name in policy.data and identifies(policy.data[name])]
    whole = [name for name in telling if not (visits.truncate_ip and "IPAddress" in policy.data[name].category)]
    if whole:
        named = ", ".join(f"`{name}`" for name in whole)
        message = f"each visit is kept for {visits.keep} with {named}, which tells people apart."
        yield Flaw(("visits", "keep"), message, "Write `keep: 90 days`, or record less.", "warning", about="too long")


@retention
def clock_that_runs_for_decades(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, clock in policy.retention.items():
        if clock.keep and clock.keep > LONGEST_CLOCK and not clock.because:
            message = f"`{key}` keeps data for {clock.keep}, and nothing says why so long."
            yield Flaw(
                ("retention", key, "keep"), message, "Shorten it, or write `because:`.", "warning", about="too long"
            )
    for kind, relation in policy.relationship.items():
        if "silence" in relation.ends and relation.silence and relation.silence > LONGEST_CLOCK:
            message = f"business with `{kind}` ends after {relation.silence} of silence."
            yield Flaw(("relationship", kind, "silence"), message, "Shorten it.", "warning", about="too long")


@retention
def hold_without_an_end(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, ground in policy.legal.items():
        if ground.act == "keep" and "end" not in ground.needs:
            message = f"`{key}` lets data be kept back, and asks for no end of it."
            hint = f"Write `needs: [{', '.join((*ground.needs, 'end'))}]`."
            yield Flaw(("legal", key, "needs"), message, hint)


@breach
def link_that_stays_open(policy: Policy, context: Context) -> Iterator[Flaw]:
    log = policy.request_log
    if log and log.link_life and log.link_life > LONGEST_LINK:
        message = f"a link that opens somebody's data works for {log.link_life}."
        yield Flaw((REQUEST_LOG, "link life"), message, "Write `link life: 3 days`.", about="link")
