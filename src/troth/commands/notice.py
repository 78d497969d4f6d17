"""``troth notice``: how the policy reads."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Out
from troth.commands.saying import aside, write
from troth.errors import PolicyError

if TYPE_CHECKING:
    from pathlib import Path

    from troth.policy.notice import Notice


class Format(StrEnum):
    """How the notice is written."""

    html = "html"
    md = "md"


def notice(
    site: Folder,
    lang: Annotated[
        str, typer.Option("--lang", metavar="TAG", help="`en` or `zh-Hant`; else the first of the policy")
    ] = "",
    format_: Annotated[
        Format | None, typer.Option("--format", "-f", help="`html`, one whole page, or `md`; else as --out is named")
    ] = None,
    out: Out = None,
) -> None:
    """Write the notice of the policy as it stands in the files, before anything is published.

    \b
    Example: troth notice sites/ledflex --out notice.html
    """
    from troth.clock import SystemClock
    from troth.policy.check import check
    from troth.policy.compile import compile_policy
    from troth.policy.notice import notice as composed

    now = SystemClock().now()
    checked = check(site, today=now.date())
    if checked.policy is None:
        raise PolicyError(f"{site}/policy.yaml cannot be read as a policy.", f"`troth check {site}` says why.")
    tag = _known(lang or checked.policy.policy.languages[0], checked.policy.policy.languages)
    if checked.unsettled:
        aside(f"A draft: {len(checked.unsettled)} errors are unsettled; `troth check {site}` lists them.")
    compiled = compile_policy(checked.policy, checked.document.places, checked.origins)
    write(_rendered(composed(compiled, tag, now, checked), format_ or _named(out)), out)


def _known(tag: str, languages: tuple[str, ...]) -> str:
    if tag in languages:
        return tag
    raise PolicyError(f"This policy is not written in `{tag}`.", f"It is written in: {', '.join(languages)}.")


def _named(out: Path | None) -> Format:
    """The format that a file's name asks for; Markdown for a terminal."""
    return Format.html if out is not None and out.suffix in {".html", ".htm"} else Format.md


def _rendered(written: Notice, format_: Format) -> str:
    if format_ is Format.md:
        from troth.policy.notice import as_markdown

        return as_markdown(written)
    from troth.web.notice_page import render_page

    return render_page(written, inline=True)
