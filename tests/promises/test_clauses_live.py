"""Clauses of the five policies on the five sites: data under a version, visits, purposes with cases and roles, clocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.databases import StoreKind
from tests.doors import in_hand, read_by_program
from tests.fixtures import days
from tests.operators import holdings, mailing, open_operator
from troth import work
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.consent.rules import State
from troth.decide import Ask
from troth.errors import InvalidInput, PolicyError, Refused, StoreError
from troth.evidence.prove import prove
from troth.ledger.tables import entry
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people import dealings, vault
from troth.people.shapes import shape_ids
from troth.people.tables import holding, person
from troth.people.vault import By
from troth.policy.notice import notice
from troth.recipients.gate import disclose
from troth.retention import sweep
from troth.retention.ending import destroy_due
from troth.store import versions
from troth.store.site import Site
from troth.verdicts import Verdict
from troth.visits import actions as visits
from troth.visits.partitions import days_present
from troth.visits.sweep import sweep as sweep_visits

START = utc(2026, 1, 5, 9)
Open = Callable[..., Site]
SYSTEM = By("system")


@pytest.fixture
def at(store_kind: StoreKind, fresh_database: Callable[..., str], tmp_path: Path, clock: MovedClock) -> Iterator[Open]:
    """``at(name)``: that operator's site, on each store."""
    opened: list[Site] = []

    def opening(name: str) -> Site:
        opened.append(open_operator(name, tmp_path, clock, fresh_database, store_kind))
        return opened[-1]

    with in_hand():
        yield opening
    for site in opened:
        site.close()


def admit(site: Site, kind: str, point: str, values: dict[str, str], since: int = 0) -> str:
    """Somebody of whom the vault holds ``values``, known ``since`` so many days."""
    with site.writing() as conn:
        made = vault.admit_many(site, conn, kind, 1, site.now() - days(since))[0]
        hold(site, conn, made, point, values)
    return made


def hold(site: Site, conn: object, person_id: str, point: str, values: dict[str, str]) -> None:
    compiled = site.policy(conn)  # type: ignore[arg-type]
    vault.hold(
        site,
        conn,  # type: ignore[arg-type]
        person_id=person_id,
        point=point,
        source=compiled.policy.collection[point].source,
        values=values,
        told=consent.remember(conn, "told", "en", site.now()),  # type: ignore[arg-type]
        submission=f"{point}:{person_id}",
        policy=compiled,
    )


def may_read(site: Site, person_id: str, field: str, purpose: str, by: By = SYSTEM, case: str | None = None) -> bool:
    return bool(read_by_program(site, person_id, [field], purpose, by.role or "any", case))


def verdict(site: Site, promise: str) -> Verdict:
    return next(one.proof.verdict for one in prove(site).proven if one.promise.id == promise)


def published(site: Site, change: Callable[[str], str], effective: date) -> None:
    """Version 2 of the site's policy, published as `troth publish` does once both files are written."""
    for name in ("policy.yaml", "decisions.yaml"):
        path = site.folder / name
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\beffective: [0-9-]{10}", f"effective: {effective}", text)
        text = re.sub(r"\bversion: [12]\b", "version: 2", text)
        path.write_text(change(text) if name == "policy.yaml" else text, encoding="utf-8")
    publish(site)


MEMBER = {"name": "Ann Other", "email": "ann@shop.test", "birth_date": "1990-05-31", "gender": "f", "job": "buyer"}


@pytest.mark.clause("L25")
def test_every_record_keeps_the_version_it_came_in_under_and_old_versions_stay_readable(
    at: Open, clock: MovedClock
) -> None:
    site = at("ledinside")
    before = admit(site, "member", "registration", MEMBER)
    first = site.policy()
    published(site, lambda text: text, (clock.now() + days(20)).date())
    clock.move(days(21))
    after = admit(site, "member", "registration", MEMBER | {"email": "bob@shop.test"})
    with site.reading() as conn:
        rows = conn.execute(select(holding.c.person_id, holding.c.policy_version).distinct())
        assert {row.person_id: row.policy_version for row in rows} == {before: 1, after: 2}
        assert versions.by_number(conn, 1).policy == first.policy
    assert notice(first, "en").version == 1


