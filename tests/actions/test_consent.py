"""Choices on a real database: recorded only when made, never overwritten, in force from the next decision on."""

import json

import pytest
from sqlalchemy import func, select

from tests.fixtures import days
from tests.shoppers import ANN, BOB, Statements, held, registered
from troth.clock import MovedClock
from troth.consent import actions as consent
from troth.consent.receipt import record27560
from troth.consent.rules import State, facts_of
from troth.consent.tables import choice, shown
from troth.errors import Refused
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.vault import By
from troth.store.site import Site

WORDS = "Yes, send me offers by e-mail."


def choose(
    site: Site, person_id: str, scope: str, state: State = "given", channel: str = "letter", words: str = WORDS
) -> str:
    with site.writing() as conn:
        return consent.record(site, conn, person_id, scope, state, words, "en", channel, site.policy(conn))


def facts(site: Site, person_id: str) -> frozenset[str]:
    with site.reading() as conn:
        found = consent.choices(conn, [person_id], site.now())
    return facts_of(found.get(person_id, ()))


def events(site: Site) -> list[tuple[str, dict]]:
    with site.reading() as conn:
        rows = conn.execute(select(entry.c.event, entry.c.body).order_by(entry.c.id)).all()
    return [(row.event, json.loads(row.body)) for row in rows if not row.event.startswith("person:")]


