"""Who proves again and again pays for what is new, and finds what somebody finds who reads everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from tests.databases import StoreKind
from tests.fixtures import days
from tests.promises.breaks_held import a_read_with_no_purpose_is_let_through
from tests.promises.living import Living
from troth import ledger
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.evidence.prove import WHOLE_AGAIN, Prover, Report, prove
from troth.evidence.replay import LATE_BY, Replay
from troth.ledger import events
from troth.ledger.seal import seal
from troth.people import vault
from troth.people.vault import By
from troth.proof import Heard
from troth.recipients.gate import disclose
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version


class Seconds:
    """A stop watch that a test moves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed


@pytest.fixture
def shop(living: Living, store_kind: StoreKind, tmp_path: Path) -> Iterator[Site]:
    with living.copy(store_kind, tmp_path / "shop") as site:
        yield site


@pytest.fixture
def moved(shop: Site) -> MovedClock:
    assert isinstance(shop.clock, MovedClock)
    return shop.clock


def said(report: Report) -> dict[str, tuple[object, ...]]:
    """What a report finds; how many entries are sealed is left out, since each report enters one."""
    return {
        one.promise.id: (one.proof.verdict, one.proof.measured if one.promise.id != "security.ledger" else "")
        for one in report.proven
    }


def a_day_more(shop: Site, clock: MovedClock, number: int) -> None:
    """Somebody registers, agrees, is read and disclosed; the next day they change their mind."""
    given = {"email": f"more{number}@shop.test", "full_name": "More People"}
    choices = {"marketing": True, "newsletter_house": True}
    who = collect(shop, Submission("register", given, f"more{number}", choices=choices)).person_id
    clock.move(timedelta(hours=1))
    vault.read(shop, who, ["email"], "marketing", By("system"))
    disclose(shop, who, "newsletter_house", ["email"], "marketing")
    seal(shop)
    clock.move(timedelta(hours=1))


def published(shop: Site, after: timedelta) -> None:
    """Put version 2 into the archive, in force ``after`` from now."""
    policy, decisions = ((shop.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    second = policy.replace("version: 1", "version: 2")
    with shop.writing() as conn:
        versions.archive(conn, second, decisions, effective_at=shop.now() + after, at=shop.now())


def heard(shop: Site, replay: Replay) -> Heard:
    with shop.reading() as conn:
        return replay.heard(conn)


def test_proving_again_finds_what_a_first_look_finds(shop: Site, moved: MovedClock) -> None:
    prover = Prover(shop)
    prover.prove()
    for number in range(3):
        a_day_more(shop, moved, number)
        again = said(prover.prove())
        assert again == said(prove(shop))
    assert again["recipients.newsletter_house"][0] == "kept"


def test_a_replay_that_goes_on_has_heard_what_a_first_one_hears(shop: Site, moved: MovedClock) -> None:
    replay = Replay()
    for number in range(3):
        heard(shop, replay)
        a_day_more(shop, moved, number)
    assert heard(shop, replay) == heard(shop, Replay())


def test_a_forged_decision_is_found_by_who_heard_all_before_it(shop: Site) -> None:
    prover = Prover(shop)
    prover.prove()
    a_read_with_no_purpose_is_let_through(shop)
    found = said(prover.prove())
    assert found["purposes"][0] == "broken"
    assert found == said(prove(shop))


@pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)
def test_an_entry_that_commits_late_is_heard_all_the_same(shop: Site) -> None:
    """Its id lies below those that were heard already: on PostgreSQL ids are given before the commit."""
    clock = Seconds()
    replay = Replay(clock)
    with shop.writing() as slow:
        late = ledger.append(slow, shop.now(), events.PROOF_MADE, {"kept": 1})
        with shop.writing() as quick:
            assert ledger.append(quick, shop.now(), events.PROOF_MADE, {"kept": 2}) > late
        before = heard(shop, replay).events[events.PROOF_MADE]
    assert heard(shop, replay).events[events.PROOF_MADE] == before + 1
    assert heard(shop, replay).events[events.PROOF_MADE] == before + 1


@pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)
def test_an_id_that_no_entry_got_is_waited_for_an_hour(shop: Site) -> None:
    clock = Seconds()
    replay = Replay(clock)
    heard(shop, replay)
    tried = replay.waits_for
    assert tried > 0, "the canary's walk is taken back: its ids never come"
    with pytest.raises(ZeroDivisionError), shop.writing() as conn:
        ledger.append(conn, shop.now(), events.PROOF_MADE, {"kept": 1})
        raise ZeroDivisionError
    with shop.writing() as conn:
        ledger.append(conn, shop.now(), events.PROOF_MADE, {"kept": 1})
    heard(shop, replay)
    assert replay.waits_for == tried + 1
    clock.passed = LATE_BY + 1
    heard(shop, replay)
    assert replay.waits_for == 0


def test_a_version_that_would_have_been_in_force_makes_all_be_heard_again(shop: Site) -> None:
    """Somebody puts a version into the archive behind the back of those who decided under another."""
    replay = Replay()
    assert heard(shop, replay).replayed["*"].wrong == 0
    published(shop, -days(2))
    found = heard(shop, replay)
    assert found.replayed["*"].wrong > 0
    assert found == heard(shop, Replay())


