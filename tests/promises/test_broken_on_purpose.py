"""Every kind of promise is broken on purpose, and its proof says so in the right words: a proof that cannot fail is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import StoreKind
from tests.promises.breaking import Break
from tests.promises.breaks import BREAKS
from tests.promises.living import Living
from troth.evidence.prove import Report, prove
from troth.proof import Proof
from troth.store.site import Site


@pytest.fixture
def shop(living: Living, store_kind: StoreKind, tmp_path: Path) -> Iterator[Site]:
    with living.copy(store_kind, tmp_path / "shop") as site:
        yield site


def proofs(report: Report) -> dict[str, Proof]:
    return {one.promise.id: one.proof for one in report.proven}


_seen: dict[str, dict[str, Proof]] = {}
"""what is found in the shop as it lived, by store: every test begins with a copy of it"""


def look(site: Site) -> dict[str, Proof]:
    return proofs(prove(site))


def test_a_shop_that_lived_breaks_no_promise_and_keeps_most(shop: Site) -> None:
    found = look(shop)
    assert [key for key, proof in found.items() if proof.verdict == "broken"] == []
    assert sum(proof.verdict == "kept" for proof in found.values()) >= 36


@pytest.mark.parametrize("store_kind", ["sqlite"], indirect=True)
def test_a_part_that_nothing_measures_is_not_said_to_be_kept(shop: Site) -> None:
    """Who decides leaves nothing here that could be looked at; what a ground needs is on record of each hold."""
    found = look(shop)
    ground, decision = found["legal.legal_duties"], found["automated_decisions.pay_later"]
    assert (ground.verdict, ground.unshown) == ("kept", ())
    assert (decision.verdict, decision.unshown) == ("kept", ("made",))


def _on_its_stores() -> Iterator[tuple[str, Break]]:
    """All ways on SQLite, and on PostgreSQL one for each kind: every proof runs in every look, so that is enough."""
    first = {broken.kind: broken for broken in reversed(BREAKS)}
    yield from (("sqlite", broken) for broken in BREAKS)
    yield from (("postgresql", broken) for broken in first.values())


@pytest.mark.parametrize(("store_kind", "broken"), list(_on_its_stores()), ids=lambda part: getattr(part, "id", part))
def test_a_broken_promise_is_seen_to_be_broken(shop: Site, broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _seen.get(shop.engine.dialect.name) or _seen.setdefault(shop.engine.dialect.name, look(shop))
    assert before[broken.promise].verdict == broken.before
    for name, other in broken.patches.items():
        monkeypatch.setattr(name, other)
    after = look(broken.do(shop) or shop)
    assert after[broken.promise].verdict == broken.turns, after[broken.promise]
    assert broken.says in after[broken.promise].measured
    turned = {key for key, proof in after.items() if proof.verdict == broken.turns != before[key].verdict}
    assert turned - {broken.promise} <= broken.also
