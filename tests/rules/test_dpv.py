"""The policy in the W3C Data Privacy Vocabulary: what is said, in terms that exist, and nothing that is not promised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from troth.policy.check import check, check_texts
from troth.policy.export import CONTEXT, dpv
from troth.policy.kinds.purposes import BASES, BASES_ELSEWHERE
from troth.policy.kinds.recipients import ROLES, SAFEGUARDS
from troth.policy.kinds.rights import RIGHTS
from troth.policy.model import Policy, Purpose, Recipient, Right, Safeguard

SHOP = Path(__file__).parents[1] / "shop" / "policy.yaml"
SITES = sorted(path.parent for path in (Path(__file__).parents[2] / "sites").glob("*/policy.yaml"))
BASE = "https://shop.example/privacy"


def shop(law: str = "[eu-gdpr]") -> Policy:
    policy = check_texts(SHOP.read_text().replace("law: []", f"law: {law}")).policy
    assert policy is not None
    return policy


@cache
def graph(law: str = "[eu-gdpr]") -> dict[str, Any]:
    return {node["@id"]: node for node in dpv(shop(law), BASE)["@graph"]}


def ref(*keys: str) -> list[dict[str, str]]:
    return [{"@id": key} for key in keys]


def test_the_controller_is_the_operator_with_an_address_and_a_contact() -> None:
    assert graph()["#operator"] == {
        "@id": "#operator",
        "@type": "dpv:DataController",
        "dpv:hasName": "Lamp Shop Limited",
        "dpv:hasAddress": "1 Lamp Street, London",
        "dpv:hasLocation": ref("loc:GB"),
        "dpv:hasContact": "mailto:privacy@shop.example",
    }


def test_a_purpose_is_a_process_with_all_that_is_promised_about_it() -> None:
    process = graph()["#purposes.marketing"]
    assert process["@type"] == "dpv:Process"
    assert process["dpv:hasDataController"] == ref("#operator")
    assert process["dpv:hasNotice"] == ref("#notice")
    assert process["dpv:hasLegalBasis"] == ref("eu-gdpr:A6-1-a")
    assert process["dpv:hasDataSubject"] == ref("#people.customer", "#people.lead")
    assert process["dpv:hasPurpose"] == [{"@type": "dpv:DirectMarketing", "dct:title": [{"@value": "send you offers"}]}]
    assert process["dpv:hasRecipient"] == ref("#recipients.newsletter_house")
    assert process["dpv:hasProcessing"] == ref("dpv:Collect", "dpv:Store", "dpv:Use", "dpv:Disclose")


def test_data_is_required_or_optional_as_the_forms_of_the_purpose_ask_for_it() -> None:
    data = {node["@id"]: node for node in graph()["#purposes.fulfil_order"]["dpv:hasPersonalData"]}
    assert data["#purposes.fulfil_order.data.phone"] == {
        "@id": "#purposes.fulfil_order.data.phone",
        "@type": "pd:TelephoneNumber",
        "dpv:hasNecessity": ref("dpv:Optional"),
        "dpv:hasDataSource": ref("dpv:DataSubject"),
    }
    assert data["#purposes.fulfil_order.data.full_name"]["dpv:hasNecessity"] == ref("dpv:Required")


def test_data_that_no_form_of_the_purpose_asks_for_is_neither() -> None:
    [url] = [
        node for node in graph()["#purposes.improvement"]["dpv:hasPersonalData"] if node["@type"] == "pd:BrowserHistory"
    ]
    assert set(url) == {"@id", "@type", "dct:title"}


def test_storage_says_how_long_where_and_that_it_is_deleted() -> None:
    conditions = graph()["#purposes.preferences"]["dpv:hasStorageCondition"]
    durations = [one["dpv:hasDuration"]["@value"] for one in conditions if "dpv:hasDuration" in one]
    assert durations == ["P5Y", "P175D", "P60D", "P100D"]
    assert {"dpv:StorageDuration", "dpv:StorageDeletion"} == set(conditions[0]["@type"])
    assert conditions[-1] == {"@type": "dpv:StorageLocation", "dpv:hasLocation": ref("loc:GB")}


def test_a_transfer_abroad_is_a_process_of_its_own_with_its_ground_and_measure() -> None:
    [transfer] = graph()["#purposes.marketing"]["dpv:hasProcess"]
    assert transfer == {
        "@type": "dpv:Process",
        "dpv:hasProcessing": ref("dpv:CrossBorderTransfer"),
        "dpv:hasDataImporter": ref("#recipients.newsletter_house"),
        "dpv:hasPersonalData": ref("#purposes.marketing.data.email", "#purposes.marketing.data.full_name"),
        "dpv:hasLocation": ref("loc:US"),
        "dpv:hasLegalBasis": ref("eu-gdpr:A46-2-c"),
        "dpv:hasTechnicalOrganisationalMeasure": ref("eu-gdpr:SCCByCommission"),
    }
    assert "dpv:hasProcess" not in graph()["#purposes.fulfil_order"]


def test_a_right_says_where_it_is_exercised() -> None:
    assert graph()["#rights.erasure"]["@type"] == "eu-gdpr:A17"
    assert graph()["#rights.erasure"]["dpv:isExercisedAt"] == ref("#notice")
    assert graph()["#rights.objection"]["dpv:isExercisedAt"] == ref("mailto:privacy@shop.example")


def test_articles_of_the_eu_are_named_only_where_its_law_applies() -> None:
    terms = set(_terms(list(graph("[]").values())))
    assert not [term for term in terms if term.startswith("eu-gdpr:")]
    assert graph("[]")["#purposes.marketing"]["dpv:hasLegalBasis"] == ref("dpv:Consent")


def test_data_that_is_never_stored_is_nowhere() -> None:
    assert "pd:PaymentCard" not in set(_terms(list(graph().values())))


def test_every_word_of_the_language_has_its_term() -> None:
    def words(model: type, field: str) -> set[str]:
        return set(model.model_fields[field].annotation.__args__)  # type: ignore[attr-defined]

    assert set(BASES) == set(BASES_ELSEWHERE) == words(Purpose, "basis") - {"not stated"}
    assert set(ROLES) == words(Recipient, "role")
    assert set(RIGHTS) >= words(Right, "right") - {"cancel account"}
    assert set(SAFEGUARDS) == words(Safeguard, "kind")


@pytest.mark.parametrize("folder", SITES, ids=lambda folder: folder.name)
def test_the_document_of_each_site_has_the_shape_of_json_ld(folder: Path) -> None:
    policy = check(folder).policy
    assert policy is not None
    document = dpv(policy, BASE)
    assert set(document) == {"@context", "@graph"}
    ids = [node["@id"] for node in document["@graph"]]
    assert len(ids) == len(set(ids))
    _well_formed(document["@graph"])
    defined = {node["@id"] for node in _nodes(document["@graph"]) if len(node) > 1 and "@id" in node}
    referred = {node["@id"] for node in _nodes(document["@graph"]) if set(node) == {"@id"}}
    assert {key for key in referred if key.startswith("#")} <= defined
    assert sum(node["@type"] == "dpv:Process" for node in document["@graph"]) == len(policy.purposes)


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value)


def _terms(part: Any) -> Iterator[str]:
    for node in _nodes(part):
        kinds = node.get("@type", [])
        yield from [kinds] if isinstance(kinds, str) else kinds
        yield from (key for key in node if not key.startswith("@"))
        yield from [node["@id"]] if ":" in node.get("@id", "") else []


def _well_formed(part: Any) -> None:
    """Every key is a keyword or a term with a declared prefix; every node is a value, a reference or has a type."""
    for node in _nodes(part):
        if "@value" in node:
            assert set(node) <= {"@value", "@type", "@language"}
            assert not {"@type", "@language"} <= set(node)
        else:
            assert "@type" in node or set(node) == {"@id"}
        assert all(value not in ("", None, []) for value in node.values())
    for term in _terms(part):
        assert re.fullmatch(r"[a-z-]+:[A-Za-z0-9@.+-]+", term), term
        assert term.partition(":")[0] in {*CONTEXT, "mailto"}, term
