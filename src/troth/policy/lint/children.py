"""Children: ages that nobody asks, ages below the law's, and data of children that is sold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.law import age_of_consent
from troth.policy.lint.choices import asked_at
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.lint.wording import texts
from troth.policy.model import Policy
from troth.policy.rules import PAID

children = rule(
    "E-22", "No rule for children, or one that does not hold", "warning", "Nobody is refused for their age."
)

BIRTH = "pd:BirthDate"
"""the one category by which collection works out an age"""
_AGE = ("BirthDate", "DateOfBirth", "Age", "BirthYear")
_SPEAKS_OF_CHILDREN = re.compile(r"\bchild(?:ren)?\b|\bminors?\b|\bunder (?:the age of )?\d\d\b|兒童|未成年|未滿", re.I)
_FORMS = ("form", "account", "event")
_SALE_AGE = 16


@children
def nothing_about_children(policy: Policy, context: Context) -> Iterator[Flaw]:
    if not policy.people or any(people.minimum_age is not None for people in policy.people.values()):
        return
    if any(path[0] == "statements" and _SPEAKS_OF_CHILDREN.search(words) for path, words in texts(policy)):
        return
    ages = [key for key, data in policy.data.items() if any(data.category.endswith(word) for word in _AGE)]
    known = f", although {_listed(ages)} tells who is a child" if ages else ""
    message = f"nothing says from which age on people may give their data{known}."
    cites = tuple(cite for key in ages for cite in policy.data[key].cites)
    hint = "Write `minimum age: 16` for the people concerned, or a statement about children."
    yield Flaw(("people",), message, hint, cites=cites)


@children
def age_that_nobody_asks(policy: Policy, context: Context) -> Iterator[Flaw]:
    for kind, people in policy.people.items():
        blind = _first_met_without_age(policy, kind) if people.minimum_age is not None else []
        if blind:
            message = f"`{kind}` must be {people.minimum_age}, and no date of birth is required at {_listed(blind)}."
            hint = f"Require data of category {BIRTH} there, or say in a statement what happens to children's data."
            yield Flaw(("people", kind, "minimum age"), message, hint, "error")


def _first_met_without_age(policy: Policy, kind: str) -> list[str]:
    """The forms at which people of ``kind`` say who they are, and no date of birth is required."""
    return [
        key
        for key, point in policy.collection.items()
        if point.people == kind and point.kind in _FORMS and not point.members_only
        if any(policy.data[name].identifies for name in point.required + point.optional)
        if all(policy.data[name].category != BIRTH for name in point.required)
    ]


@children
def age_below_the_laws(policy: Policy, context: Context) -> Iterator[Flaw]:
    for kind, people in policy.people.items():
        asked, country = _consents(policy, kind), policy.operator.country
        if not asked or people.minimum_age is None:
            continue
        known = [found for law in context.profiles if (found := age_of_consent(law.id, country))]
        age, source = max(known, default=(0, ""))
        if people.minimum_age < age:
            who = f"`{kind}` of {people.minimum_age}"
            message = f"{who} agree by themselves to {_listed(asked)}; they may from {age} on ({source})."
            yield Flaw(("people", kind, "minimum age"), message, f"Write `minimum age: {age}`.", "error")


def _consents(policy: Policy, kind: str) -> list[str]:
    """The purposes that people of ``kind`` are asked to agree to."""
    points = {key: point for key, point in policy.collection.items() if point.people == kind}
    taken = {field for point in points.values() for field in (*point.required, *point.optional)}
    places = {f"collection.{key}" for key in points}
    places |= {f"recipients.{key}" for key, one in policy.recipients.items() if taken.intersection(one.receives)}
    rest = [key for key, purpose in policy.purposes.items() if purpose.basis == "consent"]
    return [key for key in rest if places.intersection(asked_at(policy, key))]


@children
def childrens_data_for_sale(policy: Policy, context: Context) -> Iterator[Flaw]:
    young = [
        k for k, people in policy.people.items() if people.minimum_age is not None and people.minimum_age < _SALE_AGE
    ]
    for key, recipient in policy.recipients.items() if context.under("us-ca") and young else ():
        about = {
            point.people
            for point in policy.collection.values()
            if set(recipient.receives) & {*point.required, *point.optional}
        }
        if recipient.consideration in PAID and about.intersection(young):
            message = f"data of people under {_SALE_AGE} is sold to `{key}`; a parent's yes would have to come first."
            yield Flaw(
                ("recipients", key),
                message,
                f"Write `minimum age: {_SALE_AGE}`, or do not sell it.",
                "error",
                about="sale",
            )


def _listed(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
