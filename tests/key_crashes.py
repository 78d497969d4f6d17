"""Work with people and keys in processes of its own that are killed midway; each function is the body of one process."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, event

from tests.crashing import die, die_at_commit_after, die_at_statement
from tests.shoppers import ANN, registered
from troth.clock import MovedClock
from troth.people import rotation
from troth.store.site import Site, open_site


def _open(folder: str, database: str, keys: str, at: datetime) -> Site:
    return open_site(Path(folder), MovedClock(at), database=database, keys=keys)


def _watched(site: Site, store: str) -> Site:
    """``crashing`` watches a site's data; this lets it watch the key store instead."""
    return replace(site, engine=site.keys) if store == "keys" else site


def register_and_die(folder: str, database: str, keys: str, at: datetime, store: str, point: str, words: str) -> None:
    site = _open(folder, database, keys, at)
    (die_at_statement if point == "before" else die_at_commit_after)(_watched(site, store), words)
    registered(site, ANN)


def rotate_and_die(folder: str, database: str, keys: str, at: datetime, point: str, nth: int) -> None:
    site = _open(folder, database, keys, at)
    if point == "before the secret":
        die_at_commit_after(_watched(site, "keys"), "INSERT INTO site_key")
    if point == "in a batch":
        die_at_statement(_watched(site, "keys"), "UPDATE person_key", nth)
    if point == "before a batch commits":
        die_at_commit_after(_watched(site, "keys"), "UPDATE person_key", nth)
    if point == "before retiring":
        die_at_statement(_watched(site, "keys"), "UPDATE site_key")
    if point == "after retiring":
        _die_after_commit(site)
    rotation.rotate(site, batch=3)


def _die_after_commit(site: Site) -> None:
    """Die as soon as the data store is asked for anything: the old key is retired and out of the secret by then."""

    @event.listens_for(site.engine, "begin")
    def _begin(_conn: Connection) -> None:
        die()
