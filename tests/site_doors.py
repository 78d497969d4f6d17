"""The doors of a site that a test holds, for tests that do not open an operator: its web pages and its JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from tests.doors import roles_of, token_of_role, with_programs
from tests.served import Client, client
from troth.collection import Receipt, Submission
from troth.collection.rules import case_ref
from troth.errors import InvalidInput, Refused
from troth.people.tables import dealing, holding
from troth.store.site import Site


@dataclass
class _Hand:
    """The web applications that are up, each with the site it serves, by site, version of its policy and further role."""

    opened: ExitStack
    webs: dict[tuple[int, int, str], tuple[Site, Client]] = field(default_factory=dict)


_hands: list[_Hand] = []


@contextmanager
def in_hand() -> Iterator[None]:
    """Within the block ``web_of`` serves whatever site it is asked for."""
    with ExitStack() as opened:
        opened.callback(_hands.pop)
        _hands.append(_Hand(opened))
        yield


def web_of(site: Site, role: str = "any") -> Client:
    """A client of ``site``, with a program in each role that its policy knows and in ``role``."""
    hand, policy = _hands[-1], site.policy()
    key = id(site), policy.version, "" if role in roles_of(policy.policy) else role
    if key not in hand.webs:
        hand.webs[key] = site, hand.opened.enter_context(client(with_programs(site, role)))
    return hand.webs[key][1]


def posted(site: Site, submission: Submission) -> Receipt:
    """``submission`` through the JSON door, and what came of it.

    Raises:
        InvalidInput, Refused: for the answers 422 and 403, with what the answer says.
    """
    body: dict[str, Any] = {"values": dict(submission.values), "choices": dict(submission.choices)}
    body |= {"acknowledged": submission.acknowledged, "language": submission.language, "key": submission.key}
    answer = web_of(site).post(f"/{site.name}/api/collect/{submission.point}", json=body)
    told = answer.json()
    if answer.status_code in {404, 422}:
        raise InvalidInput(told.get("detail", ""), told.get("problems", {}))
    if answer.status_code == 403:
        raise Refused(told.get("detail", ""), because=tuple(told.get("because", ())))
    assert answer.status_code in {200, 201}, answer.text
    with site.reading() as conn:
        rows = conn.execute(select(holding).where(holding.c.submission == told["receipt"]).order_by(holding.c.id)).all()
        case = case_ref(submission.point, told["receipt"])
        opened = conn.scalar(select(dealing.c.kind).where(dealing.c.ref == case))
    holdings = tuple(row.id for row in rows)
    return Receipt(rows[0].person_id, holdings, opened, case if opened else None, told["repeated"])


def read_by_program(
    site: Site, person_id: str, fields: Collection[str], purpose: str, role: str = "any", case: str | None = None
) -> dict[str, str]:
    """What one of the operator's programs is given; nothing when it is refused."""
    body = {"purpose": purpose, "fields": list(fields), "person": person_id} | ({"case": case} if case else {})
    headers = {"authorization": f"Bearer {token_of_role(role)}"}
    answer = web_of(site, role).post(f"/{site.name}/api/read", json=body, headers=headers)
    assert answer.status_code in {200, 403}, answer.text
    given: dict[str, str] = answer.json()["values"] if answer.status_code == 200 else {}
    return given
