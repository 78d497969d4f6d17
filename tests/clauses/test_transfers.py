"""Where data is kept and where it may go: Infortrend stays in Taiwan, LED Flex moves data abroad under a safeguard."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.doors import Opening, Operator, checked
from tests.operators import SITES, Edit, edited
from tests.receiver import SECRET, receiving
from tests.terminal import troth
from troth.clock import utc

IN_GERMANY: tuple[Edit, ...] = (
    ("policy.yaml", 'may move to: "[List of countries]"', "may move to: [DE]"),
    ("policy.yaml", "held by: [affiliates]", "held by: [business_partners]"),
    ("decisions.yaml", "E-02 transfers.may move to", "E-09 transfers"),
    ("decisions.yaml", "recipients.business_partners.country: TW", "recipients.business_partners.country: DE"),
)
"""what an Infortrend would write whose partner is in Germany, with the safeguard that it has until the end of 2028"""
CLAUSES = "recipients.business_partners.safeguard: {kind: standard clauses, document: SCC-2026-01, until: 2028-12-31}"
PARTNER = ("business_partners", "requested_transactions", "full_name email")


def asked(office: Operator, email: str = "ann@shop.example") -> str:
    """Somebody whose request is open."""
    return office.take("request_quote", email=email).person


@pytest.mark.clause("I17")
@pytest.mark.parametrize("store", ["store: {database: sqlite:///var/data.db", "keys: {database: sqlite:///var/keys.db"])
def test_a_store_outside_taiwan_keeps_infortrend_from_starting(tmp_path: Path, store: str) -> None:
    home = ", country: TW}" if store.startswith("store") else "}"
    edit = ("site.yaml", f"{store}{home}", f"{store}, country: DE}}")
    said = checked("infortrend", tmp_path, edit)
    assert "a store stands in DE, and `transfers.stored in` says TW" in said
    folder = edited(SITES / "infortrend", tmp_path / "abroad" / "infortrend", [edit])
    for command in (("publish",), ("work", "--once"), ("serve",)):
        done = troth(command[0], folder, *command[1:])
        assert done.exit_code != 0 and "DE" in done.output, (command, done.output)
        assert not (folder / "var" / "data.db").exists(), command


@pytest.mark.clause("I17")
def test_infortrend_gives_nothing_to_a_partner_that_is_not_in_taiwan(operator: Opening) -> None:
    office = operator("infortrend")
    ann = asked(office)
    assert office.gives(ann, *PARTNER)
    assert "Taiwan" in next(line for line in office.notice().split(". ") if "Your data is kept in" in line)


@pytest.mark.clause("I17")
def test_infortrend_gives_nothing_to_a_partner_in_a_country_that_it_has_not_listed(operator: Opening) -> None:
    office = operator("infortrend", IN_GERMANY[1], IN_GERMANY[-1])
    assert not office.gives(asked(office), *PARTNER), "a safeguard does not open a country that is not listed"


@pytest.mark.clause("I19")
def test_infortrend_moves_data_under_a_safeguard_to_the_end_of_its_last_day(operator: Opening) -> None:
    office = operator("infortrend", *IN_GERMANY)
    ann = asked(office)
    assert office.gives(ann, *PARTNER)
    office.clock.at = utc(2029, 1, 1) - timedelta(minutes=1)
    bob = asked(office, "bob@shop.example")
    assert office.gives(bob, *PARTNER)
    office.clock.at = utc(2029, 1, 1)
    assert not office.gives(bob, *PARTNER)


@pytest.mark.clause("I19")
@pytest.mark.parametrize(
    "instead",
    [
        "recipients.business_partners.role: partner",  # none at all
        CLAUSES.replace("standard clauses", "explicit consent"),  # none of those that are promised
        CLAUSES.replace("document: SCC-2026-01, ", ""),  # nothing to show
    ],
)
def test_infortrend_moves_no_data_without_a_safeguard_of_a_kind_that_it_promises(
    operator: Opening, instead: str
) -> None:
    office = operator("infortrend", *IN_GERMANY, ("decisions.yaml", CLAUSES, instead))
    assert not office.gives(asked(office), *PARTNER)


@pytest.mark.clause("I20")
def test_infortrend_moves_data_abroad_while_nobody_objects_and_a_safeguard_runs(operator: Opening) -> None:
    office = operator("infortrend", *IN_GERMANY)
    ann = asked(office)
    assert office.gives(ann, *PARTNER)
    about = {"person": ann, "about": "@business_partners", "channel": "e-mail"}
    office.done("object", **about)
    assert not office.gives(ann, *PARTNER)
    office.clock.move(timedelta(minutes=1))
    office.done("lift-objection", **about)
    assert office.gives(ann, *PARTNER)
    office.clock.at = utc(2029, 1, 1)
    assert not office.gives(asked(office, "bob@shop.example"), *PARTNER), "whom nobody asked whether they object"


TO_MAIL_CHIMP = ("mailchimp", "marketing", "first_name email")
SAFEGUARD = "recipients.mailchimp.safeguard: {kind: standard clauses, document: LF-IDTA-2026-01, until: 2028-10-31}"


def reader(shop: Operator) -> str:
    """A customer who chose marketing."""
    person = shop.take("open_account", "marketing", email="ann@shop.example").person
    shop.confirm("ann@shop.example")
    return person


@pytest.mark.clause("F72", "F73")
def test_led_flex_sends_nothing_to_the_united_states_once_its_clauses_have_run_out(operator: Opening) -> None:
    shop = operator("ledflex")
    shop.clock.at = utc(2028, 10, 31, 23, 59)
    ann = reader(shop)
    assert shop.gives(ann, *TO_MAIL_CHIMP)
    assert "outside the European Economic Area, where the law may protect it less" in shop.notice()
    bob = shop.take("open_account", email="bob@shop.example").person
    shop.confirm("bob@shop.example")
    assert not shop.gives(bob, *TO_MAIL_CHIMP), "reading the policy is no yes to it"
    shop.clock.at = utc(2028, 11, 1)
    assert not shop.gives(ann, *TO_MAIL_CHIMP)


@pytest.mark.clause("F73")
def test_led_flex_sends_nothing_to_the_united_states_without_clauses(operator: Opening) -> None:
    shop = operator("ledflex", ("decisions.yaml", SAFEGUARD, "recipients.mailchimp.role: processor"))
    assert not shop.gives(reader(shop), *TO_MAIL_CHIMP)


@pytest.mark.clause("F73")
def test_a_deletion_reaches_the_service_in_the_united_states(
    operator: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What aims to keep rights alive abroad: whoever was given data there is told to delete it."""
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    with receiving() as mailchimp:
        monkeypatch.setenv("TROTH_LEDFLEX_MAILCHIMP_URL", mailchimp.url)
        wire = "{url env: TROTH_LEDFLEX_MAILCHIMP_URL"
        shop = operator("ledflex", ("site.yaml", f"{wire}}}", f"{wire}, secret env: TROTH_TEST_SECRET}}"))
        ann = reader(shop)
        assert shop.gives(ann, *TO_MAIL_CHIMP)
        shop.turn()
        (given,) = mailchimp.bodies("disclosure")
        assert given["data"]["email"] == "ann@shop.example"
        shop.mail("Ann <ann@shop.example>", "Please delete all my data.", "Delete my data")
        shop.web.post(shop.link("privacy/confirm", "ann@shop.example"), data={"press": "yes"})
        shop.later(days=19)
        assert mailchimp.bodies("delete") == [{"people": [ann]}], "a day before the twenty days are over"
