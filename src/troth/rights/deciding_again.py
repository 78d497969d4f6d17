"""Reviews of automated decisions: a person looks at what a machine decided, says whether it stands, and why (GDPR Art. 22(3)).

What could go wrong: a review that a program answers; one that ends in polite words and no decision; one that nobody can tie to
what was decided. So it waits for a member of staff, ends only with *changed* or *stands* and a reason that the person is told,
and its record names the decisions it is about.
"""

from __future__ import annotations

from troth.errors import InvalidInput, Refused
from troth.policy.kinds.automated_decisions import decisions_of, reviewed
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker
from troth.rights import replies
from troth.rights.cases import OPEN, STAFF, Case
from troth.rights.intake import authority
from troth.rights.rules import DECISION, REVIEW


def labels(policy: Policy, speaker: Speaker) -> dict[str, str]:
    """What people call each decision that can be reviewed, by the word of the record."""
    return {f"{DECISION}{key}": speaker.text(decisions_of(policy)[key].label) for key in reviewed(policy)}


def carry_out(case: Case) -> Case:
    """Leave it to a person, and say so."""
    known = labels(case.compiled.policy, case.speaker)
    what = case.speaker.every(known[one] for one in case.row.about if one in known)
    due = case.day(case.row.due_at)
    replies.queue(case.site, case.conn, case.id, "to_be_reviewed", "to-be-reviewed", what=what, due=due)
    return case.waits(OPEN, STAFF, case.row.due_at)


def decide(case: Case, *, changed: bool, reason: str, by: str) -> Case:
    """End a review: the decision was changed, or it stands, for a reason that the person is told.

    Raises:
        InvalidInput: without a reason.
        Refused: when it is no review, or nobody has shown that it is theirs.
    """
    if not reason.strip():
        raise InvalidInput("A review ends with a reason, which the person is told.", {"reason": "is missing"})
    if case.row.right != REVIEW or case.row.verified_at is None:
        raise Refused("There is no review to decide.", "It must have been asked for, by somebody who was verified.")
    outcome = "changed" if changed else "stands"
    step = case.note(f"decision {outcome}", by, reason)
    complain = authority(case)
    replies.queue(case.site, case.conn, case.id, f"decision_{outcome}", "decided-again", step=step, authority=complain)
    return case.close(outcome, by)
