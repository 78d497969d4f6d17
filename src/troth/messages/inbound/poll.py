"""Fetches what lies in the mailbox that ``site.yaml`` names.

What could go wrong: a message is marked and then not stored, and a person's letter is lost; one that always fails keeps all the
others waiting; one that nobody can read is deleted. So a message is marked, moved or deleted after it was committed, and a
crash in between brings it again, which the mark in the store makes harmless; what failed goes to the end of the queue; and what
names no sender stays where it lies, flagged, for a person to look at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from troth.errors import StoreError, TrothError
from troth.messages.inbound import imap
from troth.messages.inbound.maildir import Maildir
from troth.messages.inbound.parse import Unreadable
from troth.messages.inbound.source import Source
from troth.messages.inbound.take import Take, take
from troth.settings import MailboxWires
from troth.store.site import Site

MOST_A_TURN = 50
_FAILED = "mail in: failed before"

log = logging.getLogger(__name__)


def poll(site: Site, hand_over: Take) -> int:
    """Take what lies in the site's mailbox, up to ``MOST_A_TURN`` messages; how many were new. 0 where there is no mailbox.

    Raises:
        Unreachable: when the mailbox does not answer, let us in or do what it is asked.
        StoreError: when a store is locked, full or gone; what was not taken lies there as it did.
        TrothError: when some messages could not be taken; all others were.
    """
    wires = site.wiring.mail.mailbox if site.wiring.mail else None
    if wires is None:
        return 0
    with _source(site, wires) as source:
        return _emptied(site, source, hand_over)


@contextmanager
def _source(site: Site, wires: MailboxWires) -> Iterator[Source]:
    if wires.maildir is not None:
        path = site.folder / wires.maildir
        yield Maildir(path if wires.folder == "INBOX" else path / f".{wires.folder}", wires.after)
        return
    with imap.opened(wires) as folder:
        yield folder


def _emptied(site: Site, source: Source, hand_over: Take) -> int:
    before: set[str] = site.shared.get(_FAILED, set())
    failed: dict[str, str] = {}
    new = 0
    # what failed before comes last, so that it keeps nobody waiting
    for name in sorted(source.waiting(), key=lambda one: one in before)[:MOST_A_TURN]:
        found = source.fetch(name)
        if found is None:
            continue
        try:
            new += take(site, found.raw, hand_over, found.received)
        except Unreadable as error:
            log.warning("%s: %s", site.name, error)
            source.set_aside(name)
        except StoreError:
            raise
        except Exception as error:  # its words may quote the message
            failed[name] = type(error).__name__
        else:
            source.done(name)
    site.shared[_FAILED] = set(failed)
    if failed:
        kinds = ", ".join(sorted(set(failed.values())))
        told = f"{len(failed)} messages in the mailbox could not be taken ({kinds})."
        raise TrothError(told, "They lie there and are tried again.")
    return new
