"""Which law applies, and who must hear of what: laws left out, people whose data came from others, recipients at an erasure."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.law import profile
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy

unnamed_law = rule(
    "E-36", "A law that applies is not named", "warning", "Only the laws that are named supply rights and times."
)
untold = rule(
    "E-37",
    "People whose data came from somebody else are not told",
    "warning",
    "The notice is published, and nobody is written to.",
)
unheard = rule(
    "E-38",
    "Recipients do not hear of a deletion",
    "warning",
    "Recipients are told as far as the clocks and the erasure say `everywhere`.",
)
_AT_HOME = ("eu-gdpr", "uk-gdpr", "tw-pdpa")
_NOT_TOLD = ("public", "authority")


@unnamed_law
def law_of_the_operators_country(policy: Policy, context: Context) -> Iterator[Flaw]:
    country = policy.operator.country
    for law in map(profile, _AT_HOME):
        if country in law.home and not context.under(law.id):
            message = f"the operator is in {country}, and `{law.id}` is not among the laws."
            yield Flaw(("policy", "law"), message, f"Add `{law.id}` to `law`.")


@untold
def people_nobody_tells(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items() if context.profiles else ():
        if point.kind == "import" and point.required + point.optional and not _written_to(policy, point.people):
            message = f"`{key}` brings in data of `{point.people}` from others, and no message tells them."
            hint = "Write a message class of kind `notice` whose purpose concerns them."
            yield Flaw(("collection", key), message, hint)


def _written_to(policy: Policy, kind: str) -> bool:
    notices = [policy.purposes[message.for_] for message in policy.messages.values() if message.kind == "notice"]
    return any(not purpose.people or kind in purpose.people for purpose in notices)


@unheard
def erasure_that_stops_at_the_door(policy: Policy, context: Context) -> Iterator[Flaw]:
    erasure = policy.erasure
    given = [key for key, one in policy.recipients.items() if one.receives and one.role not in _NOT_TOLD]
    if context.profiles and erasure and given and not erasure.everywhere:
        named = ", ".join(f"`{key}`" for key in given[:4])
        message = f"a deletion is not passed on to those who were given the data: {named}."
        yield Flaw(("erasure", "everywhere"), message, "Write `everywhere: true`.")