def test_several_choose_at_once_and_the_later_of_two_counts(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    chosen = [
        consent.Choosing(ann, "marketing", "given"),
        consent.Choosing(bob, "marketing", "given"),
        consent.Choosing(ann, "marketing", "withdrawn"),
    ]
    with site.writing() as conn:
        made = consent.record_each(site, conn, chosen, WORDS, "en", "letter", site.policy(conn))
    assert len(set(made)) == 3
    assert (facts(site, ann), facts(site, bob)) == (set(), {"consent:marketing"})
    with pytest.raises(Refused), site.writing() as conn:
        unknown = consent.Choosing(bob, "no_such_purpose", "given")
        again = consent.Choosing(bob, "marketing", "withdrawn")
        consent.record_each(site, conn, [again, unknown], WORDS, "en", "letter", site.policy(conn))
    assert facts(site, bob) == {"consent:marketing"}


def test_a_choice_is_recorded_with_its_words_time_and_channel(site: Site) -> None:
    ann = registered(site, ANN)
    made = choose(site, ann, "marketing", channel="register")
    with site.reading() as conn:
        (one,) = consent.history(conn, ann)
        assert consent.words_shown(conn, one.shown) == ("en", WORDS)
    assert (one.id, one.scope, one.state, one.at) == (made, "marketing", "given", site.now())
    assert (one.channel, one.policy_version) == ("register", 1)
    assert facts(site, ann) == {"consent:marketing"}
    assert events(site) == [
        (
            "consent:given",
            {
                "person": ann, "choice": made, "scope": "marketing", "state": "given", "shown": one.shown,
                "channel": "register", "version": 1,
            },
        )
    ]  # fmt: skip


def test_withdrawal_counts_from_the_next_decision_and_overwrites_nothing(site: Site, clock: MovedClock) -> None:
    ann = registered(site, ANN)
    choose(site, ann, "marketing")
    choose(site, ann, "marketing", "withdrawn")
    assert facts(site, ann) == frozenset()
    clock.move(days(1))
    choose(site, ann, "marketing")
    assert facts(site, ann) == {"consent:marketing"}
    with site.reading() as conn:
        assert [one.state for one in consent.history(conn, ann)] == ["given", "withdrawn", "given"]
        before = consent.choices(conn, [ann], site.now() - days(0.5))
        assert facts_of(before[ann]) == frozenset()


@pytest.mark.parametrize(("first", "then"), [("given", "withdrawn"), ("given", "objected"), ("objected", "given")])
def test_a_clock_that_is_set_back_lets_no_older_choice_outweigh_a_younger_one(
    site: Site, clock: MovedClock, first: State, then: State
) -> None:
    ann = registered(site, ANN)
    choose(site, ann, "marketing", first)
    clock.move(days(-0.1))
    choose(site, ann, "marketing", then)
    expected = {"given": "consent:marketing", "objected": "objection:marketing", "withdrawn": None}[then]
    for _ in range(2):
        assert {one for one in told(site, ann) if "marketing" in one} == ({expected} if expected else set())
        clock.move(days(1))


def told(site: Site, person_id: str) -> frozenset[str]:
    """What a decision is told about a person now."""
    with site.reading() as conn:
        return vault.facts(site, conn, [person_id], By("system"), site.now())[person_id]


def test_consent_serves_its_own_scope_and_person_alone(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    choose(site, ann, "@newsletter_house")
    assert facts(site, ann) == {"consent:@newsletter_house"}
    assert facts(site, bob) == frozenset()


def test_objection_and_its_lifting_are_on_the_ledger(site: Site) -> None:
    ann = registered(site, ANN)
    choose(site, ann, "improvement", "objected")
    assert facts(site, ann) == {"objection:improvement"}
    with pytest.raises(Refused):
        vault.read(site, ann, ["interest"], "improvement", By("system"))
    choose(site, ann, "improvement", "lifted")
    assert vault.read(site, ann, ["interest"], "improvement", By("system")).values
    assert [event for event, _ in events(site)][:1] == ["objection:made"]
    assert "objection:lifted" in [event for event, _ in events(site)]


@pytest.mark.parametrize("scope", ["research", "@stranger", "courier", "", "@", "Marketing"])
def test_a_choice_about_what_the_policy_does_not_know_is_refused(site: Site, scope: str) -> None:
    with pytest.raises(Refused):
        choose(site, registered(site, ANN), scope)


def test_a_form_records_only_the_consent_that_it_offers(site: Site) -> None:
    ann = registered(site, ANN)
    for scope, channel in (("marketing", "order"), ("preferences", "register"), ("@courier", "register")):
        with pytest.raises(Refused, match="not offer"):
            choose(site, ann, scope, channel=channel)
    choose(site, ann, "marketing", "refused", channel="order")
    assert facts(site, ann) == frozenset()


def test_consent_without_words_is_refused(site: Site) -> None:
    with pytest.raises(Refused, match="words"):
        choose(site, registered(site, ANN), "marketing", words=" ")


def test_holding_data_records_no_consent(site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        order = {"email": "a@b.example", "full_name": "A", "delivery_address": "1 Lamp Street", "order_total": "10"}
        held(site, conn, ann, order, point="order", submission="order")
    with site.reading() as conn:
        assert conn.execute(select(choice)).first() is None
    assert not [event for event, _ in events(site) if event.startswith("consent:")]
    with pytest.raises(Refused):
        vault.read(site, ann, ["email"], "marketing", By("system"))


@pytest.mark.parametrize("channel", ["visit", "cookie", "terms", "scroll", "unsubscribe_link", "import"])
def test_a_yes_comes_only_by_a_way_that_asks_for_one(site: Site, channel: str) -> None:
    ann = registered(site, ANN)
    with pytest.raises(Refused, match="not offer"), site.writing() as conn:
        consent.record(site, conn, ann, "marketing", "given", WORDS, "en", channel, site.policy(conn))
    assert facts(site, ann) == frozenset()


def test_a_choice_that_is_rolled_back_was_never_made(site: Site) -> None:
    ann = registered(site, ANN)
    with pytest.raises(RuntimeError), site.writing() as conn:
        consent.record(site, conn, ann, "marketing", "given", WORDS, "en", "letter", site.policy(conn))
        raise RuntimeError
    assert facts(site, ann) == frozenset()
    assert events(site) == []


def test_words_are_kept_once(site: Site) -> None:
    for person_id in (registered(site, ANN), registered(site, BOB)):
        choose(site, person_id, "marketing")
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(shown)) == 1


def test_the_choices_of_many_are_read_with_one_query(site: Site) -> None:
    people = [registered(site, {"email": f"p{n}@shop.example"}) for n in range(30)]
    for person_id in people[::2]:
        choose(site, person_id, "marketing")
        choose(site, person_id, "marketing", "withdrawn")
        choose(site, person_id, "@newsletter_house")
    heard = Statements(site.engine)
    with site.reading() as conn:
        found = consent.choices(conn, people, site.now())
    assert len([text for text in heard.texts if "choice" in text]) == 1
    assert {one: facts_of(rows) for one, rows in found.items()} == {
        one: {"consent:@newsletter_house"} for one in people[::2]
    }


def test_a_consent_record_has_all_that_the_standard_asks_for(site: Site) -> None:
    ann = registered(site, ANN)
    choose(site, ann, "@newsletter_house")
    with site.reading() as conn:
        (one,) = consent.history(conn, ann)
        record = record27560(one, "en", site.policy(conn), "https://shop.example/notice/1", ("GB",))
    assert record["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#record"
    assert (record["record_id"], record["pii_principal_id"]) == (one.id, ann)
    said = record["processing"]
    assert said["privacy_notice"] == "https://shop.example/notice/1"
    assert [purpose["id"] for purpose in said["purpose"]] == ["marketing"]
    assert [data["pii_type"] for data in said["pii_information"]] == ["pd:EmailAddress", "pd:Name"]
    assert said["recipient_third_parties"] == [{"id": "newsletter_house", "name": "Letter House", "country": "US"}]
    assert said["pii_controllers"][0]["name"] == "Lamp Shop Limited"
    assert said["retention_period"] == {"claims": "P5Y", "everything_customer": "P175D", "leads": "P60D"}
    assert said["withdrawal_method"] == ["e-mail"]
    assert (said["storage_locations"], said["jurisdiction"], said["language"]) == (["GB"], "GB", "en")
    assert record["event"]["event_state"] == "ConsentGiven"
    assert record["event"]["event_time"] == "2026-01-05T09:00:00Z"


def test_an_objection_is_no_consent_record(site: Site) -> None:
    ann = registered(site, ANN)
    choose(site, ann, "improvement", "objected")
    with site.reading() as conn, pytest.raises(ValueError, match="no consent"):
        record27560(consent.history(conn, ann)[0], "en", site.policy(conn), "", ())
