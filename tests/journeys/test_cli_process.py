"""The command line as a process: how fast, how it fails, what it serves, what it builds."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from tests.served import client
from tests.terminal import SHOP, TROTH, blank, published, run, shop, troth  # noqa: F401  (fixtures)
from troth.commands import check as check_command
from troth.commands.demo import tell
from troth.evidence.prove import prove
from troth.ledger.tables import entry
from troth.messages.mailbox import Mailbox
from troth.rehearsal.demo import open_all, prepare
from troth.rehearsal.demo_days import LAST
from troth.rehearsal.desk import member_of, staffed
from troth.rights.tables import request
from troth.store.site import open_site
from troth.web.inside import Browser

HEAVY = {"sqlalchemy", "ruamel", "litestar", "uvicorn", "cryptography", "babel", "jinja2", "rich"}


def _loaded_by(code: str) -> set[str]:
    """The packages that a Python which runs ``code`` has loaded in the end; they are its last line."""
    code = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_that_it_does_not_need() -> None:
    assert not _loaded_by("import troth.cli") & {*HEAVY, "pydantic", "yaml"}


def test_check_loads_no_database_no_web_server_and_nothing_that_seals(shop: Path) -> None:
    code = f"from pathlib import Path\nfrom troth.commands.check import check\ncheck([Path({str(shop)!r})])"
    loaded = _loaded_by(code)
    assert "pydantic" in loaded
    assert not loaded & HEAVY


def test_help_comes_in_less_than_a_third_of_a_second_of_work() -> None:
    import resource

    def work() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(work() for _ in range(4)) < 0.3


def test_an_error_is_one_clear_line_with_its_hint_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("policy: {version: 1}\n")
    failed = run("prove", tmp_path)
    assert failed.returncode == 2
    assert failed.stdout == ""
    assert failed.stderr.startswith("troth: ")
    assert "Traceback" not in failed.stderr


def test_wrong_use_says_how_to_get_help() -> None:
    wrong = run("chekc")
    assert wrong.returncode == 2
    assert "--help" in wrong.stderr or "-h" in wrong.stderr


def test_a_mistake_of_ours_says_where_the_log_is_and_the_log_quotes_no_data(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "@".join(("ada", "example.org"))

    def broken(*_: object) -> None:
        raise LookupError(address)

    monkeypatch.setattr(check_command, "_read", broken)
    env = {"XDG_STATE_HOME": str(tmp_path)}
    result = troth("check", shop, env=env)
    log = (tmp_path / "troth" / "mistakes.log").read_text()
    assert result.exit_code == 3
    assert "a mistake in Troth (LookupError)" in result.stderr
    assert str(tmp_path / "troth" / "mistakes.log") in result.stderr
    assert "in broken" in log
    assert address not in log + result.output
    assert isinstance(troth("--debug", "check", shop, env=env).exception, LookupError)


def test_an_answer_may_be_cut_off_by_whoever_reads_it(blank: Path) -> None:
    command = f"'{TROTH}' check '{blank}' --format sarif | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    cut = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in cut.stderr
    assert "mistake" not in cut.stderr


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts `troth serve` on a free port and answers with the process and its address."""
    started: list[subprocess.Popen[str]] = []

    def starting(*words: object) -> tuple[subprocess.Popen[str], str]:
        command = [str(TROTH), "serve", *(str(word) for word in words), "--port", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("http"):
                return process, line.strip()
        raise AssertionError("it did not start")

    yield starting
    for process in started:
        process.kill()
        process.communicate()


def test_serve_publishes_the_first_version_serves_and_stops_when_asked(
    shop: Path, start: Callable[..., tuple[subprocess.Popen[str], str]]
) -> None:
    process, address = start(shop)
    with httpx.Client(base_url=address, transport=httpx.HTTPTransport(retries=5), follow_redirects=True) as client:
        assert "Lamp Shop Limited" in client.get("/my-shop").text
        answer = client.post(
            "/my-shop/api/collect/contact", json={"values": {"email": "a@example.org", "message": "Hi"}}
        )
        assert answer.status_code == 201, answer.text
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=40) in (0, 130, -signal.SIGINT)


def test_serve_refuses_a_policy_with_unsettled_errors_and_says_which(blank: Path) -> None:
    refused = run("serve", blank, "--port", "0")
    assert refused.returncode == 1
    assert "[E-13 operator.name]" in refused.stderr
    assert not (blank / "var").exists()


