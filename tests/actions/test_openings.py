"""What a form opens: exactly what its point says in the policy, so that a use tied to an order waits for an order."""

import pytest

from tests.promises.clause_sites import Open, choose, fill_in, opened
from tests.submissions import counts, rows
from troth.errors import Refused
from troth.people import vault
from troth.people.dealings import close_dealing
from troth.people.tables import dealing
from troth.people.vault import By
from troth.recipients import gate
from troth.store.site import Site

__all__ = ["opened"]

CARRIED = ["full_name", "phone", "delivery_address"]


def kinds(site: Site, person_id: str) -> set[str]:
    return {row["kind"] for row in rows(site, dealing) if row["person_id"] == person_id}


def given(site: Site, person_id: str, recipient: str, fields: list[str], purpose: str) -> bool:
    try:
        gate.disclose(site, person_id, recipient, fields, purpose)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "point"), [("ledflex", "open_account"), ("optokingdom", "register"), ("infortrend", "register")]
)
def test_opening_an_account_orders_nothing(opened: Open, name: str, point: str) -> None:
    site = opened(name)
    receipt = fill_in(site, point)
    assert kinds(site, receipt.person_id) == {"registration"}


def test_a_carrier_gets_nothing_until_something_is_ordered_and_nothing_once_it_is_closed(opened: Open) -> None:
    site = opened("ledflex")
    person_id = fill_in(site, "open_account").person_id
    choose(site, person_id, "@carriers", "given")
    assert not given(site, person_id, "carriers", CARRIED, "fulfil_order")
    order = fill_in(site, "place_order", delivery_address="2 Quay Road")
    assert order.person_id == person_id and order.case is not None
    assert given(site, person_id, "carriers", CARRIED, "fulfil_order")
    with site.writing() as conn:
        assert close_dealing(site, conn, person_id, "order", order.case, site.now())
    assert not given(site, person_id, "carriers", CARRIED, "fulfil_order")


@pytest.mark.parametrize(
    ("point", "opens", "shared"),
    [
        ("contact", "ticket", False),
        ("promotion", "ticket", False),
        ("request_support", "ticket", False),
        ("request_information", "request", True),
        ("request_quote", "request", True),
        ("order", "order", True),
        ("apply_for_job", "application", False),
        ("subscribe", None, False),
    ],
)
def test_each_form_of_infortrend_opens_the_one_thing_it_is_for(
    opened: Open, point: str, opens: str | None, shared: bool
) -> None:
    site = opened("infortrend")
    receipt = fill_in(site, point)
    assert kinds(site, receipt.person_id) == {opens or "contact"}
    assert given(site, receipt.person_id, "business_partners", ["email"], "requested_transactions") is shared


def test_evidence_of_identity_is_refused_without_a_member_who_has_something_open(opened: Open) -> None:
    site = opened("infortrend")
    before = counts(site)["holding"]
    with pytest.raises(Refused):
        fill_in(site, "identity_supplement", key="stranger")
    member = fill_in(site, "register").person_id
    with pytest.raises(Refused):
        fill_in(site, "identity_supplement", member=member, key="nothing-open")
    assert counts(site)["holding"] == before + 1
    order = fill_in(site, "order")
    assert order.person_id == member
    supplement = fill_in(site, "identity_supplement", member=member, key="with-an-order")
    assert (supplement.person_id, supplement.opened) == (member, None)
    assert vault.read(site, member, ["identity_evidence"], "identity_check", By("system")).values
    with site.writing() as conn:
        close_dealing(site, conn, member, "order", order.case or "", site.now())
    with pytest.raises(Refused):
        fill_in(site, "identity_supplement", member=member, key="too-late")


def test_optokingdoms_orders_and_payments_belong_to_an_account(opened: Open) -> None:
    site = opened("optokingdom")
    for point in ("checkout", "pay"):
        with pytest.raises(Refused):
            fill_in(site, point, key="stranger")
    assert counts(site)["person"] == 0
    member = fill_in(site, "register").person_id
    with pytest.raises(Refused):
        fill_in(site, "pay", member=member, key="nothing-ordered")
    fill_in(site, "checkout", member=member)
    assert fill_in(site, "pay", member=member).person_id == member


def test_a_point_that_says_nothing_opens_nothing(opened: Open) -> None:
    site = opened("ledflex")
    for point in ("contact_form", "feedback_form", "survey", "trade_show", "event"):
        receipt = fill_in(site, point, key=point, email=f"{point.replace('_', '-')}@shop.example")
        assert kinds(site, receipt.person_id) == {"contact"}
