"""Clauses about asking, objecting and leaving, lived at the operators' own sites."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from jinja2 import DictLoader, Environment
from sqlalchemy import select, update

from tests.asking import run, secret
from tests.fixtures import days
from tests.members import PASSWORD
from tests.operators import mailing
from tests.promises.clause_sites import Open, chosen, fill_in, opened
from tests.served import Client, client, token_of, words_of
from tests.staffed import at_desk, clerk
from tests.submissions import rows
from troth.accounts import actions as accounts
from troth.accounts import address
from troth.accounts.sessions import Member, log_in, who
from troth.accounts.tables import account
from troth.agenda.tables import job
from troth.clock import MovedClock, utc
from troth.collection import Submission
from troth.errors import InvalidInput, PolicyError, Refused, StoreError
from troth.evidence.prove import prove
from troth.ledger.tables import entry
from troth.messages import changing, compose
from troth.messages.actions import queue
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people import dealings
from troth.people.tables import dealing
from troth.people.vault import By, everything
from troth.policy.periods import Period
from troth.recipients.gate import Case, disclose
from troth.recipients.tables import disclosure, instruction
from troth.rights import desk, reviewing
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.rights.tables import request
from troth.store import versions
from troth.store.site import Site

__all__ = ["opened"]
ANN = "ann@shop.example"


def moved(site: Site, by: Any) -> None:
    assert isinstance(site.clock, MovedClock)
    site.clock.move(by)


def member(site: Site, mailbox: Mailbox, point: str, ticked: tuple[str, ...] = ()) -> Member:
    from tests.promises.clause_sites import answers

    choices = dict.fromkeys(ticked, True)
    accounts.register(site, Submission(point, answers(site, point), "reg-1", choices, acknowledged=True))
    run(site)
    accounts.choose_password(site, secret(mailbox, "account/link"), PASSWORD)
    found = who(site, log_in(site, ANN, PASSWORD).secret)
    assert found is not None
    return found


def published(site: Site, effective: date, change: Callable[[str], str] = str) -> None:
    """Version 2, as the operator would publish it."""
    for name in ("policy.yaml", "decisions.yaml"):
        path = site.folder / name
        text = re.sub(r"\beffective: [0-9-]{10}", f"effective: {effective}", path.read_text(encoding="utf-8"))
        text = re.sub(r"\bversion: 1\b", "version: 2", text)
        path.write_text(change(text), encoding="utf-8")
    publish(site)


def asked(site: Site, person_id: str, right: str, **more: Any) -> str:
    wish = Intake(right, "web", f"{right}-1".replace(" ", "-"), email=ANN, member=person_id, vouched="staff", **more)
    return receive(site, wish).id


def row(site: Site, request_id: str) -> dict[str, Any]:
    return next(one for one in rows(site, request) if one["id"] == request_id)


def given(site: Site, person_id: str, recipient: str, fields: str, purpose: str, case: str = "") -> bool:
    try:
        return bool(disclose(site, person_id, recipient, fields.split(), purpose, case=Case(case)))
    except Refused:
        return False


# Optokingdom: mail that solves a problem

PROMO = {"en/promo.txt": "Hello\n{% block promotion %}Buy!{% endblock %}", "en/promo.html": "<p>Hello</p>"}


@pytest.mark.clause("O18")
def test_optokingdom_writes_about_a_problem_while_it_is_open_and_never_promotes_anything_with_it(
    opened: Open, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = mailing(opened("optokingdom"), mailbox)
    person_id = fill_in(site, "register").person_id
    for one in rows(site, dealing):  # registering opens what the account is for
        with site.writing() as conn:
            dealings.close_dealing(site, conn, person_id, one["kind"], one["ref"], site.now())

    def arrives(key: str, template: str = "confirmation", role: str = "customer service") -> bool:
        before = len(mailbox.messages())
        terms = {"what": "your broken lamp", "number": "T-1", "day": "today", "notice": "https://shop.example/"}
        with site.writing() as conn:
            queue(site, conn, person_id, "service_mail", template, terms, key, role)
        run(site)
        return len(mailbox.messages()) > before

    run(site)  # the mail with the link that opens the account
    assert not arrives("nothing open")
    with site.writing() as conn:
        dealings.open_dealing(site, conn, person_id, "ticket", "T-1", site.now())
    assert arrives("a ticket") and not arrives("somebody else's", role="marketing")
    monkeypatch.setattr(compose, "_texts", lambda: Environment(loader=DictLoader(PROMO), autoescape=True))
    monkeypatch.setattr(compose, "_pages", lambda: Environment(loader=DictLoader(PROMO), autoescape=True))
    assert not arrives("an offer", "promo")
    monkeypatch.undo()
    with site.writing() as conn:
        dealings.close_dealing(site, conn, person_id, "ticket", "T-1", site.now())
    assert not arrives("the ticket is closed")


# Infortrend: transfers and changes

AFFILIATE = """set:
      recipients.affiliates.name: Infortrend Europe
      recipients.affiliates.receives: [full_name, email]
      recipients.affiliates.country: TW
      recipients.affiliates.consideration: none
      recipients.affiliates.agreement: DPA-2026-02
      recipients.affiliates.safeguard: {kind: standard clauses, document: SCC-2026-02, until: 2030-12-31}
      recipients.affiliates.why essential: it repairs the devices that are sent in"""


def with_affiliate(text: str) -> str:
    return text.replace("set: {recipients.affiliates.receives: []}", AFFILIATE)


@pytest.mark.clause("I20")
def test_infortrend_stops_the_transfers_it_can_do_without_when_somebody_objects_and_no_others(opened: Open) -> None:
    site = opened("infortrend")
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    groundless = r"\n +recipients.affiliates.why.*|,\s+E-21 recipients.affiliates.why essential"
    with pytest.raises(PolicyError, match="affiliates` is called essential"):
        versions.compiled(policy, re.sub(groundless, "", with_affiliate(decisions)))
    with site.writing() as conn:
        second = policy.replace("version: 1", "version: 2")
        versions.archive(conn, second, with_affiliate(decisions), effective_at=site.now(), at=site.now())
    receipt = fill_in(site, "order")
    person_id, case = receipt.person_id, receipt.case or ""
    transfers = [(one, "email", "requested_transactions", case) for one in ("affiliates", "business_partners")]
    assert [given(site, person_id, *one) for one in transfers] == [True, True]
    with site.writing() as conn:
        conn.execute(update(disclosure).values(state="delivered"))  # what was given before has arrived
    request_id = asked(site, person_id, "objection")
    assert row(site, request_id)["waits_for"] == "staff", "the open order that it holds up is for people to handle"
    assert [given(site, person_id, *one) for one in transfers] == [True, False]
    assert [one["recipient"] for one in rows(site, instruction)] == ["business_partners"]


@pytest.mark.clause("I38")
def test_an_objection_made_before_a_version_of_infortrend_takes_effect_counts_when_it_does(opened: Open) -> None:
    site = opened("infortrend")
    receipt = fill_in(site, "order")
    asks = (receipt.person_id, "business_partners", "email", "requested_transactions", receipt.case or "")
    lead = site.policy().policy.changes.lead_time  # type: ignore[union-attr]
    assert lead == Period(30, "day")
    with pytest.raises(PolicyError, match="before people had time"):
        published(site, (site.now() + days(30)).date())  # the morning of that day is less than thirty days away
    effective = (site.now() + days(31)).date()
    published(site, effective)
    assert site.policy().version == 1 and given(site, *asks)
    asked(site, receipt.person_id, "objection")
    assert site.policy().version == 1 and not given(site, *asks)
    moved(site, days(31))
    assert site.policy().version == 2 and not given(site, *asks)


# LED Flex: choices, and leaving

ORDER = ("inventory_service", "order_lines", "inventory")


@pytest.mark.clause("F5")
def test_ledflex_offers_to_object_see_and_update_and_a_new_address_goes_to_mail_chimp(
    opened: Open, mailbox: Mailbox
) -> None:
    site = mailing(opened("ledflex"), mailbox)
    ann = member(site, mailbox, "open_account", ("marketing", "mailchimp"))
    assert given(site, ann.person_id, "mailchimp", "email", "marketing")
    with client(site) as web:
        inside(web)
        page = web.get("/ledflex/privacy/centre").text
    assert all(f'action="/ledflex/privacy/{one}' in page for one in ("choices", "correct", "copy")), page
    switches = {one.removeprefix("@") for one in re.findall(r'name="on\.([^"]+)"', page)}
    assert set(site.policy().policy.rights["objection"].against) <= switches, "each is objected to by its own box"
    assert "my full_name" in page
    address.ask(site, ann, "ann.new@shop.example", PASSWORD)
    run(site)
    assert len(rows(site, disclosure)) == 1
    moved(site, days(0.01))
    address.confirm(site, secret(mailbox, "account/address"))
    assert "ann.new@shop.example" in [one.fields.get("email") for one in own(site, ann.person_id)]
    run(site)
    run(site)
    assert [one["recipient"] for one in rows(site, disclosure)] == ["mailchimp", "mailchimp"]


def own(site: Site, person_id: str) -> list[Any]:
    return list(everything(site, person_id, By("person", ref=person_id)))


def inside(web: Client) -> None:
    page = web.get("/ledflex/account/login").text
    answer = web.post("/ledflex/account/login", data={"token": token_of(page), "address": ANN, "password": PASSWORD})
    assert answer.status_code == 200, words_of(answer.text)


@pytest.mark.clause("F40")
def test_ledflex_says_what_a_no_means_for_an_open_order_parks_it_and_gives_nothing(
    opened: Open, mailbox: Mailbox
) -> None:
    site = mailing(opened("ledflex"), mailbox)
    ann = member(site, mailbox, "open_account")
    receipt = fill_in(site, "place_order", ticked=("inventory_service",), member=ann.person_id)
    assert given(site, ann.person_id, *ORDER, receipt.case or "")
    before = len(rows(site, disclosure))
    with client(site) as web:
        inside(web)
        sent = {"token": token_of(web.get("/ledflex/privacy/centre").text)}
        warned = web.post("/ledflex/privacy/choices", data=sent)
        assert "order" in words_of(warned.text) and 'name="sure"' in warned.text
        assert ("@inventory_service", "given") in chosen(site, ann.person_id) and rows(site, request) == []
        sent = {"token": token_of(warned.text), "sure": "yes"}
        assert web.post("/ledflex/privacy/choices", data=sent).status_code == 200
    (parked,) = rows(site, request)
    assert (parked["state"], parked["waits_for"]) == ("open", "staff")
    assert "order parked" in {one.act for one in desk.shown(site, parked["id"]).steps}
    assert not given(site, ann.person_id, *ORDER, receipt.case or "")
    run(site)
    assert len(rows(site, disclosure)) == before


def test_a_request_that_waits_for_an_open_order_leads_to_it(opened: Open, mailbox: Mailbox) -> None:
    """For the person in the privacy centre, for staff on the request's page; until the order is closed."""
    site = mailing(opened("ledflex"), mailbox)
    ann = member(site, mailbox, "open_account")
    order = fill_in(site, "place_order", ticked=("inventory_service",), member=ann.person_id).case or ""
    with client(site) as web, client(site) as at_work:
        inside(web)
        sent = {"token": token_of(web.get("/ledflex/privacy/centre").text), "sure": "yes"}
        web.post("/ledflex/privacy/choices", data=sent)
        said = words_of(web.get("/ledflex/privacy/centre").text)
        assert f"it waits for us, since an order of yours is open ({order}, open since " in said
        assert f"待我們處理，因為您有訂單尚未完成（{order}，自" in words_of(
            web.get("/ledflex/privacy/centre?lang=zh-Hant").text
        )
        (waiting,) = rows(site, request)
        at_desk(at_work, clerk(site))
        page = at_work.get(f"/ledflex/desk/requests/{waiting['id']}?lang=en").text
        led = re.search(rf'<a href="([^"]+)#dealings"><code>{order}</code></a>', page)
        assert led is not None and "Waits for this order" in page
        assert led[1].startswith(f"/ledflex/desk/people/{ann.person_id}") and at_work.get(led[1]).status_code == 200
        with site.writing() as conn:
            dealings.close_dealing(site, conn, ann.person_id, "order", order, site.now())
        assert order not in words_of(at_work.get(f"/ledflex/desk/requests/{waiting['id']}?lang=en").text)
        assert "an order of yours is open" not in words_of(web.get("/ledflex/privacy/centre").text)


