"""A yes at an address that nobody has confirmed opens nothing: no reading, no disclosure, no promotion; and no replay believes
one that did."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.actions.test_holds import opens
from tests.fixtures import days
from tests.members import ANN, PASSWORD, Door
from tests.members import door as door
from tests.shoppers import BOB, registered
from troth.accounts import actions
from troth.clock import MovedClock
from troth.collection.rules import Submission
from troth.consent.actions import choices
from troth.consent.actions import record as record_choice
from troth.consent.rules import Choice, facts_of
from troth.errors import Refused
from troth.evidence.entries import EVERYTHING
from troth.evidence.replay import Replay
from troth.messages.actions import queue
from troth.people import facts as known_facts
from troth.people import vault
from troth.people.vault import By
from troth.recipients import gate
from troth.restoring.backup import backup
from troth.restoring.restore import restore
from troth.store.site import Site

SYSTEM = By("system")


YES = {"marketing": True, "newsletter_house": True}


def register(door: Door, key: str = "reg-1") -> str:
    """Somebody registers with Ann's address and ticks every box; her id."""
    actions.register(door.site, Submission("register", dict(ANN), key, choices=YES))
    return whose(door.site)


def whose(site: Site) -> str:
    with site.reading() as conn:
        found = vault.find(site, conn, "email", ANN["email"])
    assert found is not None
    return found


def done(site: Site, ann: str) -> list[str]:
    """Which of a reading, a disclosure and a promotion rests on what she chose."""
    came = ["read"] if opens(site, ann, "email", "marketing", SYSTEM) else []
    try:
        gate.disclose(site, ann, "newsletter_house", ["email"], "marketing")
        came.append("disclosed")
    except Refused:
        pass
    with site.writing() as conn:
        queued = queue(site, conn, ann, "offers", "offers", {}, f"offer:{site.now()}")
    return [*came, "promoted"] if queued else came


def wrong(site: Site) -> int:
    with site.reading() as conn:
        return Replay().heard(conn).replayed[EVERYTHING].wrong


def test_a_yes_at_an_address_nobody_confirmed_opens_nothing_until_somebody_does(door: Door) -> None:
    ann = register(door)
    assert done(door.site, ann) == [] and wrong(door.site) == 0
    actions.choose_password(door.site, door.token(), PASSWORD)
    assert done(door.site, ann) == ["read", "disclosed", "promoted"] and wrong(door.site) == 0


def test_a_yes_that_staff_heard_or_that_came_from_a_mail_counts_before_that(door: Door) -> None:
    ann, site = register(door), door.site
    with site.writing() as conn:
        record_choice(site, conn, ann, "marketing", "given", "Offers?", "en", "privacy_centre", site.policy(conn))
    assert done(site, ann) == ["read"] and wrong(site) == 0


def test_whoever_comes_back_confirms_the_address_anew(door: Door) -> None:
    ann = door.member().person_id
    actions.cancel(door.site, ann)
    register(door, "reg-2")
    with door.site.reading() as conn:
        assert "consent:marketing" not in known_facts.chosen_facts(conn, ann)
    actions.choose_password(door.site, door.token(), PASSWORD)
    assert done(door.site, ann) == ["read", "disclosed", "promoted"] and wrong(door.site) == 0


def test_no_replay_believes_what_was_let_through_on_such_a_yes(
    door: Door, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = register(door)
    clock.move(days(1))
    counts: Callable[[Collection[Choice]], frozenset[str]] = facts_of
    with monkeypatch.context() as patched:
        patched.setattr(known_facts, "facts_of", lambda rows, unconfirmed=False: counts(rows))
        assert done(door.site, ann)[:2] == ["read", "disclosed"]
    assert wrong(door.site) >= 2
    with door.site.reading() as conn:
        assert choices(conn, [ann])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("registered", ("confirmed", "used")),
        ("", ("registered", "read")),
        ("registered confirmed closed", ("registered", "used", "confirmed", "used")),
    ],
)
def test_what_a_restore_lost_was_so_for_the_decisions_of_its_time(
    door: Door, clock: MovedClock, tmp_path: Path, before: str, after: tuple[str, ...]
) -> None:
    """Somebody registers or confirms after the backup, and the store goes back to before that: nobody lied."""
    site = door.site
    acts: dict[str, Callable[[], object]] = {
        "registered": lambda: register(door, f"reg-{clock.now():%H%M%S}"),
        "confirmed": lambda: actions.choose_password(site, door.token(), PASSWORD),
        "closed": lambda: actions.cancel(site, whose(site)),
        "used": lambda: done(site, whose(site)),
        "read": lambda: vault.read(site, whose(site), ["email"], "service", SYSTEM),
    }
    registered(site, BOB)
    for act in before.split():
        acts[act]()
        clock.move(days(0.05))
    backup(site, tmp_path / "monday")
    for act in after:
        clock.move(days(0.05))
        acts[act]()
    clock.move(days(0.05))
    assert wrong(site) == 0
    restore(site, tmp_path / "monday", because="the disk failed", by="engineer")
    clock.move(days(0.05))
    assert wrong(site) == 0
    if "registered" in before:
        assert done(site, whose(site)) == [] and wrong(site) == 0, "nobody has confirmed the address in this store"
