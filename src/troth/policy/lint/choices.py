"""Consent: whether anybody can give it, whether it is free, and whether it can be taken back as easily as it was given."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import CollectionPoint, Policy, Recipient, Right
from troth.policy.rules import sold_with_consent
from troth.policy.special import needs_a_yes

unreal = rule(
    "E-28",
    "Consent that nobody can give, that is not free, or that is hard to take back",
    "error",
    "What rests on consent is not done until somebody gave it in a box of its own.",
)
_FORMS = ("form", "account", "event")
_EASY = frozenset({"web", "account", "e-mail"})
_TAKE_BACK = ("withdrawal", "objection")


def asked_at(policy: Policy, purpose: str) -> list[str]:
    """The places at which people can agree to ``purpose``: a box of a form, a cookie, the page of their public profile."""
    places = [f"collection.{key}" for key, point in policy.collection.items() if purpose in point.offers]
    places += [f"cookies.{key}" for key, cookie in policy.cookies.items() if cookie.consent == purpose]
    return places + [f"recipients.{key}" for key, one in policy.recipients.items() if _on_profile(policy, one, purpose)]


def _on_profile(policy: Policy, recipient: Recipient, purpose: str) -> bool:
    """Whether people agree to ``purpose`` by choosing what everybody may see of their profile.

    The choice is a consent to the recipient. It is none to a use of special categories, which has to be agreed to by itself.
    """
    if recipient.role != "public" or purpose not in recipient.for_ or recipient.consideration != "none":
        return False
    given = sold_with_consent(recipient) and not needs_a_yes(policy.purposes[purpose])
    taken = {field for point in policy.collection.values() for field in (*point.required, *point.optional)}
    return given and not taken.isdisjoint(recipient.receives)


@unreal
def form_that_never_asks(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if _only_for_consent(policy, point) and not point.offers and not _asked_elsewhere(policy, point):
            named = ", ".join(f"`{purpose}`" for purpose in point.for_)
            message = f"`{key}` takes data for {named}, which rests on consent, and has no box to agree."
            yield Flaw(("collection", key), message, f"Write `offers: [{', '.join(point.for_)}]`.")


def _asked_elsewhere(policy: Policy, point: CollectionPoint) -> bool:
    """Whether it is written down by staff or a program, about people who could agree at a form of their own."""
    offered = {scope for one in policy.collection.values() if one.people == point.people for scope in one.offers}
    return point.kind == "event" and set(point.for_) <= offered


def _only_for_consent(policy: Policy, point: CollectionPoint) -> bool:
    bases = [policy.purposes[purpose].basis for purpose in point.for_]
    return point.kind in _FORMS and bool(bases) and set(bases) == {"consent"}


@unreal
def consent_nobody_can_give(policy: Policy, context: Context) -> Iterator[Flaw]:
    said = {purpose for point in policy.collection.values() if not point.offers for purpose in point.for_}
    for key, purpose in policy.purposes.items():
        rests = purpose.basis == "consent" or needs_a_yes(purpose)
        if rests and key not in said and not asked_at(policy, key):
            message = f"`{key}` rests on consent, and no form or cookie asks for it: nobody can ever agree."
            yield Flaw(("purposes", key), message, f"Write `offers: [{key}]` at a form, or take the purpose away.")


@unreal
def consent_to_what_is_essential(policy: Policy, context: Context) -> Iterator[Flaw]:
    for section, key in [
        *(("purposes", key) for key in policy.purposes),
        *(("recipients", k) for k in policy.recipients),
    ]:
        if _said_essential(policy, context, section, key) and _by_consent(policy, section, key):
            message = f"`{key}` waits for consent and is called essential: a yes that cannot be refused is not free."
            yield Flaw(
                (section, key, "essential"), message, "Write `essential: false`, or another basis.", about="free"
            )


def _said_essential(policy: Policy, context: Context, section: str, key: str) -> bool:
    if section == "purposes":
        return policy.purposes[key].essential
    entries = context.document.tree.get(section)  # a recipient is essential unless it is said not to be
    entry = entries.get(key) if isinstance(entries, dict) else None
    return isinstance(entry, dict) and entry.get("essential") is True


def _by_consent(policy: Policy, section: str, key: str) -> bool:
    if section == "purposes":
        return policy.purposes[key].basis == "consent"
    return bool(policy.recipients[key].consent) or policy.recipients[key].ground == "consent"


@unreal
def visits_before_anybody_agrees(policy: Policy, context: Context) -> Iterator[Flaw]:
    visits = policy.visits
    if visits is None or not visits.recording:
        return
    asked = [purpose for purpose in visits.for_ if policy.purposes[purpose].basis == "consent"]
    if asked:
        named = ", ".join(f"`{purpose}`" for purpose in asked)
        message = (
            f"every visit is recorded, and read for {named}, which waits for a consent that a visit does not give."
        )
        hint = "Use a cookie with `consent:` for it, or rest it on another basis."
        yield Flaw(("visits", "for"), message, hint, cites=visits.cites)


@unreal
def hard_to_take_back(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items():
        if right.right not in ("withdrawal", "stop marketing"):
            continue
        if right.by and _EASY.isdisjoint(right.by):
            message = f"a tick is enough to agree, and `{key}` can be used by {' and '.join(right.by)} only."
            yield Flaw(
                ("rights", key, "by"), message, "Write `by: [web, e-mail]`: as easy as agreeing was.", about="take back"
            )
        if right.right == "withdrawal" and right.limits:
            message = f"`{key}` limits the withdrawal of consent ({', '.join(right.limits)}); it always counts."
            yield Flaw(("rights", key, "limits"), message, "Leave out `limits`.", about="take back")


@unreal
def consent_that_no_right_takes_back(policy: Policy, context: Context) -> Iterator[Flaw]:
    rights = [right for right in policy.rights.values() if right.right in (*_TAKE_BACK, "stop marketing")]
    if all(right.right != "withdrawal" for right in rights):
        return
    for key in policy.purposes:
        asked = [place for place in asked_at(policy, key) if place.startswith("collection.")]
        if asked and policy.purposes[key].basis == "consent" and not any(_reaches(policy, r, key) for r in rights):
            message = f"people agree to `{key}` at `{asked[0]}`, and no right takes it back."
            yield Flaw(("rights",), message, f"Add `{key}` to `against` of the right to withdraw.", about="take back")


def _reaches(policy: Policy, right: Right, purpose: str) -> bool:
    if right.right == "stop marketing":
        return policy.purposes[purpose].marketing
    blank_means_all = right.right == "withdrawal" and not right.against
    return blank_means_all or purpose in right.against or "everything" in right.against


@unreal
def withdrawal_of_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items():
        named = [word for word in right.against if word in policy.purposes] if right.right == "withdrawal" else []
        wrong = [word for word in named if policy.purposes[word].basis not in ("consent", "not stated")]
        if wrong:
            bases = ", ".join(f"`{word}` rests on {policy.purposes[word].basis}" for word in wrong)
            message = f"`{key}` takes back a consent that nobody gave: {bases}."
            yield Flaw(("rights", key, "against"), message, "Name purposes on consent; the others can be objected to.")
