"""What Made-in-China.com promises, through its pages, its programs and its worker."""

from __future__ import annotations

import pytest

from tests.doors import Opening, Operator
from troth.decide import Ask
from troth.people.tables import person
from troth.visits import actions as visits
from troth.visits.partitions import days_present
from troth.web.members import cookie_name

PROFILE = (
    "full_name email company_name company_location company_phone company_fax company_website company_description "
    "company_type company_turnover company_employees"
)
TRAFFIC = ("ip_address", "computer_code", "page")


@pytest.fixture
def board(operator: Opening) -> Operator:
    return operator("made-in-china")


def asking(board: Operator) -> list[str]:
    """The purposes for which members are asked."""
    found = [key for key, one in board.site.policy().policy.purposes.items() if one.basis == "consent"]
    assert {"promotion", "marketing_statistics"} <= {*found}
    return found


@pytest.mark.clause("M5", "M8", "M12")
def test_each_use_of_a_profile_reads_its_declared_attributes_and_no_others(board: Operator) -> None:
    ann = board.take("register").person
    may = {
        "relevance": {"company_type", "company_location", "company_description"},
        "operate_site": set(PROFILE.split()) - {"company_turnover", "company_employees"},
        "membership_statistics": set[str](),  # counted in groups, never read
        "auction": set[str](),  # a service that the policy does not know
    }
    for purpose, fields in may.items():
        assert {field for field in PROFILE.split() if board.reads(ann, purpose, field)} == fields
    board.done("object", person=ann, about="relevance", channel="letter")
    assert not board.reads(ann, "relevance", "company_type")
    assert board.reads(ann, "operate_site", "company_name")


@pytest.mark.clause("M6")
def test_members_are_grouped_by_declared_attributes_and_told_of_offers_only_with_their_yes(board: Operator) -> None:
    ann = board.take("register", email="ann@shop.example").person
    bob = board.take("register", "promotion", email="bob@shop.example").person
    assert not board.reads(ann, "promotion", "company_type company_location")
    assert not board.reads(bob, "promotion", "company_type"), "anybody may have given this address"
    for address in ("ann@shop.example", "bob@shop.example"):
        board.confirm(address)
    assert board.reads(bob, "promotion", "company_type company_location")
    assert not board.reads(bob, "promotion", "company_turnover")
    offer = {"class": "new_services", "subject": "Fairs", "words": "A fair is near."}
    assert board.act("send-message", person=ann, **offer).status_code == 403
    board.done("send-to-everybody", **offer)
    board.later(hours=1)
    offered = [one.message["To"] for one in board.mailbox.messages() if "A fair is near." in one.body("plain")]
    assert offered == ["bob@shop.example"]


@pytest.mark.clause("M13", "M15")
def test_traffic_leads_back_to_no_member_and_keeps_no_full_address(board: Operator) -> None:
    board.join("register", board.answers("register"))
    board.get("forms")
    board.looked_at("forms?ref=ann@shop.example")
    with board.site.reading() as conn:
        rows = [one.fields for day in days_present(conn) for one in visits.sample(board.site, conn, [day], 99)]
        ids = set(conn.scalars(person.select().with_only_columns(person.c.id)))
    assert {"ip_address": "127.0.0.0", "page": "/made-in-china/forms"} in rows
    assert all(row.keys() <= {*TRAFFIC} for row in rows)
    asked = Ask("cookie", "traffic", frozenset())
    assert not board.site.policy().decide(asked).allowed, "nobody has agreed to the cookie that tells computers apart"
    assert [one.name for one in board.web.cookies.jar] == [cookie_name(board.site)]
    assert ids and not any(value in repr(rows) for value in (*ids, "ann@shop.example", "127.0.0.1"))
    board.later(days=31)
    with board.site.reading() as conn:
        assert not [one for day in days_present(conn) for one in visits.sample(board.site, conn, [day], 1)]


@pytest.mark.clause("M13")
def test_no_computer_is_known_again_the_next_day_by_its_address_or_its_code(board: Operator) -> None:
    board.looked_at("forms")
    told = ("203.0.113.77", "2001:db8:1:2:3::4", "c0ffee")
    for _ in range(2):  # no page is told of a code, since the cookie that holds it is never set
        for address in told[:2]:
            with board.site.writing() as conn:
                visits.record(board.site, conn, {"pd:IPAddress": address, "computer_code": told[2]})
        board.later(days=1)
    with board.site.reading() as conn:
        rows = [visits.sample(board.site, conn, [day], 99) for day in days_present(conn)]
    first, second = ([one.fields for one in day if "computer_code" in one.fields] for day in rows if day)
    for day in (first, second):
        assert {one["ip_address"] for one in day} == {"203.0.113.0", "2001:db8:1::"}
        assert len({one["computer_code"] for one in day}) == 1, "the same computer on the same day"
    assert first[0]["computer_code"] != second[0]["computer_code"]
    assert not any(value in repr(rows) for value in told)


