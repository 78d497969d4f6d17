"""Data that is given away for something in return, and processors without a contract."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.law import processors_need_an_agreement
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy
from troth.policy.rules import PAID, sold_with_consent

sold = rule(
    "E-31",
    "Data is sold, and people did not agree or cannot refuse",
    "error",
    "Nothing is given away for something in return unless the person agreed to that recipient.",
)
unbound = rule(
    "E-32",
    "A processor that no agreement binds",
    "error",
    "It is given nothing until the agreement is named, where a law asks for one.",
)


@sold
def sold_without_a_choice(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        if recipient.consideration not in PAID or not recipient.receives:
            continue
        if recipient.role == "processor":
            message = (
                f"`{key}` is called a processor, and gives {recipient.consideration} for the data: that is a buyer."
            )
            yield Flaw(("recipients", key, "role"), message, "Write `role: partner`, or `consideration: none`.")
        if not sold_with_consent(recipient):
            message = f"`{key}` gets data for {recipient.consideration}, and nobody agrees to that."
            hint = "Write `consent: itself` and offer it at a form, or `consideration: none`."
            yield Flaw(("recipients", key, "consideration"), message, hint)


@sold
def sold_without_a_way_to_refuse(policy: Policy, context: Context) -> Iterator[Flaw]:
    refused = {word for right in policy.rights.values() for word in right.against}
    for key, recipient in policy.recipients.items() if context.under("us-ca") else ():
        paid = recipient.consideration in PAID and bool(recipient.receives)
        if paid and not refused & {key, "everything"}:
            message = f"data is sold to `{key}`, and no right says that people can refuse the sale."
            hint = f"Write a right to object with `against: [{key}]`; it is the “Do Not Sell or Share” of California."
            yield Flaw(("recipients", key), message, hint, about="opt out")


@sold
def sold_consent_nobody_can_give(policy: Policy, context: Context) -> Iterator[Flaw]:
    offered = {word for point in policy.collection.values() for word in point.offers}
    for key, recipient in policy.recipients.items():
        if (
            recipient.consideration in PAID
            and recipient.receives
            and sold_with_consent(recipient)
            and key not in offered
        ):
            message = f"the sale to `{key}` waits for consent to it, and no form asks for that."
            yield Flaw(("recipients", key, "consent"), message, f"Write `offers: [{key}]` at a form.")


@unbound
def processor_without_an_agreement(policy: Policy, context: Context) -> Iterator[Flaw]:
    if not processors_need_an_agreement(policy):
        return
    for key, recipient in policy.recipients.items():
        if recipient.role == "processor" and recipient.receives and not recipient.agreement:
            message = f"`{key}` works with the data on your behalf, and no agreement binds it."
            yield Flaw(
                ("recipients", key, "agreement"), message, "Write `agreement:` and the reference of the contract."
            )
