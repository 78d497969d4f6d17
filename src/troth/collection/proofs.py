"""Proofs about collection: what came in is what was asked for, from where the policy says, and people were told."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from troth.agenda.tables import job
from troth.collection.actions import SECOND_HAND
from troth.consent.tables import shown
from troth.people.tables import holding, shape
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, counted, replayed


def form(proving: Proving, promise: Promise) -> Proof:
    """All that is held from this point are its declared fields, from its source, with the words that were shown."""
    key = promise.path[1]
    point = proving.compiled.policy.collection[key]
    limit = f"only {', '.join((*point.required, *point.optional))}"
    found = proving.replay(f"collection.{key}")
    if found.wrong:
        return replayed(found, limit)
    held, strange = _held(proving, key)
    if strange:
        return Proof(
            "broken", "query", limit, f"{strange:,} holdings with other fields or no source", f"{held:,} looked at"
        )
    untold = _untold(proving, key)
    return counted(untold, held, "holdings", limit, "without a record of what was told")


def _held(proving: Proving, key: str) -> tuple[int, int]:
    """How many holdings this point has, and how many of them have other fields or another source than declared."""
    point = proving.compiled.policy.collection[key]
    declared = set(point.required) | set(point.optional)
    query = select(shape.c.source, shape.c.fields, func.count()).join(holding, holding.c.shape_id == shape.c.id)
    rows = proving.conn.execute(query.where(shape.c.point == key).group_by(shape.c.source, shape.c.fields)).all()
    wrong = sum(n for source, fields, n in rows if source != point.source or not set(fields.split()) <= declared)
    return sum(n for *_, n in rows), wrong


def _untold(proving: Proving, key: str) -> int:
    joined = holding.join(shape, shape.c.id == holding.c.shape_id).outerjoin(shown, shown.c.digest == holding.c.told)
    query = select(func.count()).select_from(joined).where(shape.c.point == key, shown.c.digest.is_(None))
    return proving.conn.scalar(query) or 0


def partner(proving: Proving, promise: Promise) -> Proof:
    """What partners supplied names a registered partner, and a notice to the person was put on the agenda with it."""
    key = promise.path[1]
    registered = set(proving.site.wiring.partners) & set(proving.compiled.policy.collection[key].partners)
    limit = f"only from {', '.join(sorted(registered)) or 'nobody'}, and the person is told"
    base = select(func.count()).select_from(holding.join(shape, shape.c.id == holding.c.shape_id))
    here = shape.c.point == key
    total = proving.conn.scalar(base.where(here)) or 0
    unknown = or_(holding.c.partner.is_(None), holding.c.partner.not_in(sorted(registered)))
    nameless = proving.conn.scalar(base.where(here, unknown)) or 0
    if nameless:
        return counted(nameless, total, "holdings", limit, "without a registered partner")
    told = select(job.c.ref).where(job.c.kind == SECOND_HAND)
    submissions = select(func.count(func.distinct(holding.c.submission))).select_from(
        holding.join(shape, shape.c.id == holding.c.shape_id)
    )
    sent = proving.conn.scalar(submissions.where(here)) or 0
    noticed = proving.conn.scalar(submissions.where(here, holding.c.id.in_(told))) or 0
    return counted(sent - noticed, sent, "submissions", limit, "of which the person was not told")


def nobody_too_young(proving: Proving, promise: Promise) -> Proof:
    """Every submission about these people was decided with their age in view, and comes out again."""
    people = proving.compiled.policy.people[promise.path[1]]
    points = [key for key, point in proving.compiled.policy.collection.items() if point.people == promise.path[1]]
    limit = f"nobody under {people.minimum_age}"
    wrong = next(
        (proving.replay(f"collection.{key}") for key in points if proving.replay(f"collection.{key}").wrong), None
    )
    if wrong is not None:
        return replayed(wrong, limit)
    total = sum(proving.replay(f"collection.{key}").decisions for key in points)
    if not total:
        return Proof("unproven", "replay", limit, "nothing yet", "nobody has sent a form so far")
    return Proof("kept", "replay", limit, f"{total:,} submissions decided with age in view", "the ledger, re-derived")
