"""What somebody wrote themselves: a message without what it quotes and without its signature. Pure."""

from __future__ import annotations

import re

LONGEST = 20_000
"""characters of a message that are kept"""

_SIGNATURE = re.compile(r"^(--|—|__+)\s?$")
_SENT_FROM = re.compile(
    r"^(Sent from my \w+|Sent from (Mail|Outlook|Yahoo Mail)\b.{0,40}|Get Outlook for \w+"
    r"|從我的 ?\w+ ?(傳送|寄出)|寄自我的 ?\w+)\.?$",
    re.I,
)
_OLD_MESSAGE = re.compile(
    r"^-{2,}\s?(Original Message|Ursprüngliche Nachricht|原始郵件|原始邮件|原信件)\s?-{2,}$", re.I
)
_WROTE = re.compile(
    r"^(On\b.{5,300}\bwrote:|.{3,200}<[^\s<>@]+@[^\s<>@]+>\s?(於|在).{3,100}(寫道|写道)[:：]|(於|在).{3,300}(寫道|写道)[:：])$"
)
_HEAD = re.compile(r"^\*?(From|寄件者|寄件人|發件人|发件人)\*?\s?[:：]", re.I)
_HEAD_GOES_ON = re.compile(
    r"^\*?(Sent|Date|To|Subject|寄件日期|傳送時間|日期|收件者|收件人|主旨|主題)\*?\s?[:：]", re.I
)


def own_words(text: str) -> str:
    """The part of ``text`` that its sender wrote; all of it where nothing else is left, since people must see something."""
    lines = text.split("\n")
    kept: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        if _SIGNATURE.match(line) or _OLD_MESSAGE.match(line) or _copied_head(lines, place):
            break
        taken = _attribution(lines, place)
        if taken and not _quotes_next(lines, place + taken):
            break
        if not taken and not line.startswith((">", "＞")) and not _SENT_FROM.match(line):
            kept.append(lines[place].rstrip())
        place += taken or 1
    return _tidied("\n".join(kept)) or _tidied(text)


def _attribution(lines: list[str], place: int) -> int:
    """How many lines, from ``place`` on, say who wrote what is quoted below: a mail program breaks them as it likes."""
    if not lines[place].lstrip().startswith(("On ", "於", "在")) and "@" not in lines[place]:
        return 0
    for count in (1, 2, 3):
        if _WROTE.match(" ".join(line.strip() for line in lines[place : place + count])[:600]):
            return count
    return 0


def _quotes_next(lines: list[str], place: int) -> bool:
    following = next((line.strip() for line in lines[place : place + 5] if line.strip()), "")
    return following.startswith((">", "＞"))


def _copied_head(lines: list[str], place: int) -> bool:
    """Whether an old message begins here, as some programs copy it: with the first lines of its header."""
    if not _HEAD.match(lines[place].strip()):
        return False
    return sum(bool(_HEAD_GOES_ON.match(line.strip())) for line in lines[place + 1 : place + 7]) >= 2


def _tidied(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()[:LONGEST].rstrip()
