"""Asks witnesses, keeps what they answer, and learns from those that can be read.

What could go wrong: a witness that hangs stops the worker; a witness is given a tree that an earlier note denies, and so helps
to hide that; what it took is forgotten here. So each has a time limit of its own; nobody is asked while the stores are not what
was sealed; what a file has more than is kept here is taken over before it is asked, of a large one what its end has; and a note
is kept before it is said on the ledger that somebody has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from os import SEEK_END
from pathlib import Path

from troth import ledger
from troth.errors import Refused, TrothError, Unverifiable
from troth.ledger import events, heads
from troth.ledger.keys import public_keys, signing_key
from troth.ledger.notes import Note, note_of, notes_in, stamped
from troth.ledger.witnessed import appended, keep, kept
from troth.messages.post import hand_over
from troth.patience import StillWaitingError, at_place
from troth.retention.alarms import Alarm
from troth.retention.heartbeat import beat_all, last
from troth.settings import WitnessWires
from troth.store.site import Site
from troth.witnessing import stamp
from troth.witnessing.rules import due, silent_since

SECONDS = 5.0
"""for a file of a witness"""
LARGEST = 32 << 20
"""bytes at its end that are read: more than ten years of a checkpoint an hour"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a witness: the size of the tree it took, or the problem."""

    witness: str
    size: int
    problem: str = ""


def ask_all(site: Site) -> list[Asked]:
    """Hand the last checkpoint to every witness that is wired, now.

    Raises:
        Refused: when none is wired.
        Unverifiable: when the stores are not what was sealed.
    """
    if not site.wiring.ledger.witness:
        raise Refused("No witness of the ledger is wired.", "Name some in site.yaml, under `ledger: witness`.")
    return _ask(site, site.wiring.ledger.witness)


def ask_due(site: Site) -> int:
    """Hand the last checkpoint to the witnesses whose time has come; how many took it. Those that did not are tried again.

    Raises:
        Unverifiable: when the stores are not what was sealed.
        TrothError: with what the first said that did not take it, when all others were asked.
    """
    wired = site.wiring.ledger.witness
    if not wired:
        return 0
    with site.reading() as conn:
        beats = last(conn)
    now = site.now()
    coming = {name: one for name, one in wired.items() if due(now, one.every, *_beats(beats, name))}
    done = _ask(site, coming) if coming else []
    failed = next((one for one in done if one.problem), None)
    if failed is not None:
        raise TrothError(f"The witness `{failed.witness}` took nothing. {failed.problem}")
    return len(done)


def silent(site: Site) -> list[Alarm]:
    """Witnesses that did not answer in time."""
    wired = site.wiring.ledger.witness
    if not wired:
        return []
    with site.reading() as conn:
        beats = last(conn)
    found = ((name, silent_since(site.now(), one.every, *_beats(beats, name))) for name, one in wired.items())
    return [Alarm("witness silent", name, at, f"The witness `{name}` took nothing since.") for name, at in found if at]


def _beats(beats: Mapping[str, datetime], name: str) -> tuple[datetime | None, datetime | None]:
    """When a witness last answered, and when it was last asked."""
    return beats.get(_answered(name)), beats.get(_was_asked(name))


def _answered(name: str) -> str:
    return f"witness {name}"


def _was_asked(name: str) -> str:
    return f"asked witness {name}"


def _ask(site: Site, coming: Mapping[str, WitnessWires]) -> list[Asked]:
    learn(site)
    problem = heads.look(site)
    if problem is not None:
        raise Unverifiable(problem.words, heads.HINT)
    with site.reading() as conn:
        latest = heads.last_checkpoint(conn)
    if latest is None:
        return []
    note = note_of(site.name, latest, signing_key(site))
    with site.writing() as conn:
        beat_all(conn, [_was_asked(name) for name in coming], site.now())
    return [_ask_one(site, name, one, note) for name, one in coming.items()]


def _ask_one(site: Site, name: str, wire: WitnessWires, note: Note) -> Asked:
    try:
        keep(site, name, [_taken(site, name, wire, note)])
    except TrothError as error:
        return Asked(name, 0, str(error))
    except StillWaitingError as error:
        return Asked(name, 0, f"Its file does not answer: {error}.")
    except OSError as error:
        return Asked(name, 0, f"Its file cannot be written ({type(error).__name__}).")
    with site.writing() as conn:
        now = site.now()
        ledger.append(conn, now, events.LEDGER_WITNESSED, {"witness": name, "size": note.size, "root": note.root.hex()})
        beat_all(conn, [_answered(name)], now)
    return Asked(name, note.size)


def _taken(site: Site, name: str, wire: WitnessWires, note: Note) -> Note:
    """The note, with what the witness added to it."""
    if wire.file is not None:
        path = site.folder / wire.file
        at_place(str(path), site.now(), SECONDS, lambda: appended(path, [note]))
    elif wire.mail is not None:
        hand_over(site.wiring.mail, _letter(site, wire.mail, note))
    elif wire.time_stamp is not None and wire.certificate is not None:
        return stamped(note, name, stamp.asked(wire.time_stamp, note.text, site.folder / wire.certificate))
    return note


def _letter(site: Site, to: str, note: Note) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    sender = site.wiring.mail.sender if site.wiring.mail else ""
    letter["From"], letter["To"] = sender, to
    letter["Subject"] = f"Checkpoint of the ledger {site.name}: {note.size} entries"
    letter["Date"] = format_datetime(site.now())
    letter["Message-ID"] = f"<ledger.{site.name}.{note.size}.{note.root.hex()[:16]}@{sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    asks = "Keep this. `troth ledger verify --witness FILE` holds the ledger against it."
    letter.set_content(f"{asks}\n\n{note.written()}", cte="base64")
    return letter


def learn(site: Site) -> int:
    """Keep here, too, what the files of witnesses have more than that; how many notes. What cannot be read is passed over.

    Only what this site's key signed counts: who can write to such a file must not be able to stop the site.
    """
    learnt = 0
    for name, wire in site.wiring.ledger.witness.items():
        if wire.file is not None:
            learnt += _learn(site, name, site.folder / wire.file)
    return learnt


def _end_of(path: Path) -> bytes:
    """The last of a file, where the latest notes are, however large it is."""
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(0, size - LARGEST))
        return file.read(LARGEST)


def _learn(site: Site, name: str, path: Path) -> int:
    try:
        found = at_place(str(path), site.now(), SECONDS, lambda: notes_in(_end_of(path)) if path.exists() else [])
    except OSError:
        return 0
    known: Sequence[Note] = kept(site, name)
    there = {one.text for one in known}
    new = [one for one in found if one.ledger == site.name and one.text not in there]
    if new:
        keys = public_keys(site)
        new = [one for one in new if one.signed_by(keys)]
    if new:
        keep(site, name, new)
    return len(new)
