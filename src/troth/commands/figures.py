"""``troth figures``: a statistic of the policy, counted now, in groups that single nobody out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json

if TYPE_CHECKING:
    from troth.figures.rules import Figures
    from troth.policy.model import Statistic

Name = Annotated[
    str, typer.Argument(metavar="[STATISTIC]", help="a statistic of the policy; without one, all are listed")
]
For = Annotated[
    str,
    typer.Option("--for", metavar="PURPOSE", help="what it is counted for, where the policy names several purposes"),
]
By = Annotated[
    str, typer.Option("--by", metavar="ROLE", help="the staff role that counts, where the purpose asks for one")
]


def figures(site: Folder, statistic: Name = "", purpose: For = "", by: By = "", json_: Json = False) -> None:
    """Count a statistic that the policy declares, and print how many are in each group.

    A group is named when as many people stand behind it as the policy says, of visits as many addresses; every figure is a
    multiple of that number, rounded down, and there is no total. Whoever objects to the purpose is not counted. That it was
    counted is on the ledger; what was counted is kept nowhere.

    \b
    Example: troth figures my-shop customers_by_region --for planning
    """
    from troth.commands.opening import opened
    from troth.figures.actions import figures as count
    from troth.people.facts import By

    with opened(site) as site_:
        there = site_.policy().policy.statistics
        if not statistic:
            _listed(there, json_)
            return
        for_ = there[statistic].for_ if statistic in there else ()
        wanted = purpose or (for_[0] if len(for_) == 1 else "")
        found = count(site_, statistic, wanted, By("staff", by) if by else By("system"))
    _said(site_.name, found, json_)


def _listed(there: Mapping[str, Statistic], json_: bool) -> None:
    told: list[dict[str, Any]] = [
        {"statistic": key, "by": list(one.by), "for": list(one.for_), "smallest_group": one.minimum_cell}
        for key, one in there.items()
    ]
    if json_:
        as_json(told)
        return
    for one in told:
        typer.echo(f"{one['statistic']}  by {', '.join(one['by'])}  for {', '.join(one['for'])}")


def _said(name: str, found: Figures, json_: bool) -> None:
    if json_:
        as_json(
            {"site": name, "statistic": found.statistic, "for": found.purpose, "policy_version": found.version,
             "smallest_group": found.smallest,
             "groups": [{"group": dict(zip(found.by, one.group, strict=True)), "count": one.count} for one in found.figures],
             "in_smaller_groups": found.in_smaller_groups}
        )  # fmt: skip
        return
    for one in found.figures:
        typer.echo("\t".join([*(value or "(not said)" for value in one.group), str(one.count)]))
    if found.in_smaller_groups:
        typer.echo(f"in groups of fewer than {found.smallest}\t{found.in_smaller_groups}")
    if not found.figures and not found.in_smaller_groups:
        typer.echo(f"No group is as large as {found.smallest}.")
