"""For every kind of promise, ways to break it behind Troth's back, and the words with which its proof must say so.

``test_broken_on_purpose.py`` tries each on a shop that keeps its promises; ``test_catalogue.py`` fails when a kind has none.
A break may touch other promises for a good reason; they are named with it, and no other may turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import delete, func, insert, select, text, update

from tests.fixtures import days
from troth import ledger
from troth.agenda.tables import job
from troth.collection.actions import SECOND_HAND
from troth.consent.tables import choice
from troth.decide import Ask
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.shapes import shape_ids
from troth.people.tables import holding, person, shape
from troth.recipients.tables import disclosure, instruction
from troth.retention.tables import ending, hold
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.rights.tables import request, request_log
from troth.settings import Attestation
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.verdicts import Verdict
from troth.visits import daykeys
from troth.visits.actions import _row
from troth.visits.partitions import ensure_days, table_of

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
) -> Callable[[Breaking], Breaking]:
    """Enter a way to break ``promise``."""

    def enter(do: Breaking) -> Breaking:
        BREAKS.append(Break(kind, promise, do, says, frozenset(also), turns, before))
        return do

    return enter


EVERYWHERE = ("purposes",)
"""A decision that does not come out again is also one that the closed list of purposes did not allow."""


def _sql(site: Site, *statements: object) -> None:
    with site.writing() as conn:
        for statement in statements:
            assert conn.execute(statement).rowcount, statement  # type: ignore[call-overload]


def _person(site: Site, kind: str) -> str:
    with site.reading() as conn:
        return conn.scalars(select(person.c.id).where(person.c.kind == kind, person.c.state == "active")).first() or ""


def _forge(site: Site, event: str, ask: Ask, because: str, person_id: str = "", **more: object) -> None:
    """A ledger entry of something that was let through although the policy says no."""
    asked = {"act": ask.act, "purpose": ask.purpose, "fields": sorted(ask.fields), "people": ask.people}
    asked |= {"recipient": ask.recipient, "facts": sorted(ask.facts)}
    body = {"ask": asked, "allowed": True, "because": [because], "version": 1, "person": person_id, **more}
    with site.writing() as conn:
        ledger.append(conn, site.now(), event, {key: value for key, value in body.items() if value != ""})


def _change_version(site: Site, change: Callable[[str], str], decisions: str, published: timedelta) -> None:
    """Version 2 of the shop's policy in the archive, in force from now."""
    policy = change((site.folder / "policy.yaml").read_text()).replace("version: 1", "version: 2")
    settled = (site.folder / "decisions.yaml").read_text() + decisions.removeprefix("decisions:\n")
    with site.writing() as conn:
        versions.archive(conn, policy, settled, effective_at=site.now(), at=site.now() - published)


def _holding_at(point: str) -> object:
    return select(holding.c.id).join(shape, shape.c.id == holding.c.shape_id).where(shape.c.point == point).limit(1)


def _one(site: Site, point: str) -> str:
    with site.reading() as conn:
        return str(conn.scalar(_holding_at(point)))  # type: ignore[call-overload]


def _hand_in(site: Site, kind: str, point: str, values: dict[str, str]) -> None:
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
            submission="forged",
            policy=compiled,
        )


def _reshape(site: Site, point: str, new_point: str, source: str, fields: str) -> None:
    with site.writing() as conn:
        made = shape_ids(conn, new_point, source, [fields])[fields]
    _sql(site, update(holding).where(holding.c.id == _one(site, point)).values(shape_id=made))


@breaks("policy.version", "policy", "version 1 was altered")
def a_published_version_is_altered(site: Site) -> None:
    _sql(site, update(policy_version).values(policy=policy_version.c.policy + "\n# and one thing more"))


@breaks("policy.version", "policy", "version 1 was altered")
def a_published_version_is_altered_with_its_digest(site: Site) -> None:
    with site.writing() as conn:
        body = {"version": 1, "digest": conn.scalar(select(policy_version.c.digest)), "effective": site.now()}
        ledger.append(conn, site.now(), events.POLICY_PUBLISHED, body)
        row = conn.execute(select(policy_version)).one()
        policy = row.policy + "\n# and one thing more"
        conn.execute(update(policy_version).values(policy=policy, digest=versions.digest(policy, row.decisions)))