DIG = "\npurposes:\n  archaeology: {label: {en: dig, zh-Hant: 考古}, basis: contract, uses: [email]}"
WIDER = {
    "ledflex": ("\npurposes:", DIG, "archaeology"),
    "infortrend": ("    needs: [open request, open order, open ticket]\n", "", "requested_transactions"),
}
"""What version 2 says instead, and the purpose that this opens."""


@pytest.mark.clause("I39", "F80")
@pytest.mark.parametrize("name", WIDER)
def test_a_change_is_posted_before_it_takes_effect_and_a_new_use_waits_for_it(
    at: Open, clock: MovedClock, mailbox: Mailbox, name: str
) -> None:
    site = mailing(at(name), mailbox)
    old, new, purpose = WIDER[name]
    points = site.policy().policy.collection.items()
    point = next(key for key, one in points if one.people == "enquirer" and "email" in one.required)
    ann = admit(site, "enquirer", point, {"email": "ann@shop.test"})
    lead = site.policy().policy.changes.lead_time or days(1)  # type: ignore[union-attr]
    with pytest.raises(PolicyError, match="before people had time"):
        published(site, lambda text: text.replace(old, new, 1), (clock.now() + lead / 2).date())
    with site.reading() as conn:
        assert versions.published(conn, 2) is None
    published(site, lambda text: text, (clock.now() + lead + days(1)).date())
    for _ in range(3):  # one finds whom to tell, one sends
        work.turn(site)
    assert not may_read(site, ann, "email", purpose)
    for _ in range((lead + days(2)).days):
        clock.move(days(1))
        work.turn(site)
    assert may_read(site, ann, "email", purpose)
    (told,) = [one.proof for one in prove(site).proven if one.promise.id == "changes"]
    assert told.verdict != "broken" and told.measured == "written to in time", told


@pytest.mark.clause("M1")
def test_nothing_runs_that_the_policy_does_not_bind(at: Open, clock: MovedClock) -> None:
    """A service is a collection point, a purpose or a recipient of the policy; any other cannot take, use or give anything."""
    site = at("made-in-china")
    ann = admit(site, "member", "register", {"full_name": "Ann Other", "email": "ann@shop.test"})
    with pytest.raises(InvalidInput):
        collect(site, Submission("auction", {"email": "ann@shop.test"}, "s1"))
    assert not may_read(site, ann, "email", "auction")
    with pytest.raises(Refused):
        disclose(site, ann, "auctioneer", ["email"], "auction")
    clock.at = utc(2017)
    with pytest.raises(StoreError, match="in force"):
        collect(site, Submission("register", {"email": "ann@shop.test"}, "s2"))


@pytest.mark.clause("F3")
def test_each_submission_is_bound_to_the_policy_it_was_shown(at: Open) -> None:
    site = at("ledflex")
    point = next(
        key for key, one in site.policy().policy.collection.items() if one.people == "enquirer" and one.kind == "form"
    )
    needed = site.policy().policy.collection[point].required
    made_up = {"email": "ann@shop.test", "phone": "+44 20 7946 0958", "full_name": "Ann Other"}
    values = {field: made_up.get(field, "lamps") for field in needed}
    person_id = collect(site, Submission(point, values, "s1")).person_id
    with site.reading() as conn:
        row = conn.execute(select(holding).where(holding.c.person_id == person_id)).first()
        assert row is not None and row.policy_version == site.policy().version
        language, words = consent.words_shown(conn, row.told) or ("", "")
    assert language == "en" and f"v{site.policy().version}" in words


@pytest.mark.clause("O3", "I9")
@pytest.mark.parametrize("name", ["optokingdom", "infortrend"])
def test_a_visit_is_no_consent(at: Open, name: str) -> None:
    site = at(name)
    with site.writing() as conn:
        visits.record(site, conn, {"pd:IPAddress": "192.0.2.7", "pd:BrowserHistory": "/"})
    kind = next(iter(site.policy().policy.people))
    point = next(
        key for key, one in site.policy().policy.collection.items() if "email" in {*one.required, *one.optional}
    )
    ann = admit(site, site.policy().policy.collection[point].people or kind, point, {"email": "ann@shop.test"})
    asking = [
        key for key, one in site.policy().policy.purposes.items() if one.basis == "consent" and "email" in one.uses
    ]
    assert not any(may_read(site, ann, "email", purpose) for purpose in asking)
    assert verdict(site, "statements.consent") != "broken"
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(entry).where(entry.c.event == "consent:given")) == 0


