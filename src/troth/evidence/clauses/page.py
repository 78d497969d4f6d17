"""The page of clauses: gathered from the clause tables, the five policies, the catalogue and the marks of the tests."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from troth.bindings import named
from troth.errors import PolicyError
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.clauses import SITES, Clause, later, of_site
from troth.policy.check import Checked, check
from troth.policy.compile import compile_policy
from troth.policy.promises import Promise

_HEAD = """# Clauses

What each sentence of the five published policies asks of a running system, and what makes it true: the entry of
`sites/*/policy.yaml` or the promise it compiles to, the function that enforces it, and the tests that would fail if it
were not so. This page is generated: `make docs` writes it.
"""
_COLUMNS = "| clause | asks | promises | enforced by | tests |\n| --- | --- | --- | --- | --- |"


def page(root: Path) -> str:
    """The whole page, from the checkout at ``root``."""
    tests = marks(root / "tests")
    parts = [_HEAD, *(_site(root, site, tests) for site in SITES)]
    return "\n".join(parts).rstrip() + "\n"


def marks(tests: Path) -> dict[str, tuple[str, ...]]:
    """The tests that are marked with each clause, read from their source: ``rules/test_decide.py::test_default_deny``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        for name, ids in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            for clause in ids:
                found[clause].append(f"{path.relative_to(tests).as_posix()}::{name}")
    return {clause: tuple(dict.fromkeys(names)) for clause, names in found.items()}


def _marked(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, [clause for decorator in node.decorator_list for clause in _clauses_in(decorator)]


def _clauses_in(decorator: ast.expr) -> Iterator[str]:
    """The ids in ``pytest.mark.clause(...)``, also where it is one of the marks of a parameter."""
    for node in ast.walk(decorator):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "clause":
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def cited(checked: Checked) -> dict[str, tuple[str, ...]]:
    """What cites each clause: promises and statements, and where there is none of these the entries themselves."""
    if checked.policy is None:
        raise PolicyError("The policy cannot be read.", "`troth check` says why.")
    found: dict[str, list[str]] = defaultdict(list)
    for promise in promises_of(checked).values():
        for clause in promise.cites:
            found[clause].append(promise.id)
    for path, clause in _entries(checked.document.tree, ()):
        if clause not in found or path[0] == "statements":
            found[clause].append(".".join(path).replace(" ", "_"))
    return {clause: tuple(dict.fromkeys(ids)) for clause, ids in found.items()}


def promises_of(checked: Checked) -> Mapping[str, Promise]:
    """The promises of a checked policy by id."""
    if checked.policy is None:
        return {}
    return compile_policy(checked.policy, checked.document.places, checked.origins).by_id


def _entries(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, list):
        for item in value:
            yield from _entries(item, path)
    if isinstance(value, dict):
        cites = value.get("cites", [])
        yield from ((path, clause) for clause in (cites if isinstance(cites, list) else [cites]))
        for key, item in value.items():
            yield from _entries(item, (*path, str(key)))


def _site(root: Path, site: str, tests: Mapping[str, tuple[str, ...]]) -> str:
    checked = check(root / "sites" / site)
    names, found = promises_of(checked), cited(checked)
    rows = (_row(clause, found.get(clause.id, ()), names, tests.get(clause.id, ())) for clause in of_site(site))
    return "\n".join([f"## {site}", "", _COLUMNS, *rows, ""])


def _row(clause: Clause, cites: tuple[str, ...], names: Mapping[str, Promise], tests: tuple[str, ...]) -> str:
    bound = (CATALOGUE[names[one].kind] for one in cites if one in names)
    enforcers = dict.fromkeys(named(enforcer) for one in bound for enforcer in one.enforced_by)
    waits = later().get(clause.id)
    shown = "<br>".join(f"`{one}`" for one in tests) or (f"later: {waits.why}" if waits else "")
    cells = (clause.id, clause.asks, _listed(cites), _listed(enforcers) or "shown as a statement", shown)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _listed(names: Any) -> str:
    return "<br>".join(f"`{name}`" for name in names)