@breaks(
    "policy.version", "policy", "1 record from a place or a version that was not in force", also={"collection.contact"}
)
def data_comes_in_under_a_version_that_never_was(site: Site) -> None:
    _sql(site, update(holding).where(holding.c.id == _one(site, "contact")).values(policy_version=7))


@breaks("policy.version", "policy", "1 record from a place or a version that was not in force", also={"data"})
def data_comes_in_at_a_place_that_the_policy_does_not_know(site: Site) -> None:
    _reshape(site, "contact", "scraper", "the web", "email question")


@breaks("operator.contact", "operator", "no e-mail address")
def the_policy_loses_its_address(site: Site) -> None:
    decided = "decisions:\n  - {settles: E-13 operator.email, because: we are shy, by: nobody, on: 2026-01-01}\n"
    _change_version(site, lambda text: text.replace("email: privacy@shop.example, ", ""), decided, days(30))


@breaks("people.age", "people.customer", "1 record of somebody younger")
def a_child_is_taken_in(site: Site) -> None:
    _hand_in(site, "customer", "register", {"email": "kid@shop.test", "full_name": "Kid", "birth_date": "2015-01-01"})


@breaks("people.age", "people.customer", "1 decision not as the policy says", also={*EVERYWHERE, "collection.register"})
def a_child_was_let_through_the_form(site: Site) -> None:
    facts = frozenset({"source:registration", "under_age"})
    ask = Ask("collect", "register", frozenset({"email"}), "customer", facts=facts)
    _forge(site, events.HOLDING_COLLECTED, ask, "collection.register")


@breaks("data.sealed", "data", "1 record not sealed", also={"security.sealed"})
def a_body_is_stored_in_plain_words(site: Site) -> None:
    _sql(
        site,
        update(holding)
        .where(holding.c.id == _one(site, "contact"))
        .values(body=b'{"email":"lee@shop.test","question":"hi"}'),
    )


@breaks("data.sealed", "data", "1 record not opened by its person's key", also={"security.sealed"})
def a_body_is_moved_to_somebody_else(site: Site) -> None:
    other = select(holding.c.body).where(holding.c.id == _one(site, "order")).scalar_subquery()
    _sql(site, update(holding).where(holding.c.id == _one(site, "contact")).values(body=other))


@breaks("data.never_stored", "data.card", "1 text with a card number")
def a_card_number_lands_in_an_error(site: Site) -> None:
    first = select(func.min(job.c.id)).scalar_subquery()
    _sql(site, update(job).where(job.c.id == first).values(problem="refused for 4111 1111 1111 1111"))


@breaks("data.never_stored", "data.card", "1 record with", also={"data", "security.sealed", "collection.contact"})
def a_card_number_has_a_field_of_its_own(site: Site) -> None:
    _reshape(site, "contact", "contact", "contact", "card email question")


@breaks("collection.form", "collection.contact", "1 record with other fields", also={"data", "security.sealed"})
def a_holding_has_an_undeclared_field(site: Site) -> None:
    _reshape(site, "contact", "contact", "contact", "email phone question")


@breaks("collection.form", "collection.contact", "1 record with other fields, or from another source")
def a_holding_has_no_source(site: Site) -> None:
    _reshape(site, "contact", "contact", "", "email question")


@breaks("collection.form", "collection.contact", "1 record without what was told")
def nobody_kept_what_was_told(site: Site) -> None:
    _sql(site, update(holding).where(holding.c.id == _one(site, "contact")).values(told="0" * 64))


@breaks("collection.import", "collection.fair_import", "1 record from nobody whom the policy names")
def an_import_names_no_partner(site: Site) -> None:
    _sql(site, update(holding).where(holding.c.id == _one(site, "fair_import")).values(partner=None))


@breaks("collection.import", "collection.fair_import", "1 submission of which nobody told the person")
def second_hand_data_is_told_to_nobody(site: Site) -> None:
    _sql(site, delete(job).where(job.c.kind == SECOND_HAND))


