"""The staff from a terminal: added with a link, listed, given other roles, reset, removed."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.staffed import Somebody
from tests.terminal import blank, published, shop, troth  # noqa: F401  (fixtures)
from troth.ledger.tables import entry
from troth.staff import own
from troth.store.site import open_site


def link_of(printed: str) -> str:
    found = re.fullmatch(r"http\S+/desk/setup/([\w-]{43})\n", printed)
    assert found is not None, printed
    return found[1]


def listed(shop: Path) -> list[dict[str, Any]]:
    return list(json.loads(troth("staff", "list", shop, "--json").stdout)["staff"])


def test_somebody_is_added_set_up_given_a_role_reset_and_removed(published: Path) -> None:
    assert "nobody is on the staff" in troth("staff", "list", published).stderr
    link = link_of(troth("staff", "add", published, "ann", "--role", "privacy lead", "--role", "desk").stdout)
    assert listed(published) == [
        {"login": "ann", "roles": ["privacy lead", "desk"], "state": "waiting", "last_log_in": None}
    ]
    site = open_site(published)
    Somebody(site, "ann", link).set_up()
    assert troth("staff", "role", published, "ann", "--role", "desk").exit_code == 0
    [ann] = listed(published)
    assert (ann["roles"], ann["state"]) == (["desk"], "open")
    assert re.fullmatch(r"ann  desk  last logged in \S+Z\n", troth("staff", "list", published).stdout)
    again = link_of(troth("staff", "reset", published, "ann").stdout)
    assert own.setting_up(site, again)
    assert "has not used the set-up link yet" in troth("staff", "list", published).stdout
    assert troth("staff", "remove", published, "ann").exit_code == 0
    assert listed(published) == []
    assert own.setting_up(site, again) is None
    with site.reading() as conn:
        told = list(conn.scalars(select(entry.c.event).where(entry.c.event.startswith("staff:")).order_by(entry.c.id)))
        bodies = " ".join(conn.scalars(select(entry.c.body)))
    site.close()
    assert told == ["staff:added", "staff:ready", "staff:entered", "staff:changed", "staff:reset", "staff:removed"]
    assert '"by":"console"' in bodies
    assert "ann" not in bodies


def test_what_will_not_do_is_said_and_nobody_is_added(published: Path) -> None:
    for words in (
        ("add", published, "Ann Lee", "--role", "desk"),
        ("add", published, "ann", "--role", "janitor"),
        ("add", published, "ann"),
        ("role", published, "nobody", "--role", "desk"),
        ("reset", published, "nobody"),
        ("remove", published, "nobody"),
    ):
        assert troth("staff", *words).exit_code == 2, words
    assert "There are: privacy lead, desk" in troth("staff", "add", published, "ann", "--role", "janitor").stderr
    assert listed(published) == []
