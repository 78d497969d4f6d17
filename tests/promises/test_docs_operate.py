"""The page about running it on a server: its commands are run, and what its services start is started as it stands."""

from __future__ import annotations

import configparser
import re
import shlex
import signal
import subprocess
from pathlib import Path

import httpx

from tests.promises.test_docs import free_port, matches, run, steps
from tests.terminal import TROTH

PAGE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()
SHOWN = ("console", "ini", "nginx")
"""what only root can do, on a machine that is meant for it"""


def units() -> dict[str, configparser.SectionProxy]:
    """What the page says of each service, by the name of its file."""
    found = {}
    for name, text in re.findall(r"`/etc/systemd/system/([\w.-]+)`:\n\n```ini\n(.*?)```", PAGE, re.DOTALL):
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(text)
        assert unit["Install"]["WantedBy"] == "multi-user.target"
        found[name] = unit["Service"]
    return found


def started(service: configparser.SectionProxy, folder: Path, port: int) -> subprocess.Popen[str]:
    """What a service starts, with this program and port, in ``folder``."""
    program, *words = shlex.split(service["ExecStart"])
    assert program == "/srv/troth/app/.venv/bin/troth"
    command = [str(TROTH), *(str(port) if word == "8080" else word for word in words)]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_every_command_of_the_page_does_what_it_says_and_its_services_serve(tmp_path: Path) -> None:
    folder, port = tmp_path / "sites", free_port()
    folder.mkdir()
    for step in (one for one in steps(PAGE) if one.kind == "sh"):
        output = run(step.text, folder, port)
        missing = list(matches(step.expected, output))
        assert not missing, f"after\n{step.text}\nthese lines were announced:\n{missing}\nand this came:\n{output}"
    services = units()
    assert list(services) == ["troth-serve.service", "troth-work.service"]
    running = [started(one, folder, port) for one in services.values()]
    try:
        patient = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=patient) as web:
            health = web.get("/health")
            assert health.json()["status"] == "ok", health.text
            behind = web.get("/ledflex/", headers={"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https"})
            assert behind.status_code == 200 and "strict-transport-security" in behind.headers
            assert "strict-transport-security" not in web.get("/ledflex/").headers
    finally:
        for one in running:
            one.terminate()
        ended = [one.wait(60) for one in running]
    assert set(ended) <= {0, -signal.SIGTERM}, "a service that is stopped has not failed"


def test_the_web_server_sends_what_troth_believes_to_where_it_listens() -> None:
    [server] = re.findall(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
    serve = shlex.split(units()["troth-serve.service"]["ExecStart"])
    assert f"proxy_pass http://127.0.0.1:{serve[serve.index('--port') + 1]};" in server
    assert serve[serve.index("--behind-proxy") + 1] == "127.0.0.1"
    for header, value in (("X-Forwarded-For", "$remote_addr"), ("X-Forwarded-Proto", "$scheme"), ("Host", "$host")):
        assert f"proxy_set_header {header} {value};" in server
    assert server.count("{") == server.count("}")


def test_both_services_may_write_to_the_sites_and_to_nothing_else() -> None:
    for service in units().values():
        assert service["ReadWritePaths"] == service["WorkingDirectory"] == "/srv/troth/sites"
        assert (service["ProtectSystem"], service["NoNewPrivileges"], service["UMask"]) == ("strict", "yes", "0077")
        assert service["RestartPreventExitStatus"] == "1"


def test_every_block_of_the_page_is_run_or_read() -> None:
    fences = re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)
    assert set(fences) == {"sh", "text", *SHOWN, ""}
    assert fences.count("") == len(fences) // 2