@breaks("purpose.use", "purposes.fulfil_order", "1 decision not as the policy says", also=EVERYWHERE)
def a_read_is_let_through_without_an_order(site: Site) -> None:
    ask = Ask("read", "fulfil_order", frozenset({"delivery_address"}), "customer", facts=frozenset({"by:staff"}))
    _forge(site, events.PERSON_READ, ask, "purposes.fulfil_order")


@breaks("purpose.closed", "purposes", "1 decision not as the policy says")
def a_read_with_no_purpose_is_let_through(site: Site) -> None:
    _forge(site, events.PERSON_READ, Ask("read", "", frozenset({"question"}), "lead"), "statements.internet")


@breaks("purpose.closed", "purposes", "1 decision not as the policy says")
def a_read_was_never_asked_for(site: Site) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.PERSON_READ, {"person": _person(site, "lead"), "by": "system"})


@breaks("purpose.closed", "purposes", "1 decision not as the policy says", also={"purposes.service"})
def a_read_under_a_version_that_never_was(site: Site) -> None:
    ask = Ask("read", "service", frozenset({"email"}), "customer", facts=frozenset({"by:system"}))
    _forge(site, events.PERSON_READ, ask, "purposes.service", version=9)


@breaks("consent.choice", "purposes.marketing.consent", "1 choice without the words that were shown")
def nobody_kept_what_was_agreed_to(site: Site) -> None:
    _sql(site, update(choice).where(choice.c.scope == "marketing").values(shown="0" * 64))


@breaks(
    "consent.choice",
    "purposes.marketing.consent",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "purposes.marketing"},
)
def an_agreement_is_used_that_nobody_gave(site: Site) -> None:
    facts = frozenset({"by:system", "consent:marketing"})
    ask = Ask("read", "marketing", frozenset({"email"}), "lead", facts=facts)
    _forge(site, events.PERSON_READ, ask, "purposes.marketing", _person(site, "lead"))


@breaks(
    "consent.choice",
    "purposes.marketing.consent",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "purposes.marketing"},
)
def an_objection_is_left_out_of_the_question(site: Site) -> None:
    ann = _person(site, "customer")
    _choose(site, ann, "marketing", "objected", "letter")
    site.clock.move(days(1))  # type: ignore[attr-defined]
    facts = frozenset({"by:system", "consent:marketing", "consent:@newsletter_house"})
    ask = Ask("read", "marketing", frozenset({"email"}), "customer", facts=facts)
    _forge(site, events.PERSON_READ, ask, "purposes.marketing", ann)


@breaks("consent.choice", "recipients.newsletter_house.consent", "1 choice without the words that were shown")
def nobody_kept_which_recipient_was_agreed_to(site: Site) -> None:
    _sql(site, update(choice).where(choice.c.scope == "@newsletter_house").values(shown="0" * 64))


def _choose(site: Site, person_id: str, scope: str, state: str, channel: str, on_ledger: bool = True) -> None:
    """A choice as the consent room writes it, without what it refuses."""
    with site.writing() as conn:
        shown = conn.scalar(select(choice.c.shown)) or ""
        row = {"id": new_id(site.now()), "person_id": person_id, "scope": scope, "state": state, "at": site.now()}
        conn.execute(insert(choice).values(**row, shown=shown, channel=channel, policy_version=1))
        if on_ledger:
            named = {"given": events.CONSENT_GIVEN, "objected": events.OBJECTION_MADE}
            body = {"person": person_id, "choice": row["id"], "scope": scope, "state": state, "shown": shown}
            ledger.append(conn, site.now(), named[state], body)


@breaks("consent.not_implied", "statements.consent", "1 consent not from a box of their own")
def a_visit_counts_as_consent(site: Site) -> None:
    _choose(site, _person(site, "lead"), "preferences", "given", "visit")


@breaks("consent.not_implied", "statements.consent", "1 consent not from a box of their own")
def sending_a_form_counts_as_consent(site: Site) -> None:
    _choose(site, _person(site, "lead"), "preferences", "given", "contact")


@breaks("consent.not_implied", "statements.consent", "1 consent that nobody was seen to give")
def a_consent_is_slipped_in(site: Site) -> None:
    _choose(site, _person(site, "lead"), "preferences", "given", "letter", on_ledger=False)


