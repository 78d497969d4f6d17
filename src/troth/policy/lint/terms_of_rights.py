"""Rights as the law has them: no smaller, no slower, no harder to use, and no door for strangers."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.clocks import REQUEST_LOG
from troth.policy.law import Profile
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy
from troth.policy.periods import Period

smaller = rule(
    "E-33",
    "A right that is smaller, harder to use or easier to abuse than the law has it",
    "error",
    "The law's right holds beside the policy's; nothing is handed over before somebody has shown who they are.",
)
slower = rule("E-34", "A time that is longer, or shorter, than the law's", "error", "The law's time counts.")
_OF_ONE_PERSON = ("access", "copy", "portability", "correction", "erasure", "restriction")
_NO_OBJECTION = ("contract", "legal obligation", "vital interests")
_SAME = {"copy": "access"}
_KEEP_REQUESTS = "keep records of requests"


@smaller
def right_without_a_way(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items():
        if not right.by and right.right != "complaint":
            message = f"nothing says how people use `{key}`."
            yield Flaw(("rights", key, "by"), message, "Write `by: [web, e-mail]`, or the ways there are.", "warning")


@smaller
def right_for_members_only(policy: Policy, context: Context) -> Iterator[Flaw]:
    outside = _without_an_account(policy) if context.european else []
    ways = _ways(policy)
    for key, right in policy.rights.items():
        if outside and right.right in _OF_ONE_PERSON and ways[right.right] == {"account"}:
            named = ", ".join(f"`{kind}`" for kind in outside)
            message = f"`{key}` can be used in an account only, and {named} have none."
            yield Flaw(("rights", key, "by"), message, "Add `web` or `e-mail` to `by`.", about="ways")


def _ways(policy: Policy) -> dict[str, set[str]]:
    """All ways in which each right can be used, whatever entries it has."""
    ways: dict[str, set[str]] = {}
    for right in policy.rights.values():
        ways.setdefault(right.right, set()).update(right.by)
    return ways


def _without_an_account(policy: Policy) -> list[str]:
    forms = [point for point in policy.collection.values() if point.kind != "visit"]
    members = {point.people for point in forms if point.kind == "account" or point.members_only}
    return [kind for kind in dict.fromkeys(point.people for point in forms) if kind not in members]


@smaller
def one_way_where_two_are_due(policy: Policy, context: Context) -> Iterator[Flaw]:
    ways = _ways(policy)
    for key, right in policy.rights.items() if context.under("us-ca") else ():
        there = ways[right.right]
        if right.right in ("access", "correction", "erasure") and len(there) == 1 and "e-mail" not in there:
            message = f"`{key}` can be used in one way only ({right.by[0]}); California asks for two, or for e-mail."
            yield Flaw(("rights", key, "by"), message, "Add `e-mail` to `by`.", "warning", about="two ways")


@smaller
def strangers_could_use_it(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items():
        if right.right in _OF_ONE_PERSON and not right.verify and set(right.by) != {"account"}:
            message = (
                f"`{key}` asks nobody who they are: whoever knows an address could use it on somebody else's data."
            )
            yield Flaw(("rights", key, "verify"), message, "Leave out `verify: false`.", about="identity")


@smaller
def objection_to_what_cannot_be_objected_to(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items() if context.european else ():
        named = [word for word in right.against if word in policy.purposes] if right.right == "objection" else []
        wrong = [word for word in named if policy.purposes[word].basis in _NO_OBJECTION]
        if wrong:
            bases = ", ".join(f"`{word}` rests on {policy.purposes[word].basis}" for word in wrong)
            message = f"`{key}` promises to stop on objection what you cannot stop: {bases}."
            yield Flaw(("rights", key, "against"), message, "Leave it out of `against`.", "warning", about="objection")


@smaller
def interest_that_nobody_can_object_to(policy: Policy, context: Context) -> Iterator[Flaw]:
    objections = [key for key, right in policy.rights.items() if right.right == "objection"]
    if not context.european or not objections or not all(policy.rights[key].against for key in objections):
        return
    covered = {word for right in policy.rights.values() for word in right.against}
    left = [k for k, purpose in policy.purposes.items() if purpose.basis == "legitimate interest" and k not in covered]
    if left and "everything" not in covered:
        named = ", ".join(f"`{purpose}`" for purpose in left)
        message = f"the right to object leaves out what rests on legitimate interest: {named}."
        hint = "Name it in `against` of an objection; a blank `against` means all of them."
        yield Flaw(("rights", objections[0], "against"), message, hint, about="objection")


@smaller
def transfers_without_the_objection(policy: Policy, context: Context) -> Iterator[Flaw]:
    named = {word for right in policy.rights.values() if right.right == "objection" for word in right.against}
    if policy.transfers and policy.transfers.objection and not named & {"transfers", "everything"}:
        message = "people may object to transfers, and no right says so."
        yield Flaw(
            ("transfers", "objection"), message, "Write a right to object with `against: [transfers]`.", "warning"
        )


@slower
def answer_after_the_law_says(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items():
        due = _soonest(context, right.right)
        if due and right.answer_within and right.answer_within > due[0]:
            message = f"`{key}` is answered within {right.answer_within}; {due[1]} says {due[0]}."
            yield Flaw(("rights", key, "answer within"), message, f"Write `answer within: {due[0]}`, or less.")


@slower
def destroyed_after_the_law_says(policy: Policy, context: Context) -> Iterator[Flaw]:
    due, erasure = _soonest(context, "erasure"), policy.erasure
    if due and erasure and erasure.destroy_within and erasure.destroy_within > due[0]:
        message = f"who asks for deletion waits {erasure.destroy_within}; {due[1]} says {due[0]}."
        yield Flaw(("erasure", "destroy within"), message, f"Write `destroy within: {due[0]}`, or less.")


def _soonest(context: Context, right: str) -> tuple[Period, str] | None:
    """The shortest time that a law of the policy gives for ``right``, and where it says so."""
    found = [item for law in context.profiles if (item := _within(law, right))]
    return min(found, default=None)


def _within(law: Profile, right: str) -> tuple[Period, str] | None:
    named = {item.right: item for item in law.rights if item.within}
    item = named.get(right) or named.get(_SAME.get(right, ""))
    return (item.within, item.source) if item and item.within else None


@slower
def requests_forgotten_too_soon(policy: Policy, context: Context) -> Iterator[Flaw]:
    log = policy.request_log
    for law in context.profiles:
        for duty in law.duties:
            if duty.what == _KEEP_REQUESTS and log and log.keep and log.keep < duty.within:
                message = f"requests are logged for {log.keep}; {duty.source} asks for {duty.within}."
                hint = "Write `keep: 2 years`, without names if they are not needed."
                yield Flaw((REQUEST_LOG, "keep"), message, hint, "warning", about="records")
