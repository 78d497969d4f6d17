"""What both protocols call things, and how they read times and signatures: every state has a name, nothing raises."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.peers import papers
from troth.clock import iso, utc
from troth.errors import InvalidInput
from troth.rights import cases, rules
from troth.rights.protocols import drp, opendsr, signatures
from troth.rights.protocols.times import read_instant

STATES = (cases.VERIFYING, cases.OPEN, cases.CARRYING)


def test_every_state_and_outcome_of_a_request_has_a_name_in_both_protocols() -> None:
    assert {opendsr.status_of(state, "") for state in STATES} == {"pending", "in_progress"}
    assert {opendsr.status_of(cases.CLOSED, one) for one in rules.OUTCOMES} == {"completed", "cancelled"}
    assert {drp.called(state, "").status for state in STATES} == {"in_progress"}
    assert {drp.called(cases.CLOSED, one).status for one in rules.OUTCOMES} == {"fulfilled", "denied", "revoked"}


def test_what_was_refused_or_never_verified_is_never_called_fulfilled() -> None:
    for outcome in ("refused", "cancelled", "not verified"):
        assert opendsr.status_of(cases.CLOSED, outcome) == "cancelled"
        assert drp.called(cases.CLOSED, outcome).status in {"denied", "revoked"}
    assert drp.called(cases.CLOSED, "partly done").details, "complete must mean done"


def test_what_may_be_asked_for_are_rights_of_troth() -> None:
    assert {*opendsr.RIGHTS.values(), *drp.EXERCISES.values()} <= set(rules.RIGHTS)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2018-10-02T15:00:00Z", utc(2018, 10, 2, 15)),
        ("2018-10-02T15:00:00z", utc(2018, 10, 2, 15)),
        ("2018-10-02 15:00:00+02:00", utc(2018, 10, 2, 13)),
        ("2018-10-02T15:00:00.123456Z", utc(2018, 10, 2, 15) + timedelta(microseconds=123456)),
        ("2018-10-02T15:00:00", None),
        ("2018-10-02", None),
        ("2018-13-02T15:00:00Z", None),
        ("2018-10-02T15:00:00Z or later", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("٢٠١٨-10-02T15:00:00Z", None),
        (1538492400, None),
        (None, None),
    ],
)
def test_a_time_is_read_with_its_zone_or_not_at_all(written: object, meant: datetime | None) -> None:
    assert read_instant(written) == meant


@given(st.text(max_size=45) | st.integers() | st.none() | st.lists(st.text(), max_size=2))
def test_whatever_is_written_for_a_time_raises_nothing(written: object) -> None:
    found = read_instant(written)
    assert found is None or found.tzinfo is UTC


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["regulation", "subject_request_id", "subject_request_type", "submitted_time", "subject_identities", "extensions"]
)


@given(st.dictionaries(KEYS, JSON, max_size=6) | JSON)
def test_whatever_a_controller_says_is_a_request_or_has_problems_by_key(said: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        opendsr.read_request(said, utc(2026))
    assert refused.value.problems


@given(st.dictionaries(st.sampled_from(["exercise", "email", "name", "agent-request-id", "regime"]), JSON))
def test_whatever_an_agent_says_is_declined_or_read(said: dict[str, object]) -> None:
    try:
        asked = drp.read_exercise(said)
    except drp.Declined as declined:
        assert declined.code == 400
    else:
        assert asked.right in rules.RIGHTS


@pytest.mark.parametrize("kind", ["ec", "2048"])
def test_a_signature_is_that_of_these_bytes_by_this_key_alone(kind: str) -> None:
    mine, other = papers("a.example", kind), papers("b.example", kind)
    made = signatures.sign(mine.key, b"what was said")
    assert signatures.signed_by(mine.certificate, made, b"what was said")
    for certificate, signature, raw in (
        (mine.certificate, made, b"what was not said"),
        (other.certificate, made, b"what was said"),
        (mine.certificate, made[:-4], b"what was said"),
        (mine.certificate, made + "\n", b"what was said"),
        (mine.certificate, "", b"what was said"),
        (papers("a.example", "ec" if kind == "2048" else "2048").certificate, made, b"what was said"),
    ):
        assert not signatures.signed_by(certificate, signature, raw)


def test_weak_keys_and_odd_curves_do_not_count() -> None:
    for pem in (papers("a.example", "1024").pem, b"", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"):
        with pytest.raises(ValueError):
            signatures.read_certificate(pem)
    assert not signatures._counts(ec.generate_private_key(ec.SECP256K1()).public_key())


def test_a_certificate_names_its_domain_and_a_star_one_part_of_it() -> None:
    assert signatures.names(papers("*.shop.example").certificate, "privacy.shop.example")
    assert not signatures.names(papers("*.shop.example").certificate, "shop.example")
    assert not signatures.names(papers("*.shop.example").certificate, "a.b.shop.example")
    assert not signatures.names(papers("shop.example").certificate, "evil-shop.example")


def test_two_requests_mean_the_same_only_in_everything_that_counts() -> None:
    def meant(**change: object) -> str:
        identity = {"identity_type": "email", "identity_format": "raw", "identity_value": "ann@shop.example"}
        said = {
            "regulation": "gdpr",
            "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
            "subject_request_type": "erasure",
            "submitted_time": iso(utc(2026)),
            "subject_identities": [identity],
        }
        return opendsr.read_request(said | change, utc(2026)).meaning

    assert meant() == meant(submitted_time=iso(utc(2025, 12, 31))) == meant(extensions={"x.example": {}})
    assert len({meant(), meant(regulation="ccpa"), meant(subject_request_type="access")}) == 3
