"""Messages: advertising under another name, and advertising to people who never agreed and never bought."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy, Purpose

unwanted = rule(
    "E-29",
    "Advertising under another name, or to people who never agreed",
    "error",
    "What is sent for marketing counts as promotional, and what rests on consent waits for it, whatever its class says.",
)
_SERVED = ("contract", "not stated")
_NOT_FOR_MARKETING = ("contract", "legal obligation", "vital interests", "public task")


@unwanted
def advertising_under_another_class(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, message in policy.messages.items():
        marketing = policy.purposes[message.for_].marketing
        if marketing and message.kind != "promotional":
            says = f"`{key}` is sent for `{message.for_}`, which is marketing, as a {message.kind} message."
            yield Flaw(("messages", key, "kind"), says, "Write `kind: promotional` and how people unsubscribe.")
        elif not marketing and message.kind == "promotional":
            says = (
                f"`{key}` is promotional, and `{message.for_}` is not called marketing, so no right to stop reaches it."
            )
            yield Flaw(("messages", key, "for"), says, f"Write `marketing: true` for `{message.for_}`.")


@unwanted
def marketing_on_a_basis_that_cannot_carry_it(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, purpose in policy.purposes.items():
        if context.european and purpose.marketing and purpose.basis in _NOT_FOR_MARKETING:
            message = (
                f"`{key}` is marketing, and nobody needs it for {purpose.basis.replace('contract', 'a contract')}."
            )
            yield Flaw(("purposes", key, "basis"), message, "Write `basis: consent`.")


@unwanted
def advertising_to_strangers(policy: Policy, context: Context) -> Iterator[Flaw]:
    """Without consent, only people who bought something may be written to (the soft opt-in)."""
    for key, message in policy.messages.items():
        purpose = policy.purposes[message.for_]
        strangers = _strangers(policy, purpose) if context.european and message.kind == "promotional" else []
        if strangers and purpose.basis == "legitimate interest" and message.when != "elected":
            named = ", ".join(f"`{kind}`" for kind in strangers)
            says = f"`{key}` advertises to {named}, who neither agreed to it nor bought anything."
            yield Flaw(("messages", key), says, "Write `when: elected` and `basis: consent`, or narrow its `people`.")


def _strangers(policy: Policy, purpose: Purpose) -> list[str]:
    """The kinds of people that ``purpose`` concerns and with whom no collection point serves a contract."""
    met = dict.fromkeys(point.people for point in policy.collection.values() if point.kind != "visit")
    bought = {
        point.people
        for point in policy.collection.values()
        if point.kind != "import" and any(policy.purposes[word].basis in _SERVED for word in point.for_)
    }
    return [kind for kind in met if kind not in bought and (not purpose.people or kind in purpose.people)]
