"""What the five policies promise about accounts, lived at the operators' own sites: editing, lawful use, passwords, privacy."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from tests.members import PASSWORD
from tests.operators import holdings, mailing, open_operator, run_mail
from tests.receiver import SECRET, Receiver, receiving
from tests.served import Client, client, filled, token_of, words_of
from troth.accounts import actions, address, given, profile, sessions
from troth.accounts.sessions import Member, log_in, who
from troth.accounts.tables import account
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection import Submission, collect
from troth.errors import InvalidInput, Refused
from troth.messages.mailbox import Mailbox
from troth.people import dealings
from troth.recipients import gate
from troth.rehearsal import made_up
from troth.settings import Delivery
from troth.store.site import Site

Live = Callable[[str], Site]


@pytest.fixture
def at(tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox) -> Iterator[Live]:
    """``at(name)``: that operator's site, with a mail server."""
    opened: list[Site] = []

    def opening(name: str) -> Site:
        opened.append(mailing(open_operator(name, tmp_path, clock, fresh_database), mailbox))
        return opened[-1]

    yield opening
    for site in opened:
        site.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def answers(site: Site, who: int = 1) -> tuple[str, dict[str, str]]:
    """The point where accounts are opened, and made-up answers to all that it asks for."""
    compiled = site.policy()
    point = profile.account_point(compiled)
    assert point is not None
    asked = {one: compiled.policy.data[one].category for one in profile.fields(compiled, point)}
    return point, {**made_up.values(asked, seed=3, who=who, random=Random(who)), "email": f"kim{who}@mail.example"}


def token(mailbox: Mailbox, page: str = "link") -> str:
    newest = max(
        (one for one in mailbox.messages() if f"/account/{page}/" in one.body("plain")), key=lambda one: one.number
    )
    return newest.body("plain").partition(f"/account/{page}/")[2].split()[0]


def member_of(site: Site, mailbox: Mailbox, who_: int = 1) -> tuple[Member, dict[str, str]]:
    """Somebody who registered, confirmed their address and logged in."""
    point, typed = answers(site, who_)
    actions.register(site, Submission(point, typed, f"reg-{who_}", acknowledged=True))
    run_mail(site)
    actions.choose_password(site, token(mailbox), PASSWORD)
    found = who(site, log_in(site, typed["email"], PASSWORD).secret)
    assert found is not None
    return found, typed


def other_values(site: Site, typed: dict[str, str]) -> dict[str, str]:
    """Another fitting answer to each question."""
    _, others = answers(site, 2)
    return {
        key: others[key] if others[key] != value else f"{value} too" for key, value in typed.items() if key != "email"
    }


PROFILES = {
    "optokingdom": "full_name address phone email",
    "made-in-china": "full_name email company_name company_location company_phone company_fax company_website "
    "company_description company_type company_turnover company_employees",
}


@pytest.mark.clause("O26", "M11")
@pytest.mark.parametrize("name", ["optokingdom", "made-in-china"])
def test_every_field_of_a_profile_is_the_members_to_change_at_once(at: Live, mailbox: Mailbox, name: str) -> None:
    site = at(name)
    member, typed = member_of(site, mailbox)
    compiled, (point, _) = site.policy(), answers(site)
    others = other_values(site, typed)
    assert set(others) >= set(PROFILES[name].split()) - {"email"}
    for field, value in others.items():
        wanted = dict(profile.read(site, compiled, member, point)) | {field: value}
        assert profile.save(site, compiled, member, point, wanted) == 1, field
        assert profile.read(site, compiled, member, point)[field] == value
    address.ask(site, member, "kim.new@mail.example", PASSWORD)
    run_mail(site)
    address.confirm(site, token(mailbox, "address"))
    assert profile.read(site, compiled, member, point)["email"] == "kim.new@mail.example"


