"""Ways to break what is promised of consent, of what leaves, and of cookies."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from tests.fixtures import days
from tests.promises.breaking import (
    EVERYWHERE,
    a_person,
    breaks,
    changed_by_hand,
    forge,
)
from troth import ledger
from troth.consent.tables import choice
from troth.decide import Ask
from troth.ids import new_id
from troth.ledger import events
from troth.policy.acts import LEGAL
from troth.recipients.tables import disclosure
from troth.store.site import Site


@breaks("consent.choice", "purposes.marketing.consent", "1 choice without the words that were shown")
def nobody_kept_what_was_agreed_to(site: Site) -> None:
    changed_by_hand(site, update(choice).where(choice.c.scope == "marketing").values(shown="0" * 64))


@breaks(
    "consent.choice",
    "purposes.marketing.consent",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "purposes.marketing"},
)
def an_agreement_is_used_that_nobody_gave(site: Site) -> None:
    facts = frozenset({"by:system", "consent:marketing"})
    ask = Ask("read", "marketing", frozenset({"email"}), "lead", facts=facts)
    forge(site, events.PERSON_READ, ask, "purposes.marketing", a_person(site, "lead"))


@breaks(
    "consent.choice",
    "purposes.marketing.consent",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "purposes.marketing"},
)
def an_objection_is_left_out_of_the_question(site: Site) -> None:
    ann = a_person(site, "customer")
    _choose(site, ann, "marketing", "objected", "letter")
    site.clock.move(days(1))  # type: ignore[attr-defined]
    facts = frozenset({"by:system", "consent:marketing", "consent:@newsletter_house"})
    ask = Ask("read", "marketing", frozenset({"email"}), "customer", facts=facts)
    forge(site, events.PERSON_READ, ask, "purposes.marketing", ann)


@breaks("consent.choice", "recipients.newsletter_house.consent", "1 choice without the words that were shown")
def nobody_kept_which_recipient_was_agreed_to(site: Site) -> None:
    changed_by_hand(site, update(choice).where(choice.c.scope == "@newsletter_house").values(shown="0" * 64))


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
    _choose(site, a_person(site, "lead"), "preferences", "given", "visit")


@breaks("consent.not_implied", "statements.consent", "1 consent not from a box of their own")
def sending_a_form_counts_as_consent(site: Site) -> None:
    _choose(site, a_person(site, "lead"), "preferences", "given", "contact")


@breaks("consent.not_implied", "statements.consent", "1 consent not from a box of their own")
def scrolling_on_counts_as_consent(site: Site) -> None:
    _choose(site, a_person(site, "lead"), "preferences", "given", "scroll")


@breaks("consent.not_implied", "statements.consent", "1 consent that nobody was seen to give")
def a_consent_is_slipped_in(site: Site) -> None:
    _choose(site, a_person(site, "lead"), "preferences", "given", "letter", on_ledger=False)


@breaks(
    "recipient.share",
    "recipients.courier",
    "1 disclosure other than was decided",
    also={"absolutes.never_sold", "absolutes.only_named", "absolutes.interest_private"},
)
def a_disclosure_has_a_field_too_many(site: Site) -> None:
    row = disclosure.c.recipient == "courier"
    changed_by_hand(site, update(disclosure).where(row).values(fields="delivery_address email full_name"))


@breaks(
    "recipient.share",
    "recipients.courier",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "absolutes.never_sold", "absolutes.only_named"},
)
def the_gate_gives_the_courier_an_address_to_write_to(site: Site) -> None:
    facts = frozenset({"by:system", "case:order", "safeguard:courier"})
    ask = Ask("disclose", "fulfil_order", frozenset({"email", "full_name"}), "customer", "courier", facts)
    forge(site, events.DISCLOSURE_QUEUED, ask, "recipients.courier", disclosure=new_id(site.now()))


def _slip_out(site: Site, recipient: str, fields: str, purpose: str = "marketing") -> None:
    row: dict[str, object] = {column.name: "" for column in disclosure.c if not column.nullable}
    row |= {"id": new_id(site.now()), "person_id": a_person(site, "lead"), "recipient": recipient, "purpose": purpose}
    changed_by_hand(site, insert(disclosure).values(**row | {"fields": fields, "at": site.now(), "state": "delivered"}))


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
    "1 disclosure to somebody whom the policy does not name",
    also={"absolutes.never_sold", "absolutes.only_named"},
)
def data_goes_out_on_a_ground_that_is_for_keeping(site: Site) -> None:
    _slip_out(site, "data_broker", "email", f"{LEGAL}legal_duties")


@breaks(
    "recipient.closed",
    "recipients",
    "1 disclosure without a decision",
    also={"absolutes.never_sold", "absolutes.only_named", "recipients.courier"},
)
def data_leaves_without_a_decision(site: Site) -> None:
    _slip_out(site, "courier", "full_name")


@breaks(
    "recipient.closed",
    "recipients",
    "1 disclosure not decided again when it left",
    also={"absolutes.never_sold", "absolutes.only_named", "recipients.courier", "absolutes.interest_private"},
)
def what_was_asked_for_leaves_without_being_asked_again(site: Site) -> None:
    row = disclosure.c.recipient == "courier"
    changed_by_hand(site, update(disclosure).where(row).values(state="delivered", delivered_at=site.now()))


@breaks(
    "absolute.never",
    "absolutes.never_sold",
    "1 decision not as the policy says",
    also={*EVERYWHERE, "recipients.courier", "recipients", "absolutes.only_named"},
)
def data_is_sold(site: Site) -> None:
    facts = frozenset({"by:system", "case:order", "safeguard:courier", "consideration"})
    ask = Ask("disclose", "fulfil_order", frozenset({"full_name"}), "customer", "courier", facts)
    forge(site, events.DISCLOSURE_QUEUED, ask, "recipients.courier", disclosure=new_id(site.now()))


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
    forge(site, events.DISCLOSURE_QUEUED, ask, "recipients.fair", disclosure=new_id(site.now()))


@breaks(
    "cookie.declared",
    "cookies.taste",
    "1 decision not as the policy says",
    also=EVERYWHERE,
    before="not proven",
)
def a_cookie_is_set_without_consent(site: Site) -> None:
    forge(site, events.DECISION_MADE, Ask("cookie", "taste", frozenset()), "cookies.taste")
