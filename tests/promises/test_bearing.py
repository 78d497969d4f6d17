"""What a promise rests on is said once, by its binding: all that its proof reads, and a wrong row of it turns the promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.fixtures import days
from tests.promises.lies import TABLES
from tests.promises.living import Living
from tests.promises.observing import reads, watching
from tests.staffed import somebody
from troth import ledger
from troth.evidence import canary
from troth.evidence.bearing import borne, rests
from troth.ledger import events
from troth.reconcile.findings import Finding
from troth.reconcile.naming import ENTRIES
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.store import versions
from troth.store.site import Site
from troth.web.inside import Inside

EXEMPT: Mapping[tuple[str, str], str] = {
    ("data.never_stored", table): "every text there is, is searched for card numbers, whoever wrote it"
    for table in TABLES - {"holding", "shape", "quarantined"}
} | {
    ("erasure.path", table): "of the replay it takes only who was made up, which no version and no backup decides"
    for table in ("policy_version", "restoration")
}
"""by the kind and the table: why what is read there need not be as Troth wrote it"""
MORE = """
security:
  passwords: {measure: your account is protected by your password, check: password}
  log_ins: {measure: every log-in of our staff is recorded, check: login log}
  use: {measure: nobody misuses your data, check: access, for: [service]}
  watch: {measure: we watch for breaches, check: breach watch, tells: [authority, people]}
  copies: {measure: we back up every day, check: backup}
  pages: {measure: our pages load nothing foreign, check: headers}"""
LOGS = """
retention:
  staff_log: {what: staff log, keep: 1 year, after: collection}"""


@pytest.fixture(scope="module")
def shop(living: Living, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A shop that lived, whose policy changed once, with each check of a measure and with staff."""
    with living.copy("sqlite", tmp_path_factory.mktemp("bearing") / "shop") as site:
        text = (site.folder / "policy.yaml").read_text("utf-8").replace("version: 1", "version: 2", 1)
        text = text.replace("\nsecurity:", MORE, 1).replace("\nretention:", LOGS, 1)
        decisions = (site.folder / "decisions.yaml").read_text("utf-8")
        with site.writing() as conn:
            versions.archive(conn, text, decisions, effective_at=site.now(), at=site.now() - days(60))
            ledger.append(conn, site.now(), events.KEY_MADE, {})
        somebody(site).session()
        receive(site, Intake("access", "letter", "letter:1", by="staff", text="What have you got of me?"))
        canary.fly(site, Inside)
        yield site


def test_every_table_that_a_proof_reads_is_one_that_the_promise_rests_on(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watching(monkeypatch) as watch:
        read = reads(shop, watch)
    compiled = shop.policy()
    assert read["changes"] >= {"message", "posting", "person"}, "what the watch sees"
    unsaid = {
        f"{one.kind} {one.id}": missing
        for one in compiled.promises
        if (missing := {t for t in read[one.id] - rests(compiled, one).keys() if (one.kind, t) not in EXEMPT})
    }
    assert unsaid == {}
    excused = {(one.kind, table) for one in compiled.promises for table in read[one.id]} & EXEMPT.keys()
    assert {kind for kind, _ in excused} == {kind for kind, _ in EXEMPT}, "no excuse that nobody needs"


def test_the_column_by_which_a_row_names_its_entry_is_said_alike_by_bindings_and_findings(shop: Site) -> None:
    compiled = shop.policy()
    columns = {(t, column) for one in compiled.promises for t, column in rests(compiled, one).items() if column}
    of_a_kind = {
        ("job", "kind"),
        ("dealing", "kind"),
    }  # these name no entry: ``OF_JOBS`` and ``FACTS`` say what they bear
    assert columns | of_a_kind == set(ENTRIES.items())


def turned(shop: Site, finding: Finding) -> set[str]:
    return set(borne(shop.policy(), [finding]))


@pytest.mark.parametrize(
    ("table", "promises"),
    [
        ("account", {"security.passwords", "rights.access", "erasure", "purposes.marketing"}),
        ("staff", {"security.passwords", "security.log_ins", "security.use"}),
        ("staff_log", {"security.log_ins", "retention.staff_log"}),
    ],
)
def test_a_wrong_row_of_who_logs_in_turns_what_is_promised_of_log_ins(
    shop: Site, table: str, promises: set[str]
) -> None:
    found = turned(shop, Finding(table, "changed", "x"))
    assert promises <= found
    assert not found & {"security.pages", "security.tls", "security.copies", "visits.keep"}


def test_a_wrong_entry_of_the_ledger_turns_every_verdict_that_replays_it(shop: Site) -> None:
    compiled, found = shop.policy(), turned(shop, Finding("ledger_entry", "changed", "7"))
    replaying = {
        "purpose.use",
        "purpose.closed",
        "recipient.share",
        "message.class",
        "collection.form",
        "consent.choice",
    }
    assert {one.id for one in compiled.promises if one.kind in replaying} <= found
    assert "security.ledger" in found
    assert not found & {"operator", "relationship.lead", "data"}


def test_a_row_turns_the_promises_of_the_entry_that_it_names(shop: Site) -> None:
    choices = turned(shop, Finding("choice", "changed", "x", "@newsletter_house"))
    assert "recipients.newsletter_house.consent" in choices and "purposes.marketing.consent" not in choices
    about = turned(shop, Finding("choice", "changed", "x", "marketing"))
    assert {"purposes.marketing", "messages.offers", "recipients.newsletter_house"} <= about
    assert not about & {"messages.order_mail", "recipients.courier", "purposes.improvement"}
    asked = turned(shop, Finding("request", "changed", "x", "access"))
    assert "rights.access" in asked and "rights.erasure" not in asked
    assert turned(shop, Finding("shape", "changed", "1", "order")) & {
        "collection.order",
        "collection.register",
        "collection.contact",
    } == {"collection.order"}


def test_what_no_promise_rests_on_turns_how_data_is_secured(shop: Site) -> None:
    for table in ("troth_nothing", "store_nothing"):
        assert turned(shop, Finding(table, "changed", "x")) == {"security.sealed", "security.ledger"}


def test_what_rests_on_nothing_reads_nothing(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = shop.policy()
    with watching(monkeypatch) as watch:
        read = reads(shop, watch)
    nothing = [one for one in compiled.promises if not rests(compiled, one)]
    assert {one.kind for one in nothing} == {"operator.contact", "security.measure"}, (
        "the last is answered for by somebody"
    )
    assert [one.id for one in nothing if read[one.id]] == []
