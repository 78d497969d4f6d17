"""What is committed holds nothing that belongs to one machine, to a registry or to a secret, and stays readable.

Each rule takes a path and its text and answers with what is wrong; each is tried on a sample that breaks it, so that a
rule that stopped working cannot pass by saying nothing.
"""

import ast
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES_IN_A_FILE = 420
MOST_LINES_IN_A_FUNCTION = 55

Rule = Callable[[str, str], Iterator[str]]

REGISTRY_HOST = re.compile(
    r"\b(?:registry\.(?:npm|yarn)\w+|(?:test\.)?py" + r"pi\.(?:org|io)|files\.python" + r"hosted|deb\.deb" + r"ian)\b",
    re.IGNORECASE,
)
DEVELOPERS_PATH = re.compile(r"(?<![\w.<>-])/(?:work|root|home/[a-z_][\w-]*|Users/[A-Za-z][\w.-]*)/")
SECRET = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b")
LOCK_FILE = re.compile(r"(?:^|/)(?:[\w-]+[-.]lock(?:\.\w+)?|[\w.]*\.lock|requirements/[^/]+\.txt)$")


def no_registry_hosts(path: str, content: str) -> Iterator[str]:
    for number, line in numbered(content):
        if REGISTRY_HOST.search(line):
            yield f"{path}:{number}: names a package registry's host"


def no_addresses_in_locks(path: str, content: str) -> Iterator[str]:
    """A lock file says what and which hash; from where is the machine's own business ("url" asks for support)."""
    if not LOCK_FILE.search(path):
        return
    for number, line in numbered(content):
        if '"resolved"' in line or "index-url" in line or ("://" in line and '"url":' not in line):
            yield f"{path}:{number}: a lock file with an address in it"


def no_uv_lock(path: str, _: str) -> Iterator[str]:
    if Path(path).name == "uv.lock":
        yield f"{path}: records registry hosts; requirements/*.txt pin instead"


def no_developers_paths(path: str, content: str) -> Iterator[str]:
    for number, line in numbered(content):
        if DEVELOPERS_PATH.search(line):
            yield f"{path}:{number}: a path of one developer's machine"


def no_secrets(path: str, content: str) -> Iterator[str]:
    for number, line in numbered(content):
        if SECRET.search(line):
            yield f"{path}:{number}: looks like a secret"


def short_files(path: str, content: str) -> Iterator[str]:
    count = len(content.splitlines())
    if is_product_code(path) and count > MOST_LINES_IN_A_FILE:
        yield f"{path}: {count} lines, at most {MOST_LINES_IN_A_FILE}; split it by meaning"


def short_functions(path: str, content: str) -> Iterator[str]:
    if not is_product_code(path):
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > MOST_LINES_IN_A_FUNCTION:
                yield f"{path}:{node.lineno}: {node.name} has {count} lines, at most {MOST_LINES_IN_A_FUNCTION}"


RULES: tuple[Rule, ...] = (
    no_registry_hosts,
    no_addresses_in_locks,
    no_uv_lock,
    no_developers_paths,
    no_secrets,
    short_files,
    short_functions,
)

# Written in halves where the whole would itself break the rule.
BROKEN: list[tuple[Rule, str, str]] = [
    (no_registry_hosts, "README.md", "see https://py" + "pi.org/project/troth"),
    (no_registry_hosts, "docs/a.md", "registry.npm" + "js.org"),
    (no_addresses_in_locks, "frontend/package-lock.json", '  "resolved": "somewhere",'),
    (no_addresses_in_locks, "requirements/dev.txt", "--index-url https://mirror.example/simple"),
    (no_uv_lock, "uv.lock", ""),
    (no_developers_paths, "docs/a.md", "cd /wo" + "rk/main && make"),
    (no_developers_paths, "src/troth/settings.py", 'KEYS = Path("/ho' + 'me/ada/keys")'),
    (no_secrets, "sites/demo/key.pem", "-----BEGIN RSA PRIV" + "ATE KEY-----"),
    (short_files, "src/troth/long.py", "x = 1\n" * (MOST_LINES_IN_A_FILE + 1)),
    (short_functions, "src/troth/long.py", "def long():\n" + "    x = 1\n" * MOST_LINES_IN_A_FUNCTION),
]

FINE: list[tuple[Rule, str, str]] = [
    (no_registry_hosts, "README.md", "pip install troth; see docs.example.org"),
    (no_addresses_in_locks, "frontend/package-lock.json", '  "integrity": "sha512-kIDugA7Ps4U"'),
    (no_developers_paths, "docs/a.md", "https://example.org/work/ and ./root/ and /home/<name>/"),
    (short_files, "src/troth/long.py", "x = 1\n" * MOST_LINES_IN_A_FILE),
    (short_functions, "src/troth/long.py", "def long():\n" + "    x = 1\n" * (MOST_LINES_IN_A_FUNCTION - 1)),
]


def test_committed_files_keep_every_rule() -> None:
    wrong = [complaint for path, content in committed() for rule in RULES for complaint in rule(path, content)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("rule", "path", "content"), BROKEN)
def test_broken_sample_is_caught(rule: Rule, path: str, content: str) -> None:
    assert len(list(rule(path, content))) == 1


@pytest.mark.parametrize(("rule", "path", "content"), FINE)
def test_fine_sample_passes(rule: Rule, path: str, content: str) -> None:
    assert list(rule(path, content)) == []


def test_every_rule_has_a_sample_that_breaks_it() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def committed() -> Iterator[tuple[str, str]]:
    """Path and text of every file that git tracks and that is text; not a git checkout: nothing to promise."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode and not os.environ.get("TROTH_CI"):
        pytest.skip("not a git checkout")
    assert listed.returncode == 0, listed.stderr
    for path in filter(None, listed.stdout.split("\0")):
        file = ROOT / path
        content = file.read_bytes() if file.is_file() else b""
        if b"\0" not in content:
            yield path, content.decode(errors="replace")


def is_product_code(path: str) -> bool:
    return path.startswith("src/") and path.endswith(".py")


def numbered(content: str) -> Iterator[tuple[int, str]]:
    return enumerate(content.splitlines(), start=1)
