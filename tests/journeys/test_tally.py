"""One tally: all five verdicts in words, the same on the index, at the notice, in ``troth prove`` and for programs."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient

from tests.databases import StoreKind
from tests.served import client, words_of
from tests.terminal import blank, edit, published, shop, troth  # noqa: F401  (fixtures)
from troth.clock import MovedClock
from troth.evidence.prove import prove
from troth.policy.notice.language import LANGUAGES
from troth.policy.notice.tally import tally_words
from troth.store.site import Site
from troth.verdicts import VERDICTS
from troth.web.app import make_app
from troth.web.evidence import ASKED_EVERY, Proofs, Shown, Watch, proofs
from troth.web.inside import Inside


@pytest.fixture
def store_kind() -> StoreKind:
    """What is said here does not depend on the store."""
    return "sqlite"


@pytest.mark.parametrize("tag", LANGUAGES)
def test_all_five_verdicts_are_said_also_those_that_no_promise_has(tag: str) -> None:
    said = tally_words(dict(zip(VERDICTS, (80, 0, 12, 10, 8), strict=True)), tag)
    assert re.findall(r"\d+", said) == ["80", "0", "12", "10", "8"]
    assert re.findall(r"\d+", tally_words({}, tag)) == ["0"] * 5


def test_the_tally_says_each_verdict_by_its_name() -> None:
    said = tally_words({"kept": 68})
    assert said == "68 kept, 0 broken, 0 attested by someone, 0 not proven yet, 0 with nothing to check yet"
    assert all(verdict in said for verdict in VERDICTS)


def test_index_notice_prove_and_programs_say_the_same_tally_with_its_time(site: Site) -> None:
    report = prove(site, door=Inside)
    said = f"{len(report.proven)} promises: {tally_words(report.summary)}"
    assert report.as_json()["tally"] == tally_words(report.summary)
    with client(site, look=proofs) as web:
        for path in ("/", "/shop"):
            page = words_of(web.get(path).text)
            assert said in page, path
            assert "checked a moment ago (5 January 2026 09:00 UTC)" in page, path
        shown = re.search(r"共 \d+ 項承諾：[^<]+", web.get("/?lang=zh-Hant").text)
        assert shown and re.findall(r"\d+", shown[0])[1:] == [str(report.summary[one]) for one in VERDICTS]


def test_a_look_from_before_somebody_made_up_went_round_is_not_fresh(site: Site, clock: MovedClock) -> None:
    looked = Proofs()
    watch = Watch(looked)

    def waited() -> Mapping[str, Shown]:
        looking = watch.renew([site])
        if looking:
            looking.join()
        return watch.of(site) or {}

    before = [one.verdict for one in waited().values()]
    assert watch.renew([site]) is None
    report = prove(site, door=Inside)
    clock.move(ASKED_EVERY)
    after = [one.verdict for one in waited().values()]
    assert before.count("kept") < after.count("kept") == report.summary["kept"]
    assert watch.renew([site]) is None


def test_the_page_after_a_proof_shows_what_it_found(site: Site, clock: MovedClock) -> None:
    app = make_app([site], look=Proofs())
    first = app.state.watch.renew([site])
    assert first is not None
    first.join()
    with TestClient(app) as web:
        assert web.get("/shop").status_code == 200
        report = prove(site, door=Inside)
        clock.move(ASKED_EVERY)
        assert tally_words(report.summary) in words_of(web.get("/shop").text)


def test_a_clock_that_is_set_back_does_not_keep_an_old_look_fresh(site: Site, clock: MovedClock) -> None:
    watch = Watch(lambda asked: {"visits.keep": Shown("kept", {"en": "29 days"}, asked.now())})
    first = watch.renew([site])
    assert first is not None
    first.join()
    clock.move(timedelta(days=-1))
    again = watch.renew([site])
    assert again is not None
    again.join()


# --- troth prove -------------------------------------------------------------------------------------------------------


def test_prove_is_short_and_says_what_is_not_proven_by_its_reason(published: Path) -> None:
    brief, every = troth("prove", published), troth("prove", published, "--all")
    report = json.loads(troth("prove", published, "--json").stdout)
    count = len(report["promises"])
    assert f"{count} promises: {report['tally']}." in brief.stdout and report["tally"] in every.stdout
    assert len(brief.stdout.splitlines()) < count / 2 < count < len(every.stdout.splitlines())
    assert f"`troth prove {published} --all` lists every promise." in brief.stdout
    for one in report["promises"]:
        assert one["id"] in every.stdout
        assert (f"    {one['id']}\n" in brief.stdout) == (one["verdict"] == "not proven"), one["id"]
    reasons = [line for line in brief.stdout.splitlines() if line.startswith("? not proven: ")]
    assert len(reasons) == len(set(reasons)) >= 1


def test_an_id_is_never_cut_however_narrow_the_terminal_is(published: Path) -> None:
    ids = [one["id"] for one in json.loads(troth("prove", published, "--json").stdout)["promises"]]
    narrow = troth("prove", published, "--all", env={"COLUMNS": "40"}).stdout.splitlines()
    assert all(any(one in line.split() for line in narrow) for one in ids)


def test_a_site_without_mail_is_told_why_nobody_made_up_went_round_and_what_to_set(published: Path) -> None:
    text = (published / "site.yaml").read_text()
    assert "\nmail:" not in text
    brief = troth("prove", published)
    assert "Nobody made up went through the doors. site.yaml has no `mail`" in brief.stdout
    assert "`mail: {smtp: HOST:PORT, sender: ADDRESS}`" in brief.stdout
    assert "no `mail`" in json.loads(troth("prove", published, "--json").stdout)["not_walked"]
    (published / "site.yaml").write_text(
        f'{text}\nmail: {{smtp: "127.0.0.1:9", sender: privacy@lamps.example, tls: none}}\n'
    )
    wired = json.loads(troth("prove", published, "--json").stdout)
    assert wired["not_walked"] == ""
    assert any(one["proof"] == "canary" and one["verdict"] == "kept" for one in wired["promises"])
    assert "Nobody made up" not in troth("prove", published).stdout
