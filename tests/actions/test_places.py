"""*Only in the European Union*: a recipient elsewhere is given nothing, and what reached one all the same turns the verdict."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.databases import StoreKind
from tests.operators import open_operator
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.errors import Refused
from troth.evidence.prove import prove
from troth.policy.assurances import Absolute
from troth.recipients.gate import disclose
from troth.recipients.tables import disclosure
from troth.store.site import Site

EU_ONLY = "  eu_only: {only: store, in: [EU, GB], label: All of it stays in the Union and the United Kingdom.}\n"
SETTLED = "  - {settles: [E-01 absolutes.eu_only], because: nothing goes to the US, by: privacy lead, on: 2026-01-01}\n"


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
        (folder / file).write_text(text.replace("absolutes:\n", f"absolutes:\n{EU_ONLY}"))
    with (folder / "decisions.yaml").open("a") as file:
        file.write(SETTLED)
    return open_operator("lamps", tmp_path, MovedClock(utc(2026, 1, 5)), fresh_database, store_kind)


def verdict(site: Site) -> tuple[str, str]:
    (found,) = [one for one in prove(site).proven if one.promise.id == "absolutes.eu_only"]
    return found.proof.verdict, str(found.proof.measured)


def test_a_recipient_outside_the_places_is_refused_at_the_gate(shop: Site) -> None:
    given = Submission(
        "register",
        {"full_name": "Ann Sparrow", "email": "ann@shop.example"},
        "ann-1",
        choices={"newsletter_house": True, "marketing": True},
    )
    ann = collect(shop, given).person_id
    with pytest.raises(Refused) as refused:
        disclose(shop, ann, "newsletter_house", ["email"], "marketing")
    assert "eu_only" in str(refused.value.because)
    assert verdict(shop)[0] != "broken"


def test_what_reached_somebody_outside_is_seen(shop: Site) -> None:
    ann = collect(shop, Submission("register", {"full_name": "Ann", "email": "ann@shop.example"}, "ann-1")).person_id
    row = {"id": "d1", "person_id": ann, "recipient": "newsletter_house", "purpose": "marketing", "fields": "email"}
    with shop.writing() as conn:
        conn.execute(
            insert(disclosure).values(**row, case_ref="", ground="", record={}, at=shop.now(), state="delivered")
        )
    assert verdict(shop) == ("broken", "1 disclosure to somebody outside")


def test_only_store_says_where_and_nothing_else_does() -> None:
    for wrong in ({"only": "store"}, {"only": "store", "for": ["a"], "in": ["DE"]}, {"only": "read", "in": ["DE"]}):
        with pytest.raises(ValueError, match=r"in|for"):
            Absolute.model_validate({**wrong, "label": "x"})
