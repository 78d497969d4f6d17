"""Acts of the business itself: orders and other dealings begin, are paid, leave, end; and a customer says that it is over."""

from __future__ import annotations

from datetime import datetime

from troth.acts.arguments import Argument
from troth.acts.model import Act, Doing, Result
from troth.acts.shared import KINDS, PERSON, dealt, events_of_policy, somebody, word
from troth.errors import InvalidInput
from troth.people import dealings, happenings
from troth.retention import relationship

PAID = "paid order"
_KIND = word("kind", "what it is", lambda compiled: KINDS)
_NUMBER = Argument("number", "reference", "your own number of it, or the reference that a form was answered with")
_EVENT = word("event", "which event of the policy", events_of_policy)
_OF = Argument("person", "person", "the id of the person; may be left out, since the number says whose it is", False)
_AT = Argument("at", "instant", "when it happened, if not now; never ahead", False)
_WARRANTY = Argument("warranty_ends", "instant", "the day on which the warranty of the order ends", False)


def _opened(doing: Doing) -> Result:
    person_id, kind, ref = somebody(doing), doing.text("kind"), doing.text("number")
    at, warranty = _at(doing), doing.given.get("warranty_ends")
    if warranty is not None and kind != "order":
        raise InvalidInput("Nothing was done.", {"warranty_ends": "Only an order has a warranty."})
    made = dealings.open_dealing(doing.site, doing.conn, person_id, kind, ref, at, warranty)
    return _refreshed(doing, person_id, {"dealing": made})


def _paid(doing: Doing) -> Result:
    order = _open_order(doing)
    dealings.open_dealing(doing.site, doing.conn, order.person_id, PAID, order.ref, _at(doing))
    return _refreshed(doing, order.person_id, {})


def _dispatched(doing: Doing) -> Result:
    order = _open_order(doing)
    was_due = dealings.close_dealing(doing.site, doing.conn, order.person_id, PAID, order.ref, _at(doing))
    return _refreshed(doing, order.person_id, {"was_due": was_due})


def _closed(doing: Doing) -> Result:
    found = dealt(doing, doing.text("kind"))
    at = _at(doing)
    if at < found.at:
        raise InvalidInput("Nothing was done.", {"at": "It began later than this."})
    kinds = (found.kind, PAID) if found.kind == "order" else (found.kind,)
    closed = [dealings.close_dealing(doing.site, doing.conn, found.person_id, kind, found.ref, at) for kind in kinds]
    return _refreshed(doing, found.person_id, {"was_open": closed[0]})


def _warranted(doing: Doing) -> Result:
    order = dealt(doing, "order")
    ends = doing.given.get("warranty_ends")
    if ends is not None and ends < order.at:
        raise InvalidInput("Nothing was done.", {"warranty_ends": "The order is younger than this."})
    dealings.set_warranty(doing.site, doing.conn, order, ends)
    return _refreshed(doing, order.person_id, {})


def _noticed(doing: Doing) -> Result:
    person_id, ref = somebody(doing), doing.text("number")
    made = dealings.open_dealing(doing.site, doing.conn, person_id, relationship.NOTICE, ref, _at(doing))
    return _refreshed(doing, person_id, {"dealing": made})


def _reported(doing: Doing) -> Result:
    person_id, event, ref, at = somebody(doing), doing.text("event"), doing.text("number"), _at(doing)
    return {"person": person_id, "happening": happenings.report(doing.site, doing.conn, person_id, event, ref, at)}


def _retracted(doing: Doing) -> Result:
    person_id, event, ref = somebody(doing), doing.text("event"), doing.text("number")
    if not happenings.retract(doing.site, doing.conn, person_id, event, ref):
        raise InvalidInput("Nothing was done.", {"number": f"No {event} was reported of them under this number."})
    return {"person": person_id}


def _open_order(doing: Doing) -> dealings.Dealt:
    order = dealt(doing, "order")
    if order.closed_at is not None:
        raise InvalidInput("Nothing was done.", {"number": "This order is closed."})
    return order


def _at(doing: Doing) -> datetime:
    at: datetime = doing.given.get("at") or doing.now
    if at > doing.now:
        raise InvalidInput("Nothing was done.", {"at": "This lies ahead."})
    return at


def _refreshed(doing: Doing, person_id: str, result: Result) -> Result:
    relationship.refresh(doing.site, doing.conn, [person_id], doing.compiled)
    return {"person": person_id, **result}


_NO_SUCH = "422: there is no such dealing, or it is somebody else's"
ACTS = (
    Act(
        "open-dealing",
        "Open an order, a request, a ticket, an application, a project or a legal case of somebody. "
        "Opened twice, it stays one.",
        "deal",
        (PERSON, _KIND, _NUMBER, _AT, _WARRANTY),
        _opened,
        ("422: unknown or erased person", "403: the number is somebody else's"),
    ),
    Act(
        "pay-order",
        "Note that an order is paid, so that what waits for a paid order may happen.",
        "deal",
        (_NUMBER, _OF, _AT),
        _paid,
        (_NO_SUCH, "422: the order is closed"),
    ),
    Act(
        "dispatch-order",
        "Note that the goods of an order have left: what waits for a paid order may happen no more.",
        "deal",
        (_NUMBER, _OF, _AT),
        _dispatched,
        (_NO_SUCH, "422: the order is closed"),
    ),
    Act(
        "close-dealing",
        "Close an order, a request, a ticket, an application, a project or a case: what needs an open one is "
        "refused from now on.",
        "deal",
        (_KIND, _NUMBER, _OF, _AT),
        _closed,
        (_NO_SUCH,),
    ),
    Act(
        "set-warranty",
        "Set the day on which the warranty of an order ends; without a day, take it away.",
        "deal",
        (_NUMBER, _OF, _WARRANTY),
        _warranted,
        (_NO_SUCH, "422: the day lies before the order"),
    ),
    Act(
        "customer-notice",
        "Note that somebody told you that they are no customer any more: business ends, and the clocks begin.",
        "deal",
        (PERSON, _NUMBER, _AT),
        _noticed,
        ("422: unknown or erased person",),
    ),
    Act(
        "report-event",
        "Report that an event of the policy's own (`events`) happened to somebody, so that what counts from it begins. "
        "The same number again mends the day.",
        "deal",
        (PERSON, _EVENT, _NUMBER, _AT),
        _reported,
        ("422: unknown or erased person", "403: the number is somebody else's"),
    ),
    Act(
        "retract-event",
        "Take back what was reported of an event by mistake.",
        "deal",
        (PERSON, _EVENT, _NUMBER),
        _retracted,
        ("422: unknown or erased person", "422: nothing was reported under this number"),
    ),
)
