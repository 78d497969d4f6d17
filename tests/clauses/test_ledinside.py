"""What LEDinside promises, through its pages, its programs and its worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.doors import Opening, Operator, checked
from troth.ledger.tables import entry
from troth.rights.tables import request

FLOWS = "flows: [from people, from partners, to partners]"


@pytest.fixture
def site(operator: Opening) -> Operator:
    return operator("ledinside")


def member(site: Operator) -> str:
    """Somebody who has registered with all seven answers, and agreed to what registration offers but to no party."""
    person = site.take("registration", "advertising", gender="x", interest="lamps", email="ann@shop.example").person
    site.confirm("ann@shop.example")
    return person


def asked(site: Operator, person: str) -> str:
    """A product request of ``person`` that is open, by the product form; its number."""
    site.done("open-dealing", person=person, kind="request", number="R-1")
    return "R-1"


def everywhere(site: Operator, person: str, **case: str) -> set[tuple[str, str, str]]:
    """All that anybody may be given of somebody: recipient, purpose and field."""
    policy = site.site.policy().policy
    return {
        (recipient, purpose, field)
        for recipient in policy.recipients
        for purpose in policy.purposes
        for field in policy.data
        if site.gives(person, recipient, purpose, field, **case)
    }


@pytest.mark.clause("L1")
@pytest.mark.parametrize(
    ("left", "named"),
    [
        ("from people", "collection.registration"),
        ("from partners", "collection.partner_import"),
        ("to partners", "recipients."),
    ],
)
def test_a_flow_that_is_not_covered_keeps_the_policy_from_being_published(
    tmp_path: Path, left: str, named: str
) -> None:
    flows = (flow for flow in ("from people", "from partners", "to partners") if flow != left)
    said = checked("ledinside", tmp_path, ("policy.yaml", FLOWS, f"flows: [{', '.join(flows)}]"))
    assert "E-01 policy.flows" in said and named in said


@pytest.mark.clause("L3")
@pytest.mark.parametrize("blank", ["", '""', "nobody", "'[e-mail address]'"])
def test_a_policy_without_an_address_to_write_to_is_no_policy(tmp_path: Path, blank: str) -> None:
    contact = "operator.email: privacy@ledinside.example, "
    edits = (
        ("decisions.yaml", "E-13 operator.email, ", ""),
        ("decisions.yaml", contact, f"operator.email: {blank}, " if blank else ""),
    )
    assert "E-13 operator.email" in checked("ledinside", tmp_path, *edits)


@pytest.mark.clause("L3")
def test_the_address_stands_on_the_page_and_a_question_to_it_is_taken_up(site: Operator) -> None:
    assert "mailto:privacy@ledinside.example" in site.get().text
    site.mail("Ann <ann@shop.example>", "What do you mean by interest?", "A question")
    assert any("ann@shop.example" in one.message["To"] for one in site.mailbox.messages()) or site.letters("ann@")
    with site.site.reading() as conn:
        assert [tuple(one) for one in conn.execute(select(request.c.right, request.c.closed_at))] == [
            ("question", None)
        ]


CREDIT = """
  credit_scoring: {label: credit scoring, basis: contract, uses: [name]}
