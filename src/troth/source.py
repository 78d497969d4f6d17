"""What Troth is built not to be able to do, read from its own source as it is installed: who imports what and speaks of what.

A promise such as "nobody else gets your data" holds because no other way out exists. The walk is made when such a promise is
shown, over the files of the package that is running, so that a way out that somebody added turns the verdict. What is patched
into a running process it cannot see; for that the rooms try their own doors (``proof.Proving.constructed``).
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent


def texts() -> Mapping[str, str]:
    """The source of every module of Troth by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py"), key=str):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
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


@dataclass(frozen=True, slots=True)
class Rule:
    """What only some modules may do. ``words`` are in the text of whatever does it; ``sample`` is a text that does."""

    offence: Offence
    allowed: tuple[str, ...]
    sample: str
    words: re.Pattern[str]

    def offenders(self, sources: Mapping[str, str], *allowed: str) -> Iterator[str]:
        """The modules that do it, but for those below ``allowed``."""
        for name, text in sources.items():
            mine = any(name == one or name.startswith(f"{one}.") for one in allowed)
            if not mine and self.words.search(text) and self.offence(ast.parse(text)):
                yield name


RULES: dict[str, Rule] = {
    "nothing leaves but through the gate and the post": Rule(
        opens_a_connection,
        (
            "troth.recipients.connectors",
            "troth.messages.post",
            "troth.messages.inbound.imap",  # fetches mail: what it says is a name, a password and marks
            "troth.store.dumping",  # starts pg_dump, which goes to the store itself and writes a file of the operator's
            "troth.evidence.probes",  # asks the operator's own address for a handshake, and says nothing
            "troth.witnessing.stamp",  # gives a digest of the ledger's head to be stamped with the time
            "troth.rights.protocols.callbacks",  # tells a program how its request stands, and nothing about anybody
        ),
        "import smtplib",
        re.compile(
            r"socket|subprocess|webbrowser|open_connection|os\.(?:system|popen)|httpx|http\.client|urllib|smtplib|imaplib|poplib|ftplib|telnetlib|xmlrpc|requests|aiohttp|websockets|paramiko|import_module|__import__"
        ),
    ),
    "nothing is opened outside the vault and what re-seals for it": Rule(
        opens_sealed_data,
        ("troth.people", "troth.retention.split", "troth.rights.papers"),  # the last opens what was written in requests
        "from troth.people.sealing import unseal",
        re.compile(r"unseal|Opener|open_keys|unwrap|sealing|keystore"),
    ),
    "nobody reads the body of a holding but the vault": Rule(
        reads_a_body,
        ("troth.people",),
        "from sqlalchemy import select\nquery = select(holding.c.body)",
        re.compile(r"c\.body|holdings_with|opened_by_id|newest_holdings"),
    ),
    "nobody reads the quarantine but what empties it": Rule(
        speaks_of_the_quarantine,
        (
            "troth.retention",
            "troth.rehearsal.checks",  # counts what must be gone, on stores of made-up people
            "troth.source",  # says here what is looked for
        ),
        "from troth.people.tables import quarantined",
        re.compile(r"quarantined"),
    ),
    "nobody looks at the clock on the wall": Rule(
        looks_at_the_wall,
        ("troth.clock",),
        "from datetime import datetime\ndatetime.now()",
        re.compile(r"now\(|utcnow|today|time\.time|time_ns|sleep|current_timestamp"),
    ),
    "only the gate enters a disclosure": Rule(
        writes_a_disclosure,
        ("troth.recipients.gate",),
        "conn.execute(insert(disclosure).values(id=1))",
        re.compile(r"(?s)insert.*disclosure|disclosure.*insert"),
    ),
    "only the holds and the archives make a hold": Rule(
        makes_a_hold,
        ("troth.retention.holds", "troth.retention.keeping"),
        "conn.execute(insert(hold).values(id=1))",
        re.compile(r"insert\(hold\)"),
    ),
}


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk over the source: how many modules were read, the SHA-256 of them all, and who does what they may not."""

    modules: int
    digest: str
    offenders: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """The source of every module as it was read, and the SHA-256 of it all."""

    texts: Mapping[str, str]
    digest: str


def read() -> Read:
    """Read every module now."""
    sources = texts()
    whole = "".join(f"{one}\0{text}\0" for one, text in sources.items())
    return Read(sources, hashlib.sha256(whole.encode()).hexdigest())


def walk(name: str, now: Read) -> Walk:
    """Hold what was read ``now`` to the rule ``name``, unless these very texts were held to it before."""
    if (name, now.digest) not in _WALKED:
        _WALKED[name, now.digest] = tuple(RULES[name].offenders(now.texts, *RULES[name].allowed))
    return Walk(len(now.texts), now.digest, _WALKED[name, now.digest])


_WALKED: dict[tuple[str, str], tuple[str, ...]] = {}