def closing(site: Site, web: Client) -> str:
    """Ann logs in and presses the button; what the page says."""
    page = token_of(web.get(f"/{site.name}/account/login").text)
    web.post(f"/{site.name}/account/login", data={"token": page, "address": ANN, "password": PASSWORD})
    sent = {"token": token_of(web.get(f"/{site.name}/account/leave").text)}
    return words_of(web.post(f"/{site.name}/account/cancel", data=sent).text)


def test_closing_an_account_at_its_page_is_a_request_that_is_answered(opened: Open, mailbox: Mailbox) -> None:
    """So that the right to it has a case, and whoever closed it has it in writing."""
    site = mailing(opened("optokingdom"), mailbox)
    ann = member(site, mailbox, "register")
    with client(site) as web:
        assert "Your account is closed" in closing(site, web)
    (asked_for,) = rows(site, request)
    said = {name: asked_for[name] for name in ("right", "channel", "outcome", "person_id", "verified_by")}
    assert said == {
        "right": "cancel account", "channel": "account", "outcome": "done", "person_id": ann.person_id,
        "verified_by": "account",
    }  # fmt: skip
    with pytest.raises(Refused):
        log_in(site, ANN, PASSWORD)
    run(site)
    assert mailbox.messages()[0].subject == "Your account is closed"
    (proof,) = [one.proof for one in prove(site).proven if one.promise.id == "rights.cancel"]
    assert proof.verdict == "kept" and "1 request" in proof.evidence


