"""The worker's tasks in a rehearsal, where a turn stands for a day of them: the agenda is run until nothing is due any more.

In life a job that another one makes, and the fifty-first that is due, run at the next turn, a minute later.
"""

from __future__ import annotations

from collections.abc import Mapping

from troth.store.site import Site
from troth.work import TASKS, Task

AGENDA = "agenda"


def _until_nothing_is_due(site: Site) -> int:
    """What fails is put off by the agenda itself, so that this comes to an end."""
    total = 0
    while done := TASKS[AGENDA](site):
        total += done
    return total


ALL_DAY: Mapping[str, Task] = {**TASKS, AGENDA: _until_nothing_is_due}
