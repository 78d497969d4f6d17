"""What people are told about their requests: queued with its cause, addressed when it leaves, sent once for a key.

What could go wrong: an address in a queue; a link that a database holds; a mail that fails and takes the request down with it;
words of a member of staff, which may speak of somebody, lying about in the clear. So a row names a template, words of the
policy and opaque numbers; the address and the words of staff come out of the request's paper when the mail leaves, and a link
is made only then. A request is never undone by its mail: one that cannot be delivered waits for staff, who print it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import Connection, Row, select, update

from troth import agenda
from troth.agenda import Job
from troth.errors import InvalidInput
from troth.ids import new_id
from troth.messages.compose import Letter, compose
from troth.messages.links import once_token
from troth.messages.post import LEAVES_WITHIN, Undelivered, hand_over
from troth.rights import papers
from troth.rights.mail_limits import enough
from troth.rights.rules import log_over
from troth.rights.tables import reply, request
from troth.store import versions
from troth.store.insert import insert_into
from troth.store.site import Site

REPLY = "request:reply"
LINK, STEP = "link", "step"
"""terms that stand for something else: the number of a link, and that of a step whose words are to be told"""
TO_PRINT, QUEUED, SENT, FAILED, PRINTED = "to print", "queued", "sent", "failed", "printed"
LATER = ("gone", "confirmed", "visits")
"""terms that replies of an earlier version do not have"""
PAGES: Mapping[str, str] = {"confirm": "privacy/confirm", "data": "privacy/data", "undo": "privacy/undo"}
"""where a link of each kind leads"""


@dataclass(frozen=True, slots=True)
class Written:
    """One reply as it is read: its subject, its paragraphs, and where its link leads, if it has one."""

    subject: str
    lines: tuple[str, ...]
    link: str
    link_words: str


def queue(site: Site, conn: Connection, request_id: str, kind: str, key: str, **values: Any) -> bool:
    """Queue a reply of a ``kind`` in the caller's transaction; it leaves after the commit, or waits to be printed.

    ``values`` fill its words: names and days of the policy. False when one with this ``key`` was queued before, and when
    there was ``enough``; what staff write is always sent.
    """
    now = site.now()
    asked = _request(conn, request_id)
    if STEP not in values and enough(conn, asked, now):
        return False
    paper = papers.read(site, conn, request_id, log_over(versions.deciding(conn, asked.policy_version), now))
    state = QUEUED if paper.get("email") else TO_PRINT
    row: dict[str, Any] = {"id": new_id(now), "key": f"{request_id}:{key}", "request_id": request_id, "template": kind}
    row |= {"terms": values, "at": now, "state": state, "because": ""}
    new = insert_into(conn, reply).values(row).on_conflict_do_nothing(index_elements=["key"])
    if conn.execute(new.returning(reply.c.id)).scalar_one_or_none() is None:
        return False
    if state == QUEUED:
        ref = str(row["id"])
        agenda.put(conn, REPLY, f"{REPLY}:{ref}", ref, due_at=now, at=now, deadline=now + LEAVES_WITHIN)
    return True


def _request(conn: Connection, request_id: str) -> Row[Any]:
    return conn.execute(select(request).where(request.c.id == request_id)).one()


def deliver(site: Site, job: Job) -> None:
    """Send one queued reply; does nothing when it has left already.

    Raises:
        Undelivered: when the mail server does not take it for now; the agenda tries again.
        StoreError: when a store is locked or gone.
    """
    with site.reading() as conn:
        row = conn.execute(select(reply).where(reply.c.id == job.ref)).first()
        if row is None or row.state != QUEUED:
            return
        asked = _request(conn, row.request_id)
        compiled = versions.deciding(conn, asked.policy_version)
        paper = papers.read(site, conn, asked.id, log_over(compiled, site.now()))
        said = written(site, conn, row, asked)
    try:
        _sent(site, row, asked, paper.get("email", ""), said)
    except InvalidInput as error:
        _becomes(site, row.id, TO_PRINT, error.message)
    except Undelivered as error:
        if not error.for_good:
            raise
        _becomes(site, row.id, FAILED, error.message)
    else:
        _becomes(site, row.id, SENT, "")


def _sent(site: Site, row: Row[Any], asked: Row[Any], to: str, said: Written) -> None:
    mail = site.wiring.mail
    if not to or mail is None:
        raise InvalidInput("There is no address to write to.")
    with site.reading() as conn:
        operator = site.policy(conn).policy.operator.name or site.wiring.title
    values = {"title": said.subject, "lines": said.lines, "link": said.link, "link_words": said.link_words}
    letter = Letter(
        id=row.id, template="request", language=asked.language, terms=values | {"notice": _home(site)},
        operator=operator, sender=mail.sender, to=to, at=site.now(),
    )  # fmt: skip
    hand_over(mail, compose(letter))


def _home(site: Site) -> str:
    return site.wiring.base_url.rstrip("/") + "/"


def written(site: Site, conn: Connection, row: Row[Any], asked: Row[Any]) -> Written:
    """A reply in the language of its request, with what staff recorded and the link it names."""
    values = dict(row.terms)
    link = values.pop(LINK, "")
    step = values.pop(STEP, "")
    opens = values.pop("opens", "data")
    if step:
        values["reason"] = papers.words_of(site, conn, step, asked.at)
    words = words_in(asked.language)
    entry = words["replies"][row.template]
    values["right"] = words["rights"][asked.right]
    values["number"] = asked.id
    values.setdefault("operator", site.policy(conn).policy.operator.name or site.wiring.title)
    values = dict.fromkeys(LATER, "") | values
    lines = (str(line).format_map(values) for line in entry["lines"])
    return Written(
        str(entry["subject"]).format_map(values),
        tuple(line for line in lines if line.strip()),
        f"{_home(site)}{PAGES[opens]}/{once_token(site, link)}" if link else "",
        str(entry.get("link", "")).format_map(values),
    )


@cache
def words_in(language: str) -> Mapping[str, Any]:
    """The words of replies, and what rights and outcomes are called, in a language of the notice."""
    text = files("troth.rights").joinpath(f"words/{language}.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe").load(text)
    return loaded


def _becomes(site: Site, reply_id: str, state: str, because: str) -> None:
    still = (reply.c.id == reply_id) & (reply.c.state == QUEUED)
    sent_at = site.now() if state == SENT else None
    with site.writing() as conn:
        conn.execute(update(reply).where(still).values(state=state, sent_at=sent_at, because=because[:200]))


def printed(site: Site, request_id: str, reply_id: str) -> bool:
    """Note that a reply was printed and sent as a letter; False when it does not wait for that."""
    waits = (reply.c.id == reply_id) & (reply.c.request_id == request_id) & reply.c.state.in_((TO_PRINT, FAILED))
    with site.writing() as conn:
        return conn.execute(update(reply).where(waits).values(state=PRINTED, sent_at=site.now())).rowcount == 1
