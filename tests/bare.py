"""A site with its tables and without a published policy: for the rooms below the policy, and for processes of their own."""

import shutil
from pathlib import Path

from troth.clock import MovedClock
from troth.store.prepare import prepare
from troth.store.site import Site, open_site

SHOP = Path(__file__).parent / "shop"


def bare_folder(parent: Path) -> Path:
    folder = parent / "bare"
    folder.mkdir()
    shutil.copy(SHOP / "site.yaml", folder)
    return folder


def open_bare(folder: Path, database: str, clock: MovedClock) -> Site:
    """Open the site in ``folder`` on ``database``; its key store is a file that these rooms never touch."""
    return open_site(folder, clock, database=database, keys="sqlite:///var/keys.db")


def prepared(folder: Path, database: str, clock: MovedClock) -> Site:
    site = open_bare(folder, database, clock)
    prepare(site)
    return site
