"""``troth stop``, ``troth lift`` and ``troth stops``: end a use for everybody, take that back, and see what was stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

Scope = Annotated[
    str, typer.Argument(metavar="PURPOSE|@RECIPIENT", help="a purpose, or @ and a recipient, of the policy")
]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="why; it speaks of nobody in particular")]
Role = Annotated[str, typer.Option("--by", metavar="ROLE", help="the staff role that answers for it")]
Origin = Annotated[
    str, typer.Option("--from", metavar="SOURCE|@PARTNER", help="only for data that came from this source or partner")
]
Recall = Annotated[bool, typer.Option("--recall", help="also tell whoever was given data under it to delete that")]


def stop(site: Folder, scope: Scope, because: Because, by: Role, origin: Origin = "", recall: Recall = False) -> None:
    """Stop a purpose, or giving to a recipient, for everybody, from the next decision on until it is lifted.

    One row, whatever the number of people. No permission outweighs it. What waits to be delivered is decided upon again when
    it is due, and is not delivered.

    \b
    Example: troth stop my-shop @newsletter_house --because "their breach of 3 May" --by "privacy lead" --recall
    """
    from troth.commands.opening import opened
    from troth.consent.stops import actions as stops
    from troth.errors import InvalidInput
    from troth.recipients.switches import stop_and_recall

    if recall and origin:
        raise InvalidInput(
            "What was given is not kept apart by where it came from.", hint="Leave --recall or --from out."
        )
    with opened(site) as site_, site_.writing() as conn:
        policy = site_.policy(conn)
        if recall:
            stop_and_recall(site_, conn, scope, by=by, because=because, policy=policy)
        else:
            stops.stop(site_, conn, scope, by=by, because=because, policy=policy, origin=origin)
    aside(f"{site_.name}: `{scope}` is stopped for {f'what came from {origin}' if origin else 'everybody'}.")


def lift(site: Folder, scope: Scope, because: Because, by: Role, origin: Origin = "") -> None:
    """Lift a stop; what the policy allows is done again from the next decision on.

    \b
    Example: troth lift my-shop marketing --because "complaint 2026-4 is settled" --by "privacy lead"
    """
    from troth.commands.opening import opened
    from troth.consent.stops import actions as stops

    with opened(site) as site_, site_.writing() as conn:
        stops.lift(site_, conn, scope, by=by, because=because, policy=site_.policy(conn), origin=origin)
    aside(f"{site_.name}: `{scope}` is no longer stopped{f' for what came from {origin}' if origin else ''}.")


def stops(site: Folder, json_: Json = False) -> None:
    """Every stop and lifting there was, oldest first.

    \b
    Example: troth stops my-shop
    """
    from troth.clock import iso
    from troth.commands.opening import opened
    from troth.consent.stops.actions import history

    with opened(site) as site_, site_.reading() as conn:
        made = [
            {"at": iso(one.at), "state": one.state, "scope": one.scope, "from": one.origin, "by": one.made_by}
            | {"because": one.because}
            for one in history(conn)
        ]
    if json_:
        as_json({"site": site_.name, "stops": made})
        return
    for one in made:
        origin = f" from {one['from']}" if one["from"] else ""
        typer.echo(f"{one['at']}  {one['state']}  {one['scope']}{origin}  by {one['by']}: {one['because']}")
    if not made:
        aside(f"{site_.name}: nothing was ever stopped. `troth stop` stops a purpose or a recipient.")
