"""What a break is, and the ways by which stores, ledger and policy are changed behind Troth's back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import insert, select, update

from tests.fixtures import days
from troth import ledger
from troth.decide import Ask
from troth.ids import new_id
from troth.people import vault
from troth.people.shapes import shape_ids
from troth.people.tables import holding, person, shape
from troth.retention.tables import hold
from troth.store import versions
from troth.store.site import Site
from troth.verdicts import Verdict

Breaking = Callable[[Site], Site | None]


@dataclass(frozen=True)
class Break:
    """One way to break a promise: what is done, what the proof must say, and which other promises may turn with it."""

    kind: str
    promise: str
    do: Breaking
    says: str
    also: frozenset[str] = frozenset()
    turns: Verdict = "broken"
    before: Verdict = "kept"
    patches: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def id(self) -> str:
        return f"{self.promise}-{self.do.__name__.strip('_')}"


BREAKS: list[Break] = []


def breaks(
    kind: str,
    promise: str,
    says: str,
    also: Collection[str] = (),
    turns: Verdict = "broken",
    before: Verdict = "kept",
    patches: Mapping[str, object] | None = None,
) -> Callable[[Breaking], Breaking]:
    """Enter a way to break ``promise``; ``patches`` are put in place of what they name."""

    def enter(do: Breaking) -> Breaking:
        BREAKS.append(Break(kind, promise, do, says, frozenset(also), turns, before, patches or {}))
        return do

    return enter


EVERYWHERE = ("purposes",)
"""A decision that does not come out again is also one that the closed list of purposes did not allow."""


def changed_by_hand(site: Site, *statements: object) -> None:
    with site.writing() as conn:
        for statement in statements:
            assert conn.execute(statement).rowcount, statement  # type: ignore[call-overload]


def a_person(site: Site, kind: str) -> str:
    with site.reading() as conn:
        return conn.scalars(select(person.c.id).where(person.c.kind == kind, person.c.state == "active")).first() or ""


def forge(site: Site, event: str, ask: Ask, because: str, person_id: str = "", **more: object) -> None:
    """A ledger entry of something that was let through although the policy says no."""
    asked = {"act": ask.act, "purpose": ask.purpose, "fields": sorted(ask.fields), "people": ask.people}
    asked |= {"recipient": ask.recipient, "facts": sorted(ask.facts)}
    body = {"ask": asked, "allowed": True, "because": [because], "version": 1, "person": person_id, **more}
    with site.writing() as conn:
        ledger.append(conn, site.now(), event, {key: value for key, value in body.items() if value != ""})


def change_version(site: Site, change: Callable[[str], str], decisions: str, published: timedelta) -> None:
    """Version 2 of the shop's policy in the archive, in force from now."""
    policy = change((site.folder / "policy.yaml").read_text()).replace("version: 1", "version: 2")
    settled = (site.folder / "decisions.yaml").read_text() + decisions.removeprefix("decisions:\n")
    with site.writing() as conn:
        versions.archive(conn, policy, settled, effective_at=site.now(), at=site.now() - published)


def holding_at(point: str) -> object:
    return select(holding.c.id).join(shape, shape.c.id == holding.c.shape_id).where(shape.c.point == point).limit(1)


def one_at(site: Site, point: str) -> str:
    with site.reading() as conn:
        return str(conn.scalar(holding_at(point)))  # type: ignore[call-overload]


def hand_in(site: Site, kind: str, point: str, values: dict[str, str], submission: str = "forged") -> None:
    """Data put into the vault by somebody who left the collection rules out."""
    with site.writing() as conn:
        told = conn.scalar(select(holding.c.told))
        compiled = site.policy(conn)
        vault.hold(
            site,
            conn,
            person_id=vault.admit(site, conn, kind),
            point=point,
            source=compiled.policy.collection[point].source,
            values=values,
            told=told or "",
            submission=submission,
            policy=compiled,
        )


def reshape(site: Site, point: str, new_point: str, source: str, fields: str) -> None:
    with site.writing() as conn:
        made = shape_ids(conn, new_point, source, [fields])[fields]
    changed_by_hand(site, update(holding).where(holding.c.id == one_at(site, point)).values(shape_id=made))


def put_in_a_hold(site: Site, **change: object) -> None:
    """A hold on the lead's name that is as it should be, but for ``change``."""
    row: dict[str, object] = {"id": new_id(site.now()), "person_id": a_person(site, "lead"), "fields": "full_name"}
    row |= {"reason": "because", "ground": "legal_duties", "purpose": "", "approver": "somebody", "made_at": site.now()}
    row |= {"record": {"reference": "T-1"}}
    changed_by_hand(site, insert(hold).values(**row | {"ends_at": site.now() + days(30)} | change))
