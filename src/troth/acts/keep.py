"""Acts that except somebody's data from something: legal holds, restrictions, and suspensions for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from troth.acts.arguments import Argument
from troth.acts.model import Act, Doing, Result
from troth.acts.shared import PERSON, by, fields, purposes, scopes, somebody, word
from troth.consent.stops import actions as stops
from troth.errors import InvalidInput, Refused
from troth.policy.compile import Compiled
from troth.policy.rules import one_word
from troth.recipients.switches import stop_and_recall
from troth.retention import holds
from troth.rights import restricting

_BECAUSE = Argument("because", "text", "the reason, which speaks of nobody in particular")
_SCOPE = word("scope", "a purpose, or @ and a recipient", scopes)


def _grounds(compiled: Compiled) -> Iterator[str]:
    policy = compiled.policy
    yield from (key for key, one in policy.legal.items() if one.act == "keep")
    yield from policy.erasure.may_keep if policy.erasure else ()


def _origins(compiled: Compiled) -> Iterator[str]:
    for point in compiled.policy.collection.values():
        yield from (one_word(point.source), *(f"@{one}" for one in point.partners))


_ORIGIN = word("origin", "only data of this source, or of @ and this partner", _origins, False)


def _held(doing: Doing) -> Result:
    if doing.given["ends"] <= doing.now:
        raise InvalidInput("Nothing was done.", {"ends": "This must lie ahead."})
    made = holds.make_hold(
        doing.site, doing.conn, doing.text("person"), doing.given.get("fields", ()), doing.text("ground"),
        doing.text("because"), doing.text("purpose"), doing.text("approver") or doing.caller.role, doing.given["ends"],
        doing.given.get("record", {}),
    )  # fmt: skip
    return {"person": doing.text("person"), "hold": made}


def _released(doing: Doing) -> Result:
    if not holds.release(doing.site, doing.conn, doing.text("hold")):
        raise InvalidInput("Nothing was done.", {"hold": "There is no hold in force under this id."})
    return {}


def _restricted(doing: Doing) -> Result:
    person_id = somebody(doing)
    return {"person": person_id, "changed": restricting.restrict(doing.site, doing.conn, person_id)}


def _unrestricted(doing: Doing) -> Result:
    person_id = somebody(doing)
    return {"person": person_id, "changed": restricting.lift(doing.site, doing.conn, person_id)}


def _suspended(doing: Doing) -> Result:
    scope, because, origin = doing.text("scope"), doing.text("because"), doing.text("origin")
    recall = doing.text("recall") == "yes"
    if recall and origin:
        raise Refused("A recall is for all data, wherever it came from.", "Leave `origin` or `recall` out.")
    common = {"by": by(doing), "because": because, "policy": doing.compiled}
    if recall:
        return {"suspension": stop_and_recall(doing.site, doing.conn, scope, **common)}  # type: ignore[arg-type]
    return {"suspension": stops.stop(doing.site, doing.conn, scope, origin=origin, **common)}  # type: ignore[arg-type]


def _unsuspended(doing: Doing) -> Result:
    made = stops.lift(
        doing.site, doing.conn, doing.text("scope"), by=by(doing), because=doing.text("because"),
        policy=doing.compiled, origin=doing.text("origin"),
    )  # fmt: skip
    return {"suspension": made}


ACTS = (
    Act(
        "place-hold",
        "Keep data of somebody from deletion, on a ground of the policy, for a reason and until a day.",
        "hold",
        (
            PERSON,
            word("ground", "the ground of the policy", _grounds),
            _BECAUSE,
            Argument("ends", "instant", "the day on which it ends"),
            Argument("fields", "words", "which data; all of it when left out", False, fields),
            word("purpose", "the one purpose it may be read for meanwhile; none when left out", purposes, False),
            Argument("approver", "text", "the role that approved it; whoever carries this out when left out", False),
            Argument(
                "record",
                "record",
                "what else the ground needs on record, such as `reference`; `persons of the case` are ids",
                False,
            ),
        ),
        _held,
        (
            "422: unknown or erased person",
            "422: the end does not lie ahead",
            "422: the ground lacks something on record",
            "403: the policy knows no such ground",
        ),
        lead_only=True,
    ),
    Act(
        "release-hold",
        "Release a hold: what only it kept goes with the next sweep.",
        "hold",
        (Argument("hold", "id", "the id of the hold"),),
        _released,
        ("422: no such hold is in force",),
        lead_only=True,
    ),
    Act(
        "restrict",
        "Pause the use of somebody's data: nothing reads it but they themselves.",
        "restrict",
        (PERSON,),
        _restricted,
        ("422: unknown or erased person",),
    ),
    Act(
        "lift-restriction",
        "Let somebody's data be used again.",
        "restrict",
        (PERSON,),
        _unrestricted,
        ("422: unknown or erased person", "403: the account was closed"),
    ),
    Act(
        "suspend",
        "Stop a purpose, or giving to a recipient, for everybody, from the next decision on.",
        "suspend",
        (
            _SCOPE,
            _BECAUSE,
            _ORIGIN,
            word(
                "recall", "`yes`: also tell whoever was given data to delete it", lambda compiled: ("yes", "no"), False
            ),
        ),
        _suspended,
        ("403: a recall of one origin alone",),
        lead_only=True,
    ),
    Act(
        "lift-suspension",
        "Lift a suspension.",
        "suspend",
        (_SCOPE, _BECAUSE, _ORIGIN),
        _unsuspended,
        ("403: nothing is suspended there",),
        lead_only=True,
    ),
)
