"""Reading on many threads in a process of its own that is killed; what was released is written down first."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path

from tests.crashing import die
from troth.clock import MovedClock
from troth.people import vault
from troth.store.site import open_site


def read_and_die(folder: str, database: str, keys: str, at: datetime, people: list[str], released: str) -> None:
    """Read on eight threads, append a line to ``released`` for each answer, and die at the fortieth."""
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)
    handle = os.open(released, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    answers = count(1)

    def reader(person_id: str) -> None:
        while True:
            vault.read(site, person_id, ["email"], "service", vault.By("system"))
            os.write(handle, f"{person_id}\n".encode())
            if next(answers) == 40:
                die()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reader, people * 4))
