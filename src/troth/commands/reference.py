"""The reference of the command line, made from the commands; a test keeps docs/cli.md current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from troth.commands.saying import OrDefault

_INTRODUCTION = """# The command line

Made from the commands by `make docs`; a test keeps it current.

Answers go to stdout, everything else to stderr; `--json` gives answers to programs. `troth COMMAND --help` shows what is
written here. `--debug`, before the command, shows all of an error that Troth did not expect; without it, where it happened
is written to `troth/mistakes.log` in the folder for state (`$XDG_STATE_HOME`, or `~/.local/state`), without what it said,
since that may quote somebody's data. `--install-completion` teaches your shell the commands.

A `SITE` is a folder with `policy.yaml`, `decisions.yaml` and `site.yaml`.

| exit code | means |
|---|---|
| 0 | done, and the answer is yes |
| 1 | the answer is no: an unsettled error, a broken promise, a ledger that does not verify, a version that may not follow |
| 2 | it could not be done: wrong use, a file or store that is missing, an act that is refused; stderr says what to do |
| 3 | a mistake in Troth |
| 130 | interrupted |
"""


def cli_reference(troth: Any) -> str:
    """``docs/cli.md``, from the command ``troth`` and all below it."""
    parts = [_INTRODUCTION]
    for name, command in commands_of(troth):
        parts += _section(name, command)
    return "\n".join(parts)


def commands_of(group: Any, name: str = "troth") -> Iterator[tuple[str, Any]]:
    """Every command as it is typed, such as ``troth ledger verify``, and itself; hidden ones are left out."""
    for key, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{name} {key}")
        elif not command.hidden:
            yield name if key == OrDefault.DEFAULT and isinstance(group, OrDefault) else f"{name} {key}", command


def _section(name: str, command: Any) -> Iterator[str]:
    words, _, facts = (command.help or "").partition("\b")
    arguments = [part for part in command.params if part.param_type_name == "argument"]
    options = [part for part in command.params if part.param_type_name == "option" and part.name != "help"]
    yield f"## `{name}`\n"
    yield f"    {' '.join([name, *(_placed(part) for part in arguments), '[OPTIONS]' if options else '']).strip()}\n"
    yield f"{_joined(words)}\n"
    for line in facts.strip().splitlines():
        label, _, rest = line.strip().partition(": ")
        yield f"{label}: `{rest}`\n" if label == "Example" else f"{label}: {rest}\n"
    yield _table([*arguments, *options])


def _joined(words: str) -> str:
    paragraphs = [" ".join(paragraph.split()) for paragraph in words.strip().split("\n\n")]
    return "\n\n".join(paragraphs)


def _placed(part: Any) -> str:
    shown = part.metavar or part.name.upper()
    return shown if part.required else f"[{shown}]"


def _table(parts: list[Any]) -> str:
    rows = "".join(f"| {_named(part)} | {_means(part)} |\n" for part in parts)
    return f"| argument or option | means |\n|---|---|\n{rows}" if rows else ""


def _named(part: Any) -> str:
    if part.param_type_name == "argument":
        return f"`{part.metavar or part.name.upper()}`"
    takes = "" if _is_flag(part) else f" {part.metavar or part.name.rstrip('_').upper()}"
    return ", ".join(f"`{option}{takes}`" for option in part.opts)


def _means(part: Any) -> str:
    silent = _is_flag(part) or part.required or part.default in (None, "", ())
    default = "" if silent else f" (default `{_shown(part.default)}`)"
    return f"{part.help or ''}{default}".replace("|", "\\|")


def _is_flag(part: Any) -> bool:
    return bool(getattr(part, "is_flag", False))


def _shown(default: Any) -> str:
    return str(getattr(default, "value", default))