@breaks("recipient.share", "recipients.courier", "1 disclosure other than was decided")
def a_disclosure_has_a_field_too_many(site: Site) -> None:
    row = disclosure.c.recipient == "courier"
    _sql(site, update(disclosure).where(row).values(fields="delivery_address email full_name"))


@breaks(
    "recipient.share",
    "recipients.courier",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "absolutes.never_sold", "absolutes.only_named"},
)
def the_gate_gives_the_courier_an_address_to_write_to(site: Site) -> None:
    facts = frozenset({"by:system", "case:order", "safeguard:courier"})
    ask = Ask("disclose", "fulfil_order", frozenset({"email", "full_name"}), "customer", "courier", facts)
    _forge(site, events.DISCLOSURE_QUEUED, ask, "recipients.courier", disclosure=new_id(site.now()))


def _slip_out(site: Site, recipient: str, fields: str, purpose: str = "marketing") -> None:
    row: dict[str, object] = {column.name: "" for column in disclosure.c if not column.nullable}
    row |= {"id": new_id(site.now()), "person_id": _person(site, "lead"), "recipient": recipient, "purpose": purpose}
    _sql(site, insert(disclosure).values(**row | {"fields": fields, "at": site.now(), "state": "delivered"}))


@breaks(
    "recipient.closed",
    "recipients",
    "1 disclosure to somebody whom the policy does not name",
    also={"absolutes.never_sold", "absolutes.only_named"},
)
def data_goes_to_somebody_unnamed(site: Site) -> None:
    _slip_out(site, "data_broker", "email")


@breaks(
    "recipient.closed",
    "recipients",
    "1 disclosure without a decision",
    also={"absolutes.never_sold", "absolutes.only_named", "recipients.courier"},
)
def data_leaves_without_a_decision(site: Site) -> None:
    _slip_out(site, "courier", "full_name")


@breaks(
    "absolute.never",
    "absolutes.never_sold",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "recipients.courier", "recipients", "absolutes.only_named"},
)
def data_is_sold(site: Site) -> None:
    facts = frozenset({"by:system", "case:order", "safeguard:courier", "consideration"})
    ask = Ask("disclose", "fulfil_order", frozenset({"full_name"}), "customer", "courier", facts)
    _forge(site, events.DISCLOSURE_QUEUED, ask, "recipients.courier", disclosure=new_id(site.now()))


@breaks(
    "absolute.never",
    "absolutes.interest_private",
    "1 disclosure that nobody asked the policy about",
    also={"recipients", "recipients.newsletter_house", "absolutes.never_sold", "absolutes.only_named"},
)
def what_is_private_is_given_away(site: Site) -> None:
    _slip_out(site, "newsletter_house", "interest")


@breaks(
    "absolute.only",
    "absolutes.only_named",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "recipients.fair", "absolutes.never_sold"},
)
def data_goes_to_one_who_is_not_among_the_only_ones(site: Site) -> None:
    facts = frozenset({"by:system", "safeguard:fair"})
    ask = Ask("disclose", "marketing", frozenset({"email"}), "lead", "fair", facts)
    _forge(site, events.DISCLOSURE_QUEUED, ask, "recipients.fair", disclosure=new_id(site.now()))


@breaks(
    "cookie.declared",
    "cookies.taste",
    "1 decision not as the policy says",
    also=EVERYWHERE,
    before="nothing to check yet",
)
def a_cookie_is_set_without_consent(site: Site) -> None:
    _forge(site, events.DECISION_MADE, Ask("cookie", "taste", frozenset()), "cookies.taste")


def _visit(site: Site, ago: timedelta, fields: dict[str, str]) -> None:
    at = site.now() - ago
    with site.writing() as conn:
        ensure_days(conn, [at.date()])
        conn.execute(insert(table_of(at.date())), [_row(at, fields, daykeys.keys_for(site, [at.date()])[at.date()])])


@breaks("visit.records", "visits.records", "1 visit with something else")
def a_visit_holds_a_header_too_many(site: Site) -> None:
    _visit(site, days(0), {"ip_address": "192.0.2.8", "authorization": "Bearer x"})


@breaks("visit.records", "visits.records", "a visit that does not open", also=())
def a_visit_is_altered(site: Site) -> None:
    day = (site.now() - days(3)).date()
    _sql(site, update(table_of(day)).values(body=b"x" * 40))


