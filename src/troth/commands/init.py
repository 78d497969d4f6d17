"""``troth init``: a site folder to start from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.saying import aside
from troth.errors import TrothError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

FILES = ("policy.yaml", "decisions.yaml", "site.yaml")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a folder that is new or empty")],
    template: Annotated[
        str, typer.Option(metavar="NAME", help="`starter`, an operator of sites/, or a site folder to copy")
    ] = "starter",
) -> None:
    """Make a site folder from a template: the three files to edit, and their schemas for your editor.

    \b
    Example: troth init my-shop
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrothError(f"{folder} is there already, and not empty.", "Name a folder that is new.")
    source = _template(template)
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if source.joinpath(name).is_file():
            text = source.joinpath(name).read_text(encoding="utf-8")
            (folder / name).write_text(_fitted(text, folder) if template == "starter" else text, encoding="utf-8")
    _schemas(folder / "schema")
    (folder / ".gitignore").write_text("/var/\n")
    aside(f"Made {folder}. Next: fill in what is in [brackets] in policy.yaml, then `troth check {folder}`.")


def _template(name: str) -> Traversable:
    from importlib.resources import files

    packaged: Traversable = files("troth").joinpath("starter")
    if name == "starter":
        return packaged
    beside = Path(__file__).parents[3] / "sites"
    for folder in (beside / name, Path(name)):
        if (folder / "policy.yaml").is_file():
            return folder
    examples = sorted(path.parent.name for path in beside.glob("*/policy.yaml"))
    raise TrothError(f"There is no template `{name}`.", f"There are: {', '.join(['starter', *examples])}.")


def _fitted(text: str, folder: Path) -> str:
    """The starter with the folder's name, and in effect from today."""
    from troth.clock import SystemClock

    slug = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    name = slug if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", slug) else "my-site"
    today = SystemClock().now().date().isoformat()
    return text.replace("effective: 2026-01-01", f"effective: {today}").replace("my-site", name)


def _schemas(folder: Path) -> None:
    import json

    from troth.commands.schema import KINDS, schema_of

    folder.mkdir()
    for kind in KINDS:
        text = json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"
        (folder / f"{kind}.schema.json").write_text(text, encoding="utf-8")