@pytest.mark.clause("O26")
def test_a_review_is_its_writers_to_change_and_another_of_theirs_stays(at: Live, mailbox: Mailbox) -> None:
    site = at("optokingdom")
    member, _ = member_of(site, mailbox)
    eve, _ = member_of(site, mailbox, 4)
    for number in (1, 2):
        collect(
            site, Submission("write_review", {"review": f"review {number}"}, f"r-{number}", member=member.person_id)
        )
    compiled = site.policy()
    mine = {
        one.values["review"]: one.id
        for one in given.listed(site, compiled, member, "register")
        if "review" in one.values
    }
    assert given.save(site, compiled, member, "register", mine["review 1"], {"review": "brighter"}) == 1
    reviews = {
        one.values["review"] for one in given.listed(site, compiled, member, "register") if "review" in one.values
    }
    assert reviews == {"brighter", "review 2"}
    for whose, wanted in ((eve, {"review": "x"}), (member, {"email": "x@mail.example"}), (member, {"address": "x"})):
        with pytest.raises(Refused):
            given.save(site, compiled, whose, "register", mine["review 2"], wanted)
    for unfit in ("", "4111 1111 1111 1111"):
        with pytest.raises(InvalidInput):
            given.save(site, compiled, member, "register", mine["review 2"], {"review": unfit})


