"""Each enforcer is switched off in code, and the promise that rests on it stops being kept: a proof looks at what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.promises.living import Living
from troth import source
from troth.decide import Decision, RuleSet
from troth.evidence.prove import prove
from troth.people import vault
from troth.recipients import gate
from troth.store.site import Site

Off = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def shop(living: Living, tmp_path: Path) -> Iterator[Site]:
    with living.copy("sqlite", tmp_path / "shop") as site:
        yield site


def _gate_lets_everything_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate, "disclose", lambda *_, **__: "0" * 26)


def _vault_opens_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(vault, "read", lambda *_, **__: vault.Reading({}, Decision(True, (), ""), ()))


def _rules_allow_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RuleSet, "decide", lambda *_: Decision(True, (), ""))


def _another_module_goes_out(patch: pytest.MonkeyPatch) -> None:
    texts = {**source.texts(), "troth.people.leak": "import socket\nsocket.create_connection(('x', 1))\n"}
    patch.setattr(source, "texts", lambda: texts)


def _another_module_opens(patch: pytest.MonkeyPatch) -> None:
    texts = {**source.texts(), "troth.visits.leak": "from troth.people.sealing import unseal\n"}
    patch.setattr(source, "texts", lambda: texts)


SWITCHED_OFF: tuple[tuple[Off, str], ...] = (
    (_gate_lets_everything_out, "recipients"),
    (_gate_lets_everything_out, "recipients.courier"),
    (_gate_lets_everything_out, "absolutes.never_sold"),
    (_vault_opens_everything, "purposes"),
    (_rules_allow_everything, "purposes"),
    (_rules_allow_everything, "recipients"),
    (_rules_allow_everything, "absolutes.never_sold"),
    (_rules_allow_everything, "absolutes.interest_private"),
    (_another_module_goes_out, "recipients"),
    (_another_module_opens, "purposes"),
)


@pytest.mark.parametrize(("off", "promise"), SWITCHED_OFF, ids=lambda part: getattr(part, "__name__", part))
def test_a_promise_is_broken_while_its_enforcer_is_switched_off(
    shop: Site, off: Off, promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verdict() -> Any:
        (found,) = [one.proof for one in prove(shop).proven if one.promise.id == promise]
        return found.verdict

    assert verdict() == "kept"
    off(monkeypatch)
    assert verdict() == "broken"


def test_trying_leaves_nothing_behind(shop: Site) -> None:
    """What a proof tries is taken back whole: nobody made up, no refusal, no job."""
    from sqlalchemy import func, select

    from troth.agenda.tables import job
    from troth.ledger.tables import entry
    from troth.people.tables import person

    def counts() -> list[int]:
        with shop.reading() as conn:
            return [conn.scalar(select(func.count()).select_from(table)) or 0 for table in (person, job, entry)]

    people, jobs, entries = counts()
    prove(shop)
    assert counts() == [people, jobs, entries + 1]  # that the promises were proven
