"""GDPRbench tells right from wrong: Troth and the plain table answer as the model does, and whoever does not is seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gdprbench.model import Op
from benchmarks.gdprbench.plain import Plain
from benchmarks.gdprbench.policy import PARTIES, text
from benchmarks.gdprbench.run import Run, run
from benchmarks.gdprbench.troths import Troth, load, turns
from benchmarks.gdprbench.workloads import WORKLOADS, loaded
from benchmarks.stores import START, driver
from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from troth.clock import MovedClock, utc
from troth.people.keyring import make_site_key
from troth.store import versions
from troth.store.engines import open_engine
from troth.store.site import open_site

RECORDS, OPS = 100, 40
NAMES = list(WORKLOADS)
Fresh = Callable[..., str]


def plain(url: str, kind: StoreKind, folder: Path, backend: type[Plain], name: str, ops: int = OPS) -> Run:
    end, raw = loaded(RECORDS), driver(open_engine(url, folder))
    table = backend(raw, kind == "postgresql")
    table.make()
    table.load(end)
    came = run(table, WORKLOADS[name](end, ops, 3), end)
    raw.close()
    return came


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_table_answers_everything_right(
    store_kind: StoreKind, fresh_database: Fresh, tmp_path: Path, name: str
) -> None:
    came = plain(fresh_database(store_kind), store_kind, tmp_path, Plain, name)
    assert (came.correct, came.first_wrong) == (1, "")
    assert came.checked > OPS


@pytest.mark.parametrize("name", NAMES)
def test_troth_answers_everything_right(
    store_kind: StoreKind, fresh_database: Fresh, tmp_path: Path, name: str
) -> None:
    (tmp_path / "site.yaml").write_text('name: bench\ntitle: Bench\nstore: {database: "sqlite:///d.db", country: GB}\n')
    urls = {"database": fresh_database(store_kind, prepared_by=data_tables_made)}
    urls["keys"] = fresh_database(store_kind, prepared_by=key_tables_made)
    site = open_site(tmp_path, MovedClock(START), **urls)
    make_site_key(site)
    with site.writing() as conn:
        versions.archive(conn, text(), "", effective_at=utc(2024), at=utc(2023, 12))
    end = loaded(RECORDS)
    people = load(site, end)
    came = run(Troth(site, people), WORKLOADS[name](end, OPS, 3), end)
    site.close()
    assert (came.correct, came.first_wrong) == (1, "")


def test_a_batch_goes_in_turns_that_change_no_answer() -> None:
    batch = [
        Op("read_own", user="a"),
        Op("update_data", "r1", "a", 1),
        Op("delete_by_key", "r3", "a", 3),  # after what is done earlier in a turn
        Op("decide_by_user", user="a"),  # after what is done later in it
        Op("logs"),
        Op("read_own", user="b"),
        Op("unshare_by_party", kind=5, on=True),
        Op("unshare_by_party", kind=5 + PARTIES, on=False),  # the same party
        Op("delete_by_key", "r2", "b", 2),
        Op("own_meta", "r1", "a", 1),
        Op("read_by_purpose", kind=1),
    ]
    found = [{alike: ops for alike, ops in turn.items() if ops} for turn in turns(batch)]
    a, update, remove, decide, logs, b, stop, lift, delete, meta, page = batch
    assert found == [
        {"read": [a, b], "update_data": [update], "delete": [remove]},
        {"choose": [decide]},
        {"logs": [logs], "delete": [delete], "unshare_by_party": [stop]},
        {"unshare_by_party": [lift]},
        {"read": [meta, page]},
    ]


class ForgetsObjections(Plain):
    """Reads whatever there is."""

    def read_by_key(self, op: Op) -> str | None:
        rows = self._rows("SELECT data FROM records WHERE id = ?", op.key)
        return str(rows[0][0]) if rows else None


class NeverDeletes(Plain):
    """Says that it did."""

    def delete_by_key(self, op: Op) -> int:
        return 1


class ForgetsPurposes(Plain):
    """Suspends nothing."""

    def suspend_by_purpose(self, op: Op) -> str:
        return "done"


class LosesUpdates(Plain):
    """Puts the data of a record elsewhere."""

    def update_data(self, op: Op) -> str:
        return super().update_data(replace(op, key="r0000000x"))


class HidesLogs(Plain):
    """Tells a regulator of nothing."""

    def logs(self, op: Op) -> tuple[int, ...]:
        return ()


WRONG: list[tuple[type[Plain], str]] = [
    (ForgetsObjections, "processor"),
    (NeverDeletes, "customer"),
    (ForgetsPurposes, "controller"),
    (LosesUpdates, "customer"),
    (HidesLogs, "regulator"),
]


@pytest.mark.parametrize(("backend", "name"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_a_backend_that_is_wrong_on_purpose_scores_below_all(tmp_path: Path, backend: type[Plain], name: str) -> None:
    came = plain(
        f"sqlite:///{tmp_path / 'plain.db'}",
        "sqlite",
        tmp_path,
        backend,
        name,
        ops=OPS if name == "controller" else 300,
    )
    assert came.right < came.checked
    assert came.correct < 1 and came.first_wrong


def test_the_same_seed_asks_the_same_and_another_does_not() -> None:
    def steps(name: str, seed: int) -> list[Any]:
        return WORKLOADS[name](loaded(RECORDS), OPS, seed)

    for name in NAMES:
        assert steps(name, 5) == steps(name, 5)
        assert steps(name, 5) != steps(name, 6)


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("controller", {"create": 25, "delete": 25, "object": 12.5, "decide": 12.5, "suspend": 12.5, "unshare": 12.5}),
        ("customer", {"read": 20, "own": 20, "update": 20, "object": 20, "delete": 20}),
        ("regulator", {"meta": 46, "logs": 31, "verify": 23}),
    ],
)
def test_operations_come_in_the_shares_of_the_paper(name: str, shares: dict[str, float]) -> None:
    steps = WORKLOADS[name](loaded(2_000), 1_000, 3)
    for word, share in shares.items():
        asked = sum(op.name.startswith(word) for op, _ in steps)
        assert abs(asked / 10 - share) < 5, (word, asked)


def test_a_processor_asks_mostly_by_key() -> None:
    steps = WORKLOADS["processor"](loaded(2_000), 1_000, 3)
    assert abs(sum(op.name == "read_by_key" for op, _ in steps) / 10 - 80) < 5