@pytest.mark.clause("O26")
def test_an_order_that_has_not_left_takes_the_new_address(
    at: Live, mailbox: Mailbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    wire = Delivery.model_validate({"url": receiver.url, "secret env": "TROTH_TEST_SECRET"})
    site = at("optokingdom")
    site = replace(site, wiring=site.wiring.model_copy(update={"recipients": {"courier": wire}}))
    member, typed = member_of(site, mailbox)
    order = {"address": typed["address"], "phone": typed["phone"]}
    case = collect(site, Submission("checkout", order, "order-1", member=member.person_id)).case
    assert case is not None
    with site.writing() as conn:
        dealings.open_dealing(site, conn, member.person_id, "paid order", case, site.now())
    gate.disclose(
        site, member.person_id, "courier", ["full_name", "phone", "address"], "delivery", case=gate.Case(case)
    )
    changed = {**typed, "address": "9 New Quay", "phone": "+44 20 7946 0999"}
    profile.save(site, site.policy(), member, "register", changed)
    run_due(site, {gate.DELIVER: gate.deliver})
    (parcel,) = receiver.bodies("disclosure")
    assert parcel["data"] == {"full_name": typed["full_name"], "address": "9 New Quay", "phone": "+44 20 7946 0999"}


@pytest.mark.clause("M11")
def test_nobody_changes_a_profile_without_logging_in(at: Live, mailbox: Mailbox) -> None:
    site = at("made-in-china")
    member, typed = member_of(site, mailbox)
    before = dict(profile.read(site, site.policy(), member, "register"))
    home = "/made-in-china/account"
    with client(site) as web:
        token_elsewhere = token_of(web.get(f"{home}/login").text)
        for path in ("profile", "address", "given/x", "public", "codes/begin", "passkeys/begin", "sessions/end"):
            sent = {"token": token_elsewhere, **{f"field.{key}": "Eve" for key in typed}, "address": "eve@mail.example"}
            assert web.post(f"{home}/{path}", data=sent, follow_redirects=False).status_code in (303, 403), path
    assert dict(profile.read(site, site.policy(), member, "register")) == before


@pytest.mark.clause("O29")
def test_acceptable_use_is_accepted_before_an_account_is_opened(at: Live, mailbox: Mailbox) -> None:
    site = at("optokingdom")
    form = "/optokingdom/forms/register"
    _, typed = answers(site)
    with client(site, mailbox=mailbox) as web:
        assert "You may not use your account to break the law." in words_of(web.get(form).text)
        typed.pop("card_token", None)
        assert web.post(form, data=filled(web, form, typed)).status_code == 422
        assert holdings(site) == 0 and _accounts(site) == []
        assert web.post(form, data=filled(web, form, typed, acknowledged="yes")).status_code == 200
    assert _accounts(site) == ["waiting"]


def _accounts(site: Site) -> list[str]:
    with site.reading() as conn:
        return list(conn.scalars(select(account.c.state)))


@pytest.mark.clause("O29")
def test_an_account_that_broke_the_law_is_suspended_and_its_member_told_why(at: Live, mailbox: Mailbox) -> None:
    site = at("optokingdom")
    member, typed = member_of(site, mailbox)
    with client(site, mailbox=mailbox) as web:
        _log_in(web, "/optokingdom", typed["email"])
        review = filled(web, "/optokingdom/forms/write_review", {"review": "bright"})
        with pytest.raises(InvalidInput):
            actions.suspend(site, member.person_id, " ")
        assert web.get("/optokingdom/account", follow_redirects=False).status_code == 200, (
            "for no reason, nothing happens"
        )
        actions.suspend(site, member.person_id, "Screens were ordered with stolen cards.")
        before = holdings(site)
        assert web.post("/optokingdom/forms/write_review", data=review).status_code == 422
        assert holdings(site) == before
        assert web.get("/optokingdom/account", follow_redirects=False).status_code == 303
        page = _log_in(web, "/optokingdom", typed["email"])
        assert "Screens were ordered with stolen cards." in words_of(page)
    with site.reading() as conn:
        assert conn.scalar(select(account.c.because)) == "Screens were ordered with stolen cards."


def _log_in(web: Client, base: str, address_: str, password: str = PASSWORD) -> str:
    sent = {"token": token_of(web.get(f"{base}/account/login").text), "address": address_, "password": password}
    return web.post(f"{base}/account/login", data=sent).text


@pytest.mark.clause("I43")
def test_passwords_are_advised_on_locked_after_wrong_ones_and_reset_with_every_session(
    at: Live, mailbox: Mailbox, clock: MovedClock
) -> None:
    site = at("infortrend")
    member, typed = member_of(site, mailbox)
    with client(site, mailbox=mailbox) as web:
        assert "Please safeguard your passwords" in words_of(web.get("/infortrend/").text)
        _log_in(web, "/infortrend", typed["email"])
        page = words_of(web.get("/infortrend/account/security").text)
        assert "Choose a password that you use nowhere else and tell it to nobody." in page
        for _ in range(5):
            _log_in(web, "/infortrend", typed["email"], "not the password")
        clock.move(timedelta(minutes=14))
        with pytest.raises(Refused):
            log_in(site, typed["email"], PASSWORD)
        clock.move(timedelta(minutes=15))
        assert log_in(site, typed["email"], PASSWORD)
        assert web.get("/infortrend/account", follow_redirects=False).status_code == 200
        actions.forgot(site, typed["email"])
        run_mail(site)
        actions.choose_password(site, token(mailbox), "eight louder lamps")
        assert web.get("/infortrend/account", follow_redirects=False).status_code == 303
    assert sessions.open_sessions(site, member) == []


@pytest.mark.clause("M19")
def test_no_public_address_says_anything_of_a_profile(at: Live, mailbox: Mailbox) -> None:
    """Every address there is, asked for by somebody without an account; and what the member posted is all there could be."""
    site = at("made-in-china")
    member, typed = member_of(site, mailbox)
    canaries = {key: f"heron {key}" for key in typed if key.startswith("company_") and key not in _SHAPED}
    profile.save(site, site.policy(), member, "register", typed | canaries | {"full_name": "heron name"})
    collect(site, Submission("post_item", {"trade_post": "lamps"}, "p-1", acknowledged=True, member=member.person_id))
    with client(site) as web:
        paths = {route.path for route in web.app.routes if "GET" in getattr(route, "methods", ())}
        assert len(paths) > 30
        for path in sorted(paths):
            page = web.get(_filled(path, member))
            assert "heron" not in page.text and typed["email"] not in page.text, path


_SHAPED = {"company_phone", "company_fax", "company_website"}


def _filled(path: str, member: Member) -> str:
    """An address of the site, with whatever somebody could guess in its places."""
    for place, value in {"{site_name:str}": "made-in-china", "{point:str}": "register"}.items():
        path = path.replace(place, value)
    while "{" in path:
        path = path.partition("{")[0] + member.person_id + path.partition("}")[2]
    return path
