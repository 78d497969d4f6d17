"""``site.yaml`` is read as strictly as the policy: with places, hints, and beside what the policy says."""

import re
from pathlib import Path

import pytest

from tests.notices import ROOT
from troth.policy.check import check_texts
from troth.policy.findings import Finding
from troth.policy.model import Policy
from troth.store.wiring import check_site, check_text

POLICY = """policy: {version: 1}
operator: {name: Lamp Shop, roles: {support: our support}}
people: {customer: {label: customers}}
data: {email: {category: pd:EmailAddress}}
purposes: {service: {label: serve you, basis: contract, uses: [email]}}
recipients: {carrier: {name: Van, does: delivers, country: IE}}
transfers: {stored in: [IE]}
security: {clean_desk: {measure: Desks are cleared, check: attested, attested by: support}}
absolutes: {here: {only: store, in: [EU], label: All of it stays in the European Union}}
"""
SITE = """name: lamps
title: Lamp Shop
base url: https://lamps.example
store: {database: "sqlite:///var/data.db", country: IE}
keys: {database: "sqlite:///var/keys.db", database env: LAMPS_KEYS}
mail: {smtp: "127.0.0.1:2525", sender: privacy@lamps.example}
partners: [carrier]
recipients: {carrier: {url env: CARRIER_URL, secret env: CARRIER_SECRET}}
programs: {crm: {role: support, token env: CRM_TOKEN, purposes: [service]}}
quarantine margin: 2 days
attested: {clean_desk: {by: Ann, until: 2027-01-31}}
"""


def policy() -> Policy:
    found = check_texts(POLICY).policy
    assert found is not None
    return found


def findings(text: str) -> tuple[Finding, ...]:
    return check_text(text, policy())


def test_a_file_that_fits_has_no_findings() -> None:
    assert findings(SITE) == ()


WRONG = [
    ("title: Lamp Shop", "tittle: Lamp Shop", 2, "P-01", "unknown key `tittle`. Did you mean `title`?"),
    ("margin: 2 days", "margin: 1 month", 10, "P-01", "`1 month` is no margin"),
    ("margin: 2 days", "margin: 2 dayz", 10, "P-01", "`2 dayz` is no margin"),
    ("margin: 2 days", "margin: 900 days", 10, "P-01", "longer than a margin can be"),
    ("partners: [carrier]", "partners: [carier]", 7, "P-03", "unknown recipient `carier`. Did you mean `carrier`?"),
    ("2525\", sender", "2525\", country: XX, sender", 6, "P-01", "`XX`"),
    ("recipients: {carrier", "recipients: {carier", 8, "P-03", "unknown recipient `carier`. Did you mean `carrier`?"),
    ("role: support", "role: suport", 9, "P-03", "unknown role `suport`. Did you mean `support`?"),
    ("[service]", "[servise]", 9, "P-03", "unknown purpose `servise`. Did you mean `service`?"),
    ("{clean_desk", "{clean_dsk", 11, "P-03", "`clean_dsk`. Did you mean `clean_desk`?"),
    ("2027-01-31", "2027-02-31", 11, "P-01", "`until`"),
    ("127.0.0.1:2525", "mail.lamps.example", 6, "P-01", "`mail.lamps.example` does not fit `smtp`"),
    ("privacy@lamps.example", "write to us", 6, "P-01", "`write to us` does not fit `sender`"),
    ("https://lamps.example", "lamps.example", 3, "P-01", "`lamps.example` does not fit `base url`"),
    ("country: IE}", "country: Ireland}", 4, "P-01", "Did you mean `IE`?"),
    ("country: IE}", "country: US}", 4, "S-01", "a store stands in US, and `transfers.stored in` says IE."),
    ("url env: CARRIER_URL", 'url: "http://carrier.example/in"', 8, "P-01", "only over https"),
    ("sender:", "password env: A, user env: B, smtp: 'mail.lamps.example:25', sender:", 6, "P-02", "`smtp` stands twice"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "instead", "line", "rule", "words"), WRONG, ids=[one[1] for one in WRONG])
def test_a_slip_is_found_at_its_place_with_what_was_meant(
    there: str, instead: str, line: int, rule: str, words: str
) -> None:
    found = findings(SITE.replace(there, instead, 1))
    mine = [one for one in found if words in one.line()]
    assert [(one.place.file, one.place.line, one.rule, one.severity) for one in mine] == [
        ("site.yaml", line, rule, "error")
    ]


def test_a_store_outside_the_places_of_an_absolute_is_found_and_one_without_a_country_is_asked_for() -> None:
    abroad = findings(SITE.replace('keys.db", ', 'keys.db", country: US, '))
    assert [one.line().partition("error: ")[2][:60] for one in abroad] == [
        "a store stands in US, and `transfers.stored in` says IE. Mov",
        "a store stands in US, and `absolutes.here` says EU. Move the",
    ]
    (asked,) = findings(SITE.replace(", country: IE", ""))
    assert (asked.rule, asked.severity, asked.path) == ("S-01", "warning", ("store",))


SECRETS = [
    ("CARRIER_SECRET", "s3cr3t-of-the-shop"),
    ("CRM_TOKEN", "0a1b2c.3d4e5f"),
    ("sqlite:///var/data.db", "postgresql+psycopg://lamps:s3cr3t@db.example/lamps"),
    ("url env: CARRIER_URL", "url: 'https://lamps:s3cr3t@carrier.example/in'"),
]


@pytest.mark.parametrize(("there", "secret"), SECRETS)
def test_a_secret_in_the_file_is_found_and_never_repeated(there: str, secret: str) -> None:
    (found,) = findings(SITE.replace(there, secret, 1))
    assert (found.rule, found.severity) == ("S-02", "error")
    assert "environment variable" in found.hint
    assert not re.search(r"s3cr3t|0a1b2c", found.line())


@pytest.mark.parametrize("site", sorted(path.parent.name for path in ROOT.glob("sites/*/site.yaml")))
def test_the_sites_have_no_finding_in_their_wiring(site: str) -> None:
    folder: Path = ROOT / "sites" / site
    assert [one.line() for one in check_site(folder).findings if one.place.file == "site.yaml"] == []


def test_a_mail_server_stands_where_the_policy_lets_data_go() -> None:
    def found(mail: str) -> list[tuple[str, str]]:
        return [(one.severity, one.message) for one in findings(SITE.replace('"127.0.0.1:2525"', mail))]

    assert found('"mail.lamps.example:25", country: IE') == []
    assert found('"mail.lamps.example:25", country: US') == [
        ("error", "a mail server stands in US, and `transfers.stored in` says IE."),
        ("error", "a mail server stands in US, and `absolutes.here` says EU."),
    ]
    [(severity, message)] = found('"mail.lamps.example:25"')
    assert (severity, "nothing says where this mail server stands" in message) == ("warning", True)
