"""The pages and schemas in docs/ that are made from the code. ``make docs`` writes them; a test keeps each current."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import typer.main

from troth.acts.reference import acts_reference
from troth.cli import app
from troth.commands.reference import cli_reference
from troth.commands.schema import schema_of
from troth.evidence.clauses.page import page as clauses_page
from troth.policy.reference import policy_reference, rules_reference
from troth.policy.schema import as_text

ROOT = Path(__file__).parents[1]


def _schema(kind: str) -> Callable[[], str]:
    return lambda: as_text(schema_of(kind))


MADE: Mapping[str, Callable[[], str]] = {
    "policy.schema.json": _schema("policy"),
    "decisions.schema.json": _schema("decisions"),
    "site.schema.json": _schema("site"),
    "policy-reference.md": policy_reference,
    "lint-rules.md": rules_reference,
    "acts.md": acts_reference,
    "cli.md": lambda: cli_reference(typer.main.get_command(app)),
    "clauses.md": lambda: clauses_page(ROOT),
}


def main() -> None:
    for name, made in MADE.items():
        file, text = ROOT / "docs" / name, made()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            sys.stderr.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
