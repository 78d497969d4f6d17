"""Mail out, over real SMTP: to those who are owed it or chose it, once, and never after a no."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import func, select, text, update

from tests import crashing
from tests.actions.lives import publish
from tests.operators import mailing, open_operator, run_mail
from tests.submissions import entries
from troth.agenda import overdue, run_due
from troth.agenda.tables import job
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.consent.stops import actions as stops
from troth.errors import InvalidInput, Refused
from troth.evidence.prove import prove
from troth.messages.actions import HANDLERS, SECOND_HAND, queue, stop
from troth.messages.confirmations import queue_confirmations
from troth.messages.links import read_stop_token, stop_token
from troth.messages.mailbox import Mailbox
from troth.messages.tables import message
from troth.people.tables import holding
from troth.policy.notice.language import Speaker, language
from troth.retention.split import split
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.settings import MailWires
from troth.store.site import Site, open_site
from troth.work import HANDLERS as WORK

OFFER = {"subject_line": "Lamps", "paragraphs": ["New lamps are here."]}
ANN = {"email": "ann@shop.example", "full_name": "Ann Sparrow"}


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


def customer(site: Site, key: str = "k1", **choices: bool) -> str:
    return collect(site, Submission("register", ANN, key, choices=choices)).person_id


def offer(site: Site, person_id: str, key: str = "spring") -> bool:
    with site.writing() as conn:
        return queue(site, conn, person_id, "offers", "letter", OFFER, key)


def states(site: Site) -> list[str]:
    with site.reading() as conn:
        return list(conn.scalars(select(message.c.state).order_by(message.c.id)))


# --- Second-hand data ------------------------------------------------------------------------------------------------


def speaker(site: Site) -> Speaker:
    policy = site.policy().policy
    return Speaker(policy, language(policy.policy.languages[0]))


def imported(site: Site, key: str = "fair-1") -> str:
    values = {"email": "lee@lamp.example", "full_name": "Lee Finch"}
    return collect(site, Submission("fair_import", values, key, partner="fair")).person_id


def test_second_hand_data_is_told_to_its_person_once(shop: Site, mailbox: Mailbox) -> None:
    imported(shop)
    run_mail(shop)
    run_mail(shop)
    (mail,) = mailbox.messages()
    assert mail.recipients == ("lee@lamp.example",)
    for part in ("plain", "html"):
        body = mail.body(part)
        assert all(
            words in body for words in ("Light Fair", "e-mail address", "name", "send you offers", "5 January 2026")
        )
        assert "See what we keep about you" in body and "privacy@shop.example" in body
    assert "Lee Finch" not in mail.raw.decode()


def parted(site: Site, person_id: str, fields: set[str]) -> int:
    """What is held of somebody, parted as a clock does that rules some fields of it; how many holdings there are then."""
    with site.writing() as conn:
        split(site, conn, select(holding.c.id).where(holding.c.person_id == person_id), fields)
        return conn.scalar(select(func.count()).select_from(holding).where(holding.c.person_id == person_id)) or 0


def test_second_hand_data_that_was_parted_before_its_notice_left_is_told_whole(shop: Site, mailbox: Mailbox) -> None:
    person_id = imported(shop)
    assert parted(shop, person_id, {"full_name"}) == 2
    run_mail(shop)
    (mail,) = mailbox.messages()
    assert mail.recipients == ("lee@lamp.example",)
    assert all(words in mail.body("plain") for words in ("Light Fair", "e-mail address", "name"))
    assert parted(shop, person_id, {"full_name"}) == 2
    (proof,) = [one.proof for one in prove(shop).proven if one.promise.id == "collection.fair_import"]
    assert proof.verdict == "kept", "what was told stays told, however it is held"


def test_the_notice_of_second_hand_data_names_what_different_clocks_rule(shop: Site, mailbox: Mailbox) -> None:
    values = {"email": "lee@lamp.example", "full_name": "Lee Finch", "interest": "lamps"}
    assert len(collect(shop, Submission("fair_import", values, "fair-2", partner="fair")).holdings) == 2
    run_mail(shop)
    (mail,) = mailbox.messages()
    said = speaker(shop)
    assert all(said.label(field) in mail.body("plain") for field in values)


def test_a_notice_that_an_earlier_version_put_on_the_agenda_is_sent_once(shop: Site, mailbox: Mailbox) -> None:
    imported(shop)
    with shop.writing() as conn:
        first = conn.scalars(select(holding.c.id)).one()
        key = f"{SECOND_HAND}:{first}"
        conn.execute(update(job).where(job.c.kind == SECOND_HAND).values(key=key, ref=first))
    run_mail(shop)
    run_mail(shop)
    assert len(mailbox.messages()) == 1
    (proof,) = [one.proof for one in prove(shop).proven if one.promise.id == "collection.fair_import"]
    assert proof.verdict == "kept"


def test_a_refused_import_tells_nobody(shop: Site, mailbox: Mailbox) -> None:
    with pytest.raises(Refused):
        collect(shop, Submission("fair_import", {"email": "lee@lamp.example"}, "k", partner="courier"))
    run_mail(shop)
    assert mailbox.messages() == [] and states(shop) == []


@pytest.mark.clause("L5")
def test_only_registered_partners_supply_data_and_their_people_are_told(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = mailing(open_operator("ledinside", tmp_path, clock, fresh_database), mailbox)
    point = site.policy().policy.collection["partner_import"]
    assert point.partners == ("business_partners",), "a decision names who may supply data, and what"
    values = {key: _sample(key) for key in point.required or point.optional}
    with pytest.raises(Refused):
        collect(site, Submission("partner_import", values, "k0", partner="advertisers"))
    nobody = replace(site, wiring=site.wiring.model_copy(update={"partners": ()}))
    with pytest.raises(Refused):  # whom the policy lets supply data, and site.yaml does not register
        collect(nobody, Submission("partner_import", values, "k2", partner="business_partners"))
    collect(site, Submission("partner_import", values, "k1", partner="business_partners"))
    with site.reading() as conn:
        assert set(conn.scalars(select(holding.c.partner))) == {"business_partners"}
    run_mail(site)
    (mail,) = mailbox.messages()
    assert mail.recipients == (values["email"],)
    assert site.policy().policy.recipients["business_partners"].name or "business_partners" in mail.body("plain")


def _sample(field: str) -> str:
    return {"email": "mei@led.example", "birth_date": "1990-05-31"}.get(field, "something")


# --- Choices ---------------------------------------------------------------------------------------------------------


def test_who_did_not_choose_offers_gets_none(shop: Site, mailbox: Mailbox) -> None:
    person = customer(shop)
    assert not offer(shop, person)
    run_mail(shop)
    assert mailbox.messages() == [] and states(shop) == []


def test_chosen_offers_arrive_with_a_way_to_stop_them(shop: Site, mailbox: Mailbox) -> None:
    person = customer(shop, marketing=True)
    assert offer(shop, person)
    run_mail(shop)
    (mail,) = mailbox.messages()
    token = stop_token(shop, person, "offers")
    assert mail.message["List-Unsubscribe"] == f"<http://127.0.0.1:8080/unsubscribe/{token}>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert token in mail.body("plain") and token in mail.body("html")
    assert person not in mail.message["List-Unsubscribe"] and "offers" not in token
    assert states(shop) == ["sent"]


def test_a_no_between_queueing_and_sending_stops_the_message(shop: Site, mailbox: Mailbox) -> None:
    person = customer(shop, marketing=True)
    assert offer(shop, person)
    stop(shop, read_stop_token(shop, stop_token(shop, person, "offers")), "Stop: offers", "en")
    run_mail(shop)
    assert mailbox.messages() == [] and states(shop) == ["refused"]


def test_stopping_twice_records_one_choice(shop: Site) -> None:
    person = customer(shop, marketing=True)
    for _ in range(2):
        stop(shop, read_stop_token(shop, stop_token(shop, person, "offers")), "Stop: offers", "en")
    with shop.reading() as conn:
        assert [(one.scope, one.state) for one in consent.history(conn, person)] == [
            ("marketing", "given"),
            ("marketing", "withdrawn"),
        ]


def test_who_objected_by_the_link_and_agreed_again_can_object_again(shop: Site) -> None:
    """Of a class that nobody has to choose the link objects; a later yes outweighs that, and a later link the yes."""
    elected = "kind: promotional, for: marketing, uses: [email, full_name], when: elected"
    publish(shop, elected, "kind: service, for: service, uses: [email]")
    person = customer(shop)
    for _ in range(3):
        for _ in range(2):
            stop(shop, read_stop_token(shop, stop_token(shop, person, "offers")), "Stop: offers", "en")
        with shop.writing() as conn:
            consent.record(shop, conn, person, "service", "given", "Offers, please", "en", "letter", shop.policy(conn))
    with shop.reading() as conn:
        said = [one.state for one in consent.history(conn, person) if one.scope == "service"]
    assert said == ["objected", "given"] * 3


@pytest.mark.parametrize("end", [-1, 5, None])
def test_an_altered_link_stops_nothing(shop: Site, end: int | None) -> None:
    token = stop_token(shop, customer(shop, marketing=True), "offers")
    altered = token[:end] if end else token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    with pytest.raises(InvalidInput):
        read_stop_token(shop, altered)


def test_links_of_one_site_mean_nothing_to_another(
    shop: Site, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    other = open_operator("shop", tmp_path / "other", clock, fresh_database)
    with pytest.raises(InvalidInput):
        read_stop_token(other, stop_token(shop, customer(shop), "offers"))


# --- Once, with its cause --------------------------------------------------------------------------------------------


class ChangedMind(Exception):
    pass


def test_a_message_goes_back_with_its_cause(shop: Site, mailbox: Mailbox) -> None:
    person = customer(shop, marketing=True)
    with pytest.raises(ChangedMind), shop.writing() as conn:
        assert queue(shop, conn, person, "offers", "letter", OFFER, "spring")
        raise ChangedMind
    run_mail(shop)
    assert mailbox.messages() == [] and states(shop) == []


def test_one_key_is_one_message(shop: Site, mailbox: Mailbox) -> None:
    person = customer(shop, marketing=True)
    assert [offer(shop, person), offer(shop, person), offer(shop, person, "summer")] == [True, False, True]
    run_mail(shop)
    assert len(mailbox.messages()) == 2


def test_no_address_waits_in_the_queue(shop: Site) -> None:
    offer(shop, customer(shop, marketing=True))
    with shop.reading() as conn:
        rows = [str(tuple(row)) for table in ("message", "job") for row in conn.execute(text(f"SELECT * FROM {table}"))]
    assert len(rows) == 2 and not any("ann@" in row or "Sparrow" in row for row in rows)


def test_a_mail_server_that_is_away_is_tried_again(site: Site, clock: MovedClock, mailbox: Mailbox) -> None:
    address = mailbox.address
    mailbox.stop()
    shop = mailing(site, mailbox, address)
    assert offer(shop, customer(shop, marketing=True))
    assert run_due(shop, HANDLERS).failed == 1 and states(shop) == ["queued"]
    mailbox.start(port=int(address.rpartition(":")[2]))
    clock.move(timedelta(minutes=1))
    run_mail(shop)
    assert len(mailbox.messages()) == 1 and states(shop) == ["sent"]


def test_mail_that_nobody_takes_for_a_day_is_an_alarm_until_it_leaves(
    site: Site, clock: MovedClock, mailbox: Mailbox
) -> None:
    address = mailbox.address
    mailbox.stop()
    shop = mailing(site, mailbox, address)
    assert offer(shop, customer(shop, marketing=True))
    receive(shop, Intake("question", "web", "q-1", email=ANN["email"], text="What do you have?"))
    late: list[set[str]] = []
    for _ in range(3):
        run_due(shop, WORK)
        with shop.reading() as conn:
            late.append({one.kind for one in overdue(conn, shop.now())})
        clock.move(timedelta(hours=12))
    assert late == [set(), set(), {"message:deliver", "request:reply"}]
    mailbox.start(port=int(address.rpartition(":")[2]))
    run_due(shop, WORK)
    with shop.reading() as conn:
        assert overdue(conn, shop.now()) == [] and len(mailbox.messages()) == 2


class Refusing(Mailbox):
    """A mail server that knows none of these people."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        return "550 no such mailbox"


