"""A store that was cut, exchanged or put back from a copy is seen, and stays seen until somebody says why."""

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, text

from tests.actions.test_ledger_tampering import without_triggers
from tests.backups import keys, people
from tests.databases import StoreKind
from tests.fixtures import days
from tests.operators import open_operator
from tests.served import client
from tests.stores import Copies
from tests.submissions import CONTACT, sent
from troth import ledger
from troth.clock import MovedClock
from troth.collection import collect
from troth.errors import InvalidInput, Refused, Unverifiable
from troth.evidence.prove import prove
from troth.ledger import events, heads
from troth.ledger.heads import look
from troth.ledger.tables import head
from troth.people.keystore import orphans
from troth.restoring.by_hand import accept
from troth.retention.ending import begin_ending, destroy_due
from troth.store.engines import writing
from troth.store.prepare import prepare, upgrade
from troth.store.site import Site
from troth.work import silent, standing, turn


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Copies]:
    made = Copies(tmp_path)
    yield made
    made.close()


@pytest.fixture
def name() -> str:
    """Of a copy: unlike that of any other test."""
    return uuid.uuid4().hex[:12]


def write(site: Site, count: int) -> None:
    with site.writing() as conn:
        ledger.append_many(conn, site.now(), events.PERSON_READ, [{"n": n} for n in range(count)])


def sealed(site: Site, count: int) -> None:
    write(site, count)
    ledger.seal(site)


def rolled_back(site: Site, copies: Copies, name: str) -> None:
    """Seal, copy the data, add entries, seal, put the copy back, and add more than was lost."""
    sealed(site, 5)
    copies.take(site.engine, name)
    sealed(site, 4)
    copies.put_back(site.engine, name)
    write(site, 9)


def found(site: Site) -> str | None:
    problem = look(site)
    return problem.kind if problem else None


def test_an_old_copy_of_the_data_is_never_sealed_over(site: Site, copies: Copies, name: str) -> None:
    rolled_back(site, copies, name)
    for _ in range(3):
        with pytest.raises(Unverifiable, match="an old copy was put back"):
            ledger.seal(site)
        write(site, 20)
    report = ledger.verify(site)
    assert (report.verdict, report.wrong and report.wrong.kind) == ("broken", "truncated")
    done = turn(site)
    assert "an old copy" in done.problems["seal"]
    assert ("ledger broken", "cut") in {one.key for one in standing(site)}
    with client(site) as web:
        answer = web.get("/health")
    assert (answer.status_code, "old copy" in answer.json()["sites"]["shop"]) == (503, True)
    proven = prove(site)
    assert not proven.holds
    assert proven.as_json()["ledger"]["verdict"] == "broken"  # type: ignore[index]
    assert proven.summary["kept"] == 0


def test_what_was_recorded_goes_on_and_is_shown_for_ever(site: Site, copies: Copies, name: str) -> None:
    rolled_back(site, copies, name)
    assert accept(site, "copy of the night before", "privacy lead")[0].kind == "cut"
    report = ledger.verify(site)
    assert report.verdict == "whole"
    assert "accepted on 2026-01-05 09:00 UTC by privacy_lead: copy of the night before" in report.line()
    sealed(site, 3)
    assert ledger.verify(site).verdict == "whole"
    proven = prove(site)
    assert proven.stores is None
    assert [one.because for one in proven.restored] == ["copy of the night before"]
    with site.reading() as conn:
        body = json.loads(conn.scalars(text("SELECT body FROM ledger_entry WHERE event = 'ledger:restored'")).one())
    assert (body["found"], body["kept"], body["lost"]["size"]) == ("cut", 6, 10)  # with the sums, once


def test_nothing_is_recorded_of_stores_that_are_right(site: Site, copies: Copies, name: str) -> None:
    sealed(site, 2)
    with pytest.raises(Refused, match="are what was sealed"):
        accept(site, "why not", "privacy lead")
    rolled_back(site, copies, name)
    for because, by in (("", "privacy lead"), ("why", " "), ("x" * 501, "privacy lead")):
        with pytest.raises(InvalidInput):
            accept(site, because, by)
    assert found(site) == "cut"


