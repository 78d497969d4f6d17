"""What a walk of the made-up person shows of a promise, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from troth.policy.model import Policy
from troth.proof import Proof, Proving, Words


def walked(proving: Proving, step: str, limit: str) -> Proof | None:
    """What came of the walk of the made-up person for ``step``; None when there was none."""
    canary = proving.canary
    if step not in canary.steps:
        return None
    age = proving.now - canary.at if canary.at else timedelta(0)
    evidence, done = _said(proving, step, age)
    if step in canary.failed:
        return Proof("broken", "canary", limit, proving.say(canary.failed[step]), evidence)
    return Proof("kept", "canary", limit, done, evidence)


def together(proving: Proving, one: Proof, two: Proof) -> Proof:
    """The first with what the second measured as well."""
    measured = proving.say("{one}; {two}", one=one.measured, two=two.measured)
    return replace(one, measured=measured, evidence=proving.say("{one}; {two}", one=one.evidence, two=two.evidence))


def _said(proving: Proving, step: str, age: timedelta) -> tuple[Words, Words]:
    """How a step was looked at, and what it is called that it held."""
    sort = _sort(proving.compiled.policy, step)
    return proving.say(_HOW_SAID[sort], age=age), proving.say(_WHAT_SAID[sort])


def _sort(policy: Policy, step: str) -> str:
    section, _, key = step.partition(".")
    if step.endswith(".consent"):
        return "consent"
    if section == "security" and policy.security[key].check == "tls":
        return "tls"
    if section == "rights" and policy.rights[key].right == "complaint":
        return "authority"
    return section if section in _HOW_SAID else "rights"


_HOW_SAID = {
    "tls": "looked at from outside {age} ago",
    "security": "tried at the site's own pages {age} ago",
    "cookies": "tried at the site's own pages {age} ago",
    "consent": "tried at the site's own pages {age} ago",
    "purposes": "tried at the site's own pages {age} ago",
    "messages": "a made-up person used the link {age} ago",
    "authority": "the notice, as a reader was shown it {age} ago",
    "rights": "a made-up person asked for it {age} ago, at the doors that people use",
}
_WHAT_SAID = {
    "tls": "found as said",
    "security": "found as said",
    "cookies": "set when somebody logs in, and by no other page of ours",
    "consent": "nothing was ticked, silence was no yes, and a yes was taken back at once",
    "purposes": "a no counted at once",
    "messages": "the link below it stops it at once",
    "authority": "the notice names whom to complain to",
    "rights": "done as asked",
}
