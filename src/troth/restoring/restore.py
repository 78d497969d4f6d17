"""Puts a backup back: the stores of that day, the ledger of today, and no one who was erased in between.

What could go wrong, and where it is met: half of a restore (everything is made ready in a copy, which takes the live stores'
place in one step: ``store.swap``); people who come back, noes that are lost, messages that are sent twice (``replay``); a
record that ends with the backup, so that nobody can tell any more what was done (``record`` carries the ledger over); somebody
else still writing (nothing is exchanged while another process has a store open, or has entered something meanwhile).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from troth.errors import Refused, StoreError, TrothError
from troth.ledger import heads, seal
from troth.ledger.keys import public_keys, remembered
from troth.ledger.restored import RESTORED, enter, role_and_reason
from troth.ledger.tables import entry
from troth.restoring.manifest import Manifest
from troth.restoring.record import Said, carry_over, of_file, of_site
from troth.restoring.replay import Replayed, keep_what_was_said, replay
from troth.restoring.staging import BESIDE, examined, staged
from troth.store.secret import secret_path
from troth.store.site import Site
from troth.store.swap import Exchange, commit, finish, nobody_else

Step = Callable[[int, int, str], None]
STEPS = (
    "checking the backup",
    "opening it",
    "carrying the ledger over",
    "doing again what was done since",
    "putting it in place",
)
NOTHING_TO_REPLAY = (
    "Without it whoever was erased since comes back. Give an export with --ledger, "
    "or say --without-ledger and erase them by hand."
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. ``carried`` entries were made since the backup; ``lost`` says why the ledger has a gap, if it has."""

    backup_at: datetime
    carried: int
    settled: int
    replayed: Replayed
    lost: heads.Problem | None


def restore(
    site: Site,
    folder: Path,
    *,
    because: str,
    by: str,
    keys_folder: Path | None = None,
    record: Path | None = None,
    without_record: bool = False,
    step: Step | None = None,
) -> Restored:
    """Put the backup in ``folder`` in the place of the stores of ``site``, whose connections are closed then.

    Args:
        record: an export of the ledger; without it the live site's own is used, if that can be read.
        without_record: go on although nobody knows what was done since.

    Raises:
        StoreError: when the backup cannot be used, the stores are in use, or the ledger since then cannot be read.
        Unverifiable: when the manifest or the ledger is not what was signed.
        InvalidInput: without a role or a reason.
        Nothing was changed then.
    """
    role, reason = role_and_reason(because, by)
    said = _Steps(step)
    said.next()
    with nobody_else([site.engine, site.keys]):
        pass
    manifest, files = examined(site, folder, keys_folder)
    said.next()
    with staged(site, manifest, files) as copy:
        said.next()
        before = _extent(site)
        carried, live = _carried(site, copy, manifest, record, without_record)
        said.next()
        problem = _entered(site, copy, manifest, reason, role)
        settled = keep_what_was_said(copy, site, manifest.at) if live else 0
        known = live or record is not None
        replayed = replay(copy, carried, former=site if live else None, all_is_said=known)
        seal(copy)
        said.next()
    _in_place(site, copy, before)
    return Restored(manifest.at, len(carried), settled, replayed, problem)


class _Steps:
    def __init__(self, step: Step | None) -> None:
        self._step, self._done = step, 0

    def next(self) -> None:
        if self._step:
            self._step(self._done, len(STEPS), STEPS[self._done])
        self._done += 1


def _extent(site: Site) -> int | None:
    """The last entry of the live ledger; None when it cannot be read."""
    try:
        with site.reading() as conn:
            return int(conn.scalar(select(func.coalesce(func.max(entry.c.id), 0))) or 0)
    except (StoreError, DBAPIError):
        return None


def _carried(site: Site, copy: Site, manifest: Manifest, record: Path | None, without: bool) -> tuple[list[Said], bool]:
    """What was said since the backup, now on the ledger of ``copy`` too, and whether the live site said it."""
    keys = public_keys(site)
    if record is not None:
        with copy.writing() as conn:
            return carry_over(conn, of_file(record, site.name), site.name, keys, all_sealed=True), False
    try:
        _same(site, manifest)
        with copy.writing() as conn:
            return carry_over(conn, of_site(site, _sealed(copy)), site.name, keys, all_sealed=False), True
    except (TrothError, DBAPIError) as error:
        if without:
            return [], False
        said = error.message if isinstance(error, TrothError) else "It does not answer."
        raise StoreError(f"The ledger of the live site cannot be used: {said}", NOTHING_TO_REPLAY) from None


def _same(site: Site, manifest: Manifest) -> None:
    """Refuse a live ledger that does not hold what the backup does."""
    with site.reading() as conn:
        last = heads.last_checkpoint(conn)
        if manifest.size and (last is None or last.size < manifest.size):
            raise Refused("It ends before the backup was made.")


def _sealed(copy: Site) -> int:
    with copy.reading() as conn:
        last = heads.last_checkpoint(conn)
    return last.size if last else 0


def _entered(site: Site, copy: Site, manifest: Manifest, because: str, by: str) -> heads.Problem | None:
    """Record the restore in ``copy``, with what the kept heads say that was lost; its heads are kept from there on."""
    kept = _kept(site)
    with copy.writing() as conn:
        last = heads.last_checkpoint(conn)
        problem = heads.judged(kept, last, kept, heads.held(conn, kept.file)) if kept is not None else None
        enter(copy, conn, RESTORED, because, by, problem, last, manifest.at)
    heads.reset(copy, last)
    return problem


def _kept(site: Site) -> heads.Kept | None:
    """The heads of the live site, as far as they can be read: the key store may be what was lost."""
    try:
        return heads.kept(site)
    except (TrothError, DBAPIError):
        pass
    with suppress(TrothError):
        file = remembered(site)
        return heads.Kept(file, None, file) if file else None
    return None


def _in_place(site: Site, copy: Site, before: int | None) -> None:
    files, schemas = [], []
    for store, engine in (("data", site.engine), ("keys", site.keys)):
        if engine.dialect.name == "sqlite":
            live = str(Path(str(engine.url.database)).absolute())
            files.append((f"{live}{BESIDE}", live))
        else:
            schemas.append(store)
    files.append((str(copy.folder / "ledger.head"), str(secret_path(site).absolute().with_name("ledger.head"))))
    if _extent(site) != before:
        raise StoreError("Something was entered while the backup was being restored.", "Stop the site, and try again.")
    with nobody_else([site.engine, site.keys]):
        commit(site.folder, Exchange(tuple(files), tuple(schemas), str(copy.folder)))
        finish(site.folder, site.engine, site.keys)
