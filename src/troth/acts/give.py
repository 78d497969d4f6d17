"""Acts towards recipients: giving through the gate, handing over by hand, and noting that a silent one has deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from troth.acts.arguments import Argument
from troth.acts.model import Act, Declined, Doing, Result
from troth.acts.shared import asker, by, fields, purposes, recipients, somebody, word
from troth.errors import InvalidInput
from troth.policy.acts import LEGAL
from troth.policy.compile import Compiled
from troth.recipients import gate, instructions
from troth.recipients.gate import Case

_PERSON = Argument("person", "person", "the id of the person")
_RECIPIENT = word("recipient", "who is to have it", recipients)
_ERASED = Argument("person", "person", "only what is about this person, who may be erased by now", False)
_NAMED = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""whom a legal case names: a word, as recipients of a policy have, since it stands on the ledger"""
_ENDING = Argument("ending", "id", "only what was told with this ending or choice", False)


def _grounds(compiled: Compiled) -> Iterator[str]:
    """The legal grounds on which the policy lets data be given."""
    yield from (key for key, one in compiled.policy.legal.items() if one.act == "disclose")


def _disclosed(doing: Doing) -> Result | Declined:
    recipient, purpose = doing.text("recipient"), doing.text("purpose")
    case = Case(doing.text("case"), doing.text("ground"), doing.given.get("record", {}))
    named = doing.given.get("fields") or doing.compiled.policy.recipients[recipient].receives
    return _given(doing, recipient, named, purpose, case)


def _disclosed_in_case(doing: Doing) -> Result | Declined:
    recipient, ground = doing.text("recipient"), doing.text("ground")
    if not _NAMED.fullmatch(recipient):
        said = "Begin with a small letter; then small letters, digits, - and _, such as `district-court`."
        raise InvalidInput("Nothing was done.", {"recipient": said})
    case = Case(ground=ground, record=doing.given.get("record", {}))
    return _given(doing, recipient, doing.given["fields"], f"{LEGAL}{ground}", case)


def _given(doing: Doing, recipient: str, named: Sequence[str], purpose: str, case: Case) -> Result | Declined:
    person_id, who = somebody(doing), asker(doing)
    came = gate.disclose_in(doing.site, doing.conn, person_id, recipient, named, purpose, case=case, by=who)
    if isinstance(came, str):
        return {"person": person_id, "disclosure": came}
    return Declined(f"This may not be given to `{recipient}`.", came.reason, came.because)


def _handed_over(doing: Doing) -> Result | Declined:
    values = gate.hand_over_in(doing.site, doing.conn, doing.text("disclosure"), asker(doing))
    return Declined(*gate.NOTHING_WAITS) if values is None else {"data": dict(values)}


def _acknowledged(doing: Doing) -> Result:
    recipient, person_id, ending = doing.text("recipient"), doing.text("person"), doing.text("ending")
    if not person_id and not ending:
        raise InvalidInput("Nothing was done.", {"person": "Name a person or an ending."})
    waiting = [
        one
        for one in instructions.unanswered(doing.conn, person_id or None)
        if one.recipient == recipient and ending in ("", one.ending_id)
    ]
    if not waiting:
        raise InvalidInput("Nothing was done.", {"recipient": "It has nothing to acknowledge here."})
    for cause in dict.fromkeys(one.ending_id for one in waiting):
        people = [one.person_id for one in waiting if one.ending_id == cause]
        instructions.acknowledge_in(doing.site, doing.conn, cause, recipient, people, by(doing))
    return {"acknowledged": len(waiting)}


ACTS = (
    Act(
        "disclose",
        "Give data about somebody to a recipient, as far as the policy promises. It is decided again when it leaves.",
        "disclose",
        (
            _PERSON,
            _RECIPIENT,
            word("purpose", "what for", purposes),
            Argument("fields", "words", "which data; all that the recipient receives when left out", False, fields),
            Argument("case", "reference", "the number of the open order, request or ticket it is for", False),
            word("ground", "a legal ground of the policy", _grounds, False),
            Argument(
                "record", "record", "what the legal ground needs on record, such as `reference` and `approver`", False
            ),
        ),
        _disclosed,
        ("422: unknown or erased person", "403: the policy, a choice or a suspension does not allow it"),
    ),
    Act(
        "disclose-in-case",
        "Give data about somebody to a court, an authority or whoever else a legal case names, on a ground of the policy and "
        "with all on record that the ground needs. It waits to be handed over, and is decided again then.",
        "disclose",
        (
            _PERSON,
            word("ground", "the legal ground of the policy", _grounds),
            Argument("recipient", "reference", "who is to have it, such as `district-court`: no person's name"),
            Argument("fields", "words", "which data", True, fields),
            Argument(
                "record",
                "record",
                "what the ground needs on record, such as `reference` and `approver`; `persons of the case` are ids",
                False,
            ),
        ),
        _disclosed_in_case,
        (
            "422: unknown or erased person",
            "403: the ground lacks something on record, or the policy forbids it all the same",
        ),
        lead_only=True,
    ),
    Act(
        "hand-over",
        "Show the data of a disclosure that waits for staff, once, and note that the recipient has it.",
        "disclose",
        (Argument("disclosure", "id", "the id of the disclosure"),),
        _handed_over,
        ("403: it was given already, taken back, or is no longer allowed",),
        private=frozenset({"data"}),
    ),
    Act(
        "acknowledge-deletion",
        "Note that a recipient which has no system of its own has deleted what it was told to: the erasure "
        "that waits for it can complete.",
        "delete",
        (_RECIPIENT, _ERASED, _ENDING),
        _acknowledged,
        ("422: the recipient has nothing to acknowledge",),
    ),
)
