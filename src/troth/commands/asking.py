"""The arguments that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(metavar="SITE", help="the site folder", exists=True, file_okay=False)]
Folders = Annotated[list[Path], typer.Argument(metavar="SITE...", help="site folders", exists=True, file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="the answer as JSON, for programs")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="write it to FILE")]
