"""Somebody made up: what they hand in, and what they do at the doors of a site.

Their values are nobody's: addresses under ``.test`` (RFC 6761), telephone numbers that Ofcom keeps for drama.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from sqlalchemy import select

from troth.errors import Refused
from troth.evidence.doors import Page, Walk
from troth.messages.actions import queue
from troth.messages.links import stop_link
from troth.messages.rules import stopping
from troth.people import vault
from troth.people.facts import chosen_facts
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.undeclared import NO_PURPOSE
from troth.rights import rules
from troth.rights.tables import request

MADE_UP: Mapping[str, Callable[[str], str]] = {
    "pd:EmailAddress": lambda token: f"{token}@canary.test",
    "pd:TelephoneNumber": lambda token: f"+44 20 7946 {crc32(token.encode()) % 1_000:04d}",
    "pd:BirthDate": lambda token: "1980-01-01",
}
_LETTERS = "ghjkmnpqrstvwxyz"
"""no digits, which could read like somebody's number and have to be looked at by staff; and no vowels, so no words"""


def made_up_form(compiled: Compiled, offering: str = "", using: Collection[str] = ()) -> str | None:
    """The form by which to come in: open to everybody, asking an address that identifies; rather one of no archive, before
    that one that asks for some of the fields ``using``, and before that one that offers to agree to ``offering``."""
    points = compiled.policy.collection

    def lacks(key: str) -> tuple[bool, bool, int]:
        nothing_used = bool(using) and not set(using) & set(handed_in(compiled, key))
        return offering not in (*points[key].offers, ""), nothing_used, len(kept_on(compiled, key))

    return min(
        (key for kind in ("form", "account") for key in points if fits(compiled, key, kind)), key=lacks, default=None
    )


def handed_in(compiled: Compiled, key: str) -> list[str]:
    """The fields that the made-up person fills in at the form ``key``."""
    data, point = compiled.policy.data, compiled.policy.collection[key]
    spared = archived(compiled, key)
    fields = [*point.required, *(name for name in point.optional if name not in spared)]
    return [name for name in fields if data[name].protect != "never stored"]


def fits(compiled: Compiled, key: str, kind: str) -> bool:
    point = compiled.policy.collection[key]
    asked = {*point.required, *point.optional} & compiled.identifying
    mail = any(category(compiled, name) == "pd:EmailAddress" for name in asked)
    never = {name for name, one in compiled.policy.data.items() if one.protect == "never stored"}
    return point.kind == kind and not point.members_only and mail and not never & set(point.required)


def category(compiled: Compiled, name: str) -> str:
    return compiled.policy.data[name].category or ""


def archived(compiled: Compiled, key: str) -> set[str]:
    """Fields that the law makes the operator keep, which outlive an erasure."""
    return {name for clock in compiled.clocks if clock.archive for point, name in clock.covers if point == key}


def kept_for(compiled: Compiled, key: str, purpose: str) -> set[str]:
    """Of these the fields that are kept for ``purpose``."""
    policy = compiled.policy
    archives = [clock for clock in compiled.clocks if clock.archive and purpose in policy.retention[clock.id].for_]
    return {name for clock in archives for point, name in clock.covers if point == key}


def kept_on(compiled: Compiled, key: str) -> set[str]:
    return archived(compiled, key) & set(compiled.policy.collection[key].required)


