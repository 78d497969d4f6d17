"""What the made-up person does: one walk for each thing that people may ask for, each by its own act against its own purpose.

A walk says whether what was asked for happened: True, False, or None when this policy offers nothing of the kind. Values of the
canary are nobody's: addresses under ``.test`` (RFC 6761), telephone numbers that Ofcom keeps for drama.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

from sqlalchemy import select, update

from troth.consent.actions import choices
from troth.consent.rules import facts_of
from troth.errors import Refused
from troth.evidence.doors import Page, Walk
from troth.evidence.searching import floors, search
from troth.ledger.tables import entry
from troth.messages.links import stop_link
from troth.messages.rules import can_be_stopped, stopping
from troth.people import vault
from troth.people.tables import person
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.model import Right
from troth.policy.undeclared import NO_PURPOSE
from troth.retention.destroy import complete, destroy
from troth.retention.tables import ending
from troth.rights import rules
from troth.rights.tables import request
from troth.store.schema import data_tables

_MADE_UP: Mapping[str, Callable[[str], str]] = {
    "pd:EmailAddress": lambda token: f"{token}@canary.test",
    "pd:TelephoneNumber": lambda token: f"+44 20 7946 {crc32(token.encode()) % 1_000:04d}",
    "pd:BirthDate": lambda token: "1980-01-01",
}
SAID_FAILED: Mapping[str, str] = {
    "collect": "a made-up person could not be taken in",
    "purpose": "a read without a promised purpose was let through",
    "access": "something was missing from the answer",
    "copy": "the copy could not be had, or lacked something",
    "correction": "a correction did not take effect",
    "restriction": "data was read in spite of a restriction",
    "withdrawal": "a withdrawal did not take effect at once",
    "objection": "an objection did not take effect at once",
    "marketing": "marketing was not stopped at once",
    "unsubscribe": "a link to unsubscribe did not stop the messages",
    "complaint": "a complaint did not arrive",
    "account": "an account could not be closed",
    "erasure": "something of an erased person is still there",
    "headers": "a page lacked a header that protects its reader",
    "tls": "the encryption offered there is not to be trusted",
}
"""What it means when a walk fails, by its kind."""
Way = Callable[[Walk], bool | None]
_LETTERS = "ghjkmnpqrstvwxyz"
"""no digits, which could read like somebody's number and have to be looked at by staff; and no vowels, so no words"""


def walks(compiled: Compiled) -> Iterator[tuple[str, str, Way]]:
    """The name, the kind and the way of each walk; a right's name is ``rights.KEY``, as its promise is called."""
    yield "collect", "collect", lambda walk: Asker(walk, compiled).collect()
    yield "purpose", "purpose", lambda walk: Asker(walk, compiled).purpose()
    for key, right in compiled.policy.rights.items():
        if right.right in _WAYS:
            kind, way = _WAYS[right.right]
            yield f"rights.{key}", kind, partial(_walked, compiled, right, way)
    for key, measure in compiled.policy.security.items():
        if measure.check == "headers":
            yield f"security.{key}", "headers", partial(_headers, compiled)
    for key, one in compiled.policy.messages.items():
        if can_be_stopped(compiled.policy, key) and one.for_:
            yield f"messages.{key}", "unsubscribe", partial(_unsubscribed, compiled, key)


def _walked(compiled: Compiled, right: Right, way: Callable[[Asker, Right], bool | None], walk: Walk) -> bool | None:
    asker = Asker(walk, compiled)
    return way(asker, right) if asker.collect() else False


def _unsubscribed(compiled: Compiled, key: str, walk: Walk) -> bool | None:
    asker = Asker(walk, compiled)
    return asker.unsubscribe(key) if asker.collect() else False


def made_up_form(compiled: Compiled) -> str | None:
    """The form by which to come in: open to everybody, with an e-mail address that identifies; nothing of it is archived."""
    keys = compiled.policy.collection
    return next((key for kind in ("form", "account") for key in keys if _fits(compiled, key, kind)), None)


def _fits(compiled: Compiled, key: str, kind: str) -> bool:
    point = compiled.policy.collection[key]
    asked = {*point.required, *point.optional} & compiled.identifying
    mail = any(_category(compiled, name) == "pd:EmailAddress" for name in asked)
    return point.kind == kind and not point.members_only and mail and not archived(compiled, key) & set(point.required)


def _category(compiled: Compiled, name: str) -> str:
    return compiled.policy.data[name].category or ""


def archived(compiled: Compiled, key: str) -> set[str]:
    """Fields that the law makes the operator keep: a canary never hands them in, since they would outlive it."""
    return {name for clock in compiled.clocks if clock.archive for point, name in clock.covers if point == key}