HEADERS = {
    "pd:IPAddress": "192.0.2.77",
    "ip_address": "192.0.2.77",
    "language": "de",
    "visit_count": "2",
    "clicked_pages": "/lamps /bulbs",
    "pd:BrowserHistory": "/lamps /bulbs",
    "computer_code": "c0ffee",
    "page": "/lamps",
    "authorization": "Bearer secret",
    "user_agent": "Mozilla",
    "email": "ann@shop.test",
    "person_id": "01k7",
}


def kept_of_a_visit(site: Site) -> dict[str, str]:
    with site.writing() as conn:
        visits.record(site, conn, HEADERS)
        day = days_present(conn)[-1]
    with site.reading() as conn:
        return dict(visits.sample(site, conn, [day], 1)[0].fields)


@pytest.mark.clause("O4", "O7")
def test_a_shop_visit_keeps_the_listed_details_for_thirty_days_and_no_other(at: Open, clock: MovedClock) -> None:
    site = at("optokingdom")
    kept = kept_of_a_visit(site)
    assert kept.keys() <= {"ip_address", "language", "visit_count", "clicked_pages"}
    assert kept["ip_address"] == "192.0.2.77"
    assert (kept["language"], kept["visit_count"]) == ("de", "2")
    clock.move(days(30) - timedelta(minutes=1))
    assert len(list(visits.read(site, "shop_service", SYSTEM))) == 1
    clock.move(timedelta(minutes=1))
    assert list(visits.read(site, "shop_service", SYSTEM)) == []
    sweep_visits(site)
    with site.reading() as conn:
        assert all(not visits.sample(site, conn, [day], 1) for day in days_present(conn))


@pytest.mark.clause("O4")
def test_no_address_is_kept_when_the_policy_does_not_list_it(at: Open, clock: MovedClock) -> None:
    site = at("optokingdom")
    published(
        site, lambda text: text.replace("records: [ip_address, ", "records: [", 1), (clock.now() + days(40)).date()
    )
    clock.move(days(41))
    assert "ip_address" not in kept_of_a_visit(site)


@pytest.mark.clause("M13")
def test_traffic_leads_back_to_no_member_and_no_computer(at: Open) -> None:
    site = at("made-in-china")
    admit(site, "member", "register", {"full_name": "Ann Other", "email": "ann@shop.test"})
    kept = kept_of_a_visit(site)
    assert kept.keys() <= {"ip_address", "computer_code", "page"}
    assert kept["ip_address"] == "192.0.2.0"
    assert kept["computer_code"] != "c0ffee"
    with site.reading() as conn:
        ids = set(conn.scalars(select(person.c.id)))
    assert not ids & set(kept.values())


@pytest.mark.clause("M13")
def test_one_computer_has_another_code_the_next_day(at: Open, clock: MovedClock) -> None:
    site = at("made-in-china")
    today = kept_of_a_visit(site)["computer_code"]
    assert kept_of_a_visit(site)["computer_code"] == today
    clock.move(days(1))
    assert kept_of_a_visit(site)["computer_code"] != today


@pytest.mark.clause("I23", "I2")
def test_looking_at_pages_leaves_nothing_personal(at: Open) -> None:
    site = at("infortrend")
    with site.writing() as conn:
        visits.record(site, conn, HEADERS)
    with site.reading() as conn:
        assert all(not visits.sample(site, conn, [day], 1) for day in days_present(conn))
        assert conn.scalar(select(func.count()).select_from(person)) == 0
    assert holdings(site) == 0
    assert verdict(site, "visits.records") == "kept"


