"""What a policy lets happen, as lists to choose from: where data comes in, which choices, dealings, purposes and recipients.

Read from the policy's model and nothing else. ``generate`` draws from these lists; what an entry allows is decided elsewhere,
so that what it does not allow is tried as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from troth.clock import DAY
from troth.consent.rules import State
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint, Policy

CONSENT: tuple[State, ...] = ("given", "given", "withdrawn", "objected")
OBJECTION: tuple[State, ...] = ("objected", "lifted", "given")
SHORTEST = 3 * DAY
"""what is kept for less long is not cut shorter by an amendment"""


@dataclass(frozen=True)
class Offers:
    """What there is in one policy.

    Attributes:
        entrances: points at which somebody new may come in; ``members_only`` those that ask for an account first.
        imports: points that partners fill, with the registered ones.
        opens: the dealing that a submission at a point opens and that is closed one day.
        notices: kinds of people whose own notice ends business.
        dealings: what staff open, as ``opens``.
        scopes: what people choose about, with the states it can take.
        purposes: purposes that data may be read for, with their roles (a blank one for any).
        recipients: recipients with their purposes, and the scope whose consent they need.
        hostile: points with the ways in which they are sent what they must not take.
        durations: paths of what is kept how long, the longest first.
    """

    points: Mapping[str, CollectionPoint]
    entrances: tuple[str, ...]
    members_only: tuple[str, ...]
    accounts: frozenset[str]
    of_kind: Mapping[str, tuple[str, ...]]
    imports: Mapping[str, tuple[str, ...]]
    opens: Mapping[str, str]
    notices: frozenset[str]
    dealings: tuple[str, ...]
    scopes: tuple[tuple[str, tuple[State, ...]], ...]
    purposes: tuple[tuple[str, tuple[str, ...]], ...]
    recipients: tuple[tuple[str, tuple[str, ...], str], ...]
    visits: bool
    hostile: tuple[tuple[str, tuple[str, ...]], ...]
    durations: tuple[tuple[str, timedelta], ...]


def offers(compiled: Compiled, partners: Collection[str]) -> Offers:
    """What the policy of ``compiled`` offers, with those ``partners`` registered."""
    policy = compiled.policy
    filled = {key: point for key, point in policy.collection.items() if _is_filled_in(point) and _asks(policy, point)}
    imports = {key: tuple(sorted({*point.partners} & {*partners})) for key, point in filled.items() if _supplied(point)}
    entrances = tuple(key for key, one in filled.items() if not one.members_only and imports.get(key, ("",)))
    return Offers(
        points=filled,
        entrances=entrances,
        members_only=tuple(key for key, point in filled.items() if point.members_only and not _supplied(point)),
        accounts=frozenset(key for key, point in filled.items() if point.kind == "account"),
        of_kind={kind: tuple(k for k in entrances if filled[k].people == kind) for kind in policy.people},
        imports={key: registered for key, registered in imports.items() if registered},
        opens={key: point.opens for key, point in filled.items() if point.opens != "none"},
        notices=frozenset(kind for kind, one in policy.relationship.items() if "customer notice" in one.ends),
        dealings=_dealings(policy),
        scopes=tuple(_scopes(policy)),
        purposes=tuple((key, one.roles or ("",)) for key, one in policy.purposes.items() if one.uses),
        recipients=tuple(
            (key, one.for_, consent_of(key, policy)) for key, one in policy.recipients.items() if one.receives
        ),
        visits=policy.visits is not None and policy.visits.recording and policy.visits.keep is not None,
        hostile=tuple((key, tuple(_hows(policy, point))) for key, point in filled.items()),
        durations=tuple(sorted(_durations(policy), key=lambda one: (-one[1], one[0]))),
    )


def _asks(policy: Policy, point: CollectionPoint) -> bool:
    """Whether anything asked at ``point`` may be stored."""
    return any(policy.data[field].protect != "never stored" for field in point.required + point.optional)


def _supplied(point: CollectionPoint) -> bool:
    return point.kind == "import"


def _is_filled_in(point: CollectionPoint) -> bool:
    """Whether somebody hands something in there; the visits of members come in as if they did."""
    return point.kind != "visit" or point.members_only


def _dealings(policy: Policy) -> tuple[str, ...]:
    """The purchases that anything asks for, together; and each other dealing that is needed, by itself."""
    needs = [one.needs for one in policy.purposes.values()] + [one.needs for one in policy.recipients.values()]
    needed = {need.removeprefix("open ") for some in needs for need in some}
    begin = {word for one in policy.relationship.values() for word in one.begins if word == "order"}
    bought = sorted((needed | begin) & {"order", "paid order"})
    others = sorted(needed - {"order", "paid order"})
    return tuple(([", ".join(bought)] * 3 if bought else []) + others)


def _scopes(policy: Policy) -> Iterator[tuple[str, tuple[State, ...]]]:
    """Every purpose and every recipient that a choice decides about, and what can be objected to."""
    for key, purpose in policy.purposes.items():
        if purpose.basis == "consent":
            yield key, CONSENT
        elif purpose.opt_out or purpose.marketing:
            yield key, OBJECTION
    for key, recipient in policy.recipients.items():
        if consent_of(key, policy) == f"@{key}":
            yield f"@{key}", CONSENT
        elif recipient.choice or recipient.receives:
            yield f"@{key}", OBJECTION


def consent_of(key: str, policy: Policy) -> str:
    """The scope whose consent the recipient ``key`` needs; blank when it needs none."""
    recipient = policy.recipients[key]
    if recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent"):
        return f"@{key}"
    return recipient.consent


def _hows(policy: Policy, point: CollectionPoint) -> Iterator[str]:
    yield from ("undeclared", "card", "long", "control", "twice", "key")
    if point.required:
        yield "missing"
    if point.kind == "import":
        yield "partner"
    else:
        yield "supplied"
    if point.members_only:
        yield "stranger"
    asked = (*point.required, *point.optional)
    if policy.people[point.people].minimum_age and any(policy.data[key].category == "pd:BirthDate" for key in asked):
        yield "young"


def _durations(policy: Policy) -> Iterator[tuple[str, timedelta]]:
    for key, clock in policy.retention.items():
        if clock.keep is not None and clock.keep.length > SHORTEST and not clock.archive:
            yield f"retention.{key}.keep", clock.keep.length
    for key, one in policy.relationship.items():
        if one.silence is not None and one.silence.length > SHORTEST:
            yield f"relationship.{key}.silence", one.silence.length
    if policy.visits is not None and policy.visits.keep is not None and policy.visits.keep.length > SHORTEST:
        yield "visits.keep", policy.visits.keep.length