@dataclass
class Asker:
    """The made-up person on one walk."""

    walk: Walk
    compiled: Compiled
    token: str = field(default_factory=lambda: f"canary{''.join(secrets.choice(_LETTERS) for _ in range(24))}")
    person_id: str = ""

    @property
    def point(self) -> str:
        """The form they come in by."""
        return made_up_form(self.compiled) or ""

    @property
    def email(self) -> str:
        return _MADE_UP["pd:EmailAddress"](self.token)

    def values(self) -> dict[str, str]:
        """What they hand in: each field that is asked for, with a value that nobody else has."""
        data, point = self.compiled.policy.data, self.compiled.policy.collection[self.point]
        fields = [f for f in (*point.required, *point.optional) if f not in archived(self.compiled, self.point)]
        stored = [f for f in fields if data[f].protect != "never stored"]
        return {f: _MADE_UP.get(data[f].category, _any_text)(self.token) for f in stored}

    def collect(self) -> bool:
        """Fill in the form on the site's own page, tick every box, and open the account if it is the form of one."""
        page = self.walk.door.get(f"/forms/{self.point}")
        boxes = self.compiled.policy.collection[self.point].offers
        sent = {f"field.{name}": value for name, value in self.values().items()}
        sent |= {f"choice.{one}": "yes" for one in boxes} | {"acknowledged": "yes", "token": self.walk.token(page)}
        answer = self.walk.door.post(f"/forms/{self.point}", sent)
        if self.compiled.policy.collection[self.point].kind == "account":
            link = self.walk.link("account/link")
            if not link or self.walk.door.post(link, {"password": self.token}).status != 200:
                return False
        self.person_id = self._found() or ""
        return answer.status == 200 and bool(self.person_id)

    def _found(self) -> str | None:
        mail = next(name for name in self.values() if _category(self.compiled, name) == "pd:EmailAddress")
        with self.walk.site.reading() as conn:
            return vault.find(self.walk.site, conn, mail, self.email)

    def purpose(self) -> bool | None:
        """Nobody reads what they handed in for a purpose that was not promised."""
        return self.collect() and not self._reads(NO_PURPOSE)

    def _reads(self, purpose: str) -> bool:
        try:
            vault.read(self.walk.site, self.person_id, self.values(), purpose, By("system"))
        except Refused:
            return False
        return True

    def facts(self) -> frozenset[str]:
        """What they chose, as decisions see it."""
        with self.walk.site.reading() as conn:
            return facts_of(choices(conn, [self.person_id]).get(self.person_id, ()))

    def ask(self, right: str, **more: str) -> bool:
        """Ask on the page that everybody asks on; whether it was taken in."""
        page = self.walk.door.get("/privacy")
        sent = {"token": self.walk.token(page), "right": right, "email": self.email, **more}
        return self.walk.door.post("/privacy/request", sent).status == 200

    def confirmed(self, right: str, **more: str) -> bool:
        """Ask, and press the button behind the link that came by mail."""
        if not self.ask(right, **more):
            return False
        link = self.walk.link("privacy/confirm")
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
        link = self.walk.link("privacy/data")
        page = self.walk.door.post(link, {"press": "yes"}) if link else None
        return page if page is not None and page.status == 200 else None

    def unsubscribe(self, name: str) -> bool:
        """Press the button behind the link that stands below every message of the class."""
        entry_ = self.compiled.policy.messages[name]
        path = stop_link(self.walk.site, self.person_id, name).partition(self.walk.site.wiring.base_url.rstrip("/"))[2]
        answer = self.walk.door.post(path, {"List-Unsubscribe": "One-Click"})
        facts = self.facts()
        said = f"objection:{entry_.for_}" in facts or stopping(entry_) == "withdrawn"
        return answer.status == 200 and said and f"consent:{entry_.for_}" not in facts


def _headers(compiled: Compiled, walk: Walk) -> bool:
    """Every page and a page that is not there load and run nothing foreign, are framed by nobody, and name no reader."""
    pages = [walk.door.get(path) for path in ("", "/forms", f"/forms/{made_up_form(compiled)}", "/privacy", "/nowhere")]
    return all(_protects(page.headers) for page in pages)


def _protects(headers: Mapping[str, str]) -> bool:
    policy = headers.get("content-security-policy", "")
    return (
        "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and headers.get("x-content-type-options") == "nosniff"
        and headers.get("referrer-policy") == "no-referrer"
        and "max-age=" in headers.get("strict-transport-security", "")
    )


def _access(asker: Asker, right: Right) -> bool:
    page = asker.centre(right.right)
    missing = {name for name, value in asker.values().items() if page is None or value not in page.text}
    return missing <= set(asker.compiled.policy.collection[asker.point].keeps_when_different)


