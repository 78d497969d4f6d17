"""Special categories and criminal records: used without a condition, given away without one, or kept in the open."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy
from troth.policy.special import is_criminal, special_in

unconditional = rule(
    "E-30",
    "Special categories of data without a condition for using them",
    "error",
    "Nobody may read or receive them for a purpose without a condition.",
)
_NOT_FOR_MARKETING = "explicit consent"


@unconditional
def used_without_a_condition(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, purpose in policy.purposes.items():
        special = special_in(policy, purpose.uses)
        if special and not purpose.special:
            message = (
                f"`{key}` uses {_listed(special)}, which the law protects more strictly, and names no condition for it."
            )
            about = "criminal" if all(is_criminal(policy.data[name]) for name in special) else ""
            hint = "Write `special: explicit consent`, or another condition that holds."
            yield Flaw(("purposes", key), message, hint, about=about)
        elif special and purpose.marketing and purpose.special != _NOT_FOR_MARKETING:
            message = f"`{key}` is marketing with {_listed(special)}; only an express yes allows that."
            yield Flaw(
                ("purposes", key, "special"), message, "Write `special: explicit consent`, or leave the data out."
            )
        elif purpose.special and not special:
            message = f"`{key}` names a condition for special categories, and uses none."
            yield Flaw(("purposes", key, "special"), message, "Leave it out, or name the data in `uses`.", "warning")


@unconditional
def given_without_a_condition(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        bare = [purpose for purpose in recipient.for_ if not policy.purposes[purpose].special]
        said = {name for purpose in bare for name in policy.purposes[purpose].uses}
        special = [name for name in special_in(policy, recipient.receives) if name not in said]
        if special and bare and len(bare) == len(recipient.for_):
            message = f"`{key}` receives {_listed(special)} for {_listed(bare)}, which names no condition for it."
            yield Flaw(
                ("recipients", key, "receives"), message, "Name a purpose with a condition, or leave the data out."
            )


@unconditional
def kept_in_the_open(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key in special_in(policy, policy.data):
        if policy.data[key].protect == "plain":
            message = f"`{key}` is protected more strictly by law, and kept unsealed."
            yield Flaw(("data", key, "protect"), message, "Write `protect: sealed`.", about="sealed")


def _listed(words: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
