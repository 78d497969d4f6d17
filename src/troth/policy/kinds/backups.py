"""``backups``: how soon what was deleted can be had from no backup any more, by what, and how often that is tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from troth.policy.jsonld import ref
from troth.policy.kind import PROOF, ROOM, Bar, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.clocks import retention
from troth.policy.lint.registry import Context, Flaw
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.promises import Promise, Source
from troth.policy.words import Entry

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker


class Backups(Entry):
    """``backups``: how soon what was deleted can be had from no backup any more."""

    purge_within: Period | None = Field(None, description="from the deletion of somebody's data")
    by: Literal["key destruction", "rotation"] = Field(
        "key destruction",
        description="`key destruction`: copies of the data hold what nobody can open; `rotation`: old copies are destroyed",
    )
    drill_every: Period | None = Field(None, description="how often a backup is restored to see that it is so")


def backups_of(policy: Policy) -> Backups | None:
    """What the policy says of backups."""
    return cast("Backups | None", getattr(policy, "backups", None))


def _makes(source: Source) -> Iterator[Promise]:
    entry = backups_of(source.policy)
    if entry is not None:
        yield source.promise("backup.purge", ("backups",), entry)


def _tell(t: Telling) -> Iterator[str]:
    by = {"key destruction": "keys", "rotation": "rotated"}[t.it.by]
    yield by if t.it.purge_within else "undated"
    yield from when((t.it.drill_every, "+tried"))


def _bars(policy: Policy, speaker: Speaker) -> Iterator[Bar]:
    entry = backups_of(policy)
    if entry and entry.purge_within:
        yield Bar(speaker.page("timeline backups"), entry.purge_within, speaker.phrase("starts", "deletion"))


def _process(policy: Policy, _purpose: str) -> Mapping[str, list[Any]]:
    return {"hasTechnicalOrganisationalMeasure": ref("dpv:DataBackupProtocols")} if backups_of(policy) else {}


@retention
def backups_without_an_end(policy: Policy, context: Context) -> Iterator[Flaw]:
    """A backup from which deleted data comes back is a store like any other."""
    entry = backups_of(policy)
    if entry is not None and entry.purge_within is None:
        message = "nothing says when deleted data is gone from backups."
        yield Flaw(("backups",), message, "Write `purge within: 35 days`, or another period.")


@retention
def backups_that_nobody_tries(policy: Policy, context: Context) -> Iterator[Flaw]:
    entry = backups_of(policy)
    if entry is not None and entry.purge_within is not None and entry.drill_every is None:
        message = "nothing says how often a backup is restored, so that nothing can show what is promised about them."
        yield Flaw(("backups",), message, "Write `drill every: 90 days`, or another period.", "warning")


KEYS: Mapping[str, Claim] = {"purge within": ROOM, "by": PROOF, "drill every": PROOF}

KIND = Kind(
    id="backup.purge",
    order=145,
    makes=_makes,
    tell=_tell,
    place=("how long", "deletion"),
    lint=(backups_without_an_end, backups_that_nobody_tries),
    entries=Entries(
        "backups",
        Weight(significant=True, protects=True, spans={"purge within": "more", "drill every": "more"}),
        model=Backups,
        keys=KEYS,
    ),
    bars=_bars,
    process=_process,
)
