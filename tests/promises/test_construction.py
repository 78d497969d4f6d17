"""What Troth is built not to be able to do: the tests that proofs by construction name.

They read the source: which module imports what, and which speaks of which table. A promise such as "nobody else gets your data"
holds because no other way out exists, and a way out that somebody adds fails here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of Troth by its dotted name."""
    found = {}
    for path in sorted((SOURCE / "troth").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of all that is imported anywhere in a module, functions included."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            names |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
    return names


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def attributes(tree: ast.AST) -> set[str]:
    """Dotted attribute chains, such as ``holding.c.body``."""
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


Offence = Callable[[ast.Module], bool]


def offenders(offence: Offence, *allowed: str) -> Iterator[str]:
    for name, tree in modules().items():
        if offence(tree) and not any(name == one or name.startswith(f"{one}.") for one in allowed):
            yield name


OUTSIDE = ("httpx", "smtplib", "urllib.request", "http.client", "requests", "aiohttp", "ftplib", "imaplib",
           "poplib", "telnetlib", "xmlrpc.client", "websockets", "urllib3", "paramiko", "asyncio.open_connection",
           "subprocess", "webbrowser")  # fmt: skip


def opens_a_connection(tree: ast.Module) -> bool:
    """A library that goes out, or a socket that connects; one that only listens lets nothing leave by itself."""
    names, chains = imported(tree), attributes(tree)
    goes_out = any(name == out or name.startswith(f"{out}.") for name in names for out in OUTSIDE)
    connects = "socket" in names and any(chain.rpartition(".")[2] in CONNECTS for chain in chains)
    return goes_out or connects or bool(chains & {"asyncio.open_connection", "os.system", "os.popen"})


CONNECTS = {"connect", "connect_ex", "create_connection", "sendto"}


SEALING = {
    "troth.people.sealing.unseal",
    "troth.people.sealing.Opener",
    "troth.people.keystore.open_keys",
    "troth.people.keystore.unwrap",
}


def opens_sealed_data(tree: ast.Module) -> bool:
    return bool(imported(tree) & SEALING) or any(
        chain.endswith((".unseal", ".open_keys")) for chain in attributes(tree)
    )


def reads_a_body(tree: ast.Module) -> bool:
    return any(chain.endswith(("holding.c.body", "quarantined.c.body")) for chain in attributes(tree)) or any(
        "holdings_with" in name or "opened_by_id" in name or "newest_holdings" in name for name in imported(tree)
    )


def speaks_of_the_quarantine(tree: ast.Module) -> bool:
    return any(name.endswith(".quarantined") for name in imported(tree)) or any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "FROM quarantined" in node.value
        for node in ast.walk(tree)
    )


WALL_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.sleep",
               "datetime.datetime.now", "datetime.date.today", "func.now", "func.current_timestamp"}  # fmt: skip


def looks_at_the_wall(tree: ast.Module) -> bool:
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return bool(called & WALL_CLOCKS) or bool(imported(tree) & {"time.time", "time.sleep"})


def writes_a_disclosure(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call) and _called(node) in {"insert", "insert_into"} and "disclosure" in ast.unparse(node)
        for node in ast.walk(tree)
    )


def makes_a_hold(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call) and _called(node) == "insert" and ast.unparse(node) == "insert(hold)"
        for node in ast.walk(tree)
    )


RULES: dict[str, tuple[Offence, tuple[str, ...], str]] = {
    "nothing leaves but through the gate and the post": (
        opens_a_connection,
        (
            "troth.recipients.connectors",
            "troth.messages.post",
            "troth.messages.inbound.imap",  # fetches mail: what it says is a name, a password and marks
            "troth.rights.protocols.callbacks",  # tells a program how its request stands, and nothing about anybody
        ),
        "import smtplib",
    ),
    "nothing is opened outside the vault and what re-seals for it": (
        opens_sealed_data,
        ("troth.people", "troth.retention.split", "troth.rights.papers"),  # the last opens what was written in requests
        "from troth.people.sealing import unseal",
    ),
    "nobody reads the body of a holding but the vault": (
        reads_a_body,
        ("troth.people",),
        "from sqlalchemy import select\nquery = select(holding.c.body)",
    ),
    "nobody reads the quarantine but what empties it": (
        speaks_of_the_quarantine,
        (
            "troth.retention",
            "troth.rehearsal.checks",
        ),  # the latter counts what must be gone, on stores of made-up people
        "from troth.people.tables import quarantined",
    ),
    "nobody looks at the clock on the wall": (
        looks_at_the_wall,
        ("troth.clock",),
        "from datetime import datetime\ndatetime.now()",
    ),
    "only the gate enters a disclosure": (
        writes_a_disclosure,
        ("troth.recipients.gate",),
        "conn.execute(insert(disclosure).values(id=1))",
    ),
    "only the holds and the archives make a hold": (
        makes_a_hold,
        ("troth.retention.holds", "troth.retention.keeping"),
        "conn.execute(insert(hold).values(id=1))",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_no_other_way_exists(name: str) -> None:
    offence, allowed, _ = RULES[name]
    assert list(offenders(offence, *allowed)) == []


@pytest.mark.parametrize("name", RULES)
def test_another_way_would_be_found(name: str) -> None:
    offence, _, sample = RULES[name]
    assert offence(ast.parse(sample))


@pytest.mark.parametrize("name", RULES)
def test_every_exception_is_needed(name: str) -> None:
    """An exception that nobody uses any more is a door left open."""
    offence, allowed, _ = RULES[name]
    using = list(offenders(offence))
    assert [one for one in allowed if not any(user == one or user.startswith(f"{one}.") for user in using)] == []
