"""What is there although an absolute rules it out, and nobody asked the policy: disclosures, holdings and visits."""

from __future__ import annotations

from troth.errors import Unverifiable
from troth.people.proofs import Group, groups
from troth.policy.assurances import Absolute
from troth.policy.model import Policy
from troth.policy.prohibitions import concerned
from troth.proof import Proving, Some
from troth.recipients.proofs import asked, asked_again, disclosures
from troth.visits.proofs import looked_at


def gives(entry: Absolute) -> bool:
    """Whether it speaks of giving data away."""
    return "disclose" in (entry.never, entry.only) or entry.never == "sell"


def looks_at_what_is_held(entry: Absolute) -> bool:
    """Whether what is held shows that the absolute was not kept: nothing lifts it, and it is not about all data there is."""
    narrow = bool(set(entry.what) - {"everything"} or entry.for_)
    return not entry.unless and (entry.only == "collect" or (entry.never in {"store", "collect"} and narrow))


def unasked_of(proving: Proving, entry: Absolute) -> Some:
    """Disclosures or holdings of the kind that the absolute speaks of which were never decided."""
    policy, what = proving.compiled.policy, set(entry.what) - {"everything"}
    if gives(entry):
        about = (
            row for row in proving.once(disclosures) if not what & set(policy.data) or what & set(row.fields.split())
        )
        return Some(sum(not (asked(proving, row) and asked_again(proving, row)) for row in about), "disclosure")
    if not looks_at_what_is_held(entry):
        return Some(0, "record")
    people, data = what & set(policy.people), what & set(policy.data)
    there = (one for one in proving.once(groups) if (not data or data & one.names) and _rules_out(policy, entry, one))
    return Some(sum(one.number for one in there if not people or _about(policy, one) in people), "record")


def in_visits(proving: Proving, entry: Absolute) -> Some:
    """Those of the newest visits of each day that hold what is never collected, or that are recorded where none may be.

    One that does not open is another promise's: it says nothing of what it holds.
    """
    if not looks_at_what_is_held(entry) or ("visits" in entry.for_) != bool(entry.never and entry.for_):
        return Some(0, "visit")
    about = concerned(proving.compiled.policy, entry)
    try:
        found = proving.once(looked_at)
    except Unverifiable:
        return Some(0, "visit")
    return Some(sum(about is None or not about.isdisjoint(one.fields) for one in found), "visit")


def _rules_out(policy: Policy, entry: Absolute, one: Group) -> bool:
    """Whether the absolute rules out the point where ``one`` came in."""
    points = policy.collection.items()
    named = one.point in {key for key, point in points if {key, point.source} & set(entry.for_)}
    return named if entry.never and entry.for_ else not named


def _about(policy: Policy, one: Group) -> str:
    return policy.collection[one.point].people if one.point in policy.collection else ""