def test_an_account_that_cannot_be_closed_at_once_is_not_said_to_be_closed(
    opened: Open, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is locked just after the wish was recorded: the worker closes it."""

    def locked(*_: object) -> None:
        raise StoreError("The store is locked.")

    site = mailing(opened("optokingdom"), mailbox)
    ann = member(site, mailbox, "register")
    with client(site) as web:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(accounts, "cancel_in", locked)
            said = closing(site, web)
        assert "We have your request" in said and "is closed." not in said.replace("when it is closed.", "")
    assert rows(site, account)[0]["state"] == "open"
    moved(site, days(0.01))
    run(site)
    assert [(one["person_id"], one["state"]) for one in rows(site, account)] == [(ann.person_id, "closed")]
    assert [one["outcome"] for one in rows(site, request)] == ["done"]


@pytest.mark.clause("F82", "F6")
def test_whoever_disagrees_with_ledflex_leaves_by_the_link_in_the_notice_and_has_agreed_to_nothing(
    opened: Open, mailbox: Mailbox
) -> None:
    site = mailing(opened("ledflex"), mailbox)
    ann = member(site, mailbox, "open_account")
    assert not changing.announce(site, 1)
    published(site, (site.now() + days(20)).date())
    assert not changing.announce(site, 2)  # it was, with its publication
    run(site)
    assert [one["kind"] for one in rows(site, job) if one["deadline"] is None and "message" in one["kind"]] == []
    (notice,) = [one for one in mailbox.messages() if "policy changes" in one.subject]
    assert notice.recipients == (ANN,) and "ask us to remove your data" in notice.body("plain")
    page = f"/ledflex/privacy/remove/{secret(mailbox, 'privacy/remove')}"
    with client(site) as web:
        assert "Delete my data" in words_of(web.get(page).text)
        assert rows(site, request) == [] and who(site, log_in(site, ANN, PASSWORD).secret) is not None
        pressed = web.post(page, data={"press": "yes"})
        assert pressed.status_code == 200 and "destroyed by" in words_of(pressed.text)
        again = web.post(page, data={"press": "yes"})
        assert again.status_code == 404 and "we have your request" in words_of(again.text)
        assert web.get(page[:-2]).status_code == 404
    (case,) = rows(site, request)
    assert (case["right"], case["verified_by"], case["person_id"]) == ("erasure", "link", ann.person_id)
    assert case["due_at"] - case["at"] == days(20)
    with pytest.raises((InvalidInput, Refused)):
        log_in(site, ANN, PASSWORD)
    assert chosen(site, ann.person_id) == set()
    assert not any(one["event"].startswith("consent") for one in rows(site, entry))


@pytest.mark.clause("F57")
def test_ledflex_masks_what_tells_of_somebody_else_once_staff_have_said_so(opened: Open, mailbox: Mailbox) -> None:
    site = mailing(opened("ledflex"), mailbox)
    message = "Please write to bob@other.example, or call the shop, 020 7946 0111."
    person_id = fill_in(site, "contact_form", message=message).person_id
    request_id = asked(site, person_id, "access")
    run(site)
    assert (row(site, request_id)["state"], row(site, request_id)["waits_for"]) == ("open", "staff")
    assert [one.act for one in desk.shown(site, request_id).steps][-1] == "review" and mailbox.messages() == []
    found = {one.text: one.number for one in reviewing.found(site, request_id)}
    assert set(found) == {"bob@other.example", "020 7946 0111"}
    with pytest.raises(Refused):
        reviewing.decide(site, request_id, ["x.message.0.9"], "7")
    assert reviewing.decide(site, request_id, [found["bob@other.example"]], "7") == 1
    run(site)
    with client(site) as web:
        opened_ = web.post(f"/ledflex/privacy/data/{secret(mailbox, 'privacy/data')}", data={"press": "yes"}).text
        sent = {name: re.findall(rf'name="{name}" value="([^"]+)"', opened_)[0] for name in ("visit", "token")}
        copies = [web.post("/ledflex/privacy/copy", data=sent | {"format": one}).text for one in ("json", "html")]
    for copy in (opened_, *copies):
        assert "bob@other.example" not in copy and "020 7946 0111" in copy and "[about another person]" in copy
    assert row(site, request_id)["outcome"] == "done"
    with site.reading() as conn:
        due: datetime = conn.execute(select(request.c.due_at).where(request.c.id == request_id)).scalar_one()
    assert (row(site, request_id)["at"], due) == (utc(2026, 11, 23, 9), utc(2026, 12, 23)), (
        "a month, as its last day begins"
    )