"""


@pytest.mark.clause("L10")
def test_data_is_read_for_the_listed_purposes_and_any_other_is_refused_on_record(operator: Opening) -> None:
    site = operator("ledinside", ("policy.yaml", "\npurposes:\n", f"\npurposes:{CREDIT}"))
    ann = member(site)
    assert site.reads(ann, "notification", "name email") and site.reads(ann, "advertising", "job")
    refused = site.read("credit_scoring", "name", person=ann)
    assert refused.status_code == 403, "written in, and still not on the closed list"
    with site.site.reading() as conn:
        said = conn.execute(select(entry.c.event, entry.c.body).where(entry.c.event.like("%:refused"))).all()
    assert [one for _, one in said if ann in one and "credit_scoring" in one and "absolutes.three_purposes" in one]
    for unheard in ("research", "", "advertising ", "notification,advertising", "*"):
        assert site.read(unheard, "name", person=ann).status_code in {403, 422}


@pytest.mark.clause("L11")
def test_advertisers_see_no_data_and_suggestions_serve_the_content_only(site: Operator) -> None:
    site.join("registration", site.answers("registration"))
    assert site.send_form("suggestion", {"email": "ann@shop.example", "suggestion": "more lamps"}).status_code == 200
    ann = site.person()
    site.agree(ann, "advertising")
    assert site.reads(ann, "content_improvement", "suggestion") and site.reads(ann, "advertising", "job industry")
    for purpose in ("notification", "advertising", "product_request"):
        assert not site.reads(ann, purpose, "suggestion")
    case = asked(site, ann)
    fields = ("job", "industry", "interest", "email", "name", "suggestion", "cookie_id", "ip_address")
    assert not any(site.gives(ann, "advertisers", "advertising", field, case=case) for field in fields)


@pytest.mark.clause("L12")
def test_a_product_request_is_read_while_it_is_open_with_its_number_or_without_and_with_no_other(
    site: Operator,
) -> None:
    ann = member(site)
    bob = site.take("registration", email="bob@shop.example").person
    asked, theirs = (ann, "product_request", "name email"), "B-1"
    site.done("open-dealing", person=bob, kind="request", number=theirs)
    for case in (None, theirs, "unheard-of"):
        assert not site.reads(*asked, case=case), case
    site.done("open-dealing", person=ann, kind="request", number="A-1")
    assert site.reads(*asked) and site.reads(*asked, case="A-1")
    for case in (theirs, "unheard-of"):
        assert not site.reads(*asked, case=case), case
    site.done("close-dealing", kind="request", number="A-1")
    site.done("open-dealing", person=ann, kind="order", number="A-2")
    for case in (None, "A-1", "A-2", theirs):
        assert not site.reads(*asked, case=case), case
    assert site.reads(bob, "product_request", "name email", case=theirs)


@pytest.mark.clause("L1", "L15", "L20", "L24")
def test_nothing_leaves_but_on_a_listed_ground_with_its_facts(site: Operator) -> None:
    ann = member(site)
    assert everywhere(site, ann) == set()
    case = asked(site, ann)
    request = {("service_provider", "product_request", field) for field in ("name", "email", "product_request")}
    assert everywhere(site, ann, case=case) == request
    site.agree(ann, "@consented_party")
    consented = {("consented_party", "notification", field) for field in ("name", "email")}
    assert everywhere(site, ann, case=case) == request | consented
    with site.site.reading() as conn:
        tried = conn.scalars(select(entry.c.event).where(entry.c.event.like("disclosure:%"))).all()
    assert tried.count("disclosure:queued") == 3 + 5 and "disclosure:refused" in tried
    site.done("close-dealing", kind="request", number=case)
    assert everywhere(site, ann) == consented
    assert not site.gives(ann, "service_provider", "product_request", "email", case=case)
    assert site.act("disclose", person=ann, recipient="anybody", purpose="notification").status_code == 422


ANSWERED = "needs: [agency, reference, approver, fields]\n    data: "
EMAIL_ALONE = ("policy.yaml", f"{ANSWERED}everything", f"{ANSWERED}[email]")


@pytest.mark.clause("L15", "L18", "L19")
@pytest.mark.parametrize("ground", ["law_or_agency", "terms_violation"])
def test_the_law_and_a_finding_open_a_disclosure_with_everything_on_record_and_never_without(
    site: Operator, ground: str
) -> None:
    named = {
        "law_or_agency": ("agency", "reference", "approver"),
        "terms_violation": ("finding", "evidence", "approver"),
    }
    ann, on_record = member(site), dict.fromkeys(named[ground], "on file")
    asked = (ann, "government_agency", ground, "email")
    for lacking in on_record:
        assert not site.gives_in_case(*asked, {**on_record, lacking: " "}), lacking
        assert not site.gives_in_case(*asked, {key: on_record[key] for key in on_record if key != lacking}), lacking
    other = next(one for one in named if one != ground)
    assert not site.gives_in_case(*asked, dict.fromkeys(named[other], "on file")), "it is for another ground"
    assert site.gives_in_case(*asked, on_record)
    purpose = f"legal:{ground}"
    answer = site.act("disclose", person=ann, recipient="government_agency", purpose=purpose, fields=["email"])
    assert answer.status_code == 422, "a case has an act of its own, which the privacy lead alone carries out"


@pytest.mark.clause("L15", "L18")
def test_an_agency_gets_what_its_case_names_and_what_the_ground_is_for_and_no_field_more(operator: Opening) -> None:
    site = operator("ledinside", EMAIL_ALONE)
    ann = member(site)
    case = {"ground": "law_or_agency", "record": dict.fromkeys(("agency", "reference", "approver"), "on file")}
    asked = {"person": ann, "recipient": "government_agency", **case}
    for others in (["name"], ["email", "name"], ["birth_date"]):
        assert site.act("disclose-in-case", fields=others, **asked).status_code == 403, others
    made = site.done("disclose-in-case", fields=["email"], **asked)
    site.turn()
    handed = site.done("hand-over", disclosure=made["disclosure"])
    assert handed["data"] == {"email": "ann@shop.example"}


PROVIDER = "recipients.service_provider."
PAID = tuple(
    ("decisions.yaml", f"{PROVIDER}{old}", f"{PROVIDER}{new}")
    for old, new in (
        ("consideration: none", "consideration: {price}"),
        ("agreement:", "consent: itself\n      " + PROVIDER + "agreement:"),
    )
)


@pytest.mark.clause("L14")
@pytest.mark.parametrize("price", ["money", "rent", "barter", "licence"])
def test_a_recipient_that_gives_something_in_return_is_given_nothing(operator: Opening, price: str) -> None:
    site = operator("ledinside", *((file, old, new.replace("{price}", price)) for file, old, new in PAID))
    ann = member(site)
    case = asked(site, ann)
    site.agree(ann, "@service_provider")
    assert not site.gives(ann, "service_provider", "product_request", "email", case=case)


OPEN_COOKIE = ("decisions.yaml", f"{PROVIDER}receives: [name, ", f"{PROVIDER}receives: [cookie_id, name, ")


@pytest.mark.clause("L24")
def test_own_cookies_go_to_nobody_even_when_a_recipient_is_written_in_for_them(operator: Opening) -> None:
    use = ("policy.yaml", "uses: [name, email, product_request]", "uses: [name, email, product_request, cookie_id]")
    used = ("decisions.yaml", "E-16 data.ip_address, E-16 data.cookie_id", "E-16 data.ip_address")
    site = operator("ledinside", OPEN_COOKIE, use, used)
    ann = member(site)
    case = asked(site, ann)
    asking = (ann, "service_provider", "product_request")
    assert site.gives(*asking, "email", case=case) and not site.gives(*asking, "cookie_id", case=case)
    answer = site.act(
        "disclose", person=ann, recipient="service_provider", purpose="product_request", fields=["cookie_id"]
    )
    assert answer.json()["because"] == ["absolutes.own_cookies_closed"]


@pytest.mark.clause("L20")
def test_a_recipient_beyond_the_three_is_refused_even_when_it_is_written_in(operator: Opening) -> None:
    what = "name: Fourth, does: asks for more, role: partner, country: TW, receives: [email], for: notification"
    fourth = f"\n  fourth: {{{what}}}\n"
    decided = (
        "decisions.yaml",
        "recipients.business_partners.consideration: none",
        "recipients.business_partners.consideration: none\n      recipients.fourth.consideration: none",
    )
    site = operator("ledinside", ("policy.yaml", "\nrecipients:\n", f"\nrecipients:{fourth}"), decided)
    ann = member(site)
    answer = site.act("disclose", person=ann, recipient="fourth", purpose="notification", fields=["email"])
    assert answer.status_code == 403 and answer.json()["because"] == ["absolutes.three_grounds"]
