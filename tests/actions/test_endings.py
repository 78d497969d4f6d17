"""The one path of everything that ends: whole into quarantine, back while it can, gone before the deadline, re-read."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, String, Table, insert, select, text

from tests.actions.lives import (
    CONTACT,
    REGISTER,
    admit,
    customer,
    fields_held,
    give,
    leave,
    places_of,
    publish,
    rows,
    submit,
    work,
)
from tests.actions.test_sweep import NO_ARCHIVE
from tests.fixtures import START, days
from troth.clock import MovedClock
from troth.errors import Refused
from troth.evidence.prove import prove
from troth.ledger import events
from troth.people.keystore import destroy_keys, open_keys
from troth.people.tables import holding, person, quarantined
from troth.people.vault import By, find, read
from troth.recipients.instructions import acknowledge
from troth.retention import destroy
from troth.retention.alarms import alarms
from troth.retention.destroy import reread, tables_of_people
from troth.retention.ending import Going, begin_each, begin_ending, destroy_due, restore
from troth.retention.sweep import sweep
from troth.retention.tables import ending
from troth.store.schema import data_tables
from troth.store.site import Site

SRC = Path(__file__).parents[2] / "src" / "troth"
SYSTEM = By("system")


def erase(site: Site, person_id: str, within: float = 20) -> str:
    with site.writing() as conn:
        return begin_ending(site, conn, person_id, "request:r1", site.now() + days(within))


def state(site: Site, ending_id: str) -> str:
    with site.reading() as conn:
        return str(conn.execute(select(ending.c.state).where(ending.c.id == ending_id)).scalar_one())


@pytest.fixture(autouse=True)
def _no_archive(request: pytest.FixtureRequest, site: Site) -> None:
    publish(site, NO_ARCHIVE, "")


def test_a_deletion_moves_everything_at_once_and_nobody_finds_or_reads_it(site: Site) -> None:
    one = customer(site)
    assert read(site, one, ["email"], "service", SYSTEM).values
    before = fields_held(site, one)
    erase(site, one)
    assert fields_held(site, one) == set()
    assert fields_held(site, one, quarantined) == before
    with site.reading() as conn:
        assert find(site, conn, "email", REGISTER["email"]) is None
    for purpose, by in (("service", SYSTEM), ("marketing", SYSTEM), ("own_access", By("person", ref=one))):
        with pytest.raises(Refused):
            read(site, one, ["email"], purpose, by)


def test_a_move_that_fails_midway_moves_nothing(site: Site) -> None:
    one = customer(site)
    before = (rows(site, "holding"), rows(site, "ledger_entry"), fields_held(site, one))
    with pytest.raises(RuntimeError), site.writing() as conn:
        begin_ending(site, conn, one, "request:r1", site.now() + days(20))
        raise RuntimeError("the machine dies here")
    assert (rows(site, "holding"), rows(site, "ledger_entry"), fields_held(site, one)) == before
    assert rows(site, "quarantined") == 0
    assert read(site, one, ["email"], "service", SYSTEM).values


def test_the_delete_runs_within_twenty_days_and_ahead_of_them(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    erase(site, one)
    clock.at = START + days(17)
    destroy_due(site)
    assert rows(site, "quarantined") == 3
    clock.at = START + days(18)
    destroy_due(site)
    assert rows(site, "quarantined") == 0
    assert places_of(site, [one]) == {"ending"}


def test_a_delete_that_does_not_run_is_an_alarm(site: Site, clock: MovedClock) -> None:
    erase(site, customer(site))
    work(site)
    clock.at = START + days(19)
    silent = {one.subject for one in alarms(site) if one.kind == "sweeper stopped"}
    assert "destroy" in silent  # before day 20
    clock.at = START + days(20)
    assert "ending late" in {one.kind for one in alarms(site)}


def test_a_deleted_person_is_nowhere_and_their_key_is_gone(site: Site, clock: MovedClock) -> None:
    one, other = customer(site), customer(site, "bob@example.org")
    give(site, one, "newsletter_house")
    give(site, other, "newsletter_house")
    ending_id = erase(site, one)
    clock.move(days(18))
    destroy_due(site)
    assert places_of(site, [one]) == {"ending", "departure", "instruction"}
    assert open_keys(site, [one, other]).keys() == {other}
    acknowledge(site, ending_id, "newsletter_house", [one], by="recipient")
    destroy_due(site)
    assert state(site, ending_id) == "complete"
    assert places_of(site, [one]) == {"ending", "instruction"}
    assert {"person", "holding", "identifier", "dealing", "disclosure"} <= places_of(site, [other])


def test_complete_means_acknowledged_by_everyone_and_reread(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    give(site, one, "newsletter_house")
    give(site, one, "courier")
    ending_id = erase(site, one)
    clock.move(days(18))
    destroy_due(site)
    assert reread(site, ending_id).waiting == {"newsletter_house": 1, "courier": 1}
    for recipient, named in (("courier", "destroyed"), ("newsletter_house", "complete")):
        acknowledge(site, ending_id, recipient, [one], by="recipient")
        destroy_due(site)
        assert state(site, ending_id) == named
    with site.reading() as conn:
        told = text("SELECT event FROM ledger_entry WHERE event LIKE 'ending:%' ORDER BY id")
        said = list(conn.scalars(told))
    assert said == [events.ENDING_QUARANTINED, events.ENDING_DESTROYED, events.ENDING_COMPLETE]


def test_what_a_rereading_finds_is_destroyed_once_more(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    give(site, one, "courier")
    ending_id = erase(site, one)
    clock.move(days(18))
    destroy_due(site)
    give(site, one, "courier")  # something writes about somebody who is gone
    acknowledge(site, ending_id, "courier", [one], by="recipient")
    assert reread(site, ending_id).left["disclosure"] == 1
    destroy_due(site)
    assert state(site, ending_id) == "quarantined"  # not complete, and not called so
    destroy_due(site)
    assert "disclosure" not in places_of(site, [one])


@pytest.mark.parametrize("dies", ["before the keys", "after the keys"])
def test_a_destruction_interrupted_between_the_stores_is_finished(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    one = customer(site)
    ending_id = erase(site, one)
    clock.move(days(18))

    def interrupted(its: Site, people: list[str]) -> int:
        if dies == "after the keys":
            destroy_keys(its, people)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(destroy, "destroy_keys", interrupted)
        with pytest.raises(KeyboardInterrupt):
            destroy_due(site)
    assert state(site, ending_id) == "destroying"
    assert reread(site, ending_id).complete == (dies == "after the keys")
    destroy_due(site)
    assert state(site, ending_id) == "complete"
    assert places_of(site, [one]) == {"ending"}


def test_an_ending_is_restored_whole_until_it_is_destroyed(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    before = fields_held(site, one)
    ending_id = erase(site, one)
    clock.move(days(17))
    with site.writing() as conn:
        assert restore(site, conn, ending_id) == 3
    assert fields_held(site, one) == before
    assert read(site, one, ["email"], "service", SYSTEM).values["email"] == REGISTER["email"]
    with site.reading() as conn:
        assert find(site, conn, "email", REGISTER["email"]) == one
    clock.move(days(18))
    destroy_due(site)
    assert fields_held(site, one) == before
    again = erase(site, one)
    clock.move(days(18))
    destroy_due(site)
    with pytest.raises(Refused), site.writing() as conn:
        restore(site, conn, again)


def test_business_with_somebody_who_is_put_back_ends_as_their_dealings_say(site: Site) -> None:
    ending_id = erase(site, customer(site))
    with site.writing() as conn:
        restore(site, conn, ending_id)
    found = next(one.proof for one in prove(site).proven if one.promise.id == "relationship.customer")
    assert found.verdict == "kept"


def test_only_some_fields_can_end_and_the_person_stays(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    with site.writing() as conn:
        made = begin_ending(site, conn, one, "request:r2", site.now() + days(20), scope="fields", fields=["full_name"])
    assert "full_name" not in fields_held(site, one)
    assert fields_held(site, one, quarantined) == {"full_name"}
    assert read(site, one, ["email"], "service", SYSTEM).values["email"] == REGISTER["email"]
    clock.move(days(18))
    destroy_due(site)
    assert state(site, made) == "complete"
    assert {"email", "order_total"} <= fields_held(site, one)
    assert open_keys(site, [one])


def test_a_request_overtakes_a_clock_that_would_end_later(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    leave(site, one)
    clock.at = START + days(158)
    sweep(site)
    assert fields_held(site, one) == set()
    with site.writing() as conn:
        made = begin_ending(site, conn, one, "request:r3", site.now() + days(5))
    clock.move(days(4))
    destroy_due(site)
    assert state(site, made) == "complete"
    assert places_of(site, [one]) == {"ending"}
    clock.move(days(15))
    work(site)
    assert rows(site, "ending", "state <> 'complete'") == 0


def test_several_end_at_once_and_each_comes_back_alone(site: Site, clock: MovedClock) -> None:
    one, other, third = (customer(site, f"{name}@example.org") for name in ("ann", "bob", "eve"))
    before, until = fields_held(site, one), site.now() + days(20)
    goings = [
        Going(one, "request:a", until),
        Going(other, "request:b", until, frozenset({"full_name"})),
        Going(third, "request:c", site.now() + days(5), everywhere=False),
    ]
    with site.writing() as conn:
        begun = begin_each(site, conn, goings)
    assert [len({made.id for made in begun}), *(made.counted for made in begun)] == [3, 3, 2, 3]
    assert [fields_held(site, who) for who in (one, third)] == [set(), set()]
    assert fields_held(site, other, quarantined) == {"full_name"} and "email" in fields_held(site, other)
    assert rows(site, "ending", "everywhere = 1") == 1
    with site.writing() as conn:
        assert restore(site, conn, begun[0].id) == 3
    assert fields_held(site, one) == before and fields_held(site, third) == set()
    clock.move(days(18))
    destroy_due(site)
    assert [state(site, made.id) for made in begun] == ["restored", "complete", "complete"]
    assert places_of(site, [third]) == {"ending"} and open_keys(site, [other])


def test_several_end_or_none_of_them(site: Site) -> None:
    one, until = customer(site), site.now() + days(20)
    before = (rows(site, "ending"), rows(site, "ledger_entry"), fields_held(site, one))
    with pytest.raises(Refused), site.writing() as conn:
        begin_each(site, conn, [Going(one, "request:a", until), Going("01" + "a" * 24, "request:b", until)])
    with pytest.raises(ValueError, match="one ending at a time"), site.writing() as conn:
        begin_each(site, conn, [Going(one, "request:a", until), Going(one, "request:b", until, frozenset({"email"}))])
    with site.writing() as conn:
        assert begin_each(site, conn, []) == []
    assert (rows(site, "ending"), rows(site, "ledger_entry"), fields_held(site, one)) == before


def test_nobody_can_be_ended_who_is_not_there(site: Site, clock: MovedClock) -> None:
    with pytest.raises(Refused), site.writing() as conn:
        begin_ending(site, conn, "01" + "a" * 24, "request:r4", site.now() + days(20))


def test_a_table_with_people_in_it_is_erased_without_anybody_listing_it(site: Site, clock: MovedClock) -> None:
    made = Table("rows_of_a_new_room", data_tables, Column("person_id", String(26)), Column("what", String(9)))
    try:
        made.create(site.engine)
        one, other = customer(site), customer(site, "bob@example.org")
        with site.writing() as conn:
            conn.execute(insert(made), [{"person_id": each, "what": "x"} for each in (one, other)])
        erase(site, one)
        clock.move(days(18))
        destroy_due(site)
        with site.reading() as conn:
            assert list(conn.scalars(select(made.c.person_id))) == [other]
    finally:
        data_tables.remove(made)


def test_no_other_part_speaks_of_the_quarantine() -> None:
    """Rows in quarantine can only be reached by code that names their table; only this room's does, and its declaration."""
    allowed = {"people/tables.py", "retention/proofs.py"}
    allowed |= {"retention/underway.py"}  # names what is leaving, and opens nothing
    allowed |= {"source.py"}  # looks in the program's own source for code that names it
    allowed |= {"rehearsal/checks.py", "rehearsal/picture.py"}  # one counts and opens nothing, one draws the counts
    allowed |= {"retention/overdue.py"}  # counts what waits there past its clock, and opens nothing
    allowed |= {f"retention/{name}.py" for name in ("destroy", "ending", "holds", "quarantine", "sweep")}
    naming = {str(path.relative_to(SRC)) for path in SRC.rglob("*.py") if _names_the_quarantine(path)}
    assert naming <= allowed
    assert "retention/quarantine.py" in naming