@breaks("visit.expiry", "visits.keep", "oldest visit 40 d, 10 d too old")
def an_old_visit_is_slipped_in(site: Site) -> None:
    _visit(site, days(40), {"ip_address": "192.0.2.8"})


@breaks("relationship.end", "relationship.lead", "1 person with another end on record")
def somebody_sets_the_end_of_business_by_hand(site: Site) -> None:
    end = site.now() + days(900)
    _sql(site, update(person).where(person.c.id == _person(site, "lead")).values(relationship_ends_at=end))


@breaks("retention.clock", "retention.taste", "past the deadline, the oldest by 50 d")
def data_stays_after_its_clock(site: Site) -> None:
    interests = select(shape.c.id).where(shape.c.fields.contains("interest"))
    _sql(site, update(holding).where(holding.c.shape_id.in_(interests)).values(at=site.now() - days(150)))


@breaks(
    "retention.clock",
    "retention.leads",
    "past the deadline, the oldest by 5 d",
    also={"relationship.lead"},
    before="nothing to check yet",
)
def a_lead_stays_after_business_ended(site: Site) -> None:
    lead = person.c.id == _person(site, "lead")
    _sql(site, update(person).where(lead).values(relationship_ends_at=site.now() - days(65)))


@breaks("erasure.path", "erasure", "1 ending not destroyed by the deadline, the oldest 2 d late")
def a_quarantine_stalls(site: Site) -> None:
    _sql(site, update(ending).where(ending.c.state == "quarantined").values(destroy_by=site.now() - days(2)))


@breaks("erasure.path", "erasure", "still in quarantine after the ending is over")
def an_ending_is_called_complete_too_early(site: Site) -> None:
    _sql(site, update(ending).where(ending.c.state == "quarantined").values(state="complete"))


@breaks("erasure.path", "erasure", "no answer from Fast Courier to a deletion")
def a_recipient_does_not_answer(site: Site) -> None:
    row = {"ending_id": new_id(site.now()), "person_id": new_id(site.now()), "recipient": "courier"}
    _sql(site, insert(instruction).values(**row, at=site.now() - days(9), deadline=site.now() - days(1)))


def _hold(site: Site, **change: object) -> None:
    row: dict[str, object] = {"id": new_id(site.now()), "person_id": _person(site, "lead"), "fields": "email"}
    row |= {"reason": "because", "ground": "legal_duties", "purpose": "", "approver": "somebody", "made_at": site.now()}
    _sql(site, insert(hold).values(**row | {"ends_at": site.now() + days(30)} | change))


@breaks("erasure.path", "erasure", "1 record kept on a ground that the policy does not name")
def data_is_kept_on_a_made_up_ground(site: Site) -> None:
    _hold(site, ground="we_like_it")


@breaks("right.offered", "rights.access", "something was missing from the answer")
def an_answer_lacked_something(site: Site) -> None:
    body = {"steps": ["collect", "rights.access"], "failed": {"rights.access": "access"}}
    site.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.CANARY_SEARCHED, body)


@breaks(
    "right.offered",
    "rights.erasure",
    "nothing yet",
    also={"rights.access", "rights.objection", "rights.correction", "rights.restriction"},
    turns="nothing to check yet",
)
def nobody_tried_for_a_long_time(site: Site) -> None:
    site.clock.move(days(8))  # type: ignore[attr-defined]


@breaks("right.offered", "rights.access", "1 request not answered in time")
def a_request_was_forgotten(site: Site) -> None:
    received = receive(site, Intake("access", "letter", "forgotten", by="staff"))
    _sql(site, update(request).where(request.c.id == received.id).values(due_at=site.now() - days(1)))


@breaks("request.log", "request_log", "oldest 180 d, 5 d too old", before="nothing to check yet")
def a_request_stays_in_the_log(site: Site) -> None:
    received = receive(site, Intake("question", "letter", "old"))
    _sql(site, update(request_log).where(request_log.c.id == received.id).values(at=site.now() - days(180)))


@breaks("request.log", "request_log", "1 entry altered or taken out", before="nothing to check yet")
def a_row_of_the_log_of_requests_is_altered(site: Site) -> None:
    received = receive(site, Intake("question", "letter", "altered"))
    _sql(site, update(request_log).where(request_log.c.id == received.id).values(method="e-mail"))


