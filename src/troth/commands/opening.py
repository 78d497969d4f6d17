"""Opens sites for commands, and brings them to the point where they can be served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from troth.errors import NotAllowed

if TYPE_CHECKING:
    from troth.policy.check import Checked
    from troth.store.site import Site


@contextmanager
def opened(folder: Path) -> Iterator[Site]:
    """The site in ``folder``, closed at the end. Raises ``PolicyError`` when it is no site folder."""
    from troth.people.logs import guard_logs
    from troth.store.site import open_site

    guard_logs()
    site = open_site(folder)
    try:
        yield site
    finally:
        site.close()


def made_ready(site: Site) -> None:
    """Make the tables and the site key where there are none; a second time changes nothing."""
    from troth import ledger
    from troth.ledger import events
    from troth.people.keyring import make_site_key
    from troth.people.rotation import site_keys
    from troth.store.prepare import prepare, wound_back

    before = wound_back(site)
    marked = prepare(site)
    if marked or before:
        body = {"rows": marked} | ({"wound_back": before} if before else {})
        with site.writing() as conn:
            ledger.append(conn, site.now(), events.STORE_MARKED, body)
    if not site_keys(site):
        make_site_key(site)


def settled(folder: Path, done: str) -> Checked:
    """The policy in ``folder``, checked, and its ``site.yaml`` with it; ``done`` is what is to be done with it, as ``served``.

    Raises:
        NotAllowed: when an error of either is unsettled; all of them are named.
        PolicyError: when a file cannot be read.
    """
    from troth.clock import SystemClock
    from troth.store.wiring import check_site

    checked = check_site(folder, today=SystemClock().now().date())
    if checked.unsettled or checked.policy is None:
        found = checked.unsettled or checked.findings
        lines = "\n".join(f"  {folder}/{finding.line()}" for finding in found[:20])
        more = f"\n  and {len(found) - 20} more" if len(found) > 20 else ""
        raise NotAllowed(
            f"{folder} is not {done} while its files have errors that nobody settled ({len(found)}):\n{lines}{more}",
            f"Mend the files, or settle those of the policy in decisions.yaml; `troth check {folder}` shows them again.",
        )
    return checked
