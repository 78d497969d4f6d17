"""However many rows of a table are wrong, all are counted, some are named, and every one can be listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import StoreKind
from tests.promises.lies import telling
from tests.promises.living import Living
from troth.evidence.prove import prove
from troth.people import vault
from troth.reconcile import watch
from troth.reconcile.findings import Finding
from troth.reconcile.reconcile import MOST, every
from troth.store.site import Site

MANY = 50


@pytest.fixture
def shop(living: Living, store_kind: StoreKind, tmp_path: Path) -> Iterator[Site]:
    """A shop that lived, with leads who came since."""
    with living.copy(store_kind, tmp_path / "shop") as site:
        with site.writing() as conn:
            vault.admit_many(site, conn, "lead", MANY)
        yield site


def lie(site: Site, sql: str) -> int:
    with telling(site, "data", stays=True) as teller:
        return teller.tell(sql)


def lines(found: tuple[Finding, ...]) -> list[str]:
    return [one.line() for one in found]


def test_rows_that_are_not_named_are_counted_and_can_be_listed(shop: Site) -> None:
    changed = lie(shop, "UPDATE person SET kind = 'customer' WHERE kind = 'lead'")
    assert changed > MANY
    found = watch.differing(shop)
    assert f"table person has {changed - MOST} more rows that are not as Troth wrote them" in lines(found)
    assert len([one for one in found if one.what == "changed"]) == MOST
    assert sum(one.cases for one in found) == changed
    rows = [one.row for one in every(shop, found)]
    assert len(rows) == len(set(rows)) == changed


def test_the_evidence_of_a_promise_counts_what_it_does_not_name(shop: Site) -> None:
    changed = lie(shop, "UPDATE person SET kind = 'customer' WHERE kind = 'lead'")
    (proof,) = [one.proof for one in prove(shop).proven if one.promise.id == "relationship.lead"]
    assert proof.measured == "rests on a record that was changed"
    assert proof.evidence == f"see differences 1, 2, 3, 4, 5 and {changed - 5} further differences"


def test_rows_that_are_gone_are_counted_and_can_be_listed(shop: Site) -> None:
    gone = lie(
        shop,
        "DELETE FROM person WHERE kind = 'lead' AND state = 'active' AND id NOT IN (SELECT person_id FROM holding)",
    )
    assert gone >= MANY
    found = watch.differing(shop)
    mine = [one for one in found if one.table == "person"]
    assert {one.what: one.number for one in mine if one.number} == {"fewer": gone, "more gone": gone - MOST}
    listed = [one for one in every(shop, found) if one.table == "person" and one.what == "gone"]
    assert len({one.row for one in listed}) == len(listed) == gone


def test_who_answered_for_many_rows_did_not_answer_for_another_lie_about_one_of_them(shop: Site) -> None:
    lie(shop, "UPDATE person SET kind = 'customer' WHERE kind = 'lead'")
    watch.record(shop, "a support case", "privacy lead")
    assert watch.noted(shop, watch.differing(shop)) == 0
    lie(shop, "UPDATE person SET state = 'quarantined' WHERE id = (SELECT max(id) FROM person)")
    assert watch.noted(shop, watch.differing(shop)) == 1
