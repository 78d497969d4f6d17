"""A rehearsal as one document, for programs, for the page and for the terminal; with a JSON Schema of its own.

``troth schema rehearsal`` prints the schema; within one major version of Troth fields are added and never taken away.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.verdicts import Verdict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromiseRow(_Part):
    """One promise at the end, as `troth prove --json` has it."""

    id: str
    kind: str
    cites: list[str] = Field(description="clauses of the policy that it makes true")
    sentence: str
    verdict: Verdict
    proof: str = Field(
        description="how it was proven: query, reconciliation, replay, canary, construction, probe or attestation"
    )
    limit: str
    measured: str
    evidence: str
    differences: list[int] = Field(
        description="numbers of the changed records that it rests on, as `troth prove` lists them"
    )
    uncovered: list[str] = Field(description="parts of the sentence that no proof measures")
    checked_at: str


class DayRow(_Part):
    """What there was at the end of one day."""

    day: int = Field(description="counted from 0")
    at: str
    held: dict[str, int] = Field(description="records in use, by collection point")
    quarantined: int
    visits: int
    people: int
    destroyed: int = Field(description="records destroyed on that day")


class EventRow(_Part):
    """One event, as a line of a file for `--events` has it, and in words."""

    number: int
    day: int
    part: float = Field(description="of the day, from 0 up to 1")
    act: str
    who: int | None = Field(description="the number of a made-up person")
    what: str
    count: int
    details: dict[str, str]
    says: str


class Shortest(_Part):
    """The shortest list of events found that brings a violation about."""

    events: list[EventRow]
    days: int = Field(description="how many days must be lived")
    minimal: bool = Field(description="no single event can be left out; false when the search was cut short")
    runs: int = Field(description="lists that were tried")
    replay: str = Field(description="the command that lives them again; blank when they were not written to a file")


class ViolationRow(_Part):
    """One thing that went wrong, however often."""

    kind: Literal["promise", "lost", "outlived", "let out", "refused", "ledger", "alarm", "failed"]
    about: str = Field(description="a promise, clock, collection point or task")
    day: int = Field(description="the first day on which it was found")
    at: str
    says: str
    days: int = Field(description="on how many days it was found")
    shortest: Shortest | None = Field(description="null when it did not come again, or was not looked for")


class FlipRow(_Part):
    """Decisions that come out otherwise under the draft."""

    act: str
    what: str
    for_: str = Field(alias="for", description="the purpose, or the state of a choice")
    before: Literal["done", "refused", "passed over"]
    after: Literal["done", "refused", "passed over"]
    count: int
    of: int = Field(description="how often it was tried")
    because: list[str] = Field(description="the promises of the draft that decide")


class MovedRow(_Part):
    """Records of one collection point that go at another time under the draft; spans in days."""

    point: str
    fields: list[str] = Field(description="data of which this is so in some of the records")
    direction: Literal["earlier", "later"]
    records: int
    of: int
    least: float
    middle: float = Field(description="the median")
    most: float
    still: int = Field(description="of which the later end lies after the last day, so that their span is the least")


class VerdictRow(_Part):
    """A promise that is proven otherwise under the draft; `before` is blank when only the draft makes it."""

    id: str
    sentence: str
    before: str
    after: str


class DraftRow(_Part):
    """What the draft would have done with the same life."""

    answer: str
    versions: list[int] = Field(description="of the published policy and of the draft")
    same: bool = Field(description="nothing came out otherwise")
    says: dict[str, list[str]] = Field(description="all of it in sentences, by topic")
    lines: dict[str, str] = Field(description="the lines of the draft that decide: where each stands, and its sentence")
    flips: list[FlipRow]
    moved: list[MovedRow]
    verdicts: list[VerdictRow]
    new_points: list[str]
    gone_points: list[str]
    most_visits: list[int] = Field(description="at one time, under the published policy and under the draft")
    held_at_end: list[int] = Field(description="records, under the published policy and under the draft")
    promises: list[PromiseRow] = Field(description="at the end under the draft")
    violations: list[ViolationRow] = Field(description="under the draft")


class Document(_Part):
    """What `troth rehearse --json` prints."""

    site: str
    title: str
    answer: str = Field(description="the outcome in a sentence or two")
    held: bool = Field(description="no violation, in any life that was rehearsed")
    store: str
    seed: int
    days: int
    people: int
    events: int = Field(description="what happened; each visit and each read person is one")
    started: str
    ended: str
    replay: str = Field(description="the command that does all of this again")
    policy_version: int
    summary: dict[str, int] = Field(description="how many promises have each verdict at the end")
    promises: list[PromiseRow]
    happened: dict[str, int] = Field(description="how often, in words")
    counts: list[DayRow]
    amendments: dict[int, list[str]] = Field(description="by day, the paths of the policy that were changed")
    violations: list[ViolationRow]
    faults: dict[str, int] = Field(description="what was made to go wrong, and how often")
    seconds: float
    spent: dict[str, float] = Field(description="seconds by part")
    draft: DraftRow | None = Field(description="null when no draft was rehearsed")


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    made = Document.model_json_schema(by_alias=True, mode="serialization")
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **made, "title": "What troth rehearse --json prints"}
