"""Clauses of the five policies on the five sites: data under a version, visits, purposes with cases and roles, clocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.databases import StoreKind
from tests.fixtures import days
from tests.operators import holdings, mailing, open_operator
from tests.site_doors import in_hand, read_by_program, web_of
from troth import work
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.errors import InvalidInput, PolicyError, Refused, StoreError
from troth.evidence.prove import prove
from troth.ledger import events
from troth.ledger.tables import entry
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people import dealings, vault
from troth.people.vault import By
from troth.recipients.gate import disclose
from troth.retention import sweep
from troth.retention.ending import destroy_due
from troth.store import versions
from troth.store.site import Site
from troth.verdicts import Verdict
from troth.visits import actions as visits
from troth.visits.partitions import days_present

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
    admit(site, "customer", point, {"email": "bob@shop.test"})
    named = site.policy().policy.changes.lead_time  # type: ignore[union-attr]
    lead = named.length if named else days(1)
    with pytest.raises(PolicyError, match="before people had time"):
        published(site, lambda text: text.replace(old, new, 1), (clock.now() + lead / 2).date())
    with site.reading() as conn:
        assert versions.published(conn, 2) is None
    published(site, lambda text: text, (clock.now() + lead + days(1)).date())
    assert "This policy changes on" in web_of(site).get(f"/{name}/forms").text
    for _ in range(4):  # each finds one whom to tell, and sends what was found before
        work.turn(site)
    assert not may_read(site, ann, "email", purpose)
    for _ in range((lead + days(2)).days):
        clock.move(days(1))
        work.turn(site)
    assert may_read(site, ann, "email", purpose)
    (told,) = [one.proof for one in prove(site).proven if one.promise.id == "changes"]
    assert told.verdict == "kept" and told.measured.startswith("on our pages 0 min after it was published; 2 people"), (
        told
    )


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
    assert asking and not any(may_read(site, ann, "email", purpose) for purpose in asking)
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


def test_one_computer_has_another_code_the_next_day(at: Open, clock: MovedClock) -> None:
    site = at("made-in-china")
    today = kept_of_a_visit(site)["computer_code"]
    assert kept_of_a_visit(site)["computer_code"] == today
    clock.move(days(1))
    assert kept_of_a_visit(site)["computer_code"] != today


@pytest.mark.clause("I14")
def test_security_events_are_for_security_staff_and_end_with_their_period(at: Open, clock: MovedClock) -> None:
    site = at("infortrend")
    seen = {"security_event": "three wrong passwords"}
    for more in ({"email": "ann@shop.test"}, {"full_name": "Ann Other"}, {"security_event": " "}):
        with pytest.raises(InvalidInput):  # an event is recorded, and not who it may have been
            collect(site, Submission("security_watch", seen | more, "event-1"))
    assert holdings(site) == 0
    ann = admit(site, "visitor", "security_watch", seen)
    assert may_read(site, ann, "security_event", "security", By("staff", "security"))
    for by in (SYSTEM, By("staff", "sales"), By("staff", "human resources")):
        assert not may_read(site, ann, "security_event", "security", by)
    for day in range(1, 92):
        clock.move(days(1))
        sweep.sweep(site)
        destroy_due(site)
        assert day > 80 or may_read(site, ann, "security_event", "security", By("staff", "security"))
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
        refused = conn.scalars(select(entry.c.body).where(entry.c.event == events.READ_REFUSED)).all()
    assert len(looked) == 1 and ann in looked[0] and "role:customer_service" in looked[0]
    assert len(refused) == 3 and all(ann in one for one in refused), "who tried and was refused is on record, too"


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
        made = {
            row.event: row.n
            for row in conn.execute(select(entry.c.event, func.count().label("n")).group_by(entry.c.event))
        }
    assert (made[events.PERSON_READ], made[events.READ_REFUSED]) == (3, 3), (
        "who was refused for a reason is on record, too"
    )


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
