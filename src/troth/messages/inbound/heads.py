"""The header of a message: its fields, the words in them and the addresses in them. Pure; nothing here raises.

What could go wrong: a parser that is kinder than the next one sees another sender than the one that was checked; an encoded
word that holds an address or a line break becomes one; ten thousand fields, or one of a megabyte, cost minutes. So fields are
cut at a bound and taken apart in one pass; addresses are taken from a field as it stands, before any word of it is decoded;
what is not plainly one address is none; and a field that may stand once counts as absent when it stands twice.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from troth.messages.inbound.charsets import clean_line, decoded

LONGEST_HEAD = 1_000_000
LONGEST_FIELD = 8_000
MOST_OF_ONE_NAME = 20
LONGEST_NAME = 100

Head = Mapping[str, Sequence[bytes]]
"""the fields by their names in small letters, in order, unfolded"""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a field, as it is written, and the name that stands with it."""

    name: str
    address: str


def split(raw: bytes) -> tuple[Head, bytes]:
    """Head and body of a message or of a part, whose lines end in ``\\n`` alone."""
    head, _, body = (b"", b"", raw[1:]) if raw.startswith(b"\n") else raw.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    last: list[bytes] = []
    for line in head[:LONGEST_HEAD].split(b"\n"):
        if line[:1] in {b" ", b"\t"}:
            if last and len(last[-1]) < LONGEST_FIELD:
                last[-1] += b" " + line.strip()[:LONGEST_FIELD]
            continue
        name, colon, value = line.partition(b":")
        known = fields.setdefault(name.strip().lower().decode("ascii", "replace"), []) if colon else []
        last = known if len(known) < MOST_OF_ONE_NAME else []
        last.append(value.strip()[:LONGEST_FIELD])
    return fields, body


def first(head: Head, name: str) -> str:
    """The first field of this name with nothing decoded, in small letters; blank when there is none."""
    return head.get(name, [b""])[0].decode("ascii", "replace").strip().lower()


_PARAMETER = re.compile(r';\s*([\w!#$&+.^`|~-]+?)\*?\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')


def parameters(head: Head, name: str) -> tuple[str, dict[str, str]]:
    """Value and parameters of a field such as ``Content-Type``, the value and the names in small letters."""
    whole = head.get(name, [b""])[0].decode("latin-1")
    value = whole.partition(";")[0].strip().lower()
    return value, {key.lower(): _unquoted(text) for key, text in reversed(_PARAMETER.findall(whole))}


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


_WORD = re.compile(rb"=\?([\w.:+-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?([^?\s]*)\?=")


def words(raw: bytes, most: int, charset: str = "") -> str:
    """A field as people read it, encoded words decoded (RFC 2047), on one line of at most ``most`` characters."""
    pieces: list[tuple[str, bytes]] = []
    place = 0
    for found in _WORD.finditer(raw):
        between = raw[place : found.start()]
        if between.strip() or not pieces:
            pieces.append((charset, between))
        tag = found[1].decode("ascii").lower()
        if (pieces[-1][0] == tag and not between) or (pieces[-1][0] == tag and not between.strip()):
            pieces[-1] = (tag, pieces[-1][1] + _word(found[2], found[3]))
        else:
            pieces.append((tag, _word(found[2], found[3])))
        place = found.end()
    pieces.append((charset, raw[place:]))
    return clean_line("".join(decoded(piece, tag) for tag, piece in pieces), most)


def _word(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return binascii.a2b_qp(text, header=True)
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def mailboxes(head: Head, name: str, charset: str = "") -> list[Mailbox]:
    """Every address in the fields of this name; none of them when any of it cannot be made out for certain."""
    found: list[Mailbox] = []
    for value in head.get(name, []):
        for phrase, address in _listed(value):
            known = _known(address)
            if known is None:
                return []
            found.append(Mailbox(words(phrase, LONGEST_NAME, charset), known))
    return found


def _known(address: bytes) -> str | None:
    try:
        text = address.decode()
        # a message that names `someone@localhost` is taken, as people try things out on one machine
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except (UnicodeError, EmailNotValidError, ValueError):
        return None


_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|<([^<>]*)>|([,;])|(\()|([^",;<>()]+)|(.)', re.DOTALL)


def _listed(value: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and address, as they are written, of each mailbox of a list; an address is blank where it is not plain."""
    phrase, address, bare, place = b"", None, True, 0
    while place < len(value):
        token = _TOKEN.match(value, place)
        assert token is not None
        place = token.end()
        if token[4]:
            place = _after_comment(value, place)
        elif token[3]:
            yield from _mailbox(phrase, address, bare)
            phrase, address, bare = b"", None, True
        elif token[2] is not None:
            address = b"" if address is not None else token[2].strip()
        elif token[1] is not None:
            phrase, bare = phrase + re.sub(rb"\\(.)", rb"\1", token[1], flags=re.DOTALL), False
        elif token[5]:
            phrase += token[5]
            address = b"" if address is not None and token[5].strip() else address
        elif token[6] == b'"':
            yield phrase, b""  # never closed: nothing after it is plain, and looking on would cost the square
            return
        else:
            phrase, address = phrase + b" ", b""
    yield from _mailbox(phrase, address, bare)


def _mailbox(phrase: bytes, address: bytes | None, bare: bool) -> Iterator[tuple[bytes, bytes]]:
    if address is not None:
        yield phrase, address
    elif phrase.strip():
        yield b"", phrase.strip() if bare else b""


def _after_comment(value: bytes, place: int) -> int:
    depth = 1
    while place < len(value) and depth:
        char = value[place : place + 1]
        place += 2 if char == b"\\" else 1
        depth += (char == b"(") - (char == b")")
    return place
