"""Ways to break what is promised of requests, messages, changes, security and legal grounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import func, insert, select, text, update

from tests.fixtures import days
from tests.notices import with_shop
from tests.promises.breaking import (
    EVERYWHERE,
    a_person,
    breaks,
    change_version,
    changed_by_hand,
    forge,
    put_in_a_hold,
)
from tests.promises.breaks_held import a_body_is_stored_in_plain_words
from troth import ledger
from troth.decide import Ask
from troth.evidence.bearing import rests
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.tables import entry
from troth.messages.tables import message
from troth.people import happenings
from troth.people.tables import happening
from troth.recipients.gate import Case, disclose
from troth.recipients.tables import disclosure
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.rights.tables import request, request_log
from troth.settings import Attestation
from troth.store.site import Site


@breaks("right.offered", "rights.access", "something was missing from the answer")
def an_answer_lacked_something(site: Site) -> None:
    tried = {"steps": ["collect", "rights.access"], "failed": {"rights.access": "access"}}
    body = {"version": site.policy().version, **tried}
    site.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.CANARY_SEARCHED, body)


@breaks(
    "right.offered",
    "rights.erasure",
    "nothing yet",
    also={"rights.access", "rights.objection", "rights.correction", "rights.restriction", "rights.review"}
    | {"purposes.preferences.consent"},
    turns="nothing to check yet",
)
def nobody_tried_for_a_long_time(site: Site) -> None:
    site.clock.move(days(8))  # type: ignore[attr-defined]


@breaks("right.offered", "rights.access", "1 request not answered in time")
def a_request_was_forgotten(site: Site) -> None:
    received = receive(site, Intake("access", "letter", "forgotten", by="staff"))
    changed_by_hand(site, update(request).where(request.c.id == received.id).values(at=site.now() - days(100)))


@breaks("event.noted", "events.claim_settled", "1 record not as reported", before="nothing to check yet")
def an_event_is_dated_back(site: Site) -> None:
    """The lie: what was reported is moved, so that a period seems to be over."""
    with site.writing() as conn:
        made = happenings.report(site, conn, a_person(site, "lead"), "claim_settled", "C-1", site.now())
        conn.execute(update(happening).where(happening.c.id == made).values(at=site.now() - days(4000)))


@breaks("decision.automated", "automated_decisions.pay_later", "1 request not answered in time", also={"rights.review"})
def a_review_was_forgotten(site: Site) -> None:
    received = receive(site, Intake("review", "letter", "forgotten", by="staff"))
    changed_by_hand(site, update(request).where(request.c.id == received.id).values(at=site.now() - days(100)))


@breaks("request.log", "request_log", "oldest 180 d, 5 d too old", before="nothing to check yet")
def a_request_stays_in_the_log(site: Site) -> None:
    received = receive(site, Intake("question", "letter", "old"))
    changed_by_hand(site, update(request_log).where(request_log.c.id == received.id).values(at=site.now() - days(180)))


@breaks("request.log", "request_log", "1 entry altered or taken out", before="nothing to check yet")
def a_row_of_the_log_of_requests_is_altered(site: Site) -> None:
    received = receive(site, Intake("question", "letter", "altered"))
    changed_by_hand(site, update(request_log).where(request_log.c.id == received.id).values(method="e-mail"))


@breaks("message.class", "messages.offers", "1 decision not as the policy says", also=EVERYWHERE)
def an_offer_goes_to_somebody_who_did_not_ask(site: Site) -> None:
    ask = Ask("send", "marketing", frozenset({"email", "full_name"}), "lead", "offers", frozenset({"by:system"}))
    forge(site, events.MESSAGE_QUEUED, ask, "messages.offers", a_person(site, "lead"))


@breaks("message.class", "messages.offers", "1 message without a decision")
def an_offer_is_slipped_into_the_queue(site: Site) -> None:
    row = {"id": new_id(site.now()), "key": "slipped in", "person_id": a_person(site, "lead"), "class": "offers"}
    row |= {"template": "letter", "terms": {}, "at": site.now(), "state": "queued"}  # type: ignore[dict-item]
    changed_by_hand(site, insert(message).values(**row))


@breaks("message.class", "messages.order_mail", "1 message without a decision", before="nothing to check yet")
def an_offer_is_called_a_confirmation(site: Site) -> None:
    changed_by_hand(site, update(message).where(message.c["class"] == "offers").values({"class": "order_mail"}))


@breaks(
    "statistic.aggregate",
    "statistics.interests",
    "1 decision not as the policy says",
    also=EVERYWHERE,
    before="nothing to check yet",
)
def names_are_counted(site: Site) -> None:
    forge(
        site, events.COUNT_MADE, Ask("count", "statistics:interests", frozenset({"full_name"})), "statistics.interests"
    )


@breaks("transfer.country", "transfers", "a store in the United States", before="not proven")
def a_store_moves_abroad(site: Site) -> Site:
    store = site.wiring.store.model_copy(update={"country": "US"})
    return replace(site, wiring=site.wiring.model_copy(update={"store": store}))


@breaks(
    "transfer.country",
    "transfers",
    "1 disclosure without a safeguard",
    also={"changes", "recipients", "recipients.newsletter_house", "absolutes.never_sold", "absolutes.only_named"},
    before="not proven",
)
def data_leaves_though_a_safeguard_ran_out(site: Site) -> None:
    change_version(
        site, lambda text: text.replace("until: 2030-01-01}, receives", "until: 2026-01-02}, receives"), "", days(30)
    )
    theirs = disclosure.c.recipient == "newsletter_house"
    changed_by_hand(site, update(disclosure).where(theirs).values(state="delivered", delivered_at=site.now()))


@breaks("backup.purge", "backups", "1 person could be brought back", before="not proven")
def somebody_comes_back_from_a_backup(site: Site) -> None:
    """What a drill enters that finds the key of somebody who is gone; `test_backup_promise.py` makes it find one."""
    now = site.now()
    found = {"backup": now, "since": now, "whole": True, "people": 1, "keys": 1, "unopened": 0}
    with site.writing() as conn:
        ledger.append(conn, now, events.BACKUP_DRILLED, {**found, "erased": 1, "back": 1, "passed": False})


@breaks("change.notice", "changes", "1 change told too late", before="nothing to check yet")
def a_version_is_published_too_late(site: Site) -> None:
    change_version(site, lambda text: text, "", days(2))


@breaks("security.measure", "security.clean_desk", "ran out on 1 January 2026", turns="not proven", before="attested")
def an_attestation_runs_out(site: Site) -> Site:
    gone = {"clean_desk": Attestation(by="privacy lead", until=date(2026, 1, 1))}
    return replace(site, wiring=site.wiring.model_copy(update={"attested": gone}))


@breaks("security.measure", "security.clean_desk", "nobody answers for it", turns="not proven", before="attested")
def nobody_attests(site: Site) -> Site:
    return replace(site, wiring=site.wiring.model_copy(update={"attested": {}}))


_SHOP = with_shop()[-1]
REPLAYED = frozenset(promise.id for promise in _SHOP.promises if "ledger_entry" in rests(_SHOP, promise))
"""What is asked again of the ledger is not believed where somebody else wrote in it."""


@breaks("security.measure", "security.ledger", "Broken at entry", also=REPLAYED)
def an_entry_of_the_ledger_is_altered(site: Site) -> None:
    with site.writing() as conn:
        drop = "DROP TRIGGER ledger_entry_unchanged"
        conn.execute(text(drop if conn.dialect.name == "sqlite" else f"{drop} ON ledger_entry"))
        first = conn.scalar(select(func.min(entry.c.id)).where(entry.c.event == events.PERSON_ADMITTED))
        conn.execute(update(entry).where(entry.c.id == first).values(body="{}"))


@breaks("security.measure", "security.ledger", "not protected against change, the oldest for 2 d")
def nobody_seals_any_more(site: Site) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.SYSTEM_FAILED, {})
    site.clock.move(timedelta(days=2, minutes=1))  # type: ignore[attr-defined]


@breaks("security.measure", "security.sealed", "1 record not encrypted", also={"data"})
def the_measure_of_sealing_is_held_against_the_data(site: Site) -> None:
    a_body_is_stored_in_plain_words(site)


@breaks("legal.ground", "legal.legal_duties", "1 case without a reason, an approver or an end")
def a_hold_has_no_approver(site: Site) -> None:
    put_in_a_hold(site, approver=" ")


@breaks("legal.ground", "legal.legal_duties", "1 case without what the ground needs on record")
def a_hold_has_no_reference(site: Site) -> None:
    put_in_a_hold(site, record=None)


@breaks("legal.ground", "legal.legal_duties", "1 case of which the ground does not speak")
def a_hold_keeps_what_its_ground_does_not_name(site: Site) -> None:
    put_in_a_hold(site, fields="email full_name")


@breaks(
    "legal.ground",
    "legal.court",
    "1 case of which the ground does not speak",
    before="nothing to check yet",
    also={"erasure"},
)
def a_hold_is_on_a_ground_for_giving(site: Site) -> None:
    put_in_a_hold(site, ground="court")


@breaks("legal.ground", "legal.court", "1 case without what the ground needs on record", before="nothing to check yet")
def a_court_was_given_something_and_nothing_says_by_whose_leave(site: Site) -> None:
    case = Case(ground="court", record={"reference": "C-1", "approver": "privacy lead"})
    disclose(site, a_person(site, "customer"), "old_bailey", ["full_name"], "legal:court", case=case)
    changed_by_hand(site, update(disclosure).where(disclosure.c.ground == "court").values(record={}))


@breaks("legal.ground", "legal.legal_duties", "it could not be looked at")
def a_hold_has_something_else_on_record(site: Site) -> None:
    put_in_a_hold(site, record=["reference"])


@breaks(
    "legal.ground",
    "legal.court",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "recipients.courier", "recipients", "absolutes.never_sold", "absolutes.interest_private"},
    before="nothing to check yet",
)
def a_court_order_without_a_reference(site: Site) -> None:
    ask = Ask("disclose", "legal:court", frozenset({"full_name"}), "customer", "courier", frozenset({"by:system"}))
    forge(site, events.DISCLOSURE_QUEUED, ask, "legal.court", disclosure=new_id(site.now()))