@pytest.mark.clause("I14")
def test_security_events_are_for_security_staff_and_end_with_their_period(at: Open, clock: MovedClock) -> None:
    site = at("infortrend")
    ann = admit(site, "visitor", "security_watch", {"security_event": "three wrong passwords"})
    assert may_read(site, ann, "security_event", "security", By("staff", "security"))
    for by in (SYSTEM, By("staff", "sales"), By("staff", "human resources")):
        assert not may_read(site, ann, "security_event", "security", by)
    keep = max(one.keep for one in site.policy().clocks if ("security_watch", "security_event") in one.covers)
    for _ in range(int(keep / days(1)) + 1):
        clock.move(days(1))
        sweep.sweep(site)
        destroy_due(site)
    assert not may_read(site, ann, "security_event", "security", By("staff", "security"))
    assert holdings(site) == 0


@pytest.mark.clause("F1")
def test_older_customers_fall_under_the_older_rule(at: Open, clock: MovedClock) -> None:
    site = at("ledflex")
    values = {"full_name": "Ann Other", "email": "ann@shop.test"}
    clock.at = utc(2018, 6, 1)
    old = admit(site, "customer", "place_order", values, since=8)  # 24 May 2018
    new = admit(site, "customer", "place_order", values | {"email": "bob@shop.test"}, since=7)  # 25 May 2018
    assert may_read(site, old, "email", "existing_customers")
    assert not may_read(site, new, "email", "existing_customers")
    assert site.policy().policy.policy.effective == date(2018, 5, 25)


@pytest.mark.clause("F26", "O13")
@pytest.mark.parametrize(
    ("name", "point", "purpose", "role"),
    [
        ("ledflex", "place_order", "fulfil_order", ""),
        ("optokingdom", "checkout", "customer_service", "customer service"),
    ],
)
def test_an_order_opens_the_data_of_its_own_customer_only(
    at: Open, name: str, point: str, purpose: str, role: str
) -> None:
    site = at(name)
    by = By("staff", role or "sales")
    ann = admit(site, "customer", point, {"phone": "+44 20 7946 0958"})
    bob = admit(site, "customer", point, {"phone": "+44 20 7946 0959"})
    with site.writing() as conn:
        for one, ref in ((ann, "order-a"), (bob, "order-b")):
            dealings.open_dealing(site, conn, one, "order", ref, site.now())
    assert may_read(site, ann, "phone", purpose, by, case="order-a")
    assert not may_read(site, ann, "phone", purpose, by, case="order-b")
    with site.writing() as conn:
        dealings.close_dealing(site, conn, ann, "order", "order-a", site.now())
    assert not may_read(site, ann, "phone", purpose, by)
    assert may_read(site, bob, "phone", purpose, by)


@pytest.mark.clause("O17")
def test_inside_the_company_it_takes_a_role_and_a_case_and_leaves_a_trace(at: Open) -> None:
    site = at("optokingdom")
    ann = admit(site, "customer", "checkout", {"phone": "+44 20 7946 0958"})
    staff = By("staff", "customer service")
    assert not may_read(site, ann, "phone", "customer_service", staff)
    with site.writing() as conn:
        dealings.open_dealing(site, conn, ann, "ticket", "ticket-1", site.now())
    assert not may_read(site, ann, "phone", "customer_service", By("staff", "marketing"))
    assert not may_read(site, ann, "phone", "customer_service")
    assert may_read(site, ann, "phone", "customer_service", staff)
    with site.reading() as conn:
        looked = conn.scalars(select(entry.c.body).where(entry.c.event == "person:read")).all()
    assert len(looked) == 1 and ann in looked[0] and "role:customer_service" in looked[0]


@pytest.mark.clause("M26")
def test_staff_look_into_an_account_for_a_reason_that_is_on_record(at: Open) -> None:
    site = at("made-in-china")
    ann = admit(site, "member", "register", {"email": "ann@shop.test", "full_name": "Ann Other"})
    assert not may_read(site, ann, "email", "", By("staff", "administrator"))
    for reason in ("administration", "maintenance", "servicing"):
        assert may_read(site, ann, "email", reason, By("staff", "administrator"))
        assert not may_read(site, ann, "email", reason, By("staff", "sales"))
        with pytest.raises(Refused):
            disclose(site, ann, "advertisers", ["email"], reason)
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(entry).where(entry.c.event == "person:read")) == 3