def test_an_old_copy_of_the_keys_is_seen(site: Site, copies: Copies, name: str) -> None:
    sealed(site, 5)
    copies.take(site.keys, name)
    sealed(site, 1)
    copies.put_back(site.keys, name)
    assert found(site) == "keys"
    with pytest.raises(Unverifiable, match="key store is older"):
        ledger.seal(site)
    report = ledger.verify(site)
    assert (report.verdict, report.wrong and report.wrong.kind) == ("broken", "old keys")
    assert accept(site, "the keys of Monday", "privacy lead")[0].kind == "keys"
    assert (found(site), ledger.verify(site).verdict) == (None, "whole")


def test_old_copies_of_both_are_seen(site: Site, copies: Copies, name: str) -> None:
    sealed(site, 5)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.take(engine, name + of)
    sealed(site, 1)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.put_back(engine, name + of)
    assert found(site) == "cut"
    assert ledger.verify(site).verdict == "broken"


@pytest.mark.parametrize("which", ["data", "keys", "both"])
def test_the_stores_of_another_site_are_seen(
    site: Site,
    copies: Copies,
    name: str,
    which: str,
    store_kind: StoreKind,
    fresh_database: Callable[..., str],
    tmp_path: Path,
    clock: MovedClock,
) -> None:
    other = open_operator("ledflex", tmp_path, clock, fresh_database, store_kind)
    sealed(site, 5)
    sealed(other, 6)
    pairs: list[tuple[Engine, Engine]] = []
    pairs += [(site.engine, other.engine)] if which != "keys" else []
    pairs += [(site.keys, other.keys)] if which != "data" else []
    for number, (mine, theirs) in enumerate(pairs):
        copies.take(theirs, f"{name}{number}theirs")
        copies.take(mine, f"{name}{number}mine")
        copies.put_back(mine, f"{name}{number}theirs")
        copies.put_back(theirs, f"{name}{number}mine")
    assert found(site)
    assert found(other)
    for one in (site, other):
        assert ledger.verify(one).verdict == "broken"
        write(one, 1)
        with pytest.raises(Unverifiable):
            ledger.seal(one)
    other.close()


def cut(site: Site, size: int = 0) -> None:
    with site.writing() as conn:
        without_triggers(conn)
        conn.execute(text(f"DELETE FROM ledger_entry WHERE position >= {size} OR position IS NULL"))
        conn.execute(text(f"DELETE FROM ledger_checkpoint WHERE size > {size}"))
        if conn.dialect.name == "sqlite":
            conn.execute(text(f"UPDATE sqlite_sequence SET seq = {size} WHERE name = 'ledger_entry'"))


def without_file(site: Site) -> None:
    (site.folder / "var" / "ledger.head").unlink()


def without_row(site: Site) -> None:
    with writing(site.keys) as conn:
        conn.execute(delete(head))


@pytest.mark.parametrize("size", [0, 5])
@pytest.mark.parametrize("hides", [without_file, without_row])
def test_a_ledger_cut_together_with_one_of_its_heads_is_seen(
    site: Site, hides: Callable[[Site], None], size: int
) -> None:
    sealed(site, 5)
    sealed(site, 5)
    cut(site, size)
    hides(site)
    assert found(site) == "cut"
    assert ledger.verify(site).verdict == "broken"


def test_a_head_rewritten_from_the_table_does_not_hide_the_cut(site: Site) -> None:
    sealed(site, 5)
    first = (site.folder / "var" / "ledger.head").read_bytes()
    sealed(site, 5)
    cut(site, 5)
    (site.folder / "var" / "ledger.head").write_bytes(first)
    assert found(site) == "cut"
    assert ledger.verify(site).verdict == "broken"


