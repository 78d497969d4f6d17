"""Somebody made up, for a trial: a person of a kind without a key or a value, about whom nothing is held."""

from __future__ import annotations

from sqlalchemy import insert

from troth.ids import new_id
from troth.people.tables import person
from troth.store.site import Site


def made_up(site: Site, kind: str) -> str:
    """Put somebody of ``kind`` into the trial and return their id; they are gone with it."""
    made = new_id(site.now())
    with site.writing() as conn:
        conn.execute(insert(person).values(id=made, kind=kind, state="active", since=site.now()))
    return made
