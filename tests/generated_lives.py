"""A short life on a generated site: its policy is settled, compiled, noticed in all languages and rehearsed for some days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from tests.generated import generated
from troth.policy.notice import as_markdown, notice
from troth.policy.notice.language import LANGUAGES
from troth.rehearsal.run import rehearse
from troth.store import versions
from troth.web.inside import Inside

DAYS, PEOPLE = 5, 5
WITH_CANARY = 10
"""every so many, a made-up person goes through the real paths at the end: half of a short life's time"""
LOT = 10
"""sites of one test"""


def lots(first: int, last: int) -> list[range]:
    """The seeds from ``first`` up to ``last``, a lot for each test."""
    return [range(start, min(start + LOT, last)) for start in range(first, last, LOT)]


def lives(seed: int, kind: StoreKind, fresh_database: Callable[..., str], folder: Path) -> None:
    """Let the site of ``seed`` live; whatever goes wrong is shown with the policy that it went wrong under."""
    made = generated(seed)
    try:
        compiled = versions.compiled(made.policy, made.decisions)
        for tag in LANGUAGES:
            assert as_markdown(notice(compiled, tag))
        lived = rehearse(
            made.write(folder / str(seed)),
            days=DAYS,
            people=PEOPLE,
            seed=seed,
            database=fresh_database(kind, prepared_by=data_tables_made),
            keys=fresh_database("sqlite", prepared_by=key_tables_made),
            door=Inside if seed % WITH_CANARY == 0 else None,
        )
    except Exception as error:
        error.add_note(made.shown())
        raise
    found = "\n".join(f"day {one.day}: {one.kind}, {one.about}: {one.says}" for one in lived.violations)
    assert not found, f"{found}\n{made.shown()}"
