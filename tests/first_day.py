"""Sites on their first day: made once a worker for each store, and copied for every test after that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from tests.databases import StoreKind
from troth.clock import MovedClock
from troth.people.keyring import make_site_key
from troth.store import versions
from troth.store.engines import open_engine
from troth.store.prepare import prepare, upgrade
from troth.store.secret import secret_path
from troth.store.site import Site, open_site
from troth.store.wiring import read_wiring

Fresh = Callable[..., str]
_secrets: dict[FirstDay, str] = {}


@dataclass(frozen=True)
class FirstDay:
    """A site's files (their digest), when it was made, and when version 1 of its policy was published and took effect."""

    files: str
    made_at: datetime
    published_at: datetime
    effective_at: datetime


@dataclass(frozen=True)
class _Prepared:
    """Fills a store as a first day leaves it; two that are equal fill it alike."""

    day: FirstDay
    store: Literal["data", "keys"]
    folder: Path = field(compare=False)

    @property
    def base(self) -> Callable[[str], None]:
        return data_tables_made if self.store == "data" else key_tables_made

    def __call__(self, url: str) -> None:
        site = open_site(self.folder, MovedClock(self.day.made_at), database=url, keys=url)
        if self.store == "data":
            _archive(site, self.day.published_at, self.day.effective_at)
        else:
            make_site_key(site)
            _secrets[self.day] = secret_path(site).read_text()
        site.close()


def started(
    folder: Path, clock: MovedClock, fresh: Fresh, kind: StoreKind, published_at: datetime, effective_at: datetime
) -> Site:
    """The site in ``folder`` on stores of its own, with version 1 of its policy in force.

    Sites with the same files that begin at the same instant have the same secret.
    """
    day = FirstDay(_digest(folder), clock.now(), published_at, effective_at)
    if day in _secrets:
        _put(_secrets[day], folder)
    keys = fresh(kind, prepared_by=_Prepared(day, "keys", folder))
    database = fresh(kind, prepared_by=_Prepared(day, "data", folder))
    return open_site(folder, clock, database=database, keys=keys)


def _put(secret: str, folder: Path) -> None:
    path = folder / read_wiring(folder).keys.secret_file
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)


def started_by_hand(
    folder: Path, clock: MovedClock, published_at: datetime, effective_at: datetime, **urls: str
) -> Site:
    """As ``started``, on the stores at ``urls`` (or those that ``site.yaml`` names), and nothing is copied."""
    site = open_site(folder, clock, **urls)
    prepare(site)
    make_site_key(site)
    _archive(site, published_at, effective_at)
    return site


def _archive(site: Site, published_at: datetime, effective_at: datetime) -> None:
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=effective_at, at=published_at)


def _digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = hashlib.sha256()
    for path in files:
        told.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return told.hexdigest()


def data_tables_made(url: str) -> None:
    """Bring the database at ``url`` to the present schema of a site; done once a worker, then copied."""
    _tables_made(url, "data")


def key_tables_made(url: str) -> None:
    """As ``data_tables_made``, for the keys."""
    _tables_made(url, "keys")


def _tables_made(url: str, store: str) -> None:
    engine = open_engine(url, Path("/"))
    upgrade(engine, store)
    engine.dispose()
