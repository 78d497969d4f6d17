"""Somebody with the database in their hands, triggers out of the way, changes the ledger by SQL: it is found, and where."""

import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from tests.bare import bare_folder, prepared
from troth import ledger
from troth.clock import MovedClock, utc
from troth.ledger import events
from troth.ledger.actions import canonical
from troth.ledger.checkpoints import Checkpoint, key_id, signed
from troth.ledger.examine import Wrong
from troth.ledger.heads import last_checkpoint
from troth.ledger.tree import Frontier, leaf_hash
from troth.store.site import Site

OUTSIDE = Path(__file__).parents[2] / "scripts" / "verify_ledger.py"
SEALED, BATCH, UNSEALED = 30, 10, 5  # ids are positions plus one

Tamper = Callable[[Connection], None]


@pytest.fixture
def site(tmp_path: Path, tables_url: str, clock: MovedClock) -> Iterator[Site]:
    """A ledger of 30 entries sealed in three batches and 5 that are not, without its triggers."""
    opened = prepared(bare_folder(tmp_path), tables_url, clock)
    write(opened, SEALED)
    ledger.seal(opened, batch=BATCH)
    write(opened, UNSEALED)
    with opened.writing() as conn:
        without_triggers(conn)
    yield opened
    opened.close()


def write(site: Site, count: int) -> None:
    with site.writing() as conn:
        ledger.append_many(conn, site.now(), events.PERSON_READ, [{"n": n} for n in range(count)])


def without_triggers(conn: Connection) -> None:
    for table in ("ledger_entry", "ledger_checkpoint"):
        for what in ("unchanged", "kept"):
            on = f" ON {table}" if conn.dialect.name == "postgresql" else ""
            conn.execute(text(f"DROP TRIGGER {table}_{what}{on}"))


def sql(*statements: str) -> Tamper:
    def tamper(conn: Connection) -> None:
        for statement in statements:
            conn.exec_driver_sql(statement)

    return tamper


def rewritten(number: int, body: str) -> Tamper:
    """An attacker who knows how leaves are made."""

    def tamper(conn: Connection) -> None:
        leaf = leaf_hash(canonical(utc(2026, 1, 5, 9), events.PERSON_READ, body))
        changed = {"id": number, "body": body, "leaf": leaf}
        conn.execute(text("UPDATE ledger_entry SET body = :body, leaf = :leaf WHERE id = :id"), changed)

    return tamper


def inserted(position: str) -> Tamper:
    def tamper(conn: Connection) -> None:
        body = '{"n":0}'
        leaf = leaf_hash(canonical(utc(2026, 1, 5, 9), events.PERSON_READ, body))
        columns = "INSERT INTO ledger_entry (at, event, body, leaf, position)"
        values = f" SELECT at, event, :body, :leaf, {position} FROM ledger_entry WHERE id = 1"
        conn.execute(text(columns + values), {"body": body, "leaf": leaf})

    return tamper


def shifted(start: int, by: int) -> str:
    """In two steps, because no two rows may share a position even for a moment."""
    far = f"UPDATE ledger_entry SET position = position + {1000 + by} WHERE position >= {start};"
    return far + "UPDATE ledger_entry SET position = position - 1000 WHERE position >= 1000"


def resigned(conn: Connection) -> None:
    """An attacker with a key of their own signs the whole tree again."""
    key = Ed25519PrivateKey.generate()
    leaves = list(
        conn.execute(text("SELECT leaf FROM ledger_entry WHERE position IS NOT NULL ORDER BY position")).scalars()
    )
    for size in (10, 20, 30):
        forged = signed("shop", Frontier().extended(map(bytes, leaves[:size])), utc(2026), key)
        _replace(conn, forged, key_id(key.public_key()))


def _replace(conn: Connection, forged: Checkpoint, key: str) -> None:
    values = {"size": forged.size, "root": forged.root, "key": key, "signature": forged.signature}
    words = "UPDATE ledger_checkpoint SET root = :root, key_id = :key, signature = :signature WHERE size = :size"
    conn.execute(text(words), values)


GONE = "UPDATE ledger_entry SET position = -1 WHERE id = 17; UPDATE ledger_entry SET position = 16 WHERE id = 14;"

