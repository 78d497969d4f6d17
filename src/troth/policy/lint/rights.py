"""What people can ask for: rights that are missing, that have no deadline, or that are waived."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.law import due
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.lint.wording import texts
from troth.policy.model import Policy, Right

absent = rule(
    "E-17", "Rights are absent or have no deadline", "error", "The law profile supplies them, with its times."
)
waiver = rule("E-20", "Rights or courts are waived", "warning", "It has no effect on any gate, clock or request.")

_AT_LEAST = ("access", "correction", "erasure")
_SAME = {
    "access": {"access", "copy"},
    "portability": {"portability", "copy"},
    "copy": {"copy", "access", "portability"},
}
_ALSO = {"stop marketing": "objection"}
_WAIVES = re.compile(r"\b(own risk|exclusive jurisdiction|waive\w*|no liability|not liable|hold harmless)\b", re.I)


@absent
def rights_that_are_absent(policy: Policy, context: Context) -> Iterator[Flaw]:
    asked = {right.right: law.name for law in context.profiles for right in due(policy, law)}
    named: set[str] = {right.right for right in policy.rights.values()}
    lacking = [right for right in asked or _AT_LEAST if not _granted(policy, right, named)]
    if lacking:
        message = f"these rights of people are not there: {', '.join(lacking)}."
        yield Flaw(("rights",), message, "Write each as an entry of `rights`.")


def _granted(policy: Policy, right: str, named: set[str]) -> bool:
    if _SAME.get(right, {right}) & named:
        return True
    marketing = {key for key, purpose in policy.purposes.items() if purpose.marketing}
    covering = (r for r in policy.rights.values() if r.right == _ALSO.get(right))
    return any(marketing & set(r.against) or "everything" in r.against for r in covering)


@absent
def rights_without_a_deadline(policy: Policy, context: Context) -> Iterator[Flaw]:
    endless = [key for key, right in policy.rights.items() if right.answer_within is None and _waits(right)]
    if endless:
        message = f"nothing says how soon people get an answer: {', '.join(f'`{key}`' for key in endless)}."
        cites = tuple(dict.fromkeys(cite for key in endless for cite in policy.rights[key].cites))
        yield Flaw(("rights", "answer within"), message, "Write `answer within: 30 days`, or less.", cites=cites)


def _waits(right: Right) -> bool:
    """Whether the operator answers: people do the rest themselves in their account, or turn to an authority."""
    return "account" not in right.by and right.right != "complaint"


@waiver
def statement_that_waives(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, statement in policy.statements.items():
        if statement.kind in ("waiver", "disclaimer"):
            message = f"`{key}` is a {statement.kind}; people keep the rights that the law gives them."
            yield Flaw(("statements", key), message, "Say what is protected and how instead.")
    for path, words in texts(policy):
        if path == ("policy",):
            continue
        kind = policy.statements[path[1]].kind if path[0] == "statements" else ""
        if kind not in ("waiver", "disclaimer") and (found := _WAIVES.search(words)):
            yield Flaw(path, f"“{found[0]}” waives what people cannot be made to waive.", "Leave it out.")


@waiver
def exclusive_courts(policy: Policy, context: Context) -> Iterator[Flaw]:
    law = policy.policy.governing_law
    if law and any("exclusive" in words.lower() for words in law.root.values()):
        message = "exclusive courts cannot keep people from the courts of their own country."
        yield Flaw(("policy", "governing law"), message, "Name the law, and leave the courts to it.")
