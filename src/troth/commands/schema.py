"""``troth schema``: what the three files may hold, for editors; and what a rehearsal answers, for programs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from troth.commands.asking import Out
from troth.commands.saying import write

KINDS = ("policy", "decisions", "site")


class Kind(StrEnum):
    """The files of a site folder, the answer of a rehearsal, and the copy that people get of their data."""

    policy = "policy"
    decisions = "decisions"
    site = "site"
    rehearsal = "rehearsal"
    copy = "copy"


def schema(
    kind: Annotated[
        Kind, typer.Argument(help="which: `policy`, `decisions`, `site`, `rehearsal` or `copy`")
    ] = Kind.policy,
    out: Out = None,
) -> None:
    """Print the JSON Schema of a file of a site folder, of `troth rehearse --json`, or of a copy of somebody's data.

    \b
    Example: troth schema decisions --out schema/decisions.schema.json
    """
    from troth.policy.schema import as_text

    write(as_text(schema_of(kind.value)), out)


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one of ``KINDS``, of the answer of a ``rehearsal``, or of a ``copy`` of somebody's data."""
    from troth.policy.schema import decisions_schema, policy_schema
    from troth.policy.schema import schema_of as made_of
    from troth.settings import Wiring

    if kind == "rehearsal":
        from troth.rehearsal.document import schema as rehearsal_schema

        return rehearsal_schema()
    if kind == "copy":
        from troth.rights.copy.schema import copy_schema

        return copy_schema()
    if kind == "site":
        return made_of(Wiring, "site.yaml of Troth")
    return decisions_schema() if kind == "decisions" else policy_schema()
