"""Who may keep data abroad, and under which safeguard: what the policy promises is what the gate asks for."""

from datetime import date

import pytest

from tests.notices import small
from troth.clock import utc
from troth.recipients.rules import facts_of
from troth.rehearsal.expects import safe

DAY = date(2026, 1, 5)
ABROAD = """
people: {{customer: {{label: customers}}}}
data: {{email: {{category: pd:EmailAddress}}}}
recipients:
  host: {{name: Host, does: hosts, country: {country}, receives: [email], safeguard: {{kind: standard clauses, document: S}}}}
  other: {{name: Other, does: nothing}}
transfers: {{stored in: [GB], may move to: [US, IE]{more}}}
"""


@pytest.mark.parametrize(
    ("country", "more", "may"),
    [
        ("US", "", True),
        ("US", ", held by: [host]", True),
        ("US", ", held by: [other]", False),
        ("GB", ", held by: [other]", True),
        ("US", ", safeguards: [standard clauses]", True),
        ("US", ", safeguards: [binding corporate rules]", False),
        ("GB", ", safeguards: [binding corporate rules]", True),
        ("FR", "", False),
    ],
)
def test_only_those_who_are_named_keep_data_abroad_and_only_as_promised(country: str, more: str, may: bool) -> None:
    policy = small(ABROAD.format(country=country, more=more)).policy
    assert ("safeguard:host" in facts_of(policy, "host", DAY)) is may

    assert safe(policy, "host", utc(2026, 1, 5)) is may, "the rehearsal's second opinion"


PAYING = """
people: {{customer: {{label: customers}}}}
data: {{email: {{category: pd:EmailAddress}}}}
recipients:
  agency: {{name: Agency, does: asks by law, role: authority{more}}}
"""


@pytest.mark.parametrize(
    ("more", "pays"),
    [
        ("", False),
        (", receives: [email]", True),
        (", consideration: none", False),
        (", receives: [email], consideration: none", False),
        *((f", consideration: {price}", True) for price in ("money", "rent", "barter", "licence")),
    ],
)
def test_who_gives_something_counts_as_paying_and_so_does_who_is_promised_data_and_does_not_say(
    more: str, pays: bool
) -> None:
    assert ("consideration" in facts_of(small(PAYING.format(more=more)).policy, "agency", DAY)) is pays