CASES: dict[str, tuple[Tamper, Wrong, Wrong]] = {  # what is found on SQLite, and on PostgreSQL, where ids may have gaps
    "body": (
        sql("""UPDATE ledger_entry SET body = '{"n":7}' WHERE id = 14"""),
        Wrong("changed body", 14, 13),
        Wrong("changed body", 14, 13),
    ),
    "time": (
        sql("UPDATE ledger_entry SET at = at + 1 WHERE id = 1"),
        Wrong("changed body", 1, 0),
        Wrong("changed body", 1, 0),
    ),
    "event": (
        sql("UPDATE ledger_entry SET event = 'read:refused' WHERE id = 30"),
        Wrong("changed body", 30, 29),
        Wrong("changed body", 30, 29),
    ),
    "leaf": (
        sql("UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE id = 2) WHERE id = 14"),
        Wrong("changed leaf", 14, 13),
        Wrong("changed leaf", 14, 13),
    ),
    "body and leaf": (
        rewritten(14, '{"n":7}'),
        Wrong("rewritten", None, 10, 20),
        Wrong("rewritten", None, 10, 20),
    ),
    "removed": (
        sql("DELETE FROM ledger_entry WHERE id = 14"),
        Wrong("removed", 14, 13),
        Wrong("removed", 14, 13),
    ),
    "removed, the rest moved up": (
        sql("DELETE FROM ledger_entry WHERE id = 14", *shifted(14, -1).split(";")),
        Wrong("removed", 14, 13),
        Wrong("removed", None, 10, 20),
    ),
    "unsealed again": (
        sql("UPDATE ledger_entry SET position = NULL WHERE id = 14"),
        Wrong("removed", 14, 13),
        Wrong("removed", 14, 13),
    ),
    "inserted at the end": (inserted("30"), Wrong("inserted", 36, 30), Wrong("inserted", 36, 30)),
    "inserted, the rest moved down": (
        lambda conn: (sql(*shifted(13, 1).split(";"))(conn), inserted("13")(conn))[0],
        Wrong("inserted", 36, 13),
        Wrong("inserted", 36, 13),
    ),
    "swapped": (
        sql(*GONE.split(";")[:2], "UPDATE ledger_entry SET position = 13 WHERE id = 17"),
        Wrong("swapped", 17, 13),
        Wrong("swapped", 17, 13),
    ),
    "root": (
        sql("UPDATE ledger_checkpoint SET root = (SELECT leaf FROM ledger_entry WHERE id = 2) WHERE size = 20"),
        Wrong("forged checkpoint", None, 19),
        Wrong("forged checkpoint", None, 19),
    ),
    "signed with another key": (
        resigned,
        Wrong("forged checkpoint", None, 9),
        Wrong("forged checkpoint", None, 9),
    ),
    "last entry removed": (
        sql("DELETE FROM ledger_entry WHERE id = 30"),
        Wrong("truncated", 30, 29),
        Wrong("truncated", None, 20, 30),
    ),
    "end cut off with its checkpoint": (
        sql("DELETE FROM ledger_entry WHERE id > 20", "DELETE FROM ledger_checkpoint WHERE size > 20"),
        Wrong("truncated", 21, 20),
        Wrong("truncated", None, 20),
    ),
    "everything": (
        sql("DELETE FROM ledger_entry", "DELETE FROM ledger_checkpoint"),
        Wrong("truncated", 1, 0),
        Wrong("truncated", None, 0),
    ),
    "last checkpoint removed": (
        sql("DELETE FROM ledger_checkpoint WHERE size = 30"),
        Wrong("removed checkpoint", 21, 20),
        Wrong("removed checkpoint", 21, 20),
    ),
    "body not sealed yet": (
        sql("UPDATE ledger_entry SET body = '{}' WHERE id = 33"),
        Wrong("changed body", 33, None),
        Wrong("changed body", 33, None),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_tampering_is_found_and_where(site: Site, case: str) -> None:
    tamper, on_sqlite, on_postgresql = CASES[case]
    assert ledger.verify(site).verdict == "whole"
    with site.writing() as conn:
        tamper(conn)
    report = ledger.verify(site)
    assert (report.verdict, report.wrong) == (
        "broken",
        on_sqlite if site.engine.dialect.name == "sqlite" else on_postgresql,
    )
    assert report.line().startswith("Broken at ")


@pytest.mark.parametrize("number", [33, 35])
def test_an_entry_removed_before_it_was_sealed_is_found_or_counted(site: Site, number: int) -> None:
    with site.writing() as conn:
        conn.execute(text(f"DELETE FROM ledger_entry WHERE id = {number}"))
    report = ledger.verify(site)
    if site.engine.dialect.name == "sqlite":
        assert report.wrong == Wrong("removed" if number == 33 else "truncated", number, None)
    else:  # a transaction that was rolled back looks the same there
        assert (report.verdict, report.unused_ids) == ("whole", 1)
        assert "1 ids belong to no entry" in report.line()


def test_a_transaction_that_was_rolled_back_is_no_tampering(site: Site) -> None:
    with pytest.raises(RuntimeError), site.writing() as conn:
        ledger.append_many(conn, site.now(), events.PERSON_READ, [{}] * 3)
        raise RuntimeError
    write(site, 2)
    ledger.seal(site)
    assert ledger.verify(site).verdict == "whole"


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_value_that_cannot_be_read_is_tampering(site: Site) -> None:
    with site.writing() as conn:
        conn.execute(text("UPDATE ledger_entry SET at = 'never' WHERE id = 14"))
    wrong = ledger.verify(site).wrong
    assert wrong is not None
    assert wrong.kind == "unreadable"


def test_a_checkpoint_of_another_site_is_not_taken_for_ours(site: Site) -> None:
    key = (site.folder / "var" / "ledger.key").read_bytes()
    with site.writing() as conn:
        last = last_checkpoint(conn)
    assert last is not None
    renamed = site.wiring.model_copy(update={"name": "other-shop"})
    other = Site(site.folder, renamed, site.engine, site.keys, site.clock)
    assert (site.folder / "var" / "ledger.key").read_bytes() == key
    assert ledger.verify(other).wrong == Wrong("forged checkpoint", None, 9)


def test_verifying_a_longer_ledger_takes_no_more_memory(site: Site) -> None:
    def peak() -> int:
        tracemalloc.start()
        assert ledger.verify(site).verdict == "whole"
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    write(site, 3000)
    ledger.seal(site, batch=1000)
    short = peak()
    write(site, 12000)
    ledger.seal(site, batch=1000)
    assert peak() < 1.3 * short


def exported(site: Site) -> list[str]:
    out = io.StringIO()
    ledger.export(site, out)
    return out.getvalue().splitlines()


def outside(folder: Path, lines: list[str], *options: str) -> tuple[int, str]:
    """The verdict of the verifier that has nothing of Troth, in a process that could not import it."""
    path = folder / "ledger.jsonl"
    path.write_text("\n".join(lines) + "\n")
    without = f"import sys; sys.modules['troth'] = None; sys.argv[0] = ''; exec(open({str(OUTSIDE)!r}).read())"
    ran = subprocess.run(
        [sys.executable, "-c", without, str(path), *options], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_an_export_is_verified_without_troth(site: Site, tmp_path: Path) -> None:
    pem = tmp_path / "ledger.pem"
    pem.write_text(ledger.public_pem(site))
    lines = exported(site)
    assert len(lines) == 1 + SEALED + SEALED // BATCH, "it ends with the last checkpoint"
    for options in ((), ("--key", str(pem))):
        code, said = outside(tmp_path, lines, *options)
        assert (code, said.split(";")[0]) == (0, "whole: 30 sealed entries, 0 not sealed yet")


def test_a_tampered_export_is_found_without_troth(site: Site, tmp_path: Path) -> None:
    lines = exported(site)
    for at, sort in enumerate(json.loads(line) for line in lines):
        if "entry" not in sort or sort["position"] is None:
            continue
        changed = {**sort, "entry": sort["entry"].replace("person:read", "person:lost")}
        changed["leaf"] = sha256(b"\x00" + changed["entry"].encode()).hexdigest()
        last = (at, sort["position"], json.dumps(changed))
        if sort["position"] in (0, 14, 29):
            assert outside(tmp_path, [*lines[:at], last[2], *lines[at + 1 :]])[0] == 1
            assert outside(tmp_path, lines[:at] + lines[at + 1 :])[0] == 1


def test_what_is_tampered_in_the_database_is_found_in_its_export(site: Site, tmp_path: Path) -> None:
    with site.writing() as conn:
        conn.exec_driver_sql("""UPDATE ledger_entry SET body = '{"n":7}' WHERE id = 14""")
    code, said = outside(tmp_path, exported(site))
    assert (code, said) == (1, "broken: entry 14 at position 13 does not have the hash kept with it\n")


def test_an_export_signed_by_somebody_else_is_found_with_the_key_in_hand(site: Site, tmp_path: Path) -> None:
    pem = tmp_path / "other.pem"
    pem.write_text(ledger.public_pem(site))
    key = Ed25519PrivateKey.generate()
    name = key_id(key.public_key())
    lines = exported(site)
    head = json.loads(lines[0]) | {"keys": {name: key.public_key().public_bytes_raw().hex()}}
    forged = [json.dumps(head)]
    for value in map(json.loads, lines[1:]):
        said = value.get("checkpoint")
        if said:
            note = f"troth-ledger/1\nshop\n{said['size']}\n{said['root']}\n{said['at']}\n"
            said |= {"key_id": name, "signature": key.sign(note.encode()).hex()}
        forged.append(json.dumps(value))
    assert outside(tmp_path, forged)[0] == 0
    code, said = outside(tmp_path, forged, "--key", str(pem))
    assert (code, "unknown key" in said) == (1, True)
