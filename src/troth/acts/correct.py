"""Finding somebody, and correcting what is held about them."""

from __future__ import annotations

from collections.abc import Iterator

from troth import agenda, ledger
from troth.acts.arguments import Argument
from troth.acts.model import Act, Doing, Result
from troth.acts.shared import PERSON, asker, fields, somebody, word
from troth.errors import InvalidInput
from troth.ledger import events
from troth.people import vault
from troth.people.correcting import correct_everywhere
from troth.policy.compile import Compiled
from troth.recipients.renewing import renew
from troth.rights.correcting import WITHIN, points_of
from troth.store.site import Site

TELL = "acts:renew"
"""the job that gives recipients a value that was corrected"""


def _identifying(compiled: Compiled) -> Iterator[str]:
    yield from (key for key, one in compiled.policy.data.items() if one.identifies)


def _found(doing: Doing) -> Result:
    field = doing.text("field")
    person_id = vault.find(doing.site, doing.conn, field, doing.text("value"))
    body = {"field": field, "found": person_id is not None}
    ledger.append(
        doing.conn, doing.now, events.PERSON_FOUND, body if person_id is None else {**body, "person": person_id}
    )
    return {"person": person_id}


def _corrected(doing: Doing) -> Result:
    person_id, field = somebody(doing), doing.text("field")
    points = points_of(doing.conn, person_id)
    if field not in points:
        raise InvalidInput("Nothing was done.", {"field": "Nothing of this is held about them."})
    changes: dict[str, str | None] = {field: doing.text("value") or None}
    changed = correct_everywhere(doing.site, doing.conn, person_id, points[field], changes, asker(doing))
    if changed:
        key = f"{TELL}:{person_id}:{field}:{doing.now.isoformat()}"
        ref = f"{person_id}:{field}:{doing.now.isoformat()}"
        agenda.put(doing.conn, TELL, key, ref, doing.now, doing.now, doing.now + WITHIN)
    return {"person": person_id, "changed": changed}


def tell_recipients(site: Site, job: agenda.Job) -> None:
    """Give every recipient who was given the old value the new one, through the gate."""
    from datetime import datetime

    person_id, field, at = job.ref.split(":", 2)
    renew(site, person_id, [field], datetime.fromisoformat(at))


ACTS = (
    Act(
        "find-person",
        "Find the id of somebody by what identifies them, such as an e-mail address, in whatever spelling.",
        "people",
        (word("field", "the identifying field", _identifying), Argument("value", "value", "its value")),
        _found,
    ),
    Act(
        "correct",
        "Put a new value in the place of the old one wherever it is in use, and give it to every recipient who has the "
        "old one. Without a value the field is taken away.",
        "correct",
        (PERSON, word("field", "which data", fields), Argument("value", "value", "the new value", False, prose=True)),
        _corrected,
        (
            "422: unknown or erased person",
            "422: nothing of this is held",
            "403: it is what they are found by, which they confirm themselves",
        ),
    ),
)
