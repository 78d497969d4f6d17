"""Why data may be used: bases that do not go together, agreement that nobody gave, marketing without a way out."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy
from troth.policy.special import needs_a_yes

mixed = rule(
    "E-03",
    "One purpose rests on two bases",
    "error",
    "Marketing needs a recorded choice; an objection to it always counts, and nothing overrides it.",
)
by_use = rule(
    "E-04",
    "Agreement by use, or bundled with something else",
    "error",
    "It counts as having shown the notice; no consent is recorded.",
)
no_way_out = rule(
    "E-14", "Marketing without a way out", "error", "Every promotional message carries an unsubscribe link."
)
unstated = rule("E-25", "No legal basis is stated for a purpose", "warning", "The notice says that no basis is stated.")


@mixed
def purpose_on_two_bases(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, purpose in policy.purposes.items():
        asked = _asked_for(policy, key)
        if asked and purpose.basis not in ("consent", "not stated") and not needs_a_yes(purpose):
            message = f"`{key}` rests on {purpose.basis}, but {asked} asks for consent to it."
            yield Flaw(("purposes", key), message, "Choose one basis; consent is the strict one.", cites=purpose.cites)
        taken = _taken_without_asking(policy, key)
        if taken and purpose.basis == "consent":
            message = f"`{key}` rests on consent, but {taken} does not wait for it."
            yield Flaw(("purposes", key), message, "Write `when: elected`, or choose another basis.")
        objected = _objected(policy, key)
        if objected and purpose.basis == "consent":
            message = f"`{key}` rests on consent, but {objected} offers to object to it, as if it ran without."
            yield Flaw(("purposes", key), message, "Consent is withdrawn; write `right: withdrawal`, or one basis.")


def _asked_for(policy: Policy, purpose: str) -> str:
    places = [f"`collection.{k}`" for k, point in policy.collection.items() if purpose in point.offers]
    places += [f"`recipients.{k}`" for k, other in policy.recipients.items() if other.consent == purpose]
    places += [f"`cookies.{k}`" for k, cookie in policy.cookies.items() if cookie.consent == purpose]
    places += [f"`messages.{k}`" for k, m in policy.messages.items() if m.for_ == purpose and m.when == "elected"]
    return " and ".join(places[:3])


def _taken_without_asking(policy: Policy, purpose: str) -> str:
    sent = [k for k, m in policy.messages.items() if m.for_ == purpose and m.kind == "promotional"]
    places = [f"`messages.{k}`" for k in sent if policy.messages[k].when != "elected"]
    return " and ".join(places[:3])


def _objected(policy: Policy, purpose: str) -> str:
    rights = policy.rights.items()
    return " and ".join(f"`rights.{k}`" for k, r in rights if r.right == "objection" and purpose in r.against)


@mixed
def marketing_on_two_bases(policy: Policy, context: Context) -> Iterator[Flaw]:
    chosen = [key for key, purpose in policy.purposes.items() if purpose.marketing and purpose.basis == "consent"]
    for key, purpose in policy.purposes.items():
        if chosen and purpose.marketing and purpose.basis == "legitimate interest":
            message = f"`{key}` is marketing to people who never chose it, while `{chosen[0]}` waits for their choice."
            cites = policy.purposes[chosen[0]].cites
            yield Flaw(
                ("purposes", key), message, "Let all marketing wait for a choice, or say who is asked.", cites=cites
            )


@mixed
def objection_to_marketing_with_limits(policy: Policy, context: Context) -> Iterator[Flaw]:
    marketing = {key for key, purpose in policy.purposes.items() if purpose.marketing} | {"everything"}
    for key, right in policy.rights.items():
        stops = right.right == "stop marketing" or (right.right == "objection" and marketing & set(right.against))
        if stops and right.limits:
            message = f"`{key}` limits an objection to marketing ({', '.join(right.limits)}); it always counts."
            yield Flaw(("rights", key), message, "Write the limits on a right of its own.")


@by_use
def submitting_said_to_be_consent(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if point.counts_as_consent:
            named = ", ".join(f"`{word}`" for word in point.counts_as_consent)
            message = f"submitting `{key}` is said to be consent to {named}."
            yield Flaw(("collection", key), message, "Offer a box of its own: `offers:`.")


@by_use
def bundled_with_a_form(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        asked = [p for p in point.for_ if policy.purposes[p].basis == "consent" and p not in point.offers]
        if asked and len(point.for_) > 1:
            named = ", ".join(f"`{word}`" for word in asked)
            message = f"`{key}` takes data for {named} together with other purposes, without a box of its own."
            yield Flaw(("collection", key), message, "Name it under `offers`.")


@by_use
def use_said_to_be_consent(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, statement in policy.statements.items():
        if statement.kind == "consent by use":
            message = f"`{key}` takes using the site for agreement; nobody agrees by looking."
            yield Flaw(("statements", key), message, "Call it a notice, and ask where you need consent.")
    if policy.transfers and policy.transfers.agreed_by_use:
        message = "using the site is said to be agreement to transfers abroad."
        yield Flaw(("transfers",), message, "Name a safeguard for each recipient abroad.")


@no_way_out
def marketing_without_opt_out(policy: Policy, context: Context) -> Iterator[Flaw]:
    mailed = {m.for_ for m in policy.messages.values() if m.kind == "promotional"}
    for key, purpose in policy.purposes.items():
        if purpose.marketing and key not in mailed and not purpose.opt_out and not _right_to_stop(policy, key):
            message = f"`{key}` is marketing, and nothing lets people stop it."
            yield Flaw(("purposes", key), message, "Write `opt out: true`, or a right to `stop marketing`.")


@no_way_out
def promotional_mail_without_unsubscribe(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, message in policy.messages.items():
        if message.kind == "promotional" and message.unsubscribe == "none":
            words = f"`{key}` is promotional, and carries no way to unsubscribe."
            yield Flaw(("messages", key), words, "Write `unsubscribe: link`.")


def _right_to_stop(policy: Policy, purpose: str) -> bool:
    return any(
        right.right == "stop marketing" or (right.right == "objection" and {purpose, "everything"} & set(right.against))
        for right in policy.rights.values()
    )


@unstated
def purpose_without_a_basis(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, purpose in policy.purposes.items():
        if purpose.basis == "not stated":
            message = f"nothing says on which legal basis data is used for `{key}`."
            yield Flaw(("purposes", key), message, "Write `basis:`, such as `contract` or `consent`.")
        elif purpose.basis == "legitimate interest" and not purpose.assessment:
            message = f"`{key}` rests on legitimate interest, but no assessment of it is on file."
            yield Flaw(("purposes", key), message, "Write `assessment:` and where it is recorded.", about="interest")
