"""A right is kept only while people can be written to: what the worker last saw of the mail server is looked at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.asking import ann, asked, run
from tests.fixtures import days
from tests.flights import walking_only
from troth.clock import MovedClock
from troth.evidence.prove import prove
from troth.messages.mailbox import Mailbox
from troth.messages.post import Undelivered
from troth.proof import Proof
from troth.rehearsal.stage import send_mail_to
from troth.rights.intake import receive
from troth.store.site import Site
from troth.web.inside import Inside

pytestmark = pytest.mark.usefixtures("_rights_only")


@pytest.fixture
def _rights_only(monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "rights.")


@pytest.fixture
def nobody_there() -> Iterator[str]:
    """An address of this machine at which nothing answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def rights(site: Site) -> dict[str, Proof]:
    return {
        one.promise.id: one.proof for one in prove(site, door=Inside).proven if one.promise.id.startswith("rights.")
    }


def kept(site: Site) -> set[str]:
    return {name for name, proof in rights(site).items() if proof.verdict == "kept"}


def test_no_right_is_kept_while_the_mail_server_does_not_answer(
    site: Site, clock: MovedClock, nobody_there: str
) -> None:
    """The lie: every walk of the made-up person went well, in a mailbox of its own."""
    ann(site)
    before = kept(site)
    assert before
    dead = send_mail_to(site, nobody_there)
    receive(dead, asked("access"))
    run(dead)
    clock.move(days(1))
    run(dead)
    found = rights(dead)
    assert {found[name].verdict for name in before} == {"not proven"}
    said = found[min(before)]
    assert said.measured.endswith(" could not leave, since the mail server takes none")
    assert said.evidence == "tried last 0 min ago; the operator has to look at the mail server (mail in site.yaml)"
    mailbox = Mailbox()
    mailbox.start()
    try:
        alive = send_mail_to(site, mailbox.address)
        clock.move(days(0.1))
        run(alive)
        assert mailbox.messages() and kept(alive) == before
    finally:
        mailbox.stop()


def test_a_log_in_that_is_not_set_lets_no_mail_leave(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    assert site.wiring.mail is not None
    wires = site.wiring.mail.model_copy(update={"user_env": "NO_SUCH_USER", "password_env": "NO_SUCH_PASSWORD"})
    locked = replace(site, wiring=site.wiring.model_copy(update={"mail": wires}))
    ann(locked)
    before = kept(locked)
    receive(locked, asked("access"))
    run(locked)
    assert before and not kept(locked) & before


def test_a_server_that_refuses_one_message_takes_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's mailbox is full: that shows nothing about everybody's rights."""

    def full(*_: object) -> None:
        raise Undelivered("The mail server refused the message (SMTP 452).")

    ann(site)
    before = kept(site)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("troth.rights.replies.hand_over", full)
        receive(site, asked("access"))
        run(site)
    assert kept(site) == before
