"""Every table that carries marks bears on a promise, and a store from before is marked when it is brought to the present."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.databases import Databases, StoreKind
from tests.notices import with_shop
from tests.promises.lies import METADATA, telling
from tests.promises.living import Living
from troth import ledger
from troth.decide import Ask
from troth.evidence.bearing import ALL_JOBS, OF_JOBS, rests
from troth.evidence.entries import spoken_of
from troth.evidence.prove import prove
from troth.ledger import sums
from troth.policy.acts import NEVER_ASKED, READ_VISITS
from troth.retention.tables import hold
from troth.store.marks.protected import COLUMN, UNPROTECTED
from troth.store.prepare import prepare, wound_back
from troth.work import HANDLERS, turn

DECLARED = {name: table for metadata in METADATA.values() for name, table in metadata.tables.items()}


def test_every_protected_table_bears_a_promise() -> None:
    resting = {table for policy in with_shop() for promise in policy.promises for table in rests(policy, promise)}
    assert {name for name in DECLARED if name not in UNPROTECTED} - resting == set()


def test_every_kind_of_job_bears_the_promises_that_it_keeps() -> None:
    assert set(OF_JOBS) == set(HANDLERS)
    resting = {one.kind for policy in with_shop() for one in policy.promises if "job" in rests(policy, one)}
    assert resting == ALL_JOBS


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_store_from_before_its_jobs_and_log_ins_were_marked_is_marked_when_it_is_brought_to_the_present(
    databases: Databases, tmp_path: Path, kind: StoreKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "_schema", lambda: {"data": "0012", "keys": "0004"})
    new = {"job", "session", "once", "attempt", "half_log_in", "spent", "recovery_code", "arrived", "agent_token"}
    new |= {"staff_session", "staff_recovery", "staff_attempt", "heartbeat", "alarm"}
    with Living(databases, tmp_path).copy(kind, tmp_path / "old") as site:
        turn(site)
        with site.writing() as conn:
            conn.execute(delete(hold))  # a later version gave it another column
        site.engine.dispose()
        with telling(site, "data", stays=True) as teller:
            teller.tell("ALTER TABLE hold DROP COLUMN record")
            for name in new:
                teller.tell(f'ALTER TABLE "{name}" DROP COLUMN {COLUMN}')
                for of in ("store_sum", "store_change", "store_sealed"):
                    teller.tell(f"DELETE FROM {of} WHERE name = :name", name=name)
            teller.tell("UPDATE troth_schema SET version_num = '0012'")
            teller.tell("UPDATE holding SET at = at + 1 WHERE id = (SELECT min(id) FROM holding)")
        assert wound_back(site) == {}
        assert prepare(site) > 0
        ledger.seal(site)
        turn(site)
        found = {(one.table, one.what) for one in prove(site).found if one.table != "store_sealed"}
        assert found == {("holding", "changed")}


def test_every_act_for_a_purpose_is_replayed_for_the_promise_of_that_purpose() -> None:
    """A decision on visits that is not as the policy says speaks of the purpose, too, and not of the visits alone."""
    others = {
        "disclose",
        "send",
        "collect",
        "cookie",
        *NEVER_ASKED,
    }  # of a recipient, a class of messages, a point, a cookie
    asked = set()
    for policy in with_shop():
        purposes = policy.policy.purposes
        acts = {
            (act, purpose) for rule in policy.rules.rules for act in rule.acts or () for purpose in rule.purposes or ()
        }
        asks = [Ask(act, purpose, frozenset()) for act, purpose in acts if purpose in purposes]
        spoken = {ask: spoken_of(ask, {}, ()) for ask in asks if ask.act not in others}
        assert [ask for ask, about in spoken.items() if f"purposes.{ask.purpose}" not in about] == []
        asked |= {ask.act for ask in spoken}
    assert READ_VISITS in asked