@pytest.mark.parametrize("hides", [without_file, without_row])
def test_a_missing_head_is_seen(site: Site, hides: Callable[[Site], None]) -> None:
    sealed(site, 5)
    hides(site)
    write(site, 1)
    with pytest.raises(Unverifiable, match="is missing"):
        ledger.seal(site)
    report = ledger.verify(site)
    assert (report.verdict, report.wrong and report.wrong.kind) == ("broken", "missing head")
    accept(site, "the disk of the keys was changed", "engineer")
    assert (found(site), ledger.verify(site).verdict) == (None, "whole")


def test_a_file_that_lags_since_another_host_seals_is_no_problem(site: Site) -> None:
    sealed(site, 5)
    lagging = (site.folder / "var" / "ledger.head").read_bytes()
    sealed(site, 5)
    (site.folder / "var" / "ledger.head").write_bytes(lagging)
    assert found(site) is None
    assert ledger.verify(site).verdict == "whole"
    sealed(site, 1)


def test_a_host_that_kept_what_was_lost_accepts_what_was_recorded(site: Site, copies: Copies, name: str) -> None:
    sealed(site, 5)
    copies.take(site.engine, name)
    sealed(site, 4)
    of_another_host = (site.folder / "var" / "ledger.head").read_bytes()
    copies.put_back(site.engine, name)
    accept(site, "copy of the night before", "privacy lead")
    (site.folder / "var" / "ledger.head").write_bytes(of_another_host)
    assert found(site) is None
    assert ledger.verify(site).verdict == "whole"


def test_what_nobody_sealed_explains_no_loss(site: Site, copies: Copies, name: str) -> None:
    """Somebody with the data store and the key store in their hands, and without the signing key."""
    sealed(site, 5)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.take(engine, name + of)
    sealed(site, 4)
    lost = heads.kept(site).settled
    assert lost is not None
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.put_back(engine, name + of)
    with site.writing() as conn:
        told = {"kept": 5, "lost": {"size": lost.size, "root": lost.root.hex()}}
        ledger.append(conn, site.now(), events.LEDGER_RESTORED, told)
    assert found(site) == "cut"


def test_a_seal_that_died_before_its_commit_is_no_problem(site: Site) -> None:
    sealed(site, 5)
    write(site, 1)
    with site.reading() as conn:
        last = heads.last_checkpoint(conn)
    assert last is not None
    heads.announce(site, last, replace(last, size=6, root=b"x" * 32))
    assert found(site) is None
    ledger.seal(site)
    assert ledger.verify(site).verdict == "whole"


