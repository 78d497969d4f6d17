"""At Optokingdom the visits of whoever is logged in are theirs: shown, exported, guarded and deleted with their account."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.journeys.test_accounts import operator
from tests.journeys.test_held import member_at
from tests.operators import run_mail
from tests.served import client, token_of
from troth.clock import DAY, MovedClock
from troth.errors import Refused
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.tables import holding, quarantined, shape
from troth.people.vault import By
from troth.rights.intake import receive
from troth.rights.restricting import lift, restrict
from troth.rights.rules import Intake
from troth.store.site import Site
from troth.visits.actions import read as read_visits
from troth.work import turn

POINT = "member_visits"


def kept(site: Site, table=holding) -> int:  # type: ignore[no-untyped-def]
    query = select(func.count()).select_from(table.join(shape, shape.c.id == table.c.shape_id))
    with site.reading() as conn:
        return conn.scalar(query.where(shape.c.point == POINT)) or 0


@pytest.mark.clause("O8")
def test_what_is_recorded_of_a_members_visits_is_exported_guarded_and_deleted_like_the_rest(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("optokingdom", tmp_path, clock, fresh_database, mailbox)
    with client(site, mailbox=mailbox) as stranger:
        stranger.get("/optokingdom/forms")
    assert kept(site) == 0
    logged = [one.fields["clicked_pages"] for one in read_visits(site, "shop_service", By("system"))]
    assert logged == ["/optokingdom/forms"]
    with pytest.raises(Refused):
        read_visits(site, "site_improvement", By("staff"))  # waits for a consent that a visit does not give
    with client(site, mailbox=mailbox) as web:
        typed = member_at(web, site, mailbox)
        before = kept(site)
        web.get("/optokingdom/forms?lang=zh-Hant")
        web.get("/optokingdom?lang=en")
        assert kept(site) == before + 2
        page = "/optokingdom/account/data"
        offered = re.findall(r'name="field\.(\w+)"', web.get("/optokingdom/privacy/centre").text)
        assert "phone" in offered and not {"clicked_pages", "visit_count", "language"} & set(offered)
        copy = web.post(page, data={"token": token_of(web.get(page).text), "format": "json"}).content
    with site.reading() as conn:
        person_id = vault.find(site, conn, "email", typed["email"])
    assert person_id is not None
    said = [one["values"] for one in json.loads(copy)["records"] if "visit_count" in one["values"]]
    mine = {one["visit_count"]: (one["clicked_pages"], one["language"]) for one in said}
    assert mine[str(before + 1)] == ("/optokingdom/forms", "zh-Hant") and mine[str(before + 2)] == (
        "/optokingdom",
        "en",
    )
    assert {"visit_count", "clicked_pages", "language"} == said[0].keys()  # a test client has no IP address
    seen = vault.read(site, person_id, ["clicked_pages"], "shop_service", By("system"))
    assert seen.values["clicked_pages"]
    for purpose in ("order", "own_marketing"):
        with pytest.raises(Refused):
            vault.read(site, person_id, ["clicked_pages"], purpose, By("system"))
    assert typed["email"] not in repr(list(read_visits(site, "shop_service", By("system"))))
    receive(site, Intake("erasure", "account", "wish-1", member=person_id, vouched="account"))
    run_mail(site)
    assert (kept(site), kept(site, quarantined)) == (0, before + 3)
    clock.move(29 * DAY)
    turn(site)
    assert kept(site) == kept(site, quarantined) == 0


def test_of_a_member_who_paused_the_use_of_their_data_no_visit_is_recorded(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("optokingdom", tmp_path, clock, fresh_database, mailbox)
    with client(site, mailbox=mailbox) as web:
        typed = member_at(web, site, mailbox)
        before, logged = kept(site), len(list(read_visits(site, "shop_service", By("system"))))
        with site.writing() as conn:
            person_id = vault.find(site, conn, "email", typed["email"])
            assert person_id is not None and restrict(site, conn, person_id)
        web.get("/optokingdom/forms")
        assert (kept(site), len(list(read_visits(site, "shop_service", By("system"))))) == (before, logged)
        with site.writing() as conn:
            assert lift(site, conn, person_id)
        web.get("/optokingdom/forms")
        assert kept(site) == before + 1


def test_they_go_when_the_log_of_strangers_does_and_are_no_contact(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("optokingdom", tmp_path, clock, fresh_database, mailbox)
    with client(site, mailbox=mailbox) as web:
        member_at(web, site, mailbox)
        web.get("/optokingdom/forms")
    assert kept(site) > 0
    clock.move(30 * DAY)
    turn(site)
    assert kept(site) == 0 and list(read_visits(site, "shop_service", By("system"))) == []
