"""Who has said no to all mail that promotes something, and since when; as a query, for whole kinds of people at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func, or_, select

from troth.consent.tables import choice
from troth.policy.model import Policy
from troth.store.prepared import among

NO = ("withdrawn", "objected")
"""A refusal at a form is no unsubscribing: whoever refuses was never subscribed."""


def mailing(policy: Policy) -> frozenset[str]:
    """The purposes that people are sent promotional mail for, or marketed to."""
    sent = {message.for_ for message in policy.messages.values() if message.kind == "promotional"}
    return frozenset(sent | {key for key, purpose in policy.purposes.items() if purpose.marketing})


def said_no_at(scope: str, person_id: ColumnElement[str]) -> ColumnElement[Any]:
    """When the person of that column said no to ``scope``; null while their latest word is another one, or there is none."""
    no = or_(*(choice.c.state == state for state in NO))
    mine = (choice.c.person_id == person_id) & (choice.c.scope == scope)
    latest = select(case((no, choice.c.at))).where(mine).order_by(choice.c.at.desc(), choice.c.id.desc()).limit(1)
    return latest.scalar_subquery()


def since(purposes: Collection[str], some: bool = False) -> Subquery:
    """``person_id`` and ``at`` of everybody whose latest word on ``purposes`` is a no to one and a yes to none.

    ``some`` looks at the people bound as ``ids`` alone.
    """
    order = func.row_number().over(
        partition_by=(choice.c.person_id, choice.c.scope), order_by=(choice.c.at.desc(), choice.c.id.desc())
    )
    query = select(choice.c.person_id, choice.c.state, choice.c.at, order.label("place"))
    query = query.where(or_(*(choice.c.scope == key for key in sorted(purposes))))
    if some:
        query = query.where(among(choice.c.person_id, "ids"))
    latest = query.subquery("latest")
    said_no = or_(*(latest.c.state == state for state in NO))
    given: Any = func.sum(case((latest.c.state == "given", 1), else_=0))
    return (
        select(latest.c.person_id, func.max(case((said_no, latest.c.at))).label("at"))
        .where(latest.c.place == 1)
        .group_by(latest.c.person_id)
        .having(given == 0, func.sum(case((said_no, 1), else_=0)) > 0)
        .subquery("unsubscribed")
    )
