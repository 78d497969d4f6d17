"""Counting a statistic on real stores: who is counted, what is refused, and what is on record of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.fixtures import days
from tests.operators import erased
from tests.terminal import troth
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent.actions import record
from troth.consent.stops import actions as stops
from troth.errors import InvalidInput
from troth.evidence.prove import prove
from troth.figures import actions
from troth.figures.actions import figures
from troth.figures.rules import Figure
from troth.ledger.tables import entry
from troth.people.facts import By
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.store.site import Site

ASKED = ("interests", "market_facts", By("system"))


def customers(shop: Site, interest: str, count: int, first: int = 0) -> list[str]:
    return [
        collect(
            shop,
            Submission(
                "register",
                {"email": f"{interest}{number}@shop.example", "full_name": "Ann", "interest": interest},
                f"{interest}{number}",
            ),
        ).person_id
        for number in range(first, first + count)
    ]


def objects(site: Site, person_id: str) -> None:
    with site.writing() as conn:
        record(site, conn, person_id, "market_facts", "objected", "No.", "en", "letter", site.policy(conn))


def pauses(site: Site, person_id: str) -> None:
    receive(site, Intake("restriction", "account", "r-1", member=person_id, vouched="account"))


def leaves(site: Site, person_id: str) -> None:
    erased(site, person_id)


def stopped(site: Site, _: str) -> None:
    with site.writing() as conn:
        policy = site.policy(conn)
        stops.stop(site, conn, "market_facts", by="privacy lead", because="a complaint", policy=policy)


@pytest.mark.parametrize("no", [objects, pauses, leaves, stopped])
def test_who_may_not_be_counted_is_not(site: Site, no: Callable[[Site, str], None]) -> None:
    people = customers(site, "lamps", 5)
    assert figures(site, *ASKED).figures == (Figure(("lamps",), 5),)
    no(site, people[0])
    found = figures(site, *ASKED)
    assert (found.figures, found.in_smaller_groups) == ((), 0)


def test_the_youngest_answer_counts_once_and_ends_with_its_clock(site: Site) -> None:
    customers(site, "lamps", 5)
    for number in range(5):
        values = {"email": f"lamps{number}@shop.example", "full_name": "Ann", "interest": " lamps  and lights "}
        site.clock.move(days(0.001))  # type: ignore[attr-defined]
        collect(site, Submission("register", values, f"again-{number}"))
    assert figures(site, *ASKED).figures == (Figure(("lamps and lights",), 5),)


def test_more_people_than_are_read_at_once_are_all_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.people.counting.BATCH", 3)
    customers(site, "lamps", 10)
    assert figures(site, *ASKED).figures == (Figure(("lamps",), 10),)


def test_what_is_not_declared_is_not_counted(site: Site) -> None:
    customers(site, "lamps", 5)
    for name, purpose in (("names", "market_facts"), ("interests", "marketing")):
        with pytest.raises(InvalidInput):
            figures(site, name, purpose, By("system"))
    with site.reading() as conn:
        assert conn.scalars(select(entry.c.id).where(entry.c.event.like("count:%"))).all() == []


def test_a_count_is_on_the_ledger_before_anything_is_opened_and_comes_out_of_the_policy_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers(site, "lamps", 5)

    def nothing_opens(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(actions, "held_by_each", nothing_opens)
        with pytest.raises(RuntimeError):
            figures(site, *ASKED)
    figures(site, *ASKED)
    with site.reading() as conn:
        bodies = conn.scalars(select(entry.c.body).where(entry.c.event == "count:made")).all()
    assert len(bodies) == 2 and all("statistics:interests" in one and "lamps" not in one for one in bodies)
    (proof,) = [one.proof for one in prove(site).proven if one.promise.id == "statistics.interests"]
    assert proof.verdict == "kept" and proof.measured.startswith("2 cases done and 0 refused")


def test_a_terminal_lists_what_can_be_counted_and_says_when_nothing_is_large_enough(tmp_path: object) -> None:
    folder = f"{tmp_path}/board"
    for words in (("init", folder, "--template", "made-in-china"), ("publish", folder)):
        assert troth(*words).exit_code == 0
    listed = troth("figures", folder).stdout.splitlines()
    assert listed[0] == "membership  by company_type, company_location  for membership_statistics, research"
    assert '"smallest_group": 5' in troth("figures", folder, "--json").stdout
    counted = troth("figures", folder, "traffic", "--for", "research")
    assert (counted.exit_code, counted.stdout) == (0, "No group is as large as 5.\n")
    for wrong, said in (
        (("nosuch",), "declares no statistic `nosuch`"),
        (("membership",), "It is counted for `membership_statistics`, `research`."),
        (("membership", "--for", "promotion"), "is not counted for `promotion`"),
        (("traffic", "--for", "marketing_statistics"), "does not let `traffic` be counted"),
    ):
        done = troth("figures", folder, *wrong)
        assert done.exit_code == 2 and said in done.stderr and not done.stdout, (wrong, done.stderr)
    assert "count:refused" in troth("ledger", "export", folder).stdout, "which is on record"
