"""What the operators may learn of many and of nobody in particular: figures, counted in groups and never smaller ones."""

from __future__ import annotations

import json

import pytest

from tests.doors import Opening, Operator
from tests.operators import Edit, rewritten
from troth.clock import SystemClock
from troth.ledger.tables import entry
from troth.visits import actions as visits

LAMPS, SCREENS = ("lamp maker", "Shenzhen"), ("screen maker", "Taipei")


@pytest.fixture
def terminal(operator: Opening) -> Opening:
    """``operator``, whose stores and hour are those that a command finds which is run in the folder of the site."""

    def opening(name: str, *edits: Edit) -> Operator:
        at = operator(name, *edits)
        at.clock.at = SystemClock().now()
        stores = {"data": at.site.engine, "keys": at.site.keys}
        urls = {name: engine.url.render_as_string(hide_password=False) for name, engine in stores.items()}
        rewritten(at.site.folder, [("site.yaml", f"sqlite:///var/{name}.db", url) for name, url in urls.items()])
        return at

    return opening


def counted(at: Operator, *words: str) -> dict[tuple[str, ...], int]:
    """What ``troth figures`` says of each group."""
    said = figures(at, *words)
    return {tuple(one["group"].values()): one["count"] for one in said["groups"]}


def figures(at: Operator, *words: str) -> dict[str, object]:
    done = at.command("figures", "SITE", *words, "--json")
    assert done.exit_code == 0, done.output
    said: dict[str, object] = json.loads(done.stdout)
    return said


def refused(at: Operator, *words: str) -> bool:
    """Whether no figure is printed, neither for people nor for programs."""
    done = [at.command("figures", "SITE", *words, *more) for more in ((), ("--json",))]
    return all(one.exit_code == 2 and not one.stdout for one in done)


def members(board: Operator, company: tuple[str, str], count: int, first: int = 0) -> list[str]:
    """That many members of a trade in a place."""
    type_, location = company
    return [
        board.take(
            "register", email=f"{number}@{location}.example", company_type=type_, company_location=location
        ).person
        for number in range(first, first + count)
    ]


def looked_at(at: Operator, address: str, **page: str) -> None:
    """Somebody at an address looks at a page, which no client of these tests can say that it is."""
    with at.site.writing() as conn:
        visits.record(at.site, conn, {"pd:IPAddress": address, **page})


def no_row(at: Operator, person: str, purpose: str, *fields: str) -> bool:
    """Whether no program of the operator is given what one person told, for a purpose that is for figures alone."""
    roles = ("", "any", *at.site.policy().policy.purposes[purpose].roles)
    return not any(at.reads(person, purpose, field, role=role) for field in fields for role in roles)


@pytest.mark.clause("M20")
def test_research_says_how_many_members_and_visits_there_are_from_each_source_by_itself(terminal: Opening) -> None:
    board = terminal("made-in-china")
    ann = members(board, LAMPS, 6)[0]
    members(board, SCREENS, 1)
    for number in range(5):
        looked_at(board, f"203.{number}.113.7", page="/made-in-china/forms")
    assert counted(board, "membership", "--for", "research") == {LAMPS: 5}
    traffic = counted(board, "traffic", "--for", "research")
    assert traffic == {("/made-in-china/forms", board.clock.now().date().isoformat()): 5}
    told = board.command("figures", "SITE", "membership", "--for", "research").output
    assert not any(one in told for one in (ann, "@", "203.0.113", "my full_name", "screen maker"))
    assert no_row(board, ann, "research", "company_type", "company_location", "email")
    assert not board.gives(ann, "business_partners", "research", "company_type")


@pytest.mark.clause("M21")
def test_research_is_made_of_groups_of_five_or_more_and_one_member_more_or_less_shows_in_none(
    terminal: Opening,
) -> None:
    board = terminal("made-in-china")
    asked = ("membership", "--for", "research")
    people = members(board, LAMPS, 4)
    assert counted(board, *asked) == {} and figures(board, *asked)["in_smaller_groups"] == 0
    members(board, SCREENS, 3)
    said = figures(board, *asked)
    assert said["groups"] == [] and said["in_smaller_groups"] == 5, "there are seven, and nobody can tell of whom"
    members(board, LAMPS, 2, first=4)
    assert counted(board, *asked) == {LAMPS: 5}
    board.done("object", person=people[0], about="research", channel="letter")
    assert counted(board, *asked) == {LAMPS: 5}, "of two counts that differ by one member nobody can tell it"
    board.done("object", person=people[1], about="research", channel="letter")
    assert counted(board, *asked) == {}, "and whoever objects is not counted"
    assert counted(board, "membership", "--for", "membership_statistics") == {LAMPS: 5}
    assert no_row(board, people[2], "research", "company_type", "company_location")
    assert board.count(entry, entry.c.event == "count:made") == 7, "each count is on record"


@pytest.mark.clause("M21")
def test_research_counts_nothing_while_no_smallest_group_is_named(terminal: Opening) -> None:
    board = terminal("made-in-china", ("decisions.yaml", "      statistics.membership.minimum cell: 5\n", ""))
    members(board, LAMPS, 1)
    assert refused(board, "membership", "--for", "research")


@pytest.mark.clause("O16")
def test_facts_about_the_market_come_from_many_visitors_and_of_no_single_one_is_anything_read(
    terminal: Opening,
) -> None:
    shop = terminal("optokingdom")
    for number in range(7):
        looked_at(shop, f"203.0.113.{number}", language="en", clicked_pages="/optokingdom/forms")
    for _ in range(20):  # one visitor who comes often is no market
        looked_at(shop, "203.0.113.99", language="fr", clicked_pages="/optokingdom/forms")
    assert counted(shop, "marketplace") == {("en", "/optokingdom/forms"): 5}
    assert "fr" not in shop.command("figures", "SITE", "marketplace").stdout
    shop.join("register", shop.answers("register", card_token="tok-1"), acknowledged="yes")
    shop.get("forms", headers={"accept-language": "en"})
    member = shop.person()
    assert shop.reads(member, "shop_service", "clicked_pages", role=""), "what a member looked at is there"
    assert no_row(shop, member, "marketplace_statistics", "language", "visit_count", "clicked_pages")
    assert refused(shop, "marketplace", "--for", "own_marketing") and refused(shop, "visitors")


@pytest.mark.clause("O16")
def test_no_facts_are_counted_while_no_smallest_group_is_named(terminal: Opening) -> None:
    shop = terminal("optokingdom", ("decisions.yaml", "set: {statistics.marketplace.minimum cell: 5}", "set: {}"))
    looked_at(shop, "203.0.113.7", language="en", clicked_pages="/optokingdom/forms")
    assert refused(shop, "marketplace")
