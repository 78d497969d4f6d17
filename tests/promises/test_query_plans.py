"""No hot query looks through a whole table where an index should serve: whatever the doors ask of a store is explained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from tests.crowded import crowd
from tests.fixtures import days
from tests.plans import Heard
from tests.promises.living import live
from tests.staffed import clerk
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.ledger.seal import seal
from troth.messages.actions import queue
from troth.people import happenings, vault
from troth.people.tables import person
from troth.people.vault import By
from troth.recipients.gate import disclose
from troth.retention.ending import begin_ending
from troth.rights import carrying, desk, following, links
from troth.rights.centre import Visitor, centre, change
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.staff import entering, log, own
from troth.store.site import Site
from troth.visits import actions as visits
from troth.work import TASKS, turn

COPIES = 200


@dataclass(frozen=True)
class Waiver:
    """A scan that is right: of any of ``tables``, by statements that begin with ``begins``, on one ``store`` or on both; of
    everybody alone, not by a statement that names people, where it says so.

    One that is not ``always`` met is decided by a hair: by how many rows the planner thinks there are.
    """

    tables: str
    because: str
    begins: str = ""
    store: str = ""
    always: bool = True
    of_everybody: bool = False

    def covers(self, table: str, text: str) -> bool:
        named = "json_each(" in text or "= ANY(" in text
        return (
            table in self.tables.split()
            and " ".join(text.split()).startswith(self.begins)
            and not (self.of_everybody and named)
        )


HOURLY = "once an hour the end of business is worked out for everybody, from all their dealings"
NEWEST = "the newest of what each seal enters, by the key from the end: it is among the last"
WAIVED = (
    Waiver("shape", "a few dozen rows: one for each way in which forms were filled in"),
    Waiver("policy_version", "one row for each version of the policy"),
    Waiver("heartbeat", "one row for each task of the worker"),
    Waiver("alarm", "one row for each alarm that stands"),
    Waiver("visit", "a day of visits is counted whole before it is dropped whole", "SELECT count(*)"),
    Waiver("ledger_head", "two rows: the head that is kept, and the one that comes"),
    Waiver("restoration", "one row for each time that a store was put back"),
    Waiver("ledger_checkpoint", "the newest, by its key from the end", store="sqlite"),
    Waiver("ledger_entry", "what waits to be sealed is much of a small ledger", "UPDATE", store="postgresql"),
    Waiver("ledger_entry", NEWEST, "SELECT max(ledger_entry.id)", "postgresql", always=False),
    Waiver(
        "ledger_entry",
        NEWEST,
        "SELECT ledger_entry.body FROM ledger_entry WHERE ledger_entry.id = (SELECT max(",
        "postgresql",
        always=False,
    ),
    Waiver("stop", "one row for each use that was stopped or lifted", store="postgresql"),
    Waiver("job", "up to fifty are taken at once, of a few thousand", "WITH first AS", "postgresql", always=False),
    Waiver("staff", "a few people, however many customers"),
    Waiver("staff_session", "one row for each member of staff who is logged in"),
    Waiver("instruction", "all that wait are asked for, and here all wait", store="postgresql"),
    Waiver("account session once", "nobody in this crowd is a member", store="postgresql"),
    Waiver(
        "second_factor recovery_code half_log_in passkey moving public_profile", "nor has a member's", "", "postgresql"
    ),
    Waiver("staff_log", "what a few people did, as long as their log is kept"),
    Waiver("protocol_request", "what came over a protocol and is not yet forgotten"),
    Waiver("store_sum store_sealed", "one row for each table"),
    Waiver("store_change", "what waits since the last seal, all of which is folded in", store="postgresql"),
    Waiver("dealing person", HOURLY, "UPDATE person SET relationship_ends_at", of_everybody=True),
)
HOT = {name: task for name, task in TASKS.items() if name != "stores"}
"""what the worker does at every turn; the daily look at the stores reads every row, as it must"""
ANN = {"email": "ann@shop.test", "full_name": "Ann Other", "interest": "lamps", "birth_date": "1990-05-31"}
EVE = {"email": "eve@shop.test", "full_name": "Eve New", "interest": "bulbs"}
ORDER = {"email": "eve@shop.test", "full_name": "Eve New", "delivery_address": "2 Main Street", "order_total": "9"}
STAFF = By("staff", "sales")


def use_every_door(site: Site) -> None:
    """Take in, read, give out, begin to end."""
    ticked = {"marketing": True, "newsletter_house": True}
    known = collect(site, Submission("register", ANN, "d1", choices=ticked)).person_id
    new = collect(site, Submission("register", EVE, "d2")).person_id
    collect(site, Submission("order", ORDER, "d3"))
    with site.writing() as conn:
        vault.find(site, conn, "email", EVE["email"])
        consent.record(site, conn, new, "marketing", "given", "I agree.", "en", "privacy_centre", site.policy(conn))
        visits.record(site, conn, {"pd:IPAddress": "192.0.2.7", "pd:BrowserHistory": "/lamps"})
        queue(site, conn, known, "offers", "confirmation", {}, "offer:2")
    vault.read(site, known, ["full_name"], "service", STAFF)
    vault.read(site, new, ["full_name"], "fulfil_order", STAFF, case="order:d3")
    list(vault.read_many(site, [known, new], ["full_name"], "service", STAFF))
    list(vault.everything(site, known, By("person", ref=known)))
    list(visits.read(site, "improvement", By("system")))
    disclose(site, new, "courier", ["full_name", "delivery_address"], "fulfil_order")
    with site.writing() as conn:
        begin_ending(site, conn, new, "request:9", site.now() + days(20))


def ask(right: str, key: str, **more: Any) -> Intake:
    return replace(Intake(right, "web", key, email=ANN["email"], text="please", ip="192.0.2.7"), **more)


def have_asked(site: Site) -> None:
    """Requests of every way of ending, and events that were reported, so that a crowd of them can be made."""
    with site.writing() as conn:
        lead = conn.scalars(select(person.c.id).where(person.c.kind == "lead", person.c.state == "active")).first()
        for number in range(8):
            happenings.report(site, conn, str(lead), "claim_settled", f"C-{number}", site.now())
    for number, right in enumerate(("access", "erasure", "stop marketing", "question", "restriction")):
        receive(site, ask(right, f"before-{number}"))
    receive(site, ask("copy", "before-9", vouched="staff"))


def use_the_desk(site: Site) -> None:
    """Requests come in, are confirmed, looked at, sorted, weighed, answered, taken back; staff come and go."""
    for number, right in enumerate(("access", "correction", "objection", "withdrawal", "portability")):
        receive(
            site, ask(right, f"vouched-{number}", vouched="staff", changes={"interest": "bulbs"} if number == 1 else {})
        )
    unsure = [receive(site, ask(right, f"unsure-{right}")).id for right in ("access", "restriction")]
    asked = receive(site, replace(ask("question", "asked", by="7", channel="letter"), email="")).id
    gone = receive(site, replace(ask("access", "nobody"), email="nobody@else.test"))
    assert gone.state == "closed" and receive(site, ask("erasure", "again", vouched="staff")).id
    desk.reject_evidence(site, unsure[1], "another hand", "7")
    desk.accept_evidence(site, unsure[1], "a passport", "7")
    desk.identify(site, asked, "email", ANN["email"], "7")
    desk.answer(site, asked, "We do not.", "7")
    carrying.cancel(site, unsure[0], "person")
    desk.queue(site)
    desk.queue(site, ended=True)
    desk.shown(site, asked)
    with site.writing() as conn:
        visit = links.begin_visit(site, conn, asked)
    found = carrying.visitor(site, visit)
    assert found is not None
    visitor = Visitor(found[1], "link", found[2])
    centre(site, visitor, "en")
    change(site, visitor, ())
    following.follow(site)
    list(following.alarms(site))
    somebody = clerk(site).entered()
    with site.reading() as conn:
        log.lines(site, conn)
        own.sessions(site, conn, somebody)
    entering.log_out(site, somebody)


def let_it_work(site: Site, clock: MovedClock) -> None:
    """What is due is swept, delivered, destroyed and sealed: now, and when the quarantine is over."""
    turn(site, HOT)
    clock.move(days(25))
    turn(site, HOT)


def test_no_hot_query_looks_through_a_whole_table_and_a_lost_index_is_noticed(site: Site, clock: MovedClock) -> None:
    live(site, clock)
    have_asked(site)
    crowd(site, COPIES, after=days(60), apart=days(0.2))
    seal(site)
    clock.move(days(99))
    heard = Heard(site.engine, site.keys)
    use_every_door(site)
    use_the_desk(site)
    let_it_work(site, clock)
    assert len(heard.scans) > 90
    found = {(table, text) for text, tables in heard.scans.items() for table in tables}
    waived = {one: reason for one in found for reason in WAIVED if reason.covers(*one)}
    left = [f"{table}: {' '.join(text.split())}" for table, text in found - waived.keys()]
    assert not left, "an index should serve here, or a waiver say why not:\n" + "\n".join(left)
    here = {one for one in WAIVED if one.always and one.store in {"", site.engine.dialect.name}}
    assert here <= set(waived.values()), "a waiver that nothing needs any more"
    _notices_a_lost_index(site)


def _notices_a_lost_index(site: Site) -> None:
    with site.writing() as conn:
        conn.exec_driver_sql("DROP INDEX ix_dealing_person_id")
    heard = Heard(site.engine)
    known = collect(site, Submission("register", ANN, "e1")).person_id
    vault.read(site, known, ["full_name"], "service", STAFF)
    assert "dealing" in {table for tables in heard.scans.values() for table in tables}