def test_an_altered_version_makes_all_be_heard_again(shop: Site) -> None:
    replay = Replay()
    heard(shop, replay)
    with shop.writing() as conn:
        fewer = policy_version.c.policy.op("||")("\n# and one thing more")
        conn.execute(update(policy_version).values(policy=fewer))
    again = heard(shop, replay)
    assert again == heard(shop, Replay())


def test_a_new_version_changes_nothing_that_was_heard(shop: Site, moved: MovedClock) -> None:
    replay = Replay()
    before = heard(shop, replay).replayed["*"]
    published(shop, days(14))
    assert heard(shop, replay).replayed["*"] == before
    moved.move(days(20))
    a_day_more(shop, moved, 1)
    after = heard(shop, replay)
    assert (after.replayed["*"].wrong, after == heard(shop, Replay())) == (0, True)


def test_a_ledger_that_was_cut_off_is_heard_anew(shop: Site, moved: MovedClock) -> None:
    """As when a database is put back from a backup under a process that goes on."""
    replay = Replay()
    before = heard(shop, replay).replayed["*"]
    with pytest.raises(ZeroDivisionError), shop.writing() as conn:
        ledger.append(conn, shop.now(), events.PERSON_READ, {"allowed": True})
        assert replay.heard(conn).replayed["*"].wrong == before.wrong + 1
        raise ZeroDivisionError
    assert heard(shop, replay).replayed["*"] == before


def rest(shop: Site, before: ledger.Verified) -> ledger.Verified:
    """What is found by who goes on; whoever reads everything must find the same."""
    found = ledger.verify(shop, before.seen)
    assert found == ledger.verify(shop)
    return found


def test_verifying_on_says_what_a_whole_reading_says(shop: Site, moved: MovedClock) -> None:
    found = ledger.verify(shop)
    for number in range(3):
        a_day_more(shop, moved, number)
        with shop.writing() as conn:
            ledger.append(conn, shop.now(), events.PROOF_MADE, {"kept": number})
        found = rest(shop, found)
        assert (found.verdict, found.unsealed) == ("whole", 1)


def altered(shop: Site, *statements: str) -> None:
    """Carry out what the ledger's triggers refuse."""
    with shop.writing() as conn:
        for table, trigger in TRIGGERS:
            on = "" if conn.dialect.name == "sqlite" else f" ON {table}"
            conn.execute(text(f"DROP TRIGGER {trigger}{on}"))
        for statement in statements:
            assert conn.execute(text(statement)).rowcount


TRIGGERS = [
    (table, f"{table}_{what}") for table in ("ledger_entry", "ledger_checkpoint") for what in ("unchanged", "kept")
]
LAST = "SELECT max(position) FROM ledger_entry"


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        ([f"UPDATE ledger_entry SET body = '{{}}' WHERE position = ({LAST})"], "changed body"),
        ([f"DELETE FROM ledger_entry WHERE position = ({LAST}) - 1"], "removed"),
        (
            ["UPDATE ledger_checkpoint SET size = size + 1 WHERE size = (SELECT max(size) FROM ledger_checkpoint)"],
            "forged checkpoint",
        ),
        (
            [
                "DELETE FROM ledger_entry WHERE position >= (SELECT min(size) FROM ledger_checkpoint)",
                "DELETE FROM ledger_checkpoint WHERE size > (SELECT min(size) FROM ledger_checkpoint)",
            ],
            "truncated",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_verifying_on_finds_what_was_done_to_the_rest(
    shop: Site, moved: MovedClock, statements: list[str], kind: str
) -> None:
    before = ledger.verify(shop)
    a_day_more(shop, moved, 1)
    altered(shop, *statements)
    wrong = rest(shop, before).wrong
    assert wrong is not None
    assert wrong.kind == kind


def test_verifying_on_finds_a_ledger_cut_off_before_what_was_seen(shop: Site, moved: MovedClock) -> None:
    a_day_more(shop, moved, 1)
    before = ledger.verify(shop)
    altered(
        shop,
        "DELETE FROM ledger_entry WHERE position >= (SELECT min(size) FROM ledger_checkpoint)",
        "DELETE FROM ledger_checkpoint WHERE size > (SELECT min(size) FROM ledger_checkpoint)",
    )
    wrong = rest(shop, before).wrong
    assert wrong is not None
    assert wrong.kind == "truncated"


def test_everything_is_read_again_after_a_day(shop: Site) -> None:
    """What somebody altered round the ledger's triggers is found then at the latest."""
    clock = Seconds()
    prover = Prover(shop, clock)
    first = prover.replay
    prover.prove()
    assert prover.replay is first
    clock.passed = WHOLE_AGAIN + 1
    prover.prove()
    assert prover.replay is not first


def test_a_look_that_was_cut_short_leaves_nothing_out(shop: Site) -> None:
    prover = Prover(shop)
    prover.prove()
    a_read_with_no_purpose_is_let_through(shop)

    def stop(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        prover.prove(progress=stop)
    assert said(prover.prove())["purposes"][0] == "broken"