def test_a_message_refused_for_good_fails_and_nothing_else_does(site: Site) -> None:
    box = Refusing()
    box.start()
    shop = mailing(site, box)
    assert offer(shop, customer(shop, marketing=True))
    assert run_due(shop, HANDLERS).failed == 0
    box.stop()
    assert states(shop) == ["failed"] and box.messages() == []
    with shop.reading() as conn:
        assert conn.execute(select(func.count()).select_from(holding)).scalar_one() > 0


# --- Confirmations ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F25")
def test_each_order_is_confirmed_once_and_marketing_goes_to_those_who_chose_it(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], store_kind: str, mailbox: Mailbox
) -> None:
    site = mailing(open_operator("ledflex", tmp_path, clock, fresh_database, store_kind), mailbox)  # type: ignore[arg-type]
    order = {"full_name": "Ann Sparrow", "email": "ann@shop.example", "phone": "+44 20 7946 0958"}
    order |= {"office_address": "1 Lamp Street", "order_lines": "3 strips"}
    for key in ("order-1", "order-1", "order-2"):
        person = collect(site, Submission("place_order", order, key)).person_id
        queue_confirmations(site)
    queue_confirmations(site)
    run_mail(site)
    assert [mail.recipients for mail in mailbox.messages()] == [("ann@shop.example",)] * 2
    assert all("order" in mail.body("plain").lower() for mail in mailbox.messages())
    with site.writing() as conn:
        assert not queue(site, conn, person, "marketing_mail", "letter", OFFER, "spring")
    account = {**{key: order[key] for key in ("full_name", "email", "phone")}, "delivery_address": "2 Lamp Street"}
    collect(site, Submission("open_account", account, "account", choices={"marketing": True}))
    with site.writing() as conn:
        assert queue(site, conn, person, "marketing_mail", "letter", OFFER, "summer")