@pytest.mark.clause("F53")
def test_an_objection_stops_that_use_at_once_and_no_other(at: Open) -> None:
    site = at("ledflex")
    ann = admit(site, "customer", "place_order", {"email": "ann@shop.test"}, since=10_000)
    with site.writing() as conn:
        consent.record(site, conn, ann, "marketing", "given", "Send me offers", "en", "letter", site.policy(conn))
    assert may_read(site, ann, "email", "marketing") and may_read(site, ann, "email", "existing_customers")
    with site.writing() as conn:
        consent.record(site, conn, ann, "marketing", "objected", "No more", "en", "letter", site.policy(conn))
    assert not may_read(site, ann, "email", "marketing")
    assert may_read(site, ann, "email", "existing_customers")


@pytest.mark.clause("I31")
def test_the_laws_that_apply_add_promises_and_each_is_reported(at: Open) -> None:
    site = at("infortrend")
    report = prove(site)
    by_law = {
        law: [one for one in report.proven if one.promise.origin.startswith(f"law {law}")]
        for law in site.policy().policy.policy.law
    }
    assert set(by_law) == {"tw-pdpa", "eu-gdpr"}
    assert by_law["eu-gdpr"]
    assert all(one.sentence and one.proof.limit for found in by_law.values() for one in found)
    restriction = next(one for one in report.proven if one.promise.id == "rights.law_restriction")
    assert restriction.proof.verdict == "nothing to check yet"


@pytest.mark.clause("I1")
def test_every_flow_is_on_the_notice_and_a_flow_from_elsewhere_breaks_the_policy(at: Open) -> None:
    site = at("infortrend")
    compiled = site.policy()
    shown = {item.promise_id for item in notice(compiled, "en").items}
    flows = {f"collection.{key}" for key, one in compiled.policy.collection.items() if one.kind != "visit"}
    assert flows | {f"recipients.{key}" for key in compiled.policy.recipients} <= shown
    assert compiled.decide(Ask("collect", "scraper", frozenset({"email"}))).allowed is False
    ann = admit(site, "enquirer", "contact", {"email": "ann@shop.test"})
    assert verdict(site, "policy") == "kept"
    with site.writing() as conn:
        elsewhere = shape_ids(conn, "scraper", "the web", ["email"])["email"]
        conn.execute(holding.update().where(holding.c.person_id == ann).values(shape_id=elsewhere))
    assert verdict(site, "policy") == "broken"


@pytest.mark.clause("L16")
def test_sharing_on_consent_stands_and_falls_with_that_consent_to_that_recipient(at: Open, clock: MovedClock) -> None:
    site = at("ledinside")
    ann = admit(site, "member", "registration", MEMBER)
    fields = sorted(set(site.policy().policy.recipients["consented_party"].receives) & set(MEMBER))
    purpose = site.policy().policy.recipients["consented_party"].for_[0]

    def shared() -> bool:
        try:
            disclose(site, ann, "consented_party", fields, purpose)
        except Refused:
            return False
        return True

    def choose(scope: str, state: State) -> None:
        clock.move(timedelta(minutes=1))
        with site.writing() as conn:
            consent.record(site, conn, ann, scope, state, "May we?", "en", "letter", site.policy(conn))

    assert fields and not shared()
    choose("@service_provider", "given")
    assert not shared()
    choose("@consented_party", "given")
    assert shared()
    choose("@consented_party", "withdrawn")
    assert not shared()


@pytest.mark.clause("F14")
def test_people_met_at_a_trade_show_are_kept_with_the_basics_and_the_event(at: Open) -> None:
    site = at("ledflex")
    basics = {"full_name": "Ann Other", "email": "ann@shop.test", "region": "Hampshire"}
    met = collect(site, Submission("trade_show", basics, "s1")).person_id
    with pytest.raises(InvalidInput):
        collect(site, Submission("trade_show", basics | {"delivery_address": "1 Main Street"}, "s2"))
    held = list(vault.everything(site, met, By("person", ref=met)))
    assert {one.source for one in held} == {"trade_show"}
    assert {pair for one in held for pair in one.fields.items()} == set(basics.items())
    assert holdings(site) == len(held)
