"""What the tests of incoming mail share: letters, a desk that notes what it is given, and processes that are killed."""

from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from tests.crashing import die, die_at_commit_after
from troth.clock import MovedClock
from troth.messages.inbound import Arrived, poll, take
from troth.messages.inbound.imap import Folder
from troth.messages.inbound.maildir import Maildir
from troth.settings import MailWires
from troth.store.site import Site, open_site

TO = "privacy@shop.example"


def letter(words: str = "Please delete my data.", number: int = 1, sender: str = "ann@shop.example") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, TO, f"letter {number}"
    message["Message-ID"] = f"<{number}@shop.example>"
    message.set_content(words)
    return message.as_bytes().replace(b"\n", b"\r\n")


def wired(site: Site, **mail: Any) -> Site:
    """``site`` with these lines under ``mail``."""
    told = {"sender": "privacy@shop.example", "smtp": "127.0.0.1:2525", **mail}
    return replace(site, wiring=site.wiring.model_copy(update={"mail": MailWires.model_validate(told)}))


def with_desk(site: Site) -> None:
    """Make the table that ``note`` writes to; it has no key, so that a message noted twice shows."""
    with site.writing() as conn:
        conn.execute(text("CREATE TABLE noted (subject TEXT, body TEXT, automatic INTEGER, at BIGINT)"))


def note(_site: Site, conn: Connection, message: Arrived) -> None:
    """The desk of these tests."""
    values = {"subject": message.subject, "body": message.text, "automatic": int(message.automatic)}
    values["at"] = int(message.at.timestamp())
    conn.execute(text("INSERT INTO noted VALUES (:subject, :body, :automatic, :at)"), values)


def noted(site: Site, column: str = "subject") -> list[Any]:
    with site.reading() as conn:
        return sorted(conn.scalars(text(f"SELECT {column} FROM noted")))


def where(site: Site) -> tuple[str, str, str]:
    """What another process needs to open the same site."""
    data, keys = (engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys))
    return str(site.folder), data, keys


def take_and_die(folder: str, database: str, keys: str, at: datetime, point: str) -> None:
    """Take a letter and die at ``point``."""
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)
    if point == "before the commit":
        die_at_commit_after(site, "INSERT INTO noted")
    take(site, letter(), note)
    die()


def poll_and_die(
    folder: str, database: str, keys: str, at: datetime, mailbox: dict[str, str], env: dict[str, str], point: str
) -> None:
    """Fetch what lies in the mailbox and die at ``point``."""
    import os

    os.environ.update(env)
    site = wired(open_site(Path(folder), MovedClock(at), database=database, keys=keys), mailbox=mailbox)
    if point == "before the commit":
        die_at_commit_after(site, "INSERT INTO noted")
    else:
        for source in (Folder, Maildir):
            source.done = lambda *_: die()  # type: ignore[method-assign, assignment]
    poll(site, note)
