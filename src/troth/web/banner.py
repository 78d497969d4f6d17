"""The line that stands above every page while the policy changes: what, when, and where to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from troth.messages.posting import announced, note, on_pages
from troth.policy.announced import Announced
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.store.site import Site
from troth.web.words import say


@dataclass(frozen=True)
class Banner:
    """``links`` are words and addresses."""

    label: str
    text: str
    links: tuple[tuple[str, str], ...]


def banner(site: Site, compiled: Compiled, tag: str, query: str = "", *, on_the_notice: bool = False) -> Banner | None:
    """The line for a page of ``site``, which is noted as shown; None when nothing changes, or the policy names other ways.

    The notice itself always says that another version comes. ``query`` is added to each address.
    """
    changes = announced(site, compiled)
    if not changes or not (on_the_notice or on_pages(compiled.policy)):
        return None
    for change in changes:
        note(site, change)
    now = site.now()
    return Banner(
        label=say(tag, "changes.label"),
        text=" ".join(line(compiled, change, tag, coming=change.coming(now)) for change in changes),
        links=tuple(
            (words, f"/{site.name}/{address}{query}") for words, address in _links(compiled, changes, tag, now)
        ),
    )


def _links(compiled: Compiled, changes: Sequence[Announced], tag: str, now: datetime) -> Iterator[tuple[str, str]]:
    """To what the next change is and to its whole text, to what each further one is, and to all versions."""
    first, *further = changes
    coming = first.coming(now)
    yield say(tag, "changes.what" if coming else "changes.what_was"), f"changes/{first.version}"
    read = first.version if coming else first.before
    yield say(tag, "changes.read" if coming else "changes.read_old"), f"versions/{read}"
    for change in further:
        yield say(tag, "changes.title", day=_day(compiled, change, tag)), f"changes/{change.version}"
    yield say(tag, "changes.all"), "versions"


def line(compiled: Compiled, change: Announced, tag: str, *, coming: bool) -> str:
    """``change`` in one sentence."""
    return say(tag, "changes.coming" if coming else "changes.came", day=_day(compiled, change, tag))


def _day(compiled: Compiled, change: Announced, tag: str) -> str:
    return Speaker(compiled.policy, language(tag)).date(change.effective_at.date())