def test_serve_says_when_the_port_is_taken(
    published: Path, start: Callable[..., tuple[subprocess.Popen[str], str]]
) -> None:
    _, address = start(published, "--no-worker")
    second = run("serve", published, "--no-worker", "--port", address.rstrip("/").rpartition(":")[2])
    assert second.returncode == 2
    assert "--port" in second.stderr


# --- the demo ------------------------------------------------------------------------------------------------------------


def test_the_demo_builds_each_site_once_with_a_life_that_breaks_no_promise(shop: Path, tmp_path: Path) -> None:
    sites = tmp_path / "operators"
    shutil.copytree(shop, sites / "lamps")
    text = (sites / "lamps" / "policy.yaml").read_text()
    (sites / "lamps" / "policy.yaml").write_text(re.sub(r"effective: \S+", "effective: 2020-01-01", text))
    first = run("demo", "--prepare", tmp_path / "demo", "--sites", sites)
    assert first.returncode == 0, first.stderr
    assert first.stdout.split() == [str(tmp_path / "demo" / "lamps")]
    assert "built lamps (1 of 1)" in first.stderr
    again = run("demo", "--prepare", tmp_path / "demo", "--sites", sites)
    assert again.stdout == first.stdout
    assert "built" not in again.stderr
    proven = json.loads(run("prove", tmp_path / "demo" / "lamps", "--json").stdout)
    assert proven["summary"]["broken"] == 0
    assert proven["summary"]["kept"] > 20


WITHOUT_A_CASE = {
    *("collection.fair_import", "purposes.preferences", "purposes.preferences.consent", "purposes.market_facts"),
    *("retention.everything_customer", "retention.leads", "rights.erasure", "rights.review", "statistics.interests"),
}
"""of which eight days of few people show nothing: nobody counts or imports, and what was asked for or ended is under way"""
LIVED = {
    *("request:received", "request:verified", "request:answered", "restriction:made", "person:corrected"),
    *("account:registered", "account:confirmed", "account:changed", "account:cancelled"),
    *("message:sent", "consent:withdrawn", "objection:made", "ending:quarantined", "event:reported", "hold:made"),
    *("disclosure:made", "dealing:changed", "dealing:closed", "staff:entered", "staff:acted"),
    *("policy:published", "policy:posted", "policy:told"),
}
"""what is on the ledger of a demo only because of its last days, or also because of them"""


def test_the_last_days_of_a_demo_leave_little_without_a_case(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "sites" / "shop")
    [folder] = prepare(tmp_path / "demo", tmp_path / "sites", Browser, days=len(LAST))
    site = open_site(folder)
    try:
        with site.reading() as conn:
            there = set(conn.scalars(select(entry.c.event).distinct()))
            open_ = select(request.c.right, request.c.state).where(request.c.closed_at.is_(None))
            waiting = {(row.right, row.state) for row in conn.execute(open_)}
        report = prove(site)
    finally:
        site.close()
    assert there >= LIVED
    assert waiting >= {("access", "verifying"), ("question", "open"), ("erasure", "carrying out")}
    assert site.policy().coming is not None
    assert not report.broken
    nothing = {one.promise.id for one in report.proven if one.proof.verdict == "nothing to check yet"}
    assert nothing - WITHOUT_A_CASE == set()
    _opens_with_what_a_start_says(folder)


def _opens_with_what_a_start_says(folder: Path) -> None:
    """The member whom a start of the demo names can log in with what it says, and the mailbox page says it, too."""
    mailbox = Mailbox()
    [site] = open_all([folder], mailbox)
    try:
        said = io.StringIO()
        with redirect_stderr(said):
            tell(site, staffed(site), "http://127.0.0.1:8080/shop")
        member = member_of(site)
        assert member is not None
        assert (
            f"http://127.0.0.1:8080/shop/account  e-mail {member.address}, password `{member.password}`"
            in said.getvalue()
        )
        assert "http://127.0.0.1:8080/shop/mailbox\n" in said.getvalue()
        with client(site, mailbox=mailbox) as web:
            page = web.get("/shop/mailbox").text
            assert f"<code>{member.address}</code>" in page
            token = re.search(r'name="token" value="([^"]+)"', web.get("/shop/account/login").text)
            assert token is not None
            sent = {"token": token[1], "address": member.address, "password": member.password}
            assert web.post("/shop/account/login", data=sent, follow_redirects=False).status_code == 303
            assert member.address in web.get("/shop/account/data").text
    finally:
        site.close()


def test_the_demo_of_a_folder_without_sites_says_so(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    nothing = run("demo", "--prepare", tmp_path / "demo", "--sites", tmp_path / "none")
    assert nothing.returncode == 2
    assert "no site folder" in nothing.stderr
