"""Requests by e-mail, through a real mail server to the desk of the operators whose policies name an address."""

import smtplib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.asking import run
from tests.operators import mailing, open_operator
from troth.agenda.tables import job
from troth.clock import DAY, MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent.actions import choices, record
from troth.consent.rules import facts_of
from troth.messages.inbound.receive import listening
from troth.messages.mailbox import Mailbox
from troth.people import dealings
from troth.people.tables import person
from troth.people.vault import By, read
from troth.recipients.gate import disclose, hand_over
from troth.recipients.tables import disclosure, instruction
from troth.rehearsal.made_up import answers
from troth.rights import by_mail, desk
from troth.rights.correcting import TELL
from troth.rights.tables import request
from troth.settings import ReceiveWires
from troth.store.site import Site

ANN = "ann@mail.example"
Opened = Callable[[str, str], tuple[Site, str]]


@pytest.fixture
def opened(tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox) -> Opened:
    """An operator with Ann among its people, who came in at a point of its policy."""

    def make(name: str, point: str) -> tuple[Site, str]:
        clock.at = clock.at.replace(year=2026, month=11, day=25)
        site = mailing(open_operator(name, tmp_path, clock, fresh_database), mailbox)
        assert site.wiring.mail is not None
        wires = site.wiring.mail.model_copy(update={"receive": ReceiveWires(listen="127.0.0.1:0")})
        by_hand = {"mail": wires, "recipients": {}}  # no recipient has a system: staff hand over what is given
        site = replace(site, wiring=site.wiring.model_copy(update=by_hand))
        compiled = site.policy()
        given = answers(compiled, 7, compiled.policy.collection[point], 1, 1)
        given |= {
            key: ANN
            for key, data in compiled.policy.data.items()
            if data.category == "pd:EmailAddress" and key in given
        }
        return site, collect(site, Submission(point, given, "ann-1", acknowledged=True)).person_id

    return make


@contextmanager
def post(site: Site) -> Iterator[Callable[..., None]]:
    """A mail server for the site; what is sent to it has been taken in when the call returns."""
    to = site.policy().policy.operator.email or ""
    with listening([site], by_mail.take_in) as ports:

        def send(subject: str, text: str, sender: str = ANN, **headers: str) -> None:
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = f"Ann Sparrow <{sender}>", to, subject
            for name, value in headers.items():
                message[name.replace("_", "-")] = value
            message.set_content(text)
            with smtplib.SMTP("127.0.0.1", ports[site.name], timeout=20) as server:
                server.send_message(message)
            run(site)

        yield send


def rows(site: Site):  # type: ignore[no-untyped-def]
    with site.reading() as conn:
        return conn.execute(select(request).order_by(request.c.at, request.c.id)).all()


def given(site: Site) -> list[str]:
    """The disclosures, oldest first."""
    with site.reading() as conn:
        return list(conn.scalars(select(disclosure.c.id).order_by(disclosure.c.at, disclosure.c.id)))


def handed(site: Site, disclosure_id: str) -> Mapping[str, str]:
    """What staff hand to a recipient, who has it then."""
    run(site)
    return hand_over(site, disclosure_id)


def facts(site: Site, person_id: str) -> frozenset[str]:
    with site.reading() as conn:
        return facts_of(choices(conn, [person_id]).get(person_id, ()))


@pytest.mark.clause("F60", "F54")
def test_a_letter_by_mail_opens_a_case_that_is_due_from_its_receipt(
    opened: Opened, mailbox: Mailbox, clock: MovedClock
) -> None:
    site, person_id = opened("ledflex", "open_account")
    with post(site) as send:
        send("My data", "Please delete all the data you hold about me.\n\nAnn")
    (row,) = rows(site)
    assert (row.right, row.channel, row.person_id, row.state) == ("erasure", "e-mail", person_id, "verifying")
    assert row.due_at - row.at == 20 * DAY
    assert {one.recipients for one in mailbox.messages()} == {(ANN,)}


@pytest.mark.clause("M33", "I40")
@pytest.mark.parametrize(("name", "point"), [("made-in-china", "registration"), ("infortrend", "contact")])
def test_a_message_to_the_privacy_address_makes_a_ticket_of_those_who_are_unknown_too(
    opened: Opened, mailbox: Mailbox, name: str, point: str
) -> None:
    site, _ = opened(name, point if point in opened_points(name) else opened_points(name)[0])
    with post(site) as send:
        send("A question", "Where do you keep what I send you?", sender="eve@else.example")
    (row,) = rows(site)
    assert (row.right, row.state, row.waits_for) == ("question", "open", "staff")
    assert desk.shown(site, row.id).paper["text"].startswith("A question")
    assert [one.recipients for one in mailbox.messages()] == [("eve@else.example",)]


def opened_points(name: str) -> list[str]:
    from tests.operators import SITES
    from troth.store import versions

    policy, decisions = ((SITES / name / file).read_text() for file in ("policy.yaml", "decisions.yaml"))
    found = versions.compiled(policy, decisions).policy
    emails = {key for key, data in found.data.items() if data.category == "pd:EmailAddress"}
    return [
        key for key, one in found.collection.items() if one.kind in {"form", "account"} and emails & set(one.required)
    ]