def _copy(asker: Asker, right: Right) -> bool:
    page = asker.centre(right.right)
    if page is None:
        return False
    copied = asker.walk.door.post("/privacy/copy", {**asker.walk.visit(page), "format": "json"})
    return copied.status == 200 and asker.email in copied.text


def _correction(asker: Asker, right: Right) -> bool:
    page = asker.centre("access")
    free = [name for name, value in asker.values().items() if value == _any_text(asker.token)]
    if page is None or not free:
        return False
    visit = asker.walk.visit(page)
    new = f"{asker.token} corrected"
    answer = asker.walk.door.post("/privacy/correct", {**visit, f"field.{free[0]}": new})
    held = vault.everything(asker.walk.site, asker.person_id, By("person", ref=asker.person_id))
    return answer.status == 200 and any(one.fields.get(free[0]) == new for one in held)


def _restriction(asker: Asker, right: Right) -> bool:
    with asker.walk.site.reading() as conn:
        free = conn.scalar(select(person.c.only_for).where(person.c.id == asker.person_id)) is None
    done = asker.confirmed("restriction")
    purposes = asker.compiled.policy.purposes
    return free and done and asker.state("restriction") == ("closed", "done") and not any(map(asker._reads, purposes))


def _objection(asker: Asker, right: Right) -> bool | None:
    """To exactly what this right names; an objection that has to be weighed stops the use until somebody has decided."""
    policy = asker.compiled.policy
    scopes = rules.scopes(policy, "objection", right.against)
    if not scopes:
        return None
    page = asker.centre("access")
    visit = asker.walk.visit(page) if page else {}
    answer = asker.walk.door.post("/privacy/object", {**visit, **{f"no.{scope}": "yes" for scope in scopes}})
    return answer.status == 200 and {f"objection:{scope}" for scope in scopes} <= asker.facts()


def _withdrawal(asker: Asker, right: Right) -> bool | None:
    policy = asker.compiled.policy
    scopes = [s for s in rules.scopes(policy, "withdrawal", right.against) if rules.rests_on_consent(policy, s)]
    given = [scope for scope in scopes if f"consent:{scope}" in asker.facts()]
    if not given:
        return None
    done = asker.confirmed("withdrawal")
    return done and not {f"consent:{scope}" for scope in given} & asker.facts()


def _marketing(asker: Asker, right: Right) -> bool | None:
    scopes = rules.scopes(asker.compiled.policy, "stop marketing", ())
    if not scopes:
        return None
    asked = asker.ask("stop marketing")
    facts = asker.facts()
    wanted = {scope: rules.state_of_no(asker.compiled.policy, "stop marketing", scope) for scope in scopes}
    return asked and all(
        f"objection:{scope}" in facts if state == "objected" else f"consent:{scope}" not in facts
        for scope, state in wanted.items()
    )


def _complaint(asker: Asker, right: Right) -> bool:
    asked = asker.ask("complaint", text=f"{asker.token} is not content")
    asker.walk.work()
    told = any(asker.email in one.recipients for one in asker.walk.mailbox.messages())
    return asked and told and asker.state("complaint")[0] == "open"


def _erasure(asker: Asker, right: Right) -> bool:
    """Quarantined at once; then destroyed as at the deadline, and looked for in every table of both stores."""
    site, since = asker.walk.site, floors(asker.walk.site)
    if not asker.confirmed("erasure"):
        return False
    with site.writing() as conn:
        mine = ending.c.person_id == asker.person_id
        ids = list(conn.scalars(select(ending.c.id).where(mine)))
        conn.execute(update(ending).where(mine).values(destroy_by=site.now()))
    for one in ids:
        destroy(site, one)
        complete(site, one)
    unique = [value for value in asker.values().values() if value != _MADE_UP["pd:BirthDate"](asker.token)]
    outlive = {table.name for table in data_tables.sorted_tables if "outlives" in table.info} | {entry.name}
    found = search(site, [asker.token, *unique], (), since) + search(site, [asker.person_id], outlive, since)
    return bool(ids) and not found


_WAYS: Mapping[str, tuple[str, Callable[[Asker, Right], bool | None]]] = {
    "access": ("access", _access),
    "copy": ("copy", _copy),
    "portability": ("copy", _copy),
    "correction": ("correction", _correction),
    "restriction": ("restriction", _restriction),
    "objection": ("objection", _objection),
    "withdrawal": ("withdrawal", _withdrawal),
    "stop marketing": ("marketing", _marketing),
    "complaint": ("complaint", _complaint),
    "complaint to us": ("complaint", _complaint),
    "erasure": ("erasure", _erasure),
}


def _any_text(token: str) -> str:
    return f"{token} made up"
