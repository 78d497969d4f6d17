"""Seven small businesses of other trades: no finding in their policies, and each is published, proven and lived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from tests.operators import open_operator
from troth.clock import MovedClock
from troth.evidence.prove import prove
from troth.policy.check import check
from troth.policy.notice import as_markdown, notice
from troth.rehearsal.run import rehearse
from troth.store import versions
from troth.web.inside import Inside

TRADES = Path(__file__).parents[1] / "trades"
NAMES = sorted(path.parent.name for path in TRADES.glob("*/policy.yaml"))
IN_EVERY_RUN = frozenset({"app", "clinic", "saas"})
"""of these a life is lived in every run, of all seven in `make test-all`"""
SAYS = {
    "app": "We never sell what we know about your child.",
    "broker": "Shannon Mutual",
    "charity": "HM Revenue and Customs",
    "clinic": "8 years",
    "saas": "Deskly Inc.",
    "school": "allergies of the child",
    "shop": "We get goods or services for it, so it takes a yes of yours to this very recipient.",
}
"""something that each notice must say"""


def test_there_are_seven() -> None:
    assert set(SAYS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_policy_leaves_no_question_open_and_its_notice_says_it(name: str) -> None:
    assert [finding.line() for finding in check(TRADES / name).findings] == []
    text = (TRADES / name / "policy.yaml").read_text("utf-8")
    assert SAYS[name] in as_markdown(notice(versions.compiled(text, ""), "en"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_fresh_site_breaks_no_promise_and_lets_somebody_in(
    name: str, kind: StoreKind, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    site = open_operator(name, tmp_path, clock, fresh_database, kind, among=TRADES)
    report = prove(site, door=Inside)
    assert [one.promise.id for one in report.broken] == []
    assert report.summary["kept"] > 0
    walked = {one.promise.id: one.proof.verdict for one in report.proven if one.proof.how == "canary"}
    erasure = {"shop": "rights.deletion"}.get(name, "rights.erasure")
    assert walked["rights.access"] == walked[erasure] == "kept"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in IN_EVERY_RUN else pytest.mark.long) for name in NAMES]
)
def test_it_lives_for_weeks_and_every_promise_holds(
    name: str, tmp_path: Path, fresh_database: Callable[..., str]
) -> None:
    life = rehearse(
        TRADES / name,
        days=25,
        people=12,
        database=fresh_database("sqlite", prepared_by=data_tables_made),
        keys=fresh_database("sqlite", prepared_by=key_tables_made),
        folder=tmp_path,
        door=Inside,
    )
    assert [(one.day, one.kind, one.about, one.says) for one in life.violations] == []
    assert life.happened["hostile: refused"] > 0
