"""A request as a row: found, locked, moved from state to state and closed; each change with its step and its ledger entry.

    received -> verifying -> carrying out -> closed
                    \\-> open (staff) -/

Every open request says whom it waits for and until when; ``following`` acts when that has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from troth import ledger
from troth.errors import Refused
from troth.ledger import events
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.policy.rules import one_word
from troth.rights import papers
from troth.rights.rules import ANSWERED, Terms, log_over
from troth.rights.rules import terms as terms_of
from troth.rights.tables import request
from troth.store import versions
from troth.store.site import Site

VERIFYING, OPEN, CARRYING, CLOSED = "verifying", "open", "carrying out", "closed"
PERSON, STAFF, SYSTEM, NOBODY = "person", "staff", "system", ""
GONE = "This request is not there."
GONE_HINT = "It may have ended; the desk lists those that are open."


@dataclass(frozen=True)
class Case:
    """One request inside a transaction, under the version of the policy that was in force when it arrived."""

    site: Site
    conn: Connection
    row: Row[Any]

    @property
    def id(self) -> str:
        return str(self.row.id)

    @property
    def person_id(self) -> str:
        """Whose data it is about. Raises ``Refused`` while nobody has been found."""
        if self.row.person_id is None:
            raise Refused("Nobody has been found whom this request is about.", "Find them first.")
        return str(self.row.person_id)

    @cached_property
    def compiled(self) -> Compiled:
        """The version that decides about this request."""
        return versions.deciding(self.conn, self.row.policy_version)

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.compiled, self.row.right)

    @cached_property
    def paper(self) -> Mapping[str, str]:
        """What was written; blank once its time is over."""
        return papers.read(self.site, self.conn, self.id, log_over(self.compiled, self.site.now()))

    @cached_property
    def speaker(self) -> Speaker:
        """Says things about that policy in the language of the request."""
        return Speaker(self.compiled.policy, language(self.row.language))

    @property
    def link_lasts(self) -> timedelta:
        """How long a link that is made now is good for."""
        now = self.site.now()
        return self.compiled.calendar.end(now, self.terms.link_life) - now

    def day(self, at: datetime) -> str:
        """A day as it is written to the person, where the operator is."""
        return self.speaker.date(self.compiled.calendar.day(at))

    def note(self, act: str, by: str, words: str = "") -> str:
        """Record a step; its id."""
        return papers.note(self.site, self.conn, self.id, self.row.at, act, by, words)

    def change(self, **values: object) -> Case:
        """The same request with some columns changed."""
        self.conn.execute(update(request).where(request.c.id == self.id).values(**values))
        return load(self.site, self.conn, self.id)

    def waits(self, state: str, for_: str, until: datetime | None) -> Case:
        """Move to ``state``, waiting for somebody until an instant."""
        return self.change(state=state, waits_for=for_, waits_until=until)

    def tell(self, event: str, **more: object) -> None:
        """Enter something about this request into the ledger."""
        about: dict[str, object] = {"request": self.id, "right": one_word(self.row.right), **more}
        if self.row.person_id is not None:
            about["person"] = self.row.person_id
        ledger.append(self.conn, self.site.now(), event, about)

    def close(self, outcome: str, by: str = SYSTEM) -> Case:
        """End the request; what ended stays ended."""
        if self.row.state == CLOSED:
            return self
        self.note("closed", by)
        event = events.REQUEST_ANSWERED if outcome in ANSWERED else events.REQUEST_CLOSED
        self.tell(events.REQUEST_REFUSED if outcome == "refused" else event, outcome=one_word(outcome))
        now = self.site.now()
        return self.change(state=CLOSED, outcome=outcome, waits_for=NOBODY, waits_until=None, closed_at=now)


def load(site: Site, conn: Connection, request_id: str) -> Case:
    """The request with this number, locked until the transaction ends. Raises ``Refused`` when there is none."""
    return _case(site, conn, conn.execute(_by_id(request_id).with_for_update()).first())


def seen(site: Site, conn: Connection, request_id: str) -> Case:
    """As ``load``, to be looked at only: nothing is locked, so that a transaction that reads is enough."""
    return _case(site, conn, conn.execute(_by_id(request_id)).first())


def _by_id(request_id: str) -> Select[Any]:
    return select(request).where(request.c.id == request_id)


def _case(site: Site, conn: Connection, row: Row[Any] | None) -> Case:
    if row is None:
        raise Refused(GONE, GONE_HINT)
    return Case(site, conn, row)
