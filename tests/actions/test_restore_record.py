"""What a restoration lost is on record: no log of the site reads as altered for it, and what is taken out else is found."""

from pathlib import Path

from sqlalchemy import delete, select, update

from tests.actions.lives import CONTACT, admit
from tests.asking import ann, asked
from tests.fixtures import days
from tests.staffed import clerk
from troth import ledger
from troth.clock import MovedClock
from troth.people import happenings
from troth.people.tables import happening
from troth.restoring.backup import backup
from troth.restoring.restore import restore
from troth.rights import papers
from troth.rights.intake import receive
from troth.rights.tables import request_log
from troth.staff import log
from troth.staff.tables import staff, staff_log
from troth.store.site import Site

EVENT = "claim_settled"


def put_back(site: Site, folder: Path) -> None:
    ledger.seal(site)
    restore(site, folder, because="the disk failed", by="engineer")


def test_the_logs_of_requests_and_of_staff_are_whole_after_a_restore(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann(site)
    clerk(site)
    with site.reading() as conn:
        ben = conn.scalar(select(staff.c.id))
    begin = clock.now()
    for number, day in enumerate(("before", "since", "after")):
        clock.move(days(1))
        receive(site, asked("question", f"r-{number}", text=day))
        with site.writing() as conn:
            log.note(site, conn, "acted", ben, "192.0.2.1", act=day, ref="x")
        clock.move(days(1))
        if day == "before":
            backup(site, tmp_path / "monday")
        elif day == "since":
            put_back(site, tmp_path / "monday")
    with site.reading() as conn:
        assert (papers.altered(conn, begin), log.altered(site, conn, begin)) == ([], [])
    with site.writing() as conn:  # one of the backup and one of after it; both are taken out by somebody
        conn.execute(delete(request_log))
        conn.execute(delete(staff_log))
    with site.reading() as conn:
        assert (len(papers.altered(conn, begin)), len(log.altered(site, conn, begin))) == (2, 2)


def test_a_reported_event_is_as_it_was_before_what_a_restore_lost(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    one = admit(site, "lead", CONTACT, "contact", "enquiry")
    first = clock.now()

    def report(*numbers: str) -> None:
        with site.writing() as conn:
            for number in numbers:
                happenings.report(site, conn, one, EVENT, number, clock.now())

    report("C-1", "C-2", "C-3")
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    report("C-1", "C-4")
    with site.writing() as conn:
        happenings.retract(site, conn, one, EVENT, "C-2")
    clock.move(days(1))
    put_back(site, tmp_path / "monday")
    clock.move(days(1))
    report("C-4")
    with site.reading() as conn:
        assert happenings.differences(conn, EVENT) == (0, 4)
    with site.writing() as conn:
        conn.execute(update(happening).where(happening.c.ref == "C-1").values(at=clock.now()))
        conn.execute(update(happening).where(happening.c.ref == "C-4").values(at=first))
        conn.execute(delete(happening).where(happening.c.ref == "C-3"))
    with site.reading() as conn:
        assert happenings.differences(conn, EVENT) == (3, 3)