@pytest.mark.parametrize("first", [True, False])
def test_a_seal_that_died_after_its_commit_is_no_problem(
    site: Site, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not first:
        sealed(site, 5)
    write(site, 1)
    with monkeypatch.context() as dying:
        dying.setattr(sys.modules["troth.ledger.seal"], "settle", lambda *_: (_ for _ in ()).throw(RuntimeError))
        with pytest.raises(RuntimeError):
            ledger.seal(site)
    assert found(site) is None
    assert ledger.verify(site).verdict == "whole"
    sealed(site, 1)
    assert ledger.verify(site).verdict == "whole"


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_site_from_before_the_key_store_kept_heads_takes_over_its_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(sys.modules["troth.ledger.seal"], "enter_sums", lambda *_: None)
        sealed(site, 5)
    with site.keys.begin() as conn:
        for later in ("ledger_head", "store_sum", "store_change"):
            conn.execute(text(f"DROP TABLE {later}"))
        conn.execute(text("UPDATE troth_schema SET version_num = '0002'"))
    upgrade(site.keys, "keys")
    assert heads.kept(site).adopting
    assert (found(site), ledger.verify(site).verdict) == (None, "whole")
    sealed(site, 1)
    assert not heads.kept(site).adopting
    without_row(site)
    prepare(site)
    assert found(site) == "missing"


def test_nobody_lets_a_key_store_take_over_a_ledger_of_which_it_had_the_head(site: Site) -> None:
    """The row that says that the key store is older than heads is signed by nobody."""
    sealed(site, 5)
    without_row(site)
    row = {"state": heads.ADOPT, "size": 0, "at": 0, "root": b"", "frontier": b"", "key_id": "", "signature": b""}
    with site.keys.begin() as conn:
        conn.execute(text(_ADOPTING), row)
    assert found(site) == "missing"
    assert ledger.verify(site).verdict == "broken"
    with pytest.raises(Unverifiable):
        sealed(site, 1)


_ADOPTING = "INSERT INTO ledger_head VALUES (:state, :size, :at, :root, :frontier, :key_id, :signature)"


def test_nothing_of_people_who_came_since_is_destroyed_in_an_old_copy(
    site: Site, copies: Copies, name: str, clock: MovedClock
) -> None:
    sealed(site, 5)
    copies.take(site.engine, name)
    collect(site, CONTACT)
    ledger.seal(site)
    clock.move(days(3))
    copies.put_back(site.engine, name)
    assert len(orphans(site)) == 1
    turn(site)
    assert len(orphans(site)) == 1


def test_old_copies_of_both_stores_bring_nobody_back_who_was_erased(
    site: Site, copies: Copies, name: str, clock: MovedClock, tmp_path: Path
) -> None:
    """Ten erasures, and both stores put back by hand to the day before."""
    everybody = [
        collect(site, sent(CONTACT, f"contact-{number}", email=f"leo{number}@shop.example")).person_id
        for number in range(12)
    ]
    ledger.seal(site)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.take(engine, name + of)
    clock.move(days(1))
    for person_id in everybody[:10]:
        with site.writing() as conn:
            begin_ending(site, conn, person_id, "request:01ke6xqg800123456789abcdef", site.now())
    destroy_due(site)
    ledger.seal(site)
    with (tmp_path / "ledger.jsonl").open("w") as out:
        ledger.export(site, out)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.put_back(engine, name + of)
    assert found(site) == "cut"
    assert silent(site)
    _, done = accept(site, "both of the night before", "privacy lead", tmp_path / "ledger.jsonl")
    assert done.done["people and fields destroyed again"] == 10
    assert (people(site), keys(site)) == (set(everybody[10:]), set(everybody[10:]))
    assert (found(site), ledger.verify(site).verdict) == (None, "whole")
    assert silent(site)


def test_a_store_that_went_on_before_anybody_noticed_loses_neither_record(
    site: Site, copies: Copies, name: str, clock: MovedClock, tmp_path: Path
) -> None:
    """What it entered meanwhile has the ids of what was lost."""
    leo, mia = (collect(site, sent(CONTACT, f"contact-{one}", email=f"{one}@shop.example")).person_id for one in "lm")
    ledger.seal(site)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.take(engine, name + of)
    clock.move(days(1))
    with site.writing() as conn:
        begin_ending(site, conn, leo, "request:01ke6xqg800123456789abcdef", site.now())
    destroy_due(site)
    ledger.seal(site)
    with (tmp_path / "ledger.jsonl").open("w") as out:
        ledger.export(site, out)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.put_back(engine, name + of)
    turn(site)
    new = collect(site, sent(CONTACT, "contact-n", email="n@shop.example")).person_id
    with site.reading() as conn:
        own = conn.scalars(text("SELECT leaf FROM ledger_entry WHERE position IS NULL ORDER BY id")).all()
    assert len(own) > 3
    _, done = accept(site, "both of the night before", "privacy lead", tmp_path / "ledger.jsonl")
    assert done.done["people and fields destroyed again"] == 1
    assert people(site) == keys(site) == {mia, new}
    assert (found(site), ledger.verify(site).verdict) == (None, "whole")
    with site.reading() as conn:
        kept = conn.scalars(text("SELECT leaf FROM ledger_entry WHERE position IS NOT NULL ORDER BY position")).all()
    assert [one for one in kept if one in set(own)] == own, "in their order, after what was carried over"
    assert prove(site).found == ()
