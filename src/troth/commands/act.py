"""``troth act``: carry out an act of the table of acts from a terminal or a script."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

if TYPE_CHECKING:
    from troth.acts.model import Act

CONSOLE = "console"
"""whoever may run commands on the machine of a site is known by that"""
ANY_OPTION = {"allow_extra_args": True, "ignore_unknown_options": True}
"""the arguments of an act are read from its entry in the table"""
Name = Annotated[str, typer.Argument(metavar="[NAME]", help="the act; without one, all of them are listed")]
By = Annotated[str, typer.Option("--by", metavar="ROLE", help="the role that answers for it")]
Key = Annotated[str, typer.Option("--key", metavar="KEY", help="a key of your own: with the same one it is done once")]
Stdin = Annotated[
    bool, typer.Option("--stdin", help="read arguments, above all personal ones, as a JSON object from standard input")
]


def act(
    ctx: typer.Context, site: Folder, name: Name = "", by: By = CONSOLE, key: Key = "", stdin: Stdin = False,
    json_: Json = False,
) -> None:  # fmt: skip
    """Carry out an act: open or close an order, disclose, acknowledge a deletion, and all that docs/acts.md lists.

    Its arguments are written as `--name value`; one that takes a list or an object is repeated, as `--record reference=D-7`.

    \b
    Example: troth act my-shop close-dealing --kind order --number 1001
    """
    from troth.acts.model import Caller
    from troth.acts.perform import perform
    from troth.acts.table import ACTS, named
    from troth.commands.opening import opened

    if not name:
        _listed(ACTS.values(), json_)
        return
    given = _arguments(named(name), ctx.args) | (_from_stdin() if stdin else {})
    caller = Caller("console", CONSOLE, by, frozenset(), roles=(by,))
    with opened(site) as site_:
        done = perform(site_, caller, name, given, key)
    if json_:
        as_json({"site": site_.name, "act": done.act, "result": done.result, "repeated": done.repeated})
        return
    for what, said in done.result.items():
        typer.echo(f"{what}: {json.dumps(said, ensure_ascii=False) if isinstance(said, dict) else said}")
    aside(f"{site_.name}: {'done before' if done.repeated else 'done'}: {done.act}.")


def _listed(acts: Any, json_: bool) -> None:
    if json_:
        arguments = ("name", "type", "required", "help")
        as_json([
            {"name": one.name, "does": one.does, "scope": one.scope,
             "arguments": [{key: getattr(each, key) for key in arguments} for each in one.arguments]}
            for one in acts
        ])  # fmt: skip
        return
    for one in acts:
        typer.echo(f"{one.name}  {one.does}")
        for each in one.arguments:
            typer.echo(f"    --{each.name.replace('_', '-')}{'' if each.required else ' (optional)'}  {each.help}")


def _arguments(act: Act, words: Sequence[str]) -> dict[str, Any]:
    """``--name value`` pairs as the arguments of an act.

    Raises:
        InvalidInput: for something else, and for a personal value, which other users of the machine could see.
    """
    given: dict[str, Any] = {}
    for name, value in _pairs(words):
        argument = act.argument(name)
        if argument is not None and argument.private:
            from troth.errors import InvalidInput

            hint = f"""Write {{"{name}": ...}} on standard input and add --stdin."""
            raise InvalidInput(f"`--{name}` is personal, and a command line can be seen by others.", hint=hint)
        if argument is not None and argument.type == "record":
            key, _, said = value.partition("=")
            given.setdefault(name, {})[key] = said
        elif argument is not None and argument.type == "words":
            given.setdefault(name, []).extend(value.replace(",", " ").split())
        else:
            given[name] = value
    return given


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    from troth.errors import InvalidInput

    rest = list(words)
    while rest:
        word, *rest = rest
        name, equals, value = word.partition("=")
        if not name.startswith("--") or not (equals or rest):
            raise InvalidInput("Arguments are written as `--name value`.", hint="`troth act SITE` lists them.")
        if not equals:
            value, *rest = rest
        yield name.removeprefix("--").replace("-", "_"), value


def _from_stdin() -> dict[str, Any]:
    """The object on standard input. Raises ``InvalidInput`` when it is none."""
    from troth.errors import InvalidInput

    try:
        given = json.load(sys.stdin)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidInput("Standard input must hold one JSON object of arguments.")
    return given
