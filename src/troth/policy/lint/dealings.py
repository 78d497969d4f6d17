"""What must be open before data is used, and the forms that open it."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy

unopened = rule(
    "E-40",
    "Something must be open that nothing opens",
    "error",
    "The use is refused until staff open one by hand.",
)
_BY_STAFF = frozenset({"case"})
"""begins with a decision of staff, never with a form"""
_OPENS_NOTHING = {
    "account": "opening an account orders nothing",
    "import": "data from others is not something its person asked for",
    "visit": "looking at a page asks for nothing",
}


def kind_of(need: str) -> str:
    """The dealing behind a word of ``needs``: ``open order`` and ``paid order`` are both an order."""
    return need.removeprefix("open ").removeprefix("paid ")


@unopened
def needed_and_opened_nowhere(policy: Policy, context: Context) -> Iterator[Flaw]:
    opened = {point.opens for point in policy.collection.values()} | _BY_STAFF
    entries = [("purposes", key, one.needs) for key, one in policy.purposes.items()]
    entries += [("recipients", key, one.needs) for key, one in policy.recipients.items()]
    for section, key, needs in entries:
        if needs and not {kind_of(need) for need in needs} & opened:
            message = f"`{key}` needs {_either(needs)}, and no form opens one."
            hint = f"Write `opens: {kind_of(needs[0])}` at the form where it begins."
            yield Flaw((section, key), message, hint, "warning")


@unopened
def taken_in_for_no_use(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if point.kind not in ("form", "event") or not point.for_ or not (point.required or point.optional):
            continue
        here = {point.opens, *(kind_of(need) for need in point.needs)}
        needs = [policy.purposes[purpose].needs for purpose in point.for_]
        if all(some and not {kind_of(need) for need in some} & here for some in needs):
            first = next(iter(needs[0]))
            message = f"nothing that `{key}` is for can be done: `{point.for_[0]}` needs {_either(needs[0])}, which"
            hint = f"Write `opens: {kind_of(first)}`, or another word for what it begins; else `needs: {first}`."
            yield Flaw(("collection", key), f"{message} this form does not open.", hint)


@unopened
def opened_by_what_asks_for_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if point.opens != "none" and point.kind in _OPENS_NOTHING:
            message = f"`{key}` opens {_a(point.opens)}, but {_OPENS_NOTHING[point.kind]}."
            yield Flaw(("collection", key, "opens"), message, "Leave `opens` out, and write it at the form that does.")


@unopened
def supplement_of_nobody(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if point.needs and not point.members_only:
            message = f"`{key}` adds to {_either(point.needs)} of somebody who is not logged in, so nobody is known."
            yield Flaw(("collection", key, "needs"), message, "Write `members only: true`.")


def _either(needs: tuple[str, ...]) -> str:
    return " or ".join(_a(need) for need in needs)


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