@dataclass
class Asker:
    """The made-up person on one walk."""

    walk: Walk
    compiled: Compiled
    form: str = ""
    """the form that they come in by; blank for the one that is open to everybody"""
    token: str = field(default_factory=lambda: f"canary{''.join(secrets.choice(_LETTERS) for _ in range(24))}")
    person_id: str = ""
    easy: tuple[str, ...] = ()
    """passwords that are tried first when one is chosen, and must not be taken"""

    @property
    def point(self) -> str:
        """The form they come in by."""
        return self.form or made_up_form(self.compiled) or ""

    @property
    def email(self) -> str:
        return MADE_UP["pd:EmailAddress"](self.token)

    def values(self) -> dict[str, str]:
        """What they hand in: each field that is asked for, with a value that nobody else has."""
        data = self.compiled.policy.data
        return {
            name: MADE_UP.get(data[name].category, any_text)(self.token)
            for name in handed_in(self.compiled, self.point)
        }

    def collect(self, ticking: Sequence[str] | None = None) -> bool:
        """Fill in the form on the site's own page, tick every box, and open the account if it is the form of one.

        ``ticking`` are the only choices that are ticked, where not all are.
        """
        answer = self.fill_in(ticking)
        if self.compiled.policy.collection[self.point].kind == "account":
            link = self.walk.link("account/link", self.email)
            if not link or any(self._chosen(link, easy) for easy in self.easy) or not self._chosen(link, self.token):
                return False
        self.person_id = self.found() or ""
        return answer.status == 200 and bool(self.person_id)

    def fill_in(self, ticking: Sequence[str] | None = None) -> Page:
        """What answers the form that they come in by, filled in on the site's own page; ``ticking`` as for ``collect``."""
        page = self.walk.door.get(f"/forms/{self.point}")
        boxes = self.compiled.policy.collection[self.point].offers if ticking is None else ticking
        sent = {f"field.{name}": value for name, value in self.values().items()}
        sent |= {f"choice.{one}": "yes" for one in boxes} | {"acknowledged": "yes", "token": self.walk.token(page)}
        return self.walk.door.post(f"/forms/{self.point}", sent)

    def _chosen(self, link: str, password: str) -> bool:
        return self.walk.door.post(link, {"password": password}).status == 200

    def logs_in(self, password: str) -> bool:
        """Whether the log-in lets them in: it then hands out a cookie."""
        return bool(self.cookie(password))

    def cookie(self, password: str) -> str:
        """The cookie that a log-in hands out, in small letters; blank when it lets nobody in."""
        token = self.walk.token(self.walk.door.get("/account/login"))
        sent = {"token": token, "address": self.email, "password": password}
        return self.walk.door.post("/account/login", sent).headers.get("set-cookie", "").lower()

    def found(self) -> str | None:
        """Their number, looked up by their address; None when nobody is found by it."""
        mail = next(name for name in self.values() if category(self.compiled, name) == "pd:EmailAddress")
        with self.walk.site.reading() as conn:
            return vault.find(self.walk.site, conn, mail, self.email)

    def purpose(self) -> bool | None:
        """Nobody reads anything that they handed in for a purpose that was not promised."""
        return not any(self._read([name], NO_PURPOSE) for name in self.values()) if self.collect() else None

    def reads(self, purpose: str) -> bool:
        """Whether what ``purpose`` uses of all that they handed in is read for it; False when it uses nothing of it."""
        uses = set(self.compiled.policy.purposes[purpose].uses)
        return self._read([name for name in self.values() if name in uses], purpose)

    def in_use(self) -> bool:
        """Whether they are still found by their address, or anything of theirs is read, but for what an archive keeps for just
        that purpose."""
        return bool(self.found()) or any(map(self._reads_more, self.compiled.policy.purposes))

    def _reads_more(self, purpose: str) -> bool:
        uses = set(self.compiled.policy.purposes[purpose].uses) - kept_for(self.compiled, self.point, purpose)
        return self._read([name for name in self.values() if name in uses], purpose)

    def _read(self, fields: Sequence[str], purpose: str) -> bool:
        try:
            return bool(fields) and bool(
                vault.read(self.walk.site, self.person_id, fields, purpose, By("system")).values
            )
        except Refused:
            return False

    def facts(self) -> frozenset[str]:
        """What they chose, as decisions see it."""
        with self.walk.site.reading() as conn:
            return chosen_facts(conn, self.person_id)

    def ask(self, right: str, **more: str) -> bool:
        """Ask on the page that everybody asks on; whether it was taken in."""
        page = self.walk.door.get("/privacy")
        sent = {"token": self.walk.token(page), "right": right, "email": self.email, **more}
        return self.walk.door.post("/privacy/request", sent).status == 200

    def confirmed(self, right: str, **more: str) -> bool:
        """Ask, and press the button behind the link that came by mail, if the policy says that identity is checked first."""
        if not self.ask(right, **more):
            return False
        done = True
        if rules.terms(self.compiled, right).verify:
            link = self.walk.link("privacy/confirm", self.email)
            done = bool(link) and self.walk.door.post(link, {"press": "yes"}).status == 200
        self.walk.work()
        return done

    def state(self, right: str) -> tuple[str, str]:
        """How far their request is, and what came of it."""
        with self.walk.site.reading() as conn:
            mine = (request.c.right == right) & (request.c.person_id == self.person_id)
            row = conn.execute(select(request.c.state, request.c.outcome).where(mine)).first()
            return (row.state, row.outcome) if row else ("", "")

    def centre(self, right: str) -> Page | None:
        """Their privacy centre, reached by the links in their mail."""
        if not self.confirmed(right):
            return None
        link = self.walk.link("privacy/data", self.email)
        page = self.walk.door.post(link, {"press": "yes"}) if link else None
        return page if page is not None and page.status == 200 else None

    def unsubscribe(self, name: str) -> bool | None:
        """Press the button behind the link in a letter of the class that they are sent; None when it is for what one has
        agreed to, and they had not."""
        entry_ = self.compiled.policy.messages[name]
        agreed, withdrawn = f"consent:{entry_.for_}", stopping(entry_) == "withdrawn"
        if withdrawn and agreed not in self.facts():
            return None
        path = self._way_out(name).partition(self.walk.site.wiring.base_url.rstrip("/"))[2]
        if not path:
            return False
        answer = self.walk.door.post(path, {"List-Unsubscribe": "One-Click"})
        facts = self.facts()
        said = withdrawn or f"objection:{entry_.for_}" in facts
        return answer.status == 200 and said and agreed not in facts

    def _way_out(self, name: str) -> str:
        """Where a letter of the class ``name`` that they are sent leads whoever wants no more, in its header and in both of its
        bodies; blank where it does not. Where the policy lets nobody write to them now: where such a letter would lead."""
        terms = {"subject_line": self.token, "paragraphs": [], "language": self.compiled.policy.policy.languages[0]}
        with self.walk.site.writing() as conn:
            if not queue(self.walk.site, conn, self.person_id, name, "letter", terms, f"{name}:{self.token}"):
                return stop_link(self.walk.site, self.person_id, name)
        self.walk.work()
        mine = (one for one in self.walk.mailbox.messages() if self.email in one.recipients)
        letter = next((one for one in mine if one.subject == self.token), None)
        if letter is None:
            return ""
        header = re.search(rb"^List-Unsubscribe: <([!-~]+)>\r?$", letter.raw, re.MULTILINE)  # as mail programs read it
        link = header[1].decode() if header else ""
        return link if all(link in letter.body(kind) for kind in ("plain", "html")) else ""


def any_text(token: str) -> str:
    return f"{token} made up"
