"""``events``: what the business reports, so that periods can count from it: a claim that is settled, a course that is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field

from troth.policy.kind import NOTICE, Claim, Entries, Kind, Weight, always
from troth.policy.lint.loose_ends import loose
from troth.policy.lint.registry import Context, Flaw
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source
from troth.policy.words import Entry, Text


class Event(Entry):
    """``events``: one event that the business reports about a person."""

    label: Text = Field(description="as a clause, such as `your claim is settled`")


def events_of(policy: Policy) -> Mapping[str, Event]:
    """The events of the policy's own, by id."""
    found: Mapping[str, Event] = getattr(policy, "events", {})
    return found


def _makes(source: Source) -> Iterator[Promise]:
    for key, entry in events_of(source.policy).items():
        yield source.promise("event.noted", ("events", key), entry)


@loose
def event_that_starts_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    counted = {word for clock in policy.retention.values() for word in (*clock.after, *clock.until)}
    for key in events_of(policy):
        if key not in counted:
            yield Flaw(
                ("events", key), f"no period counts from `{key}`.", "Name it in `after` of a clock, or leave it out."
            )


KEYS: Mapping[str, Claim] = {"label": NOTICE}

KIND = Kind(
    id="event.noted",
    order=132,
    makes=_makes,
    tell=always("noted"),
    place=("how long", "clocks"),
    lint=(event_that_starts_nothing,),
    entries=Entries("events", Weight(wording=("label",)), model=Event, many=True, keys=KEYS),
)