@pytest.mark.clause("I41", "F69")
@pytest.mark.parametrize("name", ["infortrend", "ledflex"])
def test_a_message_that_wants_no_more_advertising_stops_it_without_a_proof(opened: Opened, name: str) -> None:
    site, person_id = opened(name, opened_points(name)[0])
    with post(site) as send:
        send("Unsubscribe", "Please stop sending me marketing e-mails.")
    (row,) = rows(site)
    assert (row.right, row.outcome) == ("stop marketing", "done")
    policy = site.policy().policy
    promotional = {one.for_ for one in policy.messages.values() if one.kind == "promotional"}
    assert promotional
    for purpose in promotional & {key for key, one in policy.purposes.items() if one.marketing}:
        assert f"consent:{purpose}" not in facts(site, person_id)
    with site.reading() as conn:
        assert {one.scope for one in choices(conn, [person_id])[person_id]} >= {
            key for key, one in policy.purposes.items() if one.marketing
        }


SERVICES = ("@mailchimp", "@inventory_service", "@invoice_system", "@crm", "@sage_pay")


@pytest.mark.clause("F21")
@pytest.mark.parametrize(
    ("text", "right", "scopes", "ends"),
    [
        ("I object to being kept under existing customers.", "objection", {"existing_customers"}, True),
        ("I object to the use of my data by Mail Chimp.", "objection", {"@mailchimp"}, False),
        ("Please stop sending me marketing e-mails.", "stop marketing", {"marketing"}, False),
        ("Give my data to none of your outside services.", "", set(SERVICES), False),
    ],
)
def test_each_objection_by_mail_has_its_own_effect_and_no_other(
    opened: Opened, text: str, right: str, scopes: set[str], ends: bool
) -> None:
    site, person_id = opened("ledflex", "open_account")
    with site.writing() as conn:
        dealings.open_dealing(site, conn, person_id, "project", "P-1", site.now())
        for scope in ("@crm", "marketing"):
            record(site, conn, person_id, scope, "given", "the words of a form", "en", "letter", site.policy(conn))
    handed(site, disclose(site, person_id, "mailchimp", ["email"], "marketing"))
    with post(site) as send:
        send("Objection", text)
    (row,) = rows(site)
    if not right:
        assert row.right == "question"
        desk.sort(site, row.id, "objection", "7", about=SERVICES)
    if right != "stop marketing":
        desk.accept_evidence(site, row.id, "called back", "7")
    run(site)
    (row,) = rows(site)
    assert (row.right, set(row.about)) == (right or "objection", scopes)
    known = facts(site, person_id)
    assert {scope: f"consent:{scope}" in known for scope in ("@crm", "marketing")} == {
        scope: scope not in scopes for scope in ("@crm", "marketing")
    }
    assert {one.removeprefix("objection:") for one in known if one.startswith("objection:")} == {
        scope for scope in scopes if right != "stop marketing" or scope != "marketing"
    }
    told = {"mailchimp"} if {"@mailchimp", "marketing"} & scopes else set()
    with site.reading() as conn:
        assert set(conn.scalars(select(instruction.c.recipient))) == told
        ended = conn.scalar(select(person.c.relationship_ends_at).where(person.c.id == person_id))
    assert (ended is not None and ended <= site.now()) is ends


@pytest.mark.clause("I42")
def test_a_correction_by_mail_is_made_only_for_those_who_were_verified(opened: Opened, clock: MovedClock) -> None:
    site, person_id = opened("infortrend", "order")
    old = handed(site, disclose(site, person_id, "business_partners", ["full_name"], "requested_transactions"))
    clock.move(DAY)
    with post(site) as send:
        send("Correction", "Please correct my data: it has changed.")
    (row,) = rows(site)
    desk.sort(site, row.id, "correction", "7", {"full_name": "Corrected Value"})
    run(site)
    assert rows(site)[0].outcome == "" and len(given(site)) == 1
    desk.accept_evidence(site, row.id, "passport seen", "7")
    run(site)
    assert rows(site)[0].outcome == "done"
    held = read(site, person_id, ["full_name"], "own_access", By("person", ref=person_id)).values
    assert held == {"full_name": "Corrected Value"} != old
    _, again = given(site)
    assert handed(site, again) == held
    with site.writing() as conn:  # as if the worker had died before it could say that it was done
        conn.execute(update(job).where(job.c.kind == TELL).values(done_at=None, lease_until=None))
    run(site)
    assert len(given(site)) == 2


@pytest.mark.parametrize(
    "marks",
    [
        {"Feedback_ID": "1:2:desk"},
        {"List_Unsubscribe": "<https://desk.example/u>"},
        {"X_Auto_Response_Suppress": "All"},
    ],
    ids=str,
)
def test_what_a_person_wrote_through_a_help_desk_is_read_by_staff_and_no_program_answers(
    opened: Opened, mailbox: Mailbox, marks: dict[str, str]
) -> None:
    site, person_id = opened("ledflex", "open_account")
    with post(site) as send:
        send("My data", "Please delete all the data you hold about me.", **marks)
    (row,) = rows(site)
    assert (row.right, row.state, row.waits_for, row.person_id) == ("question", "open", "staff", person_id)
    assert "delete all the data" in desk.shown(site, row.id).paper["text"] and mailbox.messages() == []
    desk.answer(site, row.id, "Please write to us from your own address.", "7")
    run(site)
    assert [one.recipients for one in mailbox.messages()] == [(ANN,)]


def test_what_a_program_wrote_and_what_comes_twice_makes_no_case(opened: Opened, mailbox: Mailbox) -> None:
    site, _ = opened("ledflex", "open_account")
    with post(site) as send:
        send("Away", "I am away. Delete nothing.", Auto_Submitted="auto-replied")
        for _ in range(3):
            send("My data", "Please send me a copy of my data.", Message_ID="<one@mail.example>")
    assert len(rows(site)) == 1
    assert len(mailbox.messages()) == 1
