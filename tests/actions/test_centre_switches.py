"""Every check box of the privacy centre, at the five operators: saved as no it is no, and saved as yes it is yes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operators import open_operator
from troth.clock import MovedClock
from troth.people import vault
from troth.rights import centre
from troth.rights.centre import Visitor

OPERATORS = ("infortrend", "ledflex", "ledinside", "made-in-china", "optokingdom")


@pytest.mark.parametrize("name", OPERATORS)
def test_a_box_shows_afterwards_what_was_saved(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], name: str
) -> None:
    site = open_operator(name, tmp_path, clock, fresh_database)
    with site.writing() as conn:
        visitor = Visitor(vault.admit(site, conn, sorted(site.policy(conn).policy.people)[0]), "link")
    scopes = {one.scope for one in centre.centre(site, visitor, "en").switches}
    assert scopes
    for key, on in (("1", frozenset[str]()), ("2", frozenset(scopes)), ("3", frozenset[str]())):
        centre.switch(site, visitor, centre.change(site, visitor, on), key, "en")
        shown = centre.centre(site, visitor, "en").switches
        assert {one.scope for one in shown if one.on} == on
