"""Proofs about consent: that it was really given, and that nothing else counts as consent."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select

from troth.consent.tables import choice, shown
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, counted, replayed


def recorded(proving: Proving, promise: Promise) -> Proof:
    """Each choice about this purpose or recipient keeps what was shown, and every use of it is borne out by a live choice."""
    section, key = promise.path
    scope = key if section == "purposes" else f"@{key}"
    limit = "used only while the person agrees"
    found = proving.replay(f"{section}.{key}")
    if found.wrong:
        return replayed(found, limit)
    about = choice.c.scope == scope
    query = select(func.count(), func.count(shown.c.digest)).select_from(
        choice.outerjoin(shown, shown.c.digest == choice.c.shown)
    )
    total, with_words = proving.conn.execute(query.where(about)).one()
    if not total and found.decisions:
        return replayed(found, limit)
    return counted(total - with_words, total, "choices", limit, "without the words that were shown")


def not_implied(proving: Proving, promise: Promise) -> Proof:
    """No consent came from a visit or from merely sending a form: each came through a box that its point offers."""
    points = proving.compiled.policy.collection
    given = choice.c.state == "given"
    offered = [
        and_(choice.c.channel == key, choice.c.scope.in_([o for offer in point.offers for o in (offer, f"@{offer}")]))
        for key, point in points.items()
        if point.offers
    ]
    from_points = choice.c.channel.in_([*points, "visit"])
    wrong = select(func.count()).where(given, from_points, ~or_(*offered) if offered else choice.c.id.is_not(None))
    total = proving.conn.scalar(select(func.count()).select_from(choice).where(given)) or 0
    bad = proving.conn.scalar(wrong) or 0
    limit = "visiting or sending a form is not consent"
    if not total:
        return Proof("kept", "query", limit, "0 consents recorded", "nobody has ticked a box so far")
    return counted(bad, total, "consents", limit, "not from a box of their own")
