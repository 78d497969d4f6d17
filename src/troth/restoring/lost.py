"""What the ledger says happened since a backup and nothing of it is done again: lost and counted, or of no consequence.

What could go wrong: a new event is forgotten, and what it stands for is silently undone by a restore. So each event of the
registry is done again (``replay``), counted here, or listed here with the reason why nothing is to be done; a test asks for
every one of them. When in doubt an event is counted: staff then learn of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger import events

LOST = (
    *(events.PERSON_ADMITTED, events.PERSON_CORRECTED, events.PERSON_MERGED),
    *(events.HOLDING_COLLECTED, events.HOLDING_IMPORTED, events.EVENT_REPORTED, events.EVENT_RETRACTED),
    *(events.DEALING_OPENED, events.DEALING_CLOSED, events.DEALING_CHANGED),
    *(events.REQUEST_RECEIVED, events.REQUEST_VERIFIED, events.REQUEST_REFUSED, events.REQUEST_EXTENDED),
    *(events.REQUEST_ANSWERED, events.REQUEST_CLOSED, events.POLICY_PUBLISHED, events.HOLD_MADE, events.HOLD_RELEASED),
    *(events.DISCLOSURE_QUEUED, events.MESSAGE_QUEUED),
    *(events.STAFF_ADDED, events.TOKEN_MADE),
    *(events.ACCOUNT_REGISTERED, events.ACCOUNT_CONFIRMED, events.ACCOUNT_CHANGED, events.ACCOUNT_MOVED),
    *(events.BREACH_RECORDED, events.BREACH_TOLD, events.PROOF_ATTESTED, events.SYSTEM_CONNECTED),
)
"""what the ledger says happened since and cannot say what was in it"""

_ONLY_TOLD = "It changes no row: it says that something was asked or looked at, and the ledger keeps it."
_TURNED_AWAY = "Nothing was taken in or given away, so nothing is to be done again."
_AGAIN_BY_ITSELF = "The worker does it again in the copy, as soon as it is due."
_OF_THE_RECORD = "It is about the ledger, the backups or the store itself; the entry is carried over."
_OTHERWISE_ENTERED = "What it did has an event of its own, which is done again or counted."

NEEDS_NOTHING: Mapping[str, str] = {
    events.PERSON_READ: _ONLY_TOLD,
    events.PERSON_FOUND: _ONLY_TOLD,
    events.COUNT_MADE: _ONLY_TOLD,
    events.DISCLOSURE_SHOWN: _ONLY_TOLD,
    events.DECISION_MADE: _ONLY_TOLD,
    events.DECISION_REFUSED: _ONLY_TOLD,
    events.SYSTEM_FAILED: _ONLY_TOLD,
    events.PROOF_MADE: _ONLY_TOLD,
    events.CANARY_SEARCHED: _ONLY_TOLD,
    events.LOGIN_ENDED: "Every session in the copy ends.",
    events.LOGIN_FAILED: "A try counts for a quarter of an hour, and is forgotten after a day in any case.",
    events.READ_REFUSED: _TURNED_AWAY,
    events.COUNT_REFUSED: _TURNED_AWAY,
    events.COLLECTION_REFUSED: _TURNED_AWAY,
    events.DISCLOSURE_REFUSED: _TURNED_AWAY,
    events.VISIT_REFUSED: _TURNED_AWAY,
    events.COOKIE_REFUSED: _TURNED_AWAY,
    events.HOLD_REFUSED: _TURNED_AWAY,
    events.POLICY_TOLD: _AGAIN_BY_ITSELF,
    events.VISIT_SWEPT: _AGAIN_BY_ITSELF,
    events.CLOCK_SWEPT: _AGAIN_BY_ITSELF,
    events.REQUEST_SWEPT: _AGAIN_BY_ITSELF,
    events.HOLD_PROLONGED: _AGAIN_BY_ITSELF,
    events.HOLD_ENDED: _AGAIN_BY_ITSELF,
    events.ALARM_RAISED: _AGAIN_BY_ITSELF,
    events.ALARM_ENDED: _AGAIN_BY_ITSELF,
    events.ENDING_COMPLETE: _AGAIN_BY_ITSELF,
    events.INSTRUCTION_SENT: "An ending that is done again tells the recipients that the copy knows of.",
    events.DISCLOSURE_MADE: "Its delivery was queued before, which is counted, and is marked as made once it arrived.",
    events.RELATIONSHIP_ENDED: "It follows from dealings, whose ends are counted.",
    events.RELATIONSHIP_REOPENED: "It follows from dealings, which are counted.",
    events.KEY_MADE: "The keys of people come with whoever was admitted, which is counted.",
    events.KEY_DESTROYED: "Keys go with the ending that destroys a person, which is done again.",
    events.KEY_ROTATED: "The site's keys lie in no store; the former ones stay beside the new one, and open what is older.",
    events.ACT_DONE: _OTHERWISE_ENTERED,
    events.LEDGER_RESTORED: _OF_THE_RECORD,
    events.LEDGER_WITNESSED: _OF_THE_RECORD,
    events.LEDGER_REPLAYED: _OF_THE_RECORD,
    events.BACKUP_MADE: _OF_THE_RECORD,
    events.BACKUP_DRILLED: _OF_THE_RECORD,
    events.STORE_RESTORED: _OF_THE_RECORD,
    events.STORE_RELEASED: "The copy keeps quiet until somebody releases it anew.",
    events.STORE_SUMMED: _OF_THE_RECORD,
    events.STORE_ACCEPTED: _OF_THE_RECORD,
    events.STORE_MARKED: _OF_THE_RECORD,
}
"""events of which nothing is lost by a restore, each with the reason"""