def test_a_confirmation_that_may_not_be_sent_is_refused_once_and_the_next_one_is_sent(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    def switched(how: Callable[..., object]) -> None:
        with shop.writing() as conn:
            how(shop, conn, "service", policy=shop.policy(conn), because="looked into", by="privacy lead")

    switched(stops.stop)
    customer(shop)
    for _ in range(3):
        assert queue_confirmations(shop) == 0
        clock.move(timedelta(minutes=1))
    assert states(shop) == ["refused"] and len(entries(shop, "message:refused")) == 1
    switched(stops.lift)
    assert queue_confirmations(shop) == 0
    customer(shop, "k2")
    assert queue_confirmations(shop) == 1
    run_mail(shop)
    assert states(shop) == ["refused", "sent"] and len(mailbox.messages()) == 1


def test_an_event_of_long_ago_brings_no_confirmation(shop: Site, clock: MovedClock, mailbox: Mailbox) -> None:
    customer(shop)
    clock.move(timedelta(days=3))
    assert queue_confirmations(shop) == 0


# --- Killed ----------------------------------------------------------------------------------------------------------


class Slow(Mailbox):
    """A mail server whose client dies before it hears the answer: before the message was taken, or after."""

    def __init__(self, taken: bool) -> None:
        super().__init__()
        self.taken, self.met = taken, Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.met.is_set():
            return await super().handle_DATA(server, session, envelope)
        self.met.set()
        if self.taken:
            await super().handle_DATA(server, session, envelope)
        crash = int(str(envelope.mail_from).partition("@")[0].removeprefix("pid"))
        crashing.os.kill(crash, crashing.signal.SIGKILL)
        return "451 nobody is left to hear this"


def send_from_a_process_that_dies(folder: str, database: str, keys: str, smtp: str, at: object) -> None:
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)  # type: ignore[arg-type]
    sender = f"pid{crashing.os.getpid()}@shop.example"
    wires = MailWires(smtp=smtp, sender=sender)
    dying = Site(site.folder, site.wiring.model_copy(update={"mail": wires}), site.engine, site.keys, site.clock)
    run_due(dying, HANDLERS)


@pytest.mark.parametrize(("taken", "arrive"), [(False, 1), (True, 2)])
def test_a_killed_sender_loses_no_message_and_doubles_only_what_it_could_not_know(
    site: Site, clock: MovedClock, taken: bool, arrive: int
) -> None:
    """SMTP promises at least once: a server's answer that nobody heard leads to a second copy, under the same id."""
    box = Slow(taken)
    address = box.start()
    shop = mailing(site, box)
    assert offer(shop, customer(shop, marketing=True))
    urls = [engine.url.render_as_string(hide_password=False) for engine in (shop.engine, shop.keys)]
    ended = crashing.exit_of(send_from_a_process_that_dies, str(shop.folder), *urls, address, clock.now())
    assert ended == crashing.KILLED and states(shop) == ["queued"]
    clock.move(timedelta(minutes=11))
    run_mail(shop)
    run_mail(shop)
    box.stop()
    ids = [mail.message["Message-ID"].partition("@")[0] for mail in box.messages()]
    assert len(ids) == arrive and len(set(ids)) == 1
    assert states(shop) == ["sent"]
