"""The five operators' sites on SQLite for the tests of clauses, reached as their people and programs reach them: over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures import days
from tests.operators import open_operator
from tests.site_doors import in_hand, posted, read_by_program
from troth.clock import MovedClock, utc
from troth.collection import Receipt, Submission, collect
from troth.consent.actions import choices, record
from troth.consent.rules import State
from troth.people import vault
from troth.people.vault import By
from troth.store.site import Site
from troth.web.forms import public_points

START = utc(2026, 11, 23, 9)
SYSTEM = By("system")
Open = Callable[[str], Site]

ANSWERS = {
    "pd:EmailAddress": "ann@shop.example",
    "pd:TelephoneNumber": "+44 20 7946 0958",
    "pd:BirthDate": "1990-05-31",
}


@pytest.fixture
def opened(fresh_database: Callable[..., str], tmp_path: Path) -> Iterator[Open]:
    """``opened(name)``: that operator's site, published long ago, with its clock at ``START``."""
    sites: dict[str, Site] = {}

    def opening(name: str) -> Site:
        if name not in sites:
            sites[name] = open_operator(name, tmp_path, MovedClock(START), fresh_database)
        return sites[name]

    with in_hand():
        yield opening
    for site in sites.values():
        site.close()


def answers(site: Site, point: str, **values: str) -> dict[str, str]:
    """An answer to every required question of ``point``, and ``values``."""
    policy = site.policy().policy
    required = {key: ANSWERS.get(policy.data[key].category, f"my {key}") for key in policy.collection[point].required}
    return required | values


def fill_in(site: Site, point: str, *, key: str = "", partner: str | None = None, source: str | None = None,
            member: str | None = None, acknowledged: bool = True, ticked: tuple[str, ...] = (),
            without: str = "", **values: str) -> Receipt:  # fmt: skip
    """Send the form of ``point``: all that it requires but ``without``, and ``values`` as well."""
    given = {name: value for name, value in answers(site, point, **values).items() if name != without}
    submission = Submission(
        point, given, key or f"{point}-1", dict.fromkeys(ticked, True), acknowledged, "en", partner, member, source
    )
    public = public_points(site.policy())
    if partner or member or source is not None or (point in site.policy().policy.collection and point not in public):
        # what no form lets anybody say: who is logged in, who supplies it, what staff wrote down at an event
        return collect(site, submission)
    return posted(site, submission)


def readable(site: Site, person_id: str, fields: str, purpose: str, by: By = SYSTEM, case: str | None = None) -> bool:
    """Whether a program of the operator, in the role of ``by``, is given ``fields`` of somebody for ``purpose``."""
    return bool(read_by_program(site, person_id, fields.split(), purpose, by.role or "any", case))


def own(site: Site, person_id: str) -> list[vault.Held]:
    """What a person sees who asks for everything."""
    return list(vault.everything(site, person_id, By("person", ref=person_id)))


def fields_held(site: Site, person_id: str) -> dict[str, str]:
    return {key: value for one in own(site, person_id) for key, value in one.fields.items()}


def chosen(site: Site, person_id: str) -> set[tuple[str, str]]:
    with site.reading() as conn:
        return {(one.scope, one.state) for one in choices(conn, [person_id], site.now()).get(person_id, [])}


def choose(site: Site, person_id: str, scope: str, state: State) -> None:
    """A choice that somebody made in a letter, a moment later."""
    assert isinstance(site.clock, MovedClock)
    site.clock.move(days(0.01))
    with site.writing() as conn:
        record(site, conn, person_id, scope, state, "the words of the letter", "en", "letter", site.policy(conn))
