"""Every word that a policy can say is known beforehand, or is free text that nothing looks into; a misspelling is an error."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import jsonschema
import pytest
from pydantic import BaseModel, StringConstraints

from troth.policy import dpv
from troth.policy.check import check_texts
from troth.policy.closed import EVERYTHING, Listed, Phrase, Refers
from troth.policy.happenings import WITHDRAWAL
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.schema import policy_schema
from troth.policy.words import Free, Text

LAMPS = """policy: {version: 1, languages: [en]}
operator: {name: Lamp Shop, roles: {front office: our front office}}
people: {customer: {label: customers}, enquirer: {label: people who ask}}
data:
  email: {category: pd:EmailAddress, identifies: true}
  phone: {category: pd:TelephoneNumber}
purposes:
  orders: {label: orders, basis: contract, uses: [email]}
collection:
  shop: {label: Shop, source: shop, people: customer, required: [email, phone], for: [orders]}
recipients:
  post: {name: Post, does: delivers, country: IE}
"""
CLOSED = (Refers, Listed, Free, StringConstraints)


def _leaves(annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every type of a word of the model, with the key that holds it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Text:
        for name, info in annotation.model_fields.items():
            whole = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            yield from _leaves(whole, f"{path}.{info.alias or name}")
    elif get_origin(annotation) is Annotated and any(isinstance(mark, CLOSED) for mark in get_args(annotation)[1:]):
        return
    elif get_origin(annotation) in (Annotated, Union, UnionType, tuple, dict):
        for part in get_args(annotation):
            yield from _leaves(part, path)
    else:
        yield path, annotation


def test_no_key_takes_a_free_word_without_saying_so() -> None:
    shaped = {Text, bool, int, date, Period, NoneType, Ellipsis}
    kinds = [(path, kind) for path, kind in _leaves(Policy, "") if isinstance(kind, type) or kind is Ellipsis]
    assert [path for path, kind in kinds if kind is str] == []
    assert {path for path, kind in _leaves(Policy, "") if kind is Any} == set()
    assert {kind for _, kind in kinds} >= shaped - {Ellipsis}
    assert all(get_origin(kind) is Literal for _, kind in _leaves(Policy, "") if get_origin(kind) is not None)


WRONG = [
    ("retention: {all: {what: everything about a custommer, keep: 1 day}}", "unknown kind of people `custommer`", "`customer`"),
    ("retention: {a: {what: evrything about a customer}}", "unknown data `evry", "`everything about a customer`"),
    ("retention: {all: {what: request lgo, keep: 1 day}}", "`request lgo`", "`request log`"),
    ("absolutes: {a: {never: disclose, what: [emial], label: x}}", "`emial`", "`email`"),
    ("absolutes: {a: {only: read, for: [oders], label: x}}", "unknown purpose `oders`", "`orders`"),
    ("absolutes: {a: {only: collect, for: [shpo], label: x}}", "unknown collection point `shpo`", "`shop`"),
    ("absolutes: {a: {never: disclose, unless: [consnet], label: x}}", "`consnet`", "`consent`"),
    ("absolutes: {a: {only: store, in: [UK], label: x}}", "`UK`", "`GB`"),
    ("absolutes: {a: {only: store, in: [germany], label: x}}", "`germany`", "`DE`"),
    ("relationship: {customer: {begins: [ordr]}}", "`relationship.customer.begins`", "`order`"),
    ("relationship: {customer: {ends: [account closd]}}", "`relationship.customer.ends`", "`account closed`"),
    ("relationship: {customer: {ends: [treatment completed]}}", "`treatment completed`", "`account closed`"),
    ("relationship: {custmer: {ends: [silence]}}", "unknown kind of people `custmer`", "`customer`"),
    ("rights: {a: {right: access, by: [pigeon]}}", "`pigeon` is not one of the words for `rights.a.by`", "`letter`"),
    ("rights: {a: {right: access, limits: [legal dutty]}}", "`rights.a.limits`", "`legal duty`"),
    ("changes: {told by: [emial]}", "`emial` is not one of the words for `changes.told by`", "`e-mail`"),
    ("changes: {significant means: [purpose]}", "unknown section `purpose`", "`purposes`"),
    ("erasure: {may keep: [because we feel like it]}", "`erasure.may keep`", "`open orders`"),
    ("transfers: {safeguards: [standard clause]}", "`transfers.safeguards`", "`standard clauses`"),
    ("transfers: {stored in: [Taiwan]}", "`Taiwan`", "`TW`"),
    ("transfers: {may move to: [XQ]}", "`XQ` is not a country of ISO 3166-1", ""),
    ("security: {w: {measure: m, check: breach watch, tells: [peple]}}", "`security.w.tells`", "`people`"),
    ("security: {w: {measure: m, check: attested, attested by: front ofice}}", "unknown role `front ofice`", "`front office`"),
    ("legal: {l: {label: l, needs: [aprover]}}", "`legal.l.needs`", "`approver`"),
    ("statistics: {s: {label: s, by: [dya]}}", "`dya`", "`day`"),
    ("cookies: {c: {label: c, set by: its self}}", "`its self`", "`itself`"),
    ("messages: {m: {label: m, kind: service, for: oders}}", "unknown purpose `oders`", "`orders`"),
    ("request log: {records: [tiem]}", "`tiem`", "`time`"),
    ("visits: {records: [emial]}", "`emial`", "`email`"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message", "meant"), WRONG, ids=[one[0][:60] for one in WRONG])
def test_a_word_that_nothing_defines_is_an_error_with_its_place_and_what_was_meant(
    line: str, message: str, meant: str
) -> None:
    text = LAMPS + line + "\n"
    found = [one for one in check_texts(text).findings if one.rule.startswith("P-")]
    assert len(found) == 1, found
    assert message in f"{found[0].message}"
    assert meant in found[0].hint
    assert (found[0].severity, found[0].place.line) == ("error", text.count("\n"))
    assert found[0].place.column > 1


PLACES = [
    ("category: pd:EmailAddress", "category: pd:Nonsense", "`pd:Nonsense` is not a kind of personal data"),
    ("category: pd:EmailAddress", "category: dpv:DirectMarketing", "is not a kind of personal data"),
    ("basis: contract", "basis: contract, dpv: dpv:DirectMarketng", "Did you mean `dpv:DirectMarketing`?"),
    ("basis: contract", "basis: contract, needs: opn order", "Did you mean `open order`?"),
    ("basis: contract", "basis: contract, roles: [front offices]", "Did you mean `front office`?"),
    ("basis: contract", "basis: contract, people: [custmer]", "Did you mean `customer`?"),
    ("languages: [en]", "languages: [nl]", "`nl` is not one of the words for `policy.languages`. Known here: `en`, `zh-Hant`"),
    ("languages: [en]", "languages: [en], flows: [to partner]", "Did you mean `to partners`?"),
    ("languages: [en]", "languages: [en], law: [eu-gpdr]", "Did you mean `eu-gdpr`?"),
    ("languages: [en]", "languages: [en], answers: [{question: Who?, holds: [recipeints]}]", "Did you mean `recipients`?"),
    ("languages: [en]", "languages: [en], answers: [{question: Who?, holds: [data.emial]}]", "Did you mean `data.email`?"),
    ("country: IE", "country: Ireland", "Did you mean `IE`?"),
    ("country: IE", "country: IE, needs: [payed order]", "Did you mean `paid order`?"),
    ("country: IE", "country: IE, policy url: ask us", "`ask us` does not fit"),
    ("required: [email, phone]", "required: [email, phone], keeps when different: {phone: emial}", "Did you mean `email`?"),
    ("required: [email, phone]", "required: [email, phone], keeps when different: {phon: email}", "Did you mean `phone`?"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "instead", "words"), PLACES, ids=[one[1] for one in PLACES])
def test_a_word_inside_an_entry_is_an_error_too(there: str, instead: str, words: str) -> None:
    (line,) = [
        one.line() for one in check_texts(LAMPS.replace(there, instead, 1)).findings if one.rule.startswith("P-")
    ]
    assert words in line


def test_what_is_spelt_well_is_no_error() -> None:
    assert [one for one in check_texts(LAMPS).findings if one.rule.startswith("P-")] == []


def test_a_special_category_follows_from_the_broader_terms() -> None:
    special = {
        "pd:MedicalHealth",
        "pd:BloodType",
        "pd:MentalHealth",
        "pd:PoliticalOpinion",
        "pd:Genetic",
        "pd:Biometric",
    }
    assert all(dpv.is_special(term) for term in special)
    assert not any(
        dpv.is_special(term) for term in ("pd:EmailAddress", "pd:Criminal", "dpv:PersonalData", "pd:Nonsense")
    )


def _fits(schema: dict[str, Any], text: str) -> bool:
    return not list(jsonschema.Draft202012Validator(schema).iter_errors(check_texts(text).document.tree))


def test_the_schema_completes_closed_words_and_for_one_policy_its_references_too() -> None:
    policy = check_texts(LAMPS).published
    general, own = policy_schema(), policy_schema(policy)
    assert _fits(general, LAMPS) and _fits(own, LAMPS)
    assert not _fits(general, LAMPS + "changes: {told by: [emial]}\n")
    assert not _fits(general, LAMPS.replace("pd:EmailAddress", "pd:Nonsense"))
    assert not _fits(general, LAMPS.replace("country: IE", "country: Ireland"))
    misspelt = LAMPS + "messages: {m: {label: m, kind: service, for: oders}}\n"
    assert _fits(general, misspelt) and not _fits(own, misspelt)
    phrase = LAMPS + "retention: {all: {what: everything about a customer, keep: 1 day}}\n"
    assert _fits(own, phrase) and not _fits(own, phrase.replace("everything about", "all about"))


def test_a_phrase_is_spelt_as_it_is_read() -> None:
    """With an article where the phrase has one, and without where it has none."""
    for slot, named in product((EVERYTHING, WITHDRAWAL), ("customer", "enquirer", "user", "marketing")):
        assert (slot.read(slot.spelt(named)) or Phrase()).named == named
    assert WITHDRAWAL.spelt("marketing") == "withdrawal of marketing"
