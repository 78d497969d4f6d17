"""A restore whose live ledger is lost goes by an export of it, and by nothing that somebody edited."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.backups import keys, lose, people, rows
from tests.restoring import WHY, erase, register
from troth import ledger
from troth.consent.actions import record
from troth.errors import StoreError, Unverifiable
from troth.ledger.tables import entry
from troth.ledger.tree import leaf_hash
from troth.restoring.backup import backup
from troth.restoring.restore import restore
from troth.retention.ending import destroy_due
from troth.store.site import Site

# --- the live site's ledger is lost --------------------------------------------------------------------------------------


def test_an_export_of_the_ledger_says_who_was_erased(site: Site, tmp_path: Path) -> None:
    everybody = register(site, 4)
    backup(site, tmp_path / "monday", tmp_path / "keys")
    erase(site, everybody[0])
    destroy_due(site)
    ledger.seal(site)
    with (tmp_path / "ledger.jsonl").open("w") as out:
        ledger.export(site, out)
    lose(site)
    with pytest.raises(StoreError, match="ledger of the live site cannot be used"):
        restore(site, tmp_path / "monday", keys_folder=tmp_path / "keys", **WHY)
    done = restore(site, tmp_path / "monday", keys_folder=tmp_path / "keys", record=tmp_path / "ledger.jsonl", **WHY)
    assert done.lost is None
    assert (people(site), keys(site)) == (set(everybody[1:]), set(everybody[1:]))
    assert ledger.verify(site).verdict == "whole"


def test_an_export_of_a_running_site_is_taken_though_the_site_went_on(site: Site, tmp_path: Path) -> None:
    ann, bea = register(site, 2)
    backup(site, tmp_path / "monday", tmp_path / "keys")
    erase(site, ann)
    destroy_due(site)
    ledger.seal(site)
    register(site, 1, 2)  # what is entered between the seal and the snapshot
    with (tmp_path / "ledger.jsonl").open("w") as out:
        done = ledger.export(site, out)
    assert done.waiting > 0
    assert "checkpoint" in (tmp_path / "ledger.jsonl").read_text("utf-8").splitlines()[-1]
    lose(site)
    restore(site, tmp_path / "monday", keys_folder=tmp_path / "keys", record=tmp_path / "ledger.jsonl", **WHY)
    assert people(site) == {bea}
    assert ledger.verify(site).verdict == "whole"


def _entry(line: str, **other: object) -> str:
    """A line of an export that says something else, with the leaf that fits it when ``leaf`` is true."""
    told = json.loads(line)
    told["entry"] = told["entry"].replace('"withdrawn"', '"given"').replace("consent:withdrawn", "consent:given")
    told |= {"leaf": leaf_hash(told["entry"].encode()).hex()} if other.pop("leaf", False) else {}
    return json.dumps(told | other, separators=(",", ":"))


def _changed(lines: list[str], place: int) -> list[str]:
    return [*lines[:place], _entry(lines[place]), *lines[place + 1 :]]


def _changed_with_its_leaf(lines: list[str], place: int) -> list[str]:
    return [*lines[:place], _entry(lines[place], leaf=True), *lines[place + 1 :]]


def _not_sealed(lines: list[str], place: int) -> list[str]:
    return [*lines, _entry(lines[place], leaf=True, id=9_999, position=None)]


def _after_the_last_checkpoint(lines: list[str], place: int) -> list[str]:
    return [*lines, _entry(lines[place], leaf=True, id=9_999, position=json.loads(lines[-1])["checkpoint"]["size"])]


def _without_a_checkpoint(lines: list[str], place: int) -> list[str]:
    return [*_changed_with_its_leaf(lines, place)[:-1]]


def _taken_out(lines: list[str], place: int) -> list[str]:
    return [*lines[:place], *lines[place + 1 :]]


EDITED: dict[Callable[[list[str], int], list[str]], str] = {
    _changed: "was changed after it was written",
    _changed_with_its_leaf: "cannot be carried over",
    _not_sealed: "Nobody sealed entry 9999",
    _after_the_last_checkpoint: "No checkpoint covers entry 9999",
    _without_a_checkpoint: "No checkpoint covers entry",
    _taken_out: "gap",
}


@pytest.mark.parametrize("edit", EDITED)
def test_nothing_is_done_again_of_an_export_that_was_edited(
    site: Site, tmp_path: Path, edit: Callable[[list[str], int], list[str]]
) -> None:
    ann, eve = register(site, 2)
    backup(site, tmp_path / "monday")
    with site.writing() as conn:
        record(site, conn, eve, "marketing", "withdrawn", "", "en", "letter", site.policy())
    erase(site, ann)
    destroy_due(site)
    ledger.seal(site)
    out = io.StringIO()
    ledger.export(site, out)
    lines = out.getvalue().splitlines()
    place = next(number for number, line in enumerate(lines) if "consent:withdrawn" in line)
    export = tmp_path / "ledger.jsonl"
    export.write_text("".join(f"{line}\n" for line in edit(lines, place)), "utf-8")
    before = rows(site, entry)
    with pytest.raises(Unverifiable, match=EDITED[edit]) as refused:
        restore(site, tmp_path / "monday", record=export, **WHY)
    assert refused.value.hint
    assert (people(site), rows(site, entry)) == ({eve}, before)
    export.write_text(out.getvalue(), "utf-8")
    restore(site, tmp_path / "monday", record=export, **WHY)
    assert people(site) == {eve}


def test_a_restore_without_the_ledger_says_what_is_not_known(site: Site, tmp_path: Path) -> None:
    everybody = register(site, 2)
    backup(site, tmp_path / "monday")
    erase(site, everybody[0])
    destroy_due(site)
    ledger.seal(site)
    lose(site)
    done = restore(site, tmp_path / "monday", without_record=True, **WHY)
    assert done.lost is not None
    assert done.lost.kind == "cut"
    report = ledger.verify(site)
    assert (report.verdict, len(report.restored)) == ("whole", 1)
    with site.reading() as conn:
        body = json.loads(conn.scalars(text("SELECT body FROM ledger_entry WHERE event = 'store:restored'")).one())
    assert body["found"] == "cut"


def test_the_ledger_of_another_site_is_refused(site: Site, tmp_path: Path) -> None:
    register(site, 1)
    backup(site, tmp_path / "monday")
    (tmp_path / "ledger.jsonl").write_text('{"format":"troth-ledger/1","ledger":"other","keys":{}}\n')
    with pytest.raises(StoreError, match="no export of the ledger of shop"):
        restore(site, tmp_path / "monday", record=tmp_path / "ledger.jsonl", **WHY)
    assert len(people(site)) == 1