@pytest.mark.clause("M14", "M15", "M22")
def test_traffic_serves_figures_alone_and_advertisers_get_no_row(board: Operator) -> None:
    ann = board.take("register").person
    board.agree(ann, *asking(board))
    for field in TRAFFIC:
        for purpose in ("promotion", "relevance", "marketing_statistics", "service_improvement", "research"):
            assert not board.reads(ann, purpose, field), (purpose, field)
        assert not board.gives(ann, "advertisers", "marketing_statistics", field)
    for partner in ("advertisers", "business_partners"):
        for purpose in board.site.policy().policy.purposes:
            given = [field for field in PROFILE.split() if board.gives(ann, partner, purpose, field)]
            assert given == [], (partner, purpose)
    board.agree(ann, "@business_partners")
    assert board.gives(ann, "business_partners", "partner_marketing", "full_name email company_name")
    assert not board.gives(ann, "business_partners", "research", "company_type company_location")


@pytest.mark.clause("M17", "M23", "M24")
def test_a_profile_goes_to_nobody_without_the_members_own_permission_for_them(board: Operator) -> None:
    ann = board.take("register", "promotion").person
    board.agree(ann, *asking(board))
    policy = board.site.policy().policy
    for recipient in policy.recipients:
        for purpose in policy.purposes:
            assert not board.gives(ann, recipient, purpose, "full_name"), (recipient, purpose)
        assert not any(board.gives(ann, recipient, "partner_marketing", field) for field in PROFILE.split())
    assert board.act("disclose", person=ann, recipient="somebody", purpose="partner_marketing").status_code == 422
    board.agree(ann, "@sponsors")
    assert board.gives(ann, "sponsors", "partner_marketing", "full_name email company_name")
    assert not board.gives(ann, "sponsors", "partner_marketing", "company_phone")
    assert not board.gives(ann, "business_partners", "partner_marketing", "full_name")
    board.done("withdraw-consent", person=ann, about="@sponsors", channel="letter")
    assert not board.gives(ann, "sponsors", "partner_marketing", "full_name")


PROCESS = "data: [everything]\n    from: {en: law and legal process"
ON_RECORD = dict.fromkeys(("reference", "approver", "belief", "evidence"), "on file")


@pytest.mark.clause("M23")
def test_a_special_case_opens_what_its_ground_is_for_with_everything_on_record_and_no_other_data(
    operator: Opening,
) -> None:
    board = operator("made-in-china", ("policy.yaml", PROCESS, PROCESS.replace("everything", "full_name")))
    asked = (board.take("register").person, "sponsors", "legal_process")
    assert board.gives_in_case(*asked, "full_name", ON_RECORD)
    for lacking in ON_RECORD:
        assert not board.gives_in_case(*asked, "full_name", {**ON_RECORD, lacking: " "}), lacking
    for others in ("email", "full_name email", "company_turnover"):
        assert not board.gives_in_case(*asked, others, ON_RECORD), others


@pytest.mark.clause("M14", "M17", "M18", "M22")
def test_an_advertiser_that_is_written_in_for_a_profile_or_for_traffic_still_gets_neither(operator: Opening) -> None:
    everything = f"recipients.advertisers.receives: [{', '.join((*PROFILE.split(), *TRAFFIC))}]"
    bound = "recipients.advertisers.consideration: none"
    more = "recipients.advertisers.for: [operate_site, relevance]\n      recipients.advertisers.country: CN"
    board = operator(
        "made-in-china",
        ("decisions.yaml", "recipients.advertisers.receives: []", everything),
        ("decisions.yaml", bound, f"{bound}\n      {more}"),
        ("policy.yaml", "uses: [company_type, company_location, company_description]",
         "uses: [company_type, company_location, company_description, page]"),
    )  # fmt: skip
    ann = board.take("register").person
    board.agree(ann, *asking(board))
    for purpose, field in (("operate_site", "full_name"), ("relevance", "company_type"), ("relevance", "page")):
        answer = board.act("disclose", person=ann, recipient="advertisers", purpose=purpose, fields=[field])
        assert answer.status_code == 403
        assert set(answer.json()["because"]) <= {
            "absolutes.profile_private",
            "absolutes.general_rule",
            "absolutes.shared_with_nobody",
        }
