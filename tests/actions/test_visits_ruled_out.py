"""*Never collected* and *read for this only* reach visits, and what is there all the same is seen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.actions.test_visits import visit
from tests.databases import StoreKind
from tests.fixtures import days
from tests.operators import open_operator
from tests.promises.breaking import forge
from tests.promises.breaks_held import _visit as slip_in
from troth.clock import MovedClock, utc
from troth.decide import Ask
from troth.errors import Refused
from troth.evidence.prove import prove
from troth.ledger import events
from troth.people.vault import By
from troth.store.site import Site
from troth.visits.actions import read
from troth.visits.rules import recorded

RULED_OUT = """absolutes:
  no_address: {never: collect, what: [ip_address], label: We collect no addresses.}
  no_pages: {only: read, what: [url], for: [fulfil_order], label: We use the pages you see for your orders only.}
"""
SETTLED = (
    "  - {settles: [E-01 absolutes.no_address, E-01 absolutes.no_pages], because: it holds as it stands, by: privacy lead, "
    "on: 2026-01-01}\n"
)


@pytest.fixture
def shop(
    tmp_path: Path, fresh_database: Callable[..., str], store_kind: StoreKind, monkeypatch: pytest.MonkeyPatch
) -> Site:
    source = tmp_path / "source"
    monkeypatch.setattr("tests.operators.SITES", source)
    folder = source / "lamps"
    folder.mkdir(parents=True)
    for file in ("policy.yaml", "site.yaml", "decisions.yaml"):
        text = (Path(__file__).parents[1] / "shop" / file).read_text()
        (folder / file).write_text(text.replace("absolutes:\n", RULED_OUT))
    with (folder / "decisions.yaml").open("a") as file:
        file.write(SETTLED)
    return open_operator("lamps", tmp_path, MovedClock(utc(2026, 1, 5)), fresh_database, store_kind)


def said(site: Site, promise: str) -> tuple[str, str]:
    (found,) = [one.proof for one in prove(site).proven if one.promise.id == promise]
    return found.verdict, str(found.measured)


def test_an_address_that_is_never_collected_is_in_no_visit_and_seen_when_it_is(shop: Site) -> None:
    with shop.reading() as conn:
        assert recorded(shop.policy(conn)) == {"url"}
    visit(shop)
    assert said(shop, "absolutes.no_address")[0] == "kept"
    slip_in(shop, days(0), {"ip_address": "192.0.2.8"})
    assert said(shop, "absolutes.no_address") == ("broken", "1 visit that nobody asked the policy about")


def test_visits_are_read_for_nothing_that_an_only_leaves_out_and_a_read_let_through_is_seen(shop: Site) -> None:
    with pytest.raises(Refused) as refused:
        read(shop, "improvement", By("system"))
    assert "absolutes.no_pages" in refused.value.because
    assert said(shop, "absolutes.no_pages")[0] == "kept"
    ask = Ask("read_visits", "improvement", frozenset({"url", "time"}), facts=frozenset({"by:system"}))
    forge(shop, events.DECISION_MADE, ask, "visits.records")
    assert said(shop, "absolutes.no_pages") == ("broken", "1 decision not as the policy says")
