"""Every event the ledger knows, in one file, each with what it says happened.

An event that is not here cannot be written. ``EVENTS`` maps each name to its sentence, for the console and the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_sentences: dict[str, str] = {}
EVENTS: Mapping[str, str] = MappingProxyType(_sentences)


def _event(name: str, sentence: str) -> str:
    _sentences[name] = sentence
    return name


POLICY_PUBLISHED = _event("policy:published", "A version of the policy was published, to take effect at an instant.")
POLICY_POSTED = _event("policy:posted", "A page said for the first time that a version of the policy comes.")
POLICY_TOLD = _event(
    "policy:told", "Everybody there was looked through, to be written to about a change of the policy."
)
POLICY_TAKEN_BACK = _event("policy:retracted", "A version that had not taken effect was taken back; it never will.")

PERSON_ADMITTED = _event("person:admitted", "A person became known and received a key.")
PERSON_READ = _event("person:read", "Fields of a person were opened for a purpose.")
PERSON_CORRECTED = _event("person:corrected", "Fields of a person were corrected.")
PERSON_MERGED = _event("person:merged", "Two records were found to be one person.")
READ_REFUSED = _event("read:refused", "Fields were asked for and the policy did not allow to open them.")
COUNT_MADE = _event("count:made", "People or visits were counted for a statistic; only figures came out.")
COUNT_REFUSED = _event("count:refused", "A count was asked for and the policy did not allow it.")

HOLDING_COLLECTED = _event("holding:collected", "A submission was taken in at a collection point.")
HOLDING_IMPORTED = _event("holding:imported", "Data about people was taken over from a named source.")
COLLECTION_REFUSED = _event("collection:refused", "A submission was turned away; nothing of it was kept.")

CONSENT_GIVEN = _event("consent:given", "A person agreed to a purpose or a recipient.")
CONSENT_REFUSED = _event("consent:refused", "A person was asked and did not agree.")
CONSENT_WITHDRAWN = _event("consent:withdrawn", "A person took an agreement back.")
CONSENT_EXPIRED = _event("consent:expired", "An agreement ran out.")
OBJECTION_MADE = _event("objection:made", "A person objected to a purpose or a recipient.")
OBJECTION_LIFTED = _event("objection:lifted", "A person took an objection back.")

STOP_MADE = _event(
    "stop:made", "The operator stopped a purpose or a recipient for everybody, or for one origin of data."
)
STOP_LIFTED = _event("stop:lifted", "The operator lifted a stop.")

DISCLOSURE_MADE = _event("disclosure:made", "Fields were given to a recipient.")
DISCLOSURE_QUEUED = _event("disclosure:queued", "A delivery to a recipient was allowed and handed to the agenda.")
DISCLOSURE_DELIVERED = _event("disclosure:delivered", "A recipient's system took a delivery.")
DISCLOSURE_REFUSED = _event("disclosure:refused", "Fields were to be given away and the policy did not allow it.")
DISCLOSURE_SHOWN = _event("disclosure:shown", "What a person shows in public was shown to somebody who looked.")
INSTRUCTION_SENT = _event("instruction:sent", "A recipient was told to delete or correct what it had received.")
INSTRUCTION_ACKNOWLEDGED = _event("instruction:acknowledged", "A recipient confirmed that it did what it was told.")

MESSAGE_QUEUED = _event("message:queued", "A message to a person was allowed and handed to the agenda.")
MESSAGE_SENT = _event("message:sent", "A message to a person was handed to the mail server.")
MESSAGE_REFUSED = _event("message:refused", "A message was not sent because the policy or a choice does not allow it.")
MESSAGE_FAILED = _event("message:failed", "A message could not be handed over.")

DEALING_OPENED = _event("dealing:opened", "An order, enquiry, ticket or other dealing with a person began.")
DEALING_CLOSED = _event("dealing:closed", "A dealing with a person was closed.")
DEALING_CHANGED = _event("dealing:changed", "The day on which the warranty of an order ends was set or taken away.")
EVENT_REPORTED = _event(
    "event:reported", "An event that the policy names happened to a person, and clocks count from it."
)
EVENT_RETRACTED = _event("event:retracted", "What was reported of such an event was taken back.")
RELATIONSHIP_ENDED = _event("relationship:ended", "Business with a person ended, and clocks started.")
RELATIONSHIP_REOPENED = _event("relationship:reopened", "Business with a person began again.")

VISIT_REFUSED = _event("visit:refused", "Something of a visit was not recorded because the policy does not allow it.")
VISIT_SWEPT = _event("visit:swept", "Visits past their time were destroyed; how many, and how old the oldest was.")
CLOCK_SWEPT = _event("clock:swept", "A retention clock was applied to all that was due; only how many.")
COOKIE_REFUSED = _event("cookie:refused", "A cookie was not set because the policy or a choice does not allow it.")

ENDING_QUARANTINED = _event("ending:quarantined", "Data that ends was taken out of every use, awaiting destruction.")
ENDING_DESTROYED = _event("ending:destroyed", "Quarantined data was destroyed.")
ENDING_COMPLETE = _event("ending:complete", "Every system was re-read and every recipient has acknowledged.")
ENDING_RESTORED = _event("ending:restored", "Quarantined data was put back before its destruction.")
HOLD_MADE = _event("hold:made", "Data was excepted from deletion, for a reason and until a day.")
HOLD_REFUSED = _event("hold:refused", "A hold was asked for and the policy knows no ground for it.")
HOLD_RELEASED = _event("hold:released", "A hold was lifted by somebody.")
HOLD_PROLONGED = _event("hold:prolonged", "An archive goes on: by the policy in force its period is not over.")
HOLD_ENDED = _event("hold:ended", "A hold reached its end.")

KEY_MADE = _event("key:made", "A key was made.")
KEY_DESTROYED = _event("key:destroyed", "A person's key was destroyed; copies of their data are noise from now on.")
KEY_ROTATED = _event("key:rotated", "Keys were wrapped anew under a new site key.")

REQUEST_RECEIVED = _event("request:received", "A person exercised a right.")
REQUEST_VERIFIED = _event("request:verified", "Whoever made a request showed to be the person it is about.")
REQUEST_REFUSED = _event("request:refused", "A request was declined, on a ground that the person was told.")
REQUEST_EXTENDED = _event("request:extended", "The time to answer a request was prolonged and the person told.")
REQUEST_ANSWERED = _event("request:answered", "A request was answered.")
REQUEST_SWEPT = _event("request:swept", "Records of requests past the time of their log were destroyed; which ones.")
RESTRICTION_MADE = _event("restriction:made", "The use of a person's data was paused.")
RESTRICTION_LIFTED = _event("restriction:lifted", "A person let their data be used again.")
REQUEST_CLOSED = _event("request:closed", "A request ended without an answer: withdrawn, or never verified.")

ACCOUNT_REGISTERED = _event("account:registered", "A member registered.")
ACCOUNT_CANCELLED = _event("account:cancelled", "A membership was cancelled.")
ACCOUNT_CONFIRMED = _event("account:confirmed", "A member confirmed their address and chose a password.")
ACCOUNT_SUSPENDED = _event("account:suspended", "A membership was suspended, for a reason that its member is told.")
ACCOUNT_CHANGED = _event("account:changed", "A member changed their own data or settings.")
ACCOUNT_MOVED = _event("account:moved", "A member confirmed another address, which they are found by from then on.")
LOGIN_FAILED = _event("login:failed", "A log-in failed.")
LOGIN_ENDED = _event("login:ended", "A member of staff ended a session.")
STAFF_ADDED = _event("staff:added", "Somebody joined the staff with a role.")
STAFF_CHANGED = _event("staff:changed", "A member of staff received another role.")
STAFF_REMOVED = _event("staff:removed", "Somebody left the staff.")
STAFF_RESET = _event("staff:reset", "A member of staff lost what they log in with and got a link to set it up anew.")
STAFF_READY = _event("staff:ready", "A member of staff chose a password and a second factor.")
STAFF_ENTERED = _event("staff:entered", "A member of staff logged in.")
STAFF_ACTED = _event("staff:acted", "A member of staff did something at the desk; the staff's log says from where.")

LEDGER_RESTORED = _event(
    "ledger:restored", "Somebody said why the stores are not what was sealed before, and the ledger went on."
)
LEDGER_WITNESSED = _event("ledger:witnessed", "A witness outside took a checkpoint of the ledger.")
LEDGER_REPLAYED = _event(
    "ledger:replayed", "After a store was put back by hand, what was done in between was done again, to its end."
)
BACKUP_MADE = _event("backup:made", "Both stores were copied into a backup.")
BACKUP_DRILLED = _event("backup:drilled", "A backup was restored into a scratch folder and looked through.")
STORE_RESTORED = _event(
    "store:restored", "The stores were put back from a backup, and what had ended since ended again."
)
STORE_RELEASED = _event("store:released", "Mail and deliveries may leave again after a restore.")
ACT_DONE = _event("act:done", "A program, a member of staff or the console carried out an act of the table of acts.")
PERSON_FOUND = _event(
    "person:found", "Somebody was looked for by what identifies them; the field, and whether there was anybody."
)
TOKEN_MADE = _event("token:made", "A program was given a token for acts.")
TOKEN_REVOKED = _event("token:revoked", "A program's token stopped working.")

DECISION_MADE = _event("decision:made", "The policy was asked and allowed something; the question is kept for replay.")
DECISION_REFUSED = _event("decision:refused", "The policy was asked and said no; the question is kept for replay.")

CANARY_SEARCHED = _event(
    "canary:searched",
    "Somebody made up tried the doors that people use, and was undone; what was tried and what failed.",
)
PROOF_MADE = _event("proof:made", "The promises were checked against live data.")
PROOF_ATTESTED = _event("proof:attested", "A named member of staff answered for a promise until a day.")
ALARM_RAISED = _event("alarm:raised", "A deadline passed or a watch found something.")
ALARM_ENDED = _event("alarm:ended", "What an alarm was raised for is over.")
BREACH_RECORDED = _event("breach:recorded", "A breach was entered into the register.")
BREACH_TOLD = _event("breach:told", "An authority or people were told of a breach.")
STORE_SUMMED = _event(
    "store:summed", "The sums of the marks of all rows, as a salted digest, for the seal that follows."
)
STORE_ACCEPTED = _event(
    "store:accepted", "Somebody answers for what the stores hold otherwise than Troth wrote it; its digests."
)
STORE_MARKED = _event(
    "store:marked",
    "After a migration every row of the stores was marked anew; only how many, and whether a schema was wound back.",
)
SYSTEM_CONNECTED = _event("system:connected", "A system that holds personal data was connected.")
SYSTEM_FAILED = _event("system:failed", "A connected system did not answer.")
