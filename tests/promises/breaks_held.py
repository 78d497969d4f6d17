"""Ways to break what is promised of versions, of what is collected and held, and of how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from sqlalchemy import delete, func, insert, select, update

from tests.fixtures import days
from tests.promises.breaking import (
    EVERYWHERE,
    a_person,
    breaks,
    changed_by_hand,
    forge,
    hand_in,
    one_at,
    put_in_a_hold,
    reshape,
)
from troth import ledger
from troth.agenda.tables import job
from troth.collection.actions import SECOND_HAND
from troth.decide import Ask
from troth.ids import new_id
from troth.ledger import events
from troth.people.keystore import keys_written
from troth.people.tables import holding, person, person_key, shape
from troth.policy.compile import Compiled
from troth.policy.notice import notice
from troth.policy.notice.parts import Notice
from troth.recipients.tables import instruction
from troth.retention.tables import ending
from troth.store import versions
from troth.store.secret import Ring
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.visits import daykeys
from troth.visits.actions import _row
from troth.visits.partitions import ensure_days, table_of


@breaks("policy.version", "policy", "version 1 was altered")
def a_published_version_is_altered(site: Site) -> None:
    changed_by_hand(site, update(policy_version).values(policy=policy_version.c.policy + "\n# and one thing more"))


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
    changed_by_hand(site, update(holding).where(holding.c.id == one_at(site, "contact")).values(policy_version=7))


@breaks("policy.version", "policy", "1 record from a place or a version that was not in force", also={"data"})
def data_comes_in_at_a_place_that_the_policy_does_not_know(site: Site) -> None:
    reshape(site, "contact", "scraper", "the web", "email question")


def _without_contact(compiled: Compiled, language: str) -> Notice:
    made = notice(compiled, language)
    kept = [one for one in made.sections if not any(item.promise_id == "operator" for item in one.items)]
    return replace(made, sections=tuple(kept))


@breaks("operator.contact", "operator", "no e-mail address", patches={"troth.evidence.proofs.notice": _without_contact})
def the_notice_loses_who_is_responsible(site: Site) -> None:
    """A policy cannot: no version without a name and an address is published."""


@breaks("people.age", "people.customer", "1 record of somebody younger")
def a_child_is_taken_in(site: Site) -> None:
    hand_in(site, "customer", "register", {"email": "kid@shop.test", "full_name": "Kid", "birth_date": "2015-01-01"})


@breaks("people.age", "people.customer", "1 decision not as the policy says", also={*EVERYWHERE, "collection.register"})
def a_child_was_let_through_the_form(site: Site) -> None:
    facts = frozenset({"source:registration", "under_age"})
    ask = Ask("collect", "register", frozenset({"email"}), "customer", facts=facts)
    forge(site, events.HOLDING_COLLECTED, ask, "collection.register")


@breaks("data.sealed", "data", "1 record not encrypted", also={"security.sealed"})
def a_body_is_stored_in_plain_words(site: Site) -> None:
    changed_by_hand(
        site,
        update(holding)
        .where(holding.c.id == one_at(site, "contact"))
        .values(body=b'{"email":"lee@shop.test","question":"hi"}'),
    )


@breaks("data.sealed", "data", "1 record not opened by its person's key", also={"security.sealed"})
def a_body_is_moved_to_somebody_else(site: Site) -> None:
    other = select(holding.c.body).where(holding.c.id == one_at(site, "order")).scalar_subquery()
    changed_by_hand(site, update(holding).where(holding.c.id == one_at(site, "contact")).values(body=other))


def _one_key_for_everybody(ring: Ring) -> dict[str, object]:
    return {"wrapped": aes_key_wrap(ring.keys[ring.current], bytes(32)), "site_key": ring.current}


@breaks(
    "data.sealed",
    "data",
    "2 people with a key that somebody else has as well",
    also={"security.sealed"},
    patches={"troth.people.keystore.new_key": _one_key_for_everybody},
)
def people_are_given_one_key(site: Site) -> None:
    for name in ("Kim", "Lou"):
        hand_in(site, "customer", "register", {"email": f"{name}@shop.test", "full_name": name}, name)


@breaks("data.sealed", "data", "the keys of 1 person who are gone are still there", also={"security.sealed"})
def a_key_outlives_its_person(site: Site) -> None:
    with keys_written(site) as conn:
        row = conn.execute(select(person_key).limit(1)).mappings().one()
        conn.execute(insert(person_key).values({**row, "person_id": new_id(site.now() - days(3))}))


@breaks("data.never_stored", "data.card", "1 text with a card number")
def a_card_number_lands_in_an_error(site: Site) -> None:
    first = select(func.min(job.c.id)).scalar_subquery()
    changed_by_hand(site, update(job).where(job.c.id == first).values(problem="refused for 4111 1111 1111 1111"))


@breaks("data.never_stored", "data.card", "1 record with", also={"data", "security.sealed", "collection.contact"})
def a_card_number_has_a_field_of_its_own(site: Site) -> None:
    reshape(site, "contact", "contact", "contact", "card email question")


@breaks("collection.form", "collection.contact", "1 record with other fields", also={"data", "security.sealed"})
def a_holding_has_an_undeclared_field(site: Site) -> None:
    reshape(site, "contact", "contact", "contact", "email phone question")


@breaks("collection.form", "collection.contact", "1 record with other fields, or from another source")
def a_holding_has_no_source(site: Site) -> None:
    reshape(site, "contact", "contact", "", "email question")


@breaks("collection.form", "collection.contact", "1 record without what was told")
def nobody_kept_what_was_told(site: Site) -> None:
    changed_by_hand(site, update(holding).where(holding.c.id == one_at(site, "contact")).values(told="0" * 64))


@breaks("collection.import", "collection.fair_import", "1 record from nobody whom the policy names")
def an_import_names_no_partner(site: Site) -> None:
    changed_by_hand(site, update(holding).where(holding.c.id == one_at(site, "fair_import")).values(partner=None))


@breaks("collection.import", "collection.fair_import", "1 submission of which nobody told the person")
def second_hand_data_is_told_to_nobody(site: Site) -> None:
    changed_by_hand(site, delete(job).where(job.c.kind == SECOND_HAND))


@breaks(
    "purpose.use",
    "purposes.fulfil_order",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "automated_decisions.pay_later"},
)
def a_read_is_let_through_without_an_order(site: Site) -> None:
    ask = Ask("read", "fulfil_order", frozenset({"delivery_address"}), "customer", facts=frozenset({"by:staff"}))
    forge(site, events.PERSON_READ, ask, "purposes.fulfil_order")


@breaks("purpose.closed", "purposes", "1 decision not as the policy says")
def a_read_with_no_purpose_is_let_through(site: Site) -> None:
    forge(site, events.PERSON_READ, Ask("read", "", frozenset({"question"}), "lead"), "statements.internet")


@breaks("purpose.closed", "purposes", "1 decision not as the policy says")
def a_read_was_never_asked_for(site: Site) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.PERSON_READ, {"person": a_person(site, "lead"), "by": "system"})


@breaks("purpose.closed", "purposes", "1 decision not as the policy says", also={"purposes.service"})
def a_read_under_a_version_that_never_was(site: Site) -> None:
    ask = Ask("read", "service", frozenset({"email"}), "customer", facts=frozenset({"by:system"}))
    forge(site, events.PERSON_READ, ask, "purposes.service", version=9)


def _visit(site: Site, ago: timedelta, fields: dict[str, str]) -> None:
    at = site.now() - ago
    with site.writing() as conn:
        ensure_days(conn, [at.date()])
        conn.execute(insert(table_of(at.date())), [_row(at, fields, daykeys.keys_for(site, [at.date()])[at.date()])])


@breaks("visit.records", "visits.records", "1 visit with something else")
def a_visit_holds_a_header_too_many(site: Site) -> None:
    _visit(site, days(0), {"ip_address": "192.0.2.8", "authorization": "Bearer x"})


@breaks("visit.records", "visits.records", "1 visit with something else")
def a_page_is_kept_with_its_query(site: Site) -> None:
    _visit(site, days(0), {"ip_address": "192.0.2.8", "url": "/lamps?token=s3cret"})


@breaks("visit.records", "visits.records", "a visit that does not open", also=())
def a_visit_is_altered(site: Site) -> None:
    day = (site.now() - days(3)).date()
    changed_by_hand(site, update(table_of(day)).values(body=b"x" * 40))


@breaks("visit.expiry", "visits.keep", "oldest visit 40 d, 10 d too old")
def an_old_visit_is_slipped_in(site: Site) -> None:
    _visit(site, days(40), {"ip_address": "192.0.2.8"})


@breaks("relationship.end", "relationship.lead", "1 person with another end on record")
def somebody_sets_the_end_of_business_by_hand(site: Site) -> None:
    end = site.now() + days(900)
    changed_by_hand(site, update(person).where(person.c.id == a_person(site, "lead")).values(relationship_ends_at=end))


@breaks("retention.clock", "retention.taste", "past the deadline, the oldest by 50 d")
def data_stays_after_its_clock(site: Site) -> None:
    interests = select(shape.c.id).where(shape.c.fields.contains("interest"))
    changed_by_hand(site, update(holding).where(holding.c.shape_id.in_(interests)).values(at=site.now() - days(150)))


@breaks(
    "retention.clock",
    "retention.leads",
    "past the deadline, the oldest by 5 d",
    also={"relationship.lead"},
    before="nothing to check yet",
)
def a_lead_stays_after_business_ended(site: Site) -> None:
    lead = person.c.id == a_person(site, "lead")
    changed_by_hand(site, update(person).where(lead).values(relationship_ends_at=site.now() - days(65)))


@breaks("erasure.path", "erasure", "1 deletion not destroyed by the deadline, the oldest 2 d late")
def a_quarantine_stalls(site: Site) -> None:
    changed_by_hand(site, update(ending).where(ending.c.state == "quarantined").values(destroy_by=site.now() - days(2)))


@breaks("erasure.path", "erasure", "still in quarantine after the ending is over")
def an_ending_is_called_complete_too_early(site: Site) -> None:
    changed_by_hand(site, update(ending).where(ending.c.state == "quarantined").values(state="complete"))


@breaks("erasure.path", "erasure", "no answer from Fast Courier to a deletion")
def a_recipient_does_not_answer(site: Site) -> None:
    row = {"ending_id": new_id(site.now()), "person_id": new_id(site.now()), "recipient": "courier"}
    changed_by_hand(site, insert(instruction).values(**row, at=site.now() - days(9), deadline=site.now() - days(1)))


@breaks("erasure.path", "erasure", "1 record kept on a ground that the policy does not name")
def data_is_kept_on_a_made_up_ground(site: Site) -> None:
    put_in_a_hold(site, ground="we_like_it")
