"""Sending a message of a class that the policy declares: to one person, or to everybody to whom it may go.

Who may get it is decided for each person when it is queued and again when it leaves. To everybody it goes by a job that takes
people in the order of their ids, some hundreds in a transaction, and remembers how far it came; one who was written to under
the same key is not written to again.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from sqlalchemy import delete, select, update

from troth import agenda
from troth.acts.arguments import Argument
from troth.acts.model import Act, Declined, Doing, Result
from troth.acts.shared import PERSON, asker, somebody, word
from troth.acts.tables import campaign
from troth.agenda import Job
from troth.errors import InvalidInput
from troth.ids import new_id
from troth.messages import actions as messages
from troth.people.tables import person
from troth.people.vault import By
from troth.store.site import Site

SEND = "acts:send"
"""the job that writes to everybody"""
LOT = 200
"""people in one transaction"""
_CLASS = word("class", "the class of messages", lambda compiled: compiled.policy.messages)
_SUBJECT = Argument("subject", "text", "the subject line; it says nothing about anybody in particular")
_WORDS = Argument(
    "words", "text", "the message, a blank line between paragraphs; it says nothing about anybody", prose=True
)
_LANGUAGE = word("language", "the language it is in", lambda compiled: compiled.policy.policy.languages, False)


def _sent(doing: Doing) -> Result | Declined:
    person_id, made = somebody(doing), new_id(doing.now)
    name = doing.text("class")
    key, terms = f"act:{made}", terms_of(doing)
    if messages.queue(doing.site, doing.conn, person_id, name, "letter", terms, key, _role(doing), by=_asker(doing)):
        return {"person": person_id, "message": made}
    return Declined(
        "This message may not be sent to them.",
        "The policy or a choice of theirs does not allow it, or nobody has confirmed their address.",
        (f"messages.{name}",),
    )


def _sent_to_all(doing: Doing) -> Result:
    made = new_id(doing.now)
    body = {"class": doing.text("class"), "role": _role(doing), "by": asdict(_asker(doing)), "terms": terms_of(doing)}
    said = json.dumps(body, ensure_ascii=False)
    doing.conn.execute(campaign.insert().values(id=made, body=said, at=doing.now, seen=""))
    agenda.put(doing.conn, SEND, f"{SEND}:{made}", made, doing.now, doing.now)
    return {"sending": made}


def terms_of(doing: Doing) -> dict[str, object]:
    """What the template of a letter is given."""
    paragraphs = [" ".join(part.split()) for part in doing.text("words").split("\n\n") if part.strip()]
    if not paragraphs:
        raise InvalidInput("Nothing was done.", {"words": "This is required."})
    tag = doing.text("language") or doing.compiled.policy.policy.languages[0]
    return {"subject_line": doing.text("subject"), "paragraphs": paragraphs, "language": tag}


def _role(doing: Doing) -> str:
    """The role of the member of staff that the purpose of the message asks for, if it asks for one."""
    policy = doing.compiled.policy
    wanted = policy.purposes[policy.messages[doing.text("class")].for_].roles
    return next((role for role in doing.caller.roles if role in wanted), "")


def _asker(doing: Doing) -> By:
    """Who asks for the message, a member of staff in the role that its purpose asks for, if they have it."""
    role = _role(doing)
    return By("staff", role) if role else asker(doing)


def send_on(site: Site, job: Job) -> None:
    """Write to everybody who has not been looked at yet, a lot of people in each transaction, until nobody is left."""
    while True:
        with site.writing() as conn:
            row = conn.execute(select(campaign).where(campaign.c.id == job.ref).with_for_update()).first()
            if row is None:
                return
            said = json.loads(row.body)
            people = (person.c.state == "active") & (person.c.id > row.seen)
            lot = list(conn.scalars(select(person.c.id).where(people).order_by(person.c.id).limit(LOT)))
            if not lot:
                conn.execute(delete(campaign).where(campaign.c.id == job.ref))
                return
            for one in lot:
                key = f"act:{job.ref}:{one}"
                by = By(**said["by"]) if "by" in said else None  # what was begun by an earlier version says nothing
                messages.queue(site, conn, one, said["class"], "letter", said["terms"], key, said["role"], by=by)
            conn.execute(update(campaign).where(campaign.c.id == job.ref).values(seen=lot[-1]))


_ABOUT = (_CLASS, _SUBJECT, _WORDS, _LANGUAGE)
ACTS = (
    Act(
        "send-message",
        "Send a message of a class that the policy declares to somebody. It is decided again when it leaves.",
        "message",
        (PERSON, *_ABOUT),
        _sent,
        ("422: unknown or erased person", "403: the policy or a choice of theirs does not allow it"),
    ),
    Act(
        "send-to-everybody",
        "Send a message of a class to everybody to whom it may go, one person after the other.",
        "message",
        _ABOUT,
        _sent_to_all,
        lead_only=True,
    ),
)