@breaks("message.class", "messages.offers", "1 decision not as the policy says", also=EVERYWHERE)
def an_offer_goes_to_somebody_who_did_not_ask(site: Site) -> None:
    ask = Ask("send", "marketing", frozenset({"email", "full_name"}), "lead", "offers", frozenset({"by:system"}))
    _forge(site, events.MESSAGE_QUEUED, ask, "messages.offers", _person(site, "lead"))


@breaks(
    "statistic.aggregate",
    "statistics.interests",
    "1 decision not as the policy says",
    also=EVERYWHERE,
    before="nothing to check yet",
)
def names_are_counted(site: Site) -> None:
    _forge(
        site, events.COUNT_MADE, Ask("count", "statistics:interests", frozenset({"full_name"})), "statistics.interests"
    )


@breaks("transfer.country", "transfers", "a store in the United States", before="not proven")
def a_store_moves_abroad(site: Site) -> Site:
    store = site.wiring.store.model_copy(update={"country": "US"})
    return replace(site, wiring=site.wiring.model_copy(update={"store": store}))


@breaks("transfer.country", "transfers", "1 disclosure without a safeguard", before="not proven")
def a_safeguard_ran_out(site: Site) -> None:
    _change_version(
        site, lambda text: text.replace("until: 2030-01-01}, receives", "until: 2026-01-02}, receives"), "", days(30)
    )


@breaks("backup.purge", "backups", "1 person could be brought back", before="not proven")
def somebody_comes_back_from_a_backup(site: Site) -> None:
    """What a drill enters that finds the key of somebody who is gone; `test_backup_promise.py` makes it find one."""
    now = site.now()
    found = {"backup": now, "since": now, "whole": True, "people": 1, "keys": 1, "unopened": 0}
    with site.writing() as conn:
        ledger.append(conn, now, events.BACKUP_DRILLED, {**found, "erased": 1, "back": 1, "passed": False})


@breaks("change.notice", "changes", "1 change told too late", before="nothing to check yet")
def a_version_is_published_too_late(site: Site) -> None:
    _change_version(site, lambda text: text, "", days(2))


@breaks("security.measure", "security.clean_desk", "ran out on 1 January 2026", turns="not proven", before="attested")
def an_attestation_runs_out(site: Site) -> Site:
    gone = {"clean_desk": Attestation(by="privacy lead", until=date(2026, 1, 1))}
    return replace(site, wiring=site.wiring.model_copy(update={"attested": gone}))


@breaks("security.measure", "security.clean_desk", "nobody answers for it", turns="not proven", before="attested")
def nobody_attests(site: Site) -> Site:
    return replace(site, wiring=site.wiring.model_copy(update={"attested": {}}))


@breaks("security.measure", "security.ledger", "Broken at entry")
def an_entry_of_the_ledger_is_altered(site: Site) -> None:
    with site.writing() as conn:
        drop = "DROP TRIGGER ledger_entry_unchanged"
        conn.execute(text(drop if conn.dialect.name == "sqlite" else f"{drop} ON ledger_entry"))
        first = conn.scalar(select(func.min(entry.c.id)).where(entry.c.event == events.PERSON_ADMITTED))
        conn.execute(update(entry).where(entry.c.id == first).values(body="{}"))


@breaks("security.measure", "security.sealed", "1 record not sealed", also={"data"})
def the_measure_of_sealing_is_held_against_the_data(site: Site) -> None:
    a_body_is_stored_in_plain_words(site)


@breaks("legal.ground", "legal.legal_duties", "1 case without a reason, an approver or an end")
def a_hold_has_no_approver(site: Site) -> None:
    _hold(site, approver=" ")


@breaks(
    "legal.ground",
    "legal.court",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "recipients.courier", "recipients", "absolutes.never_sold", "absolutes.interest_private"},
    before="nothing to check yet",
)
def a_court_order_without_a_reference(site: Site) -> None:
    ask = Ask("disclose", "legal:court", frozenset({"full_name"}), "customer", "courier", frozenset({"by:system"}))
    _forge(site, events.DISCLOSURE_QUEUED, ask, "legal.court", disclosure=new_id(site.now()))