def _names_the_quarantine(path: Path) -> bool:
    """Whether code names the table: imports it, takes it from a module or the metadata, or writes SQL about it.

    A field or a variable of that name is something else where nothing is imported that could lead to a table.
    """
    tree = ast.parse(path.read_text())
    near = any(_leads_to_tables(node) for node in ast.walk(tree))
    for node in ast.walk(tree):
        match node:
            case ast.alias(name="quarantined"):
                return True
            case ast.Attribute(attr="quarantined") | ast.Name(id="quarantined") if near:
                return True
            case ast.Subscript(slice=ast.Constant(value="quarantined")):
                return True
            case ast.Constant(value=str(words)) if re.search(
                r"(?i)\b(from|into|join|update|table)\s+quarantined\b", words
            ):
                return True
    return False


def _leads_to_tables(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(name.name.startswith(("troth", "importlib")) for name in names)
        case ast.ImportFrom(module=str(module)):
            return module == "troth" or module.startswith(
                ("troth.people", "troth.retention", "troth.store", "importlib")
            )
    return False


def test_what_outlives_its_person_says_why() -> None:
    named = {table.name for table in data_tables.sorted_tables if "person_id" in table.c}
    outlives = {table.name: table.info["outlives"] for table in data_tables.sorted_tables if "outlives" in table.info}
    assert {table.name for table in tables_of_people()} | (outlives.keys() & named) == named
    assert all(len(reason.split()) > 4 for reason in outlives.values())


def test_nothing_is_collected_about_somebody_who_is_leaving(site: Site) -> None:
    one = admit(site, "lead", CONTACT, "contact", "contact")
    erase(site, one)
    with pytest.raises(Refused), site.writing() as conn:
        submit(site, conn, one, "contact", CONTACT)


def test_a_backup_restored_after_an_erasure_holds_only_noise(site: Site, clock: MovedClock) -> None:
    one, _ = customer(site), customer(site, "bob@example.org")
    with site.reading() as conn:
        people = conn.execute(select(person).where(person.c.id == one)).all()
        kept = conn.execute(select(holding).where(holding.c.person_id == one)).all()
    erase(site, one)
    clock.move(timedelta(days=18))
    destroy_due(site)
    with site.writing() as conn:
        conn.execute(insert(person), [dict(row._mapping) for row in people])
        conn.execute(insert(holding), [dict(row._mapping) for row in kept])
    assert open_keys(site, [one]) == {}
    with pytest.raises(Exception, match="key is destroyed"):
        read(site, one, ["email"], "service", SYSTEM)
