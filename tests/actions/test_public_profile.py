"""What members show in public, on both stores: what they chose and nothing else, through the gate, until they take it back."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.members import Door
from tests.operators import erased
from tests.shown import published, with_everyone
from tests.submissions import entries
from troth.accounts import actions, profile
from troth.accounts.publicity import actions as publicity
from troth.accounts.publicity.rules import NOTHING, Choice
from troth.accounts.publicity.tables import public_profile
from troth.accounts.sessions import Member
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.errors import Refused
from troth.ledger import events
from troth.retention.ending import destroy_due

CANARIES = {
    "full_name": "Canary Name",
    "phone": "+44 20 7946 0777",
    "interest": "Canary interest",
    "delivery_address": "7 Canary Street",
    "order_total": "Canary lamps",
}


@pytest.fixture
def ann(door: Door) -> Member:
    """Somebody of whom everything there is holds a canary, at a shop that lets two fields be public."""
    with_everyone(door.site)
    member = door.member(**{key: CANARIES[key] for key in ("full_name", "phone", "interest")})
    order = {
        "email": "ann@shop.example",
        **{key: CANARIES[key] for key in ("full_name", "delivery_address", "order_total")},
    }
    collect(door.site, Submission("order", order, "order-1"))
    return member


def show(door: Door, ann: Member, *fields: str, searchable: bool = False) -> str:
    return publicity.choose(door.site, ann, Choice(frozenset(fields), searchable), "Everybody can read it.", "en")


def scopes(door: Door, ann: Member) -> set[tuple[str, str]]:
    with door.site.reading() as conn:
        return {(one.scope, one.state) for one in consent.choices(conn, [ann.person_id])[ann.person_id]}


@pytest.mark.parametrize("fields", [["full_name"], ["interest"], ["full_name", "interest"]])
def test_a_public_page_says_what_was_chosen_and_nothing_else(door: Door, ann: Member, fields: Sequence[str]) -> None:
    page = publicity.page(door.site, show(door, ann, *fields))
    assert page is not None
    assert dict(page.values) == {key: CANARIES[key] for key in fields}
    assert not [value for key, value in CANARIES.items() if key not in fields and value in str(page)]


def test_nothing_is_public_before_it_is_chosen(door: Door, ann: Member) -> None:
    assert publicity.chosen(door.site, ann) == (NOTHING, "")
    for name in ("", ann.person_id, "guessed", "x" * 300, "\x00"):
        assert publicity.page(door.site, name) is None


@pytest.mark.parametrize("field", ["phone", "email", "delivery_address", "order_total", "card", "invented", ""])
def test_what_the_policy_does_not_name_for_the_public_is_refused_and_changes_nothing(
    door: Door, ann: Member, field: str
) -> None:
    name = show(door, ann, "interest")
    with pytest.raises(Refused):
        show(door, ann, "interest", field)
    page = publicity.page(door.site, name)
    assert page is not None and set(page.values) == {"interest"}


def test_where_the_policy_names_no_public_nothing_can_be_shown(door: Door) -> None:
    member = door.member()
    assert publicity.ways(door.site, door.site.policy(), member) == {}
    with pytest.raises(Refused):
        show(door, member, "full_name")


def test_taken_back_is_gone_at_once_and_its_address_for_good(door: Door, ann: Member) -> None:
    name = show(door, ann, "full_name", "interest")
    assert show(door, ann, "interest") == name
    page = publicity.page(door.site, name)
    assert page is not None and set(page.values) == {"interest"}
    assert show(door, ann) == ""
    assert publicity.page(door.site, name) is None
    another = show(door, ann, "interest")
    assert another != name and publicity.page(door.site, name) is None


def test_choosing_is_the_consent_that_the_policy_asks_for_and_taking_back_withdraws_it(door: Door, ann: Member) -> None:
    show(door, ann, "interest")
    show(door, ann, "interest", "full_name")
    assert ("@everyone", "given") in scopes(door, ann)
    show(door, ann)
    assert ("@everyone", "withdrawn") in scopes(door, ann) and ("@everyone", "given") not in scopes(door, ann)
    assert len([body for event, body in _ledger(door) if event == events.CONSENT_GIVEN]) == 1


def _ledger(door: Door) -> list[tuple[str, dict[str, object]]]:
    return [(one["event"], one["body"]) for one in entries(door.site)]


def test_a_consent_withdrawn_elsewhere_takes_the_page_away(door: Door, ann: Member) -> None:
    name = show(door, ann, "interest")
    with door.site.writing() as conn:
        consent.record(
            door.site, conn, ann.person_id, "@everyone", "withdrawn", "", "en", "letter", door.site.policy(conn)
        )
    assert publicity.page(door.site, name) is None


def test_every_look_is_decided_and_on_the_ledger_without_a_value(door: Door, ann: Member) -> None:
    name = show(door, ann, "interest")
    for _ in range(2):
        assert publicity.page(door.site, name)
    shown = [body for event, body in _ledger(door) if event == events.DISCLOSURE_SHOWN]
    assert len(shown) == 2
    assert not [value for value in CANARIES.values() if value in str(_ledger(door))]


def test_a_policy_that_no_longer_allows_it_takes_the_page_away(door: Door, ann: Member) -> None:
    name = show(door, ann, "full_name", "interest")
    published(door.site, {"receives: [full_name, interest], for: [showcase]": "receives: [interest], for: [showcase]"})
    page = publicity.page(door.site, name)
    assert page is not None and set(page.values) == {"interest"}
    private = {"role: public": "role: partner, country: GB", "offers: [marketing": "offers: [showcase, marketing"}
    published(door.site, private)  # what is public no more is asked for at a form
    assert publicity.page(door.site, name) is None


def test_the_page_says_what_the_profile_says_now(door: Door, ann: Member) -> None:
    name = show(door, ann, "full_name", "interest")
    wanted = {"full_name": "Ann Wren", "phone": CANARIES["phone"]}
    profile.save(door.site, door.site.policy(), ann, "register", {**wanted, "email": "ann@shop.example"})
    page = publicity.page(door.site, name)
    assert page is not None and dict(page.values) == {"full_name": "Ann Wren"}


@pytest.mark.parametrize("how", ["suspended", "closed", "deleted"])
def test_a_page_goes_with_its_account(door: Door, ann: Member, clock: MovedClock, how: str) -> None:
    name = show(door, ann, "interest")
    if how == "suspended":
        actions.suspend(door.site, ann.person_id, "Orders were paid with stolen cards.")
    elif how == "closed":
        actions.cancel(door.site, ann.person_id)
    else:
        clock.at = erased(door.site, ann.person_id) - timedelta(days=10)
    assert publicity.page(door.site, name) is None
    if how == "deleted":
        clock.move(timedelta(days=11))
        destroy_due(door.site)
        with door.site.reading() as conn:
            assert conn.execute(select(public_profile)).all() == []


def test_what_is_kept_of_it_is_names_of_fields(door: Door, ann: Member) -> None:
    show(door, ann, "full_name", "interest", searchable=True)
    with door.site.reading() as conn:
        (row,) = conn.execute(select(public_profile)).all()
    assert (row.fields, row.searchable, len(row.name)) == ("full_name interest", True, 22)
