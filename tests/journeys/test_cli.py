"""The command line as a script uses it: answers, exit codes, plain errors."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.terminal import ROOT, SHOP, blank, edit, published, shop, troth  # noqa: F401  (fixtures)
from troth import ledger
from troth.errors import StoreError
from troth.ledger import events
from troth.store.site import Site
from troth.verdicts import MARKS

# --- init and check ----------------------------------------------------------------------------------------------------


def test_a_new_site_lacks_only_what_nobody_else_can_know(blank: Path) -> None:
    found = json.loads(troth("check", blank, "--format", "json").stdout)["sites"][0]
    assert {finding["key"] for finding in found["findings"]} == {
        *("E-02 operator.name", "E-02 operator.email", "E-02 operator.address"),
        *("E-13 operator.name", "E-13 operator.email", "E-13 operator.address"),
    }
    assert found["unsettled"] == 5


def test_a_new_site_that_is_filled_in_has_no_finding_at_all(shop: Path) -> None:
    checked = troth("check", shop, "--all")
    assert checked.exit_code == 0
    assert checked.stdout == f"{shop}: Nothing to settle.\n"


def test_init_never_writes_into_a_folder_with_something_in_it(shop: Path) -> None:
    before = (shop / "policy.yaml").read_text()
    again = troth("init", shop)
    assert again.exit_code == 2
    assert (shop / "policy.yaml").read_text() == before


def test_init_names_the_templates_there_are(tmp_path: Path) -> None:
    unknown = troth("init", tmp_path / "x", "--template", "nosuch")
    assert unknown.exit_code == 2
    assert "starter, infortrend, ledflex" in unknown.stderr
    assert not (tmp_path / "x").exists()


def test_init_copies_any_of_the_operators(tmp_path: Path) -> None:
    assert troth("init", tmp_path / "mine", "--template", "ledflex").exit_code == 0
    assert (tmp_path / "mine" / "policy.yaml").read_text() == (ROOT / "sites" / "ledflex" / "policy.yaml").read_text()
    assert troth("check", tmp_path / "mine").exit_code == 0


def test_the_five_sites_check_clean_together_and_none_of_them_as_published() -> None:
    sites = sorted(path.parent for path in (ROOT / "sites").glob("*/policy.yaml"))
    assert len(sites) == 5
    assert troth("check", *sites).exit_code == 0
    for site in sites:
        assert troth("check", "--as-published", site).exit_code == 1, site


def test_a_finding_is_printed_where_an_editor_can_go_to_it(blank: Path) -> None:
    lines = troth("check", blank).stdout.splitlines()
    assert lines[0].startswith(f"{blank}/policy.yaml:")
    number = int(lines[0].split(":")[1])
    assert "name:" in (blank / "policy.yaml").read_text().splitlines()[number - 1]


def test_settled_findings_are_counted_and_shown_when_asked_for() -> None:
    site = ROOT / "sites" / "ledflex"
    quiet, full = troth("check", site).stdout.splitlines(), troth("check", site, "--all").stdout.splitlines()
    assert len(quiet) == 1
    assert f"{len(full) - 1} more are settled" in quiet[0]


def test_one_file_that_cannot_be_read_hides_no_other(blank: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "policy.yaml").write_text("policy: {version: 1\n")
    both = troth("check", torn, blank)
    assert both.exit_code == 2
    assert f"troth: {torn}:" in both.stderr
    assert f"{blank}: 5 errors, 1 warning." in both.stdout


def test_check_finds_a_mistake_in_the_wiring(shop: Path) -> None:
    edit(shop / "site.yaml", "title:", "tittle:")
    wrong = troth("check", shop)
    assert wrong.exit_code == 1
    assert "site.yaml:7:1: error: unknown key `tittle`. Did you mean `title`?" in wrong.stdout


@pytest.mark.parametrize("command", [("check",), ("publish",), ("serve",), ("work", "--once")])
def test_every_command_that_serves_refuses_a_mistake_in_the_wiring_with_the_same_words(
    shop: Path, command: tuple[str, ...]
) -> None:
    (shop / "site.yaml").write_text((shop / "site.yaml").read_text() + "quarantine margin: 1 month\n")
    wrong = troth(command[0], shop, *command[1:])
    assert wrong.exit_code != 0
    said = "a whole number of minutes, hours, days or weeks, as `2 days`. [P-01 quarantine margin]"
    assert said in wrong.stdout + wrong.stderr


def test_the_wiring_stands_in_the_findings_for_programs(shop: Path) -> None:
    edit(shop / "site.yaml", "title:", "tittle:")
    found = json.loads(troth("check", shop, "--format", "json").stdout)["sites"][0]["findings"]
    assert ("site.yaml", 7, "P-01") in {(one["file"], one["line"], one["rule"]) for one in found}
    results = json.loads(troth("check", shop, "--format", "sarif").stdout)["runs"][0]["results"]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results]
    assert f"{shop}/site.yaml" in places


def test_sarif_of_several_sites_is_one_log(blank: Path) -> None:
    log = json.loads(troth("check", blank, SHOP, "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    assert [run["tool"]["driver"]["name"] for run in log["runs"]] == ["troth", "troth"]
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == f"{blank}/policy.yaml"


# --- notice, diff, schema, export ------------------------------------------------------------------------------------


def test_a_draft_can_be_read_and_is_called_a_draft(blank: Path) -> None:
    draft = troth("notice", blank)
    assert draft.exit_code == 0
    assert draft.stdout.startswith("# Privacy policy")
    assert "A draft: 5 errors" in draft.stderr


def test_the_notice_is_one_page_or_markdown_in_every_language_of_the_policy(tmp_path: Path) -> None:
    site = ROOT / "sites" / "ledflex"
    chinese = troth("notice", site, "--lang", "zh-Hant").stdout
    assert "隱私" in chinese
    troth("notice", site, "--format", "html", "--out", tmp_path / "new" / "notice.html")
    page = (tmp_path / "new" / "notice.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert 'rel="stylesheet"' not in page
    german = troth("notice", site, "--lang", "de")
    assert german.exit_code == 2
    assert "en, zh-Hant" in german.stderr


def test_diff_tells_whom_how_soon_and_refuses_what_comes_too_soon(shop: Path, tmp_path: Path) -> None:
    new = Path(shutil.copytree(shop, tmp_path / "new"))
    edit(new / "policy.yaml", "a customer, keep: 30 days", "a customer, keep: 60 days")
    early = troth("diff", shop, new, "--json")
    assert early.exit_code == 1
    found = json.loads(early.stdout)
    assert found["significance"] == "significant"
    assert found["tell"] == ["customer"]
    assert found["lead_time"] == "30 days"
    assert len(found["problems"]) == 2
    text = (new / "policy.yaml").read_text().replace("version: 1", "version: 2")
    (new / "policy.yaml").write_text("".join(line for line in text.splitlines(True) if "effective:" not in line))
    fits = troth("diff", shop / "policy.yaml", new / "policy.yaml")
    assert fits.exit_code == 0, fits.stderr
    assert "60 days" in fits.stdout
    assert "Tell: customer (by page, e-mail)." in fits.stdout


def test_schemas_are_those_beside_a_new_site_and_those_in_docs(blank: Path) -> None:
    for kind in ("policy", "decisions", "site"):
        printed = troth("schema", kind).stdout
        assert printed == (blank / "schema" / f"{kind}.schema.json").read_text()
        assert printed == (ROOT / "docs" / f"{kind}.schema.json").read_text()


def test_dpv_needs_a_policy_that_holds_together(blank: Path) -> None:
    assert troth("export", "dpv", blank).exit_code == 1
    document = json.loads(troth("export", "dpv", ROOT / "sites" / "ledflex").stdout)
    assert document["@context"]["dpv"] == "https://w3id.org/dpv#"


# --- publish, work, prove, ledger, keys ------------------------------------------------------------------------------


def test_nothing_is_made_for_a_policy_with_unsettled_errors(blank: Path) -> None:
    refused = troth("publish", blank)
    assert refused.exit_code == 1
    assert "is not published while" in refused.stderr
    assert "[E-02 operator.name]" in refused.stderr
    assert not (blank / "var").exists()


def test_publishing_twice_changes_nothing(published: Path) -> None:
    again = json.loads(troth("publish", published, "--json").stdout)
    assert again["already"] is True
    assert again["version"] == 1


def test_what_is_published_is_not_rewritten(published: Path) -> None:
    edit(published / "policy.yaml", "silence: 90 days", "silence: 91 days")
    refused = troth("publish", published)
    assert refused.exit_code == 1
    assert "Count `policy.version` up to 2" in refused.stderr


def test_commands_on_live_data_ask_for_a_published_version(shop: Path) -> None:
    for words in (("prove", shop), ("work", shop, "--once")):
        asked = troth(*words)
        assert asked.exit_code == 2
        assert "troth publish" in asked.stderr
        assert "Traceback" not in asked.output


def test_a_turn_of_work_names_every_task(published: Path) -> None:
    from troth.work import TASKS

    done = json.loads(troth("work", published, "--once", "--json").stdout)
    assert set(done["done"]) == set(TASKS)
    assert done["problems"] == {}


def test_every_task_of_a_turn_is_told_or_is_known_to_be_none_of_the_operators_business() -> None:
    from troth.commands.work import SAID, UNTOLD
    from troth.work import TASKS

    assert set(TASKS) == set(SAID) | UNTOLD and not set(SAID) & UNTOLD


def test_a_turn_says_what_was_done_and_what_keeps_the_rest_waiting(published: Path) -> None:
    """And nothing of tasks that had nothing to do."""
    from troth.rights.intake import receive
    from troth.rights.rules import Intake
    from troth.store.site import open_site

    assert troth("work", published, "--once").stdout == "my-shop: nothing was due.\n"
    with (published / "site.yaml").open("a") as wiring:
        wiring.write('mail: {smtp: "127.0.0.1:1", sender: privacy@lamps.example}\n')  # where nothing answers
    site = open_site(published)
    receive(site, Intake("access", "web", "r-1", email="ann@shop.example"))
    site.close()
    said = troth("work", published, "--once").stdout
    assert re.match(r"my-shop: done:\n(  .+\n)*  entries of the ledger: \d+ sealed\n", said)
    assert "jobs that wait: 1, of which 1 failed when last tried\n    1: The mail server does not answer (" in said
    assert ": 0" not in said


def test_a_missed_deadline_is_an_alarm_and_exit_code_one(published: Path) -> None:
    from troth import agenda
    from troth.clock import DAY
    from troth.store.site import open_site

    site = open_site(published)
    with site.writing() as conn:
        agenda.put(conn, "letter", "one", "ref", site.now() + DAY, site.now(), deadline=site.now())
    site.close()
    worked = troth("work", published, "--once")
    assert worked.exit_code == 1
    assert "alarm: job late" in worked.stderr


def test_proofs_of_a_fresh_site_have_no_broken_promise(published: Path) -> None:
    proven = troth("prove", published, "--json")
    report = json.loads(proven.stdout)
    assert report["summary"]["broken"] == 0, [one for one in report["promises"] if one["verdict"] == "broken"]
    assert proven.exit_code == 0
    assert report["summary"]["kept"] > 0
    assert len(report["promises"]) == sum(report["summary"].values())


def test_a_broken_promise_is_shown_first_and_is_exit_code_one(published: Path) -> None:
    _sql(published, "UPDATE ledger_entry SET event = 'person:read' WHERE id = 1")
    shown = troth("prove", published, "--all")
    rows = [line for line in shown.stdout.splitlines() if line.startswith(tuple(MARKS.values()))]
    assert shown.exit_code == 1
    assert rows[0].startswith("✕ broken")
    assert rows[-1].startswith("✓ kept")
    brief = troth("prove", published)
    first_id = rows[0].split()[2]
    assert brief.exit_code == 1 and f"broken {first_id}: " in brief.stdout


def test_a_changed_ledger_does_not_verify_and_says_where(published: Path) -> None:
    assert troth("ledger", "verify", published).exit_code == 0
    assert json.loads(troth("ledger", "verify", published, "--json").stdout)["verdict"] == "whole"
    _sql(published, "UPDATE ledger_entry SET event = 'person:read' WHERE id = 1")
    broken = troth("ledger", "verify", published, "--json")
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["wrong"]["id"] == 1


def test_the_ledger_and_its_key_can_be_handed_to_an_auditor(published: Path, tmp_path: Path) -> None:
    lines = troth("ledger", "export", published, "--out", tmp_path / "ledger.jsonl")
    assert lines.exit_code == 0
    assert [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert troth("ledger", "key", published).stdout.startswith("-----BEGIN PUBLIC KEY-----")


def test_what_a_site_enters_while_an_export_begins_is_left_out_and_counted(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = ledger.seal

    def seal_and_go_on(site: Site) -> None:
        seal(site)
        with site.writing() as conn:
            ledger.append(conn, site.now(), events.VISIT_SWEPT, {"count": 1})

    monkeypatch.setattr(ledger, "seal", seal_and_go_on)
    said = troth("ledger", "export", published, "--out", tmp_path / "ledger.jsonl")
    assert said.exit_code == 0
    assert "1 more wait to be sealed and are not in it." in said.stderr
    assert "checkpoint" in json.loads((tmp_path / "ledger.jsonl").read_text().splitlines()[-1])


def test_an_export_says_when_nothing_could_be_sealed(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(site: Site) -> None:
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(ledger, "seal", refuse)
    said = troth("ledger", "export", published)
    assert said.exit_code == 0
    assert "The ledger could not be sealed: The disk is full. Make room." in said.stderr
    assert 'position":null' not in said.stdout


def test_witnesses_are_asked_and_handed_in(published: Path, tmp_path: Path) -> None:
    assert troth("ledger", "witness", published).exit_code == 2
    wiring = published / "site.yaml"
    wiring.write_text(
        f"{wiring.read_text()}\nledger: {{witness: {{notary: {{file: {tmp_path / 'my-shop.notes'}}}}}}}\n"
    )
    asked = troth("ledger", "witness", published)
    assert (asked.exit_code, asked.stdout.startswith("notary: took ")) == (0, True)
    verified = troth("ledger", "verify", published, "--witness", tmp_path / "my-shop.notes")
    assert (verified.exit_code, "1 witnessed checkpoints agree" in verified.stdout) == (0, True)
    told = json.loads(troth("ledger", "verify", published, "--witness", tmp_path / "my-shop.notes", "--json").stdout)
    assert (told["agreed"], told["stamps"]) == (1, [])
    assert troth("ledger", "verify", published, "--witness", published / "policy.yaml").exit_code == 2
    assert troth("ledger", "key", published, "--note").stdout.startswith("troth/my-shop+")
    (tmp_path / "my-shop.notes").unlink()
    (tmp_path / "my-shop.notes").mkdir()
    failed = troth("ledger", "witness", published, "--json")
    assert (failed.exit_code, json.loads(failed.stdout)["witnesses"][0]["size"]) == (1, 0)


def test_what_differs_is_listed_and_answered_for(published: Path) -> None:
    assert troth("ledger", "differences", published).exit_code == 0
    assert troth("ledger", "differences", published, "--because", "a reason", "--by", "privacy lead").exit_code == 2
    _sql(published, "UPDATE policy_version SET published_at = published_at + 1")
    found = troth("ledger", "differences", published)
    assert (found.exit_code, found.stdout) == (1, "policy_version 1 is not as Troth wrote it\n")
    assert "1 difference." in found.stderr
    assert "`troth ledger differences SITE --because WORDS --by ROLE`" in troth("prove", published).stdout
    because = ("--because", "the clock was wrong", "--by", "privacy lead")
    assert troth("ledger", "differences", published, *because).exit_code == 0
    assert "accepted on" in troth("ledger", "verify", published).stdout
    assert json.loads(troth("ledger", "differences", published, "--json").stdout)["recorded"] is False


def test_the_site_key_changes_and_the_site_goes_on(published: Path) -> None:
    before = (published / "var" / "site.key").read_text()
    assert json.loads(troth("keys", "rotate", published, "--json").stdout) == {"site": "my-shop", "wrapped": 0}
    assert (published / "var" / "site.key").read_text() != before
    assert troth("work", published, "--once").exit_code == 0


def _sql(site: Path, statement: str) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{site / 'var' / 'data.db'}")
    with engine.begin() as conn:
        for trigger in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            conn.execute(text(f"DROP TRIGGER {trigger}"))
        conn.execute(text(statement))
    engine.dispose()


def test_a_notice_is_written_in_the_format_that_its_file_is_named_for(tmp_path: Path) -> None:
    for name, start in (("notice.html", "<!doctype html>"), ("notice.md", "# ")):
        assert troth("notice", str(ROOT / "sites" / "ledflex"), "--out", str(tmp_path / name)).exit_code == 0
        assert (tmp_path / name).read_text().lower().startswith(start)
