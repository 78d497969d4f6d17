"""One of the five sites as a business and its people reach it: by page, program, mail, command line and worker, not by Python.

A test that proves a clause acts through here. ``Operator.site`` is for looking at what came of it, never for acting.
``tests/conftest.py`` fails a test that is marked with a clause and goes through no door.
"""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests import terminal
from tests.databases import Databases, StoreKind
from tests.fixtures import START
from tests.members import PASSWORD
from tests.operators import SITES, Edit, edited, mailing, open_operator, rewritten
from tests.pressing import carry_out, look_up
from tests.served import Client, client, filled, serving, token_of, words_of
from tests.staffed import Somebody, at_desk, somebody
from troth import work
from troth.acts import tokens
from troth.acts.model import SCOPES
from troth.acts.table import ACTS
from troth.clock import MovedClock
from troth.messages.inbound import take
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people.tables import holding, person
from troth.policy.model import Policy
from troth.rights import by_mail
from troth.settings import Program
from troth.store.site import Site

TOKEN = "t" * 40
"""part of every program's token; see ``token_of_role``"""
PROGRAM_TOKEN = "TROTH_TEST_TOKEN"
"""what the variables with these tokens begin with; they mean nothing outside a test's own sites, and stay set"""


ANSWERS = {
    "pd:EmailAddress": "ann@shop.example",
    "pd:TelephoneNumber": "+44 20 7946 0958",
    "pd:BirthDate": "1990-05-31",
}
"""what people answer to a question about data of a category; anything else is answered with its name"""


@dataclass(frozen=True)
class Taken:
    """What came of a submission: the number of its person, and of the order, request or ticket that it opened."""

    person: str
    case: str


@dataclass
class Operator:
    """A site with its web pages, its mail server, a worker and a clock that the test moves."""

    site: Site
    web: Client
    mailbox: Mailbox
    clock: MovedClock
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _token: str = ""

    @property
    def name(self) -> str:
        return self.site.name

    # --- pages and programs ----------------------------------------------------------------------------------------

    def get(self, path: str = "", **more: Any) -> httpx.Response:
        """A page of the site: ``get("notice")``."""
        found: httpx.Response = self.web.get(f"/{self.name}/{path}".rstrip("/"), **more)
        return found

    def post(self, path: str, **more: Any) -> httpx.Response:
        found: httpx.Response = self.web.post(f"/{self.name}/{path}", **more)
        return found

    def submit(self, point: str, values: Mapping[str, str], key: str = "", **more: Any) -> httpx.Response:
        """A submission by a shop's own program: 201 stored, 403 refused, 422 with a problem for each field.

        ``more``: ``choices={scope: bool}``, ``acknowledged=True``, ``language="zh-Hant"``.
        """
        body = {"values": dict(values), "key": key or f"submission-{next(self._numbers)}-of-a-test", **more}
        return self.post(f"api/collect/{point}", json=body)

    def take(self, point: str, *agreed: str, **values: str) -> Taken:
        """Somebody's submission to ``point``: an answer to each required question, ``values``, and a yes to ``agreed``."""
        answer = self.submit(
            point, self.answers(point, **values), choices=dict.fromkeys(agreed, True), acknowledged=True
        )
        assert answer.status_code == 201, answer.text
        told = answer.json()
        with self.site.reading() as conn:
            (whose,) = set(conn.scalars(select(holding.c.person_id).where(holding.c.submission == told["receipt"])))
        return Taken(whose, told["case"] or "")

    def answers(self, point: str, **values: str) -> dict[str, str]:
        """An answer to every question that ``point`` requires, and ``values``."""
        policy = self.site.policy().policy
        required = policy.collection[point].required
        return {key: ANSWERS.get(policy.data[key].category, f"my {key}") for key in required} | values

    def send_form(self, point: str, values: Mapping[str, str], **ticked: str) -> httpx.Response:
        """A form filled in by a person in a browser; ``ticked`` holds other inputs as the page names them."""
        address = f"/{self.name}/forms/{point}"
        sent = filled(self.web, address, values, **ticked)
        found: httpx.Response = self.web.post(address, data=sent)
        return found

    def read(
        self, purpose: str, *fields: str, role: str = "any", case: str | None = None, **whom: str
    ) -> httpx.Response:
        """What one of the operator's programs is given of somebody: ``read("marketing", "email", email="ann@...")``."""
        found, value = next(iter(whom.items()))
        meant = {"person": value} if found == "person" else {"find": {"field": found, "value": value}}
        body = {"purpose": purpose, "fields": list(fields), **meant, **({"case": case} if case else {})}
        headers = {"authorization": f"Bearer {token_of_role(role)}"}
        return self.post("api/read", json=body, headers=headers)

    def reads(self, person: str, purpose: str, fields: str, role: str = "any", case: str | None = None) -> bool:
        """Whether a program of the operator is given all of ``fields`` (words) of somebody; nothing of them when it is not."""
        answer = self.read(purpose, *fields.split(), role=role, case=case, person=person)
        assert answer.status_code in {200, 403}, answer.text
        return answer.status_code == 200 and set(fields.split()) == set(answer.json()["values"])

    def act(self, act: str, **given: Any) -> httpx.Response:
        """What a program of the operator says happened: ``act("open-dealing", person=..., kind="order", number="A-1")``."""
        self._token = self._token or tokens.add(self.site, "business", tuple(SCOPES))[1]
        return self.post(f"api/acts/{act}", json=given, headers={"authorization": f"Bearer {self._token}"})

    def done(self, act: str, **given: Any) -> dict[str, Any]:
        """What came of an act that was carried out."""
        answer = self.act(act, **given)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["result"]
        return result

    def gives(self, person: str, recipient: str, purpose: str, fields: str, **case: Any) -> bool:
        """Whether the operator may give ``fields`` (words) of somebody to a recipient that its policy names."""
        answer = self.act(
            "disclose", person=person, recipient=recipient, purpose=purpose, fields=fields.split(), **case
        )
        assert answer.status_code in {200, 403}, answer.text
        return answer.status_code == 200

    def gives_in_case(self, person: str, recipient: str, ground: str, fields: str, record: Mapping[str, str]) -> bool:
        """Whether ``fields`` (words) of somebody may be given to whomever a legal case names, with ``record`` on record."""
        case = {"person": person, "recipient": recipient, "ground": ground, "fields": fields.split(), "record": record}
        answer = self.act("disclose-in-case", **case)
        assert answer.status_code in {200, 403}, answer.text
        return answer.status_code == 200

    def agree(self, person: str, *scopes: str) -> None:
        """Somebody agrees by letter, a minute later."""
        self.clock.move(timedelta(minutes=1))
        for scope in scopes:
            self.done("give-consent", person=person, about=scope, channel="letter")

    def looked_at(self, *paths: str) -> None:
        """Pages fetched over a socket from this machine, so that the visitor has an address: 127.0.0.1."""
        with serving([self.site]) as address:
            for path in paths:
                with urllib.request.urlopen(f"{address}/{self.name}/{path}".rstrip("/"), timeout=60) as page:
                    page.read()

    def notice(self, language: str = "en") -> str:
        """What a reader sees of the notice, in one line."""
        return words_of(self.get(f"?lang={language}").text)

    def desk(self, login: str = "ann", *roles: str) -> Somebody:
        """A member of staff, logged in at the desk with this browser."""
        who = somebody(self.site, login, *roles)
        assert at_desk(self.web, who) == 303
        return who

    def act_at_desk(self, name: str, **given: Any) -> httpx.Response:
        """Carry out an act of the table by its form at the desk, where ``desk`` has logged somebody in.

        Whom it is about is found by what identifies them: ``act_at_desk("restrict", email="ann@...")``.
        """
        arguments = {one.name for one in ACTS[name].arguments}
        whom = {key: given.pop(key) for key in list(given) if key not in arguments}
        found = look_up(self.web, self.name, **whom).url.path.rpartition("/")[2] if whom else ""
        return carry_out(self.web, self.name, name, given | ({"person": found} if found else {}), **whom)

    def press(self, page: str, action: str = "", **values: str) -> httpx.Response:
        """Send the form of a page of this site: its token and ``values``, to ``action`` or back to the page."""
        token = token_of(self.get(page).text)
        return self.post(action or page, data={"token": token, **values})

    # --- accounts -----------------------------------------------------------------------------------------------------

    def join(self, point: str, values: Mapping[str, str], **ticked: str) -> None:
        """Open an account: the form, the link in the mail, a password, and the log-in."""
        sent = self.send_form(point, values, **ticked)
        assert sent.status_code < 400, sent.text
        self.web.post(self.link("account/link"), data={"password": PASSWORD})
        self.log_in(values["email"])

    def confirm(self, address: str) -> None:
        """Whoever reads the mail at an address uses the link of a registration there, and chooses a password."""
        assert self.web.post(self.link("account/link", address), data={"password": PASSWORD}).status_code < 400

    def log_in(self, address: str, password: str = PASSWORD) -> httpx.Response:
        page = f"/{self.name}/account/login"
        token = token_of(self.web.get(page).text)
        found: httpx.Response = self.web.post(page, data={"token": token, "address": address, "password": password})
        return found

    # --- mail, worker, time, command line -----------------------------------------------------------------------------

    def mail(self, sender: str, words: str, subject: str = "My data") -> None:
        """A mail to the operator's address, as its mail server hands it over."""
        letter = EmailMessage()
        letter["From"], letter["Subject"] = sender, subject
        letter["To"] = self.site.policy().policy.operator.email or "privacy@shop.example"
        letter["Message-ID"] = f"<{next(self._numbers)}@tests.example>"
        letter.set_content(words)
        take(self.site, letter.as_bytes(), by_mail.take_in)

    def turn(self, times: int = 3) -> None:
        """Let the worker do what is due; whatever is put on its list meanwhile is done too."""
        for _ in range(times):
            work.turn(self.site)

    def later(self, **span: float) -> None:
        """Let time pass, and the worker after it."""
        self.clock.move(timedelta(**span))
        self.turn()

    def publish(self, *edits: Edit, days: int) -> None:
        """Version 2 of the policy, changed by ``edits``, published as ``troth publish`` does, to take effect in ``days``."""
        effective = (self.clock.now() + timedelta(days=days)).date()
        for name in ("policy.yaml", "decisions.yaml"):
            text = (self.site.folder / name).read_text("utf-8")
            text = re.sub(r"\bversion: 1\b", "version: 2", text)
            (self.site.folder / name).write_text(
                re.sub(r"\beffective: [0-9-]{10}", f"effective: {effective}", text), "utf-8"
            )
        rewritten(self.site.folder, edits)
        publish(self.site)

    def command(self, *words: object) -> Any:
        """``troth WORDS`` on this site's folder (put the site where ``SITE`` stands)."""
        return terminal.troth(*(self.site.folder if word == "SITE" else word for word in words))

    def letters(self, to: str = "") -> list[str]:
        """The mails that left, the oldest first, as text; only those to somebody."""
        self.turn()
        found = [one for one in self.mailbox.messages() if not to or to in one.message["To"]]
        return [one.body("plain") for one in sorted(found, key=lambda one: one.number)]

    def link(self, page: str, to: str = "") -> str:
        """The path of the newest link to ``page`` (``account/link``, ``privacy/confirm``, ...) in the mail."""
        found = [re.search(rf"(/{self.name}/{page}/[\w-]+)", one) for one in self.letters(to)]
        return [one[1] for one in found if one][-1]

    # --- looking ------------------------------------------------------------------------------------------------------

    def person(self) -> str:
        """The number of the newest person, for asking about what was stored."""
        with self.site.reading() as conn:
            return str(conn.scalars(select(person.c.id).order_by(person.c.since.desc(), person.c.id.desc())).first())

    def count(self, table: Any, *where: Any) -> int:
        with self.site.reading() as conn:
            return len(conn.execute(select(table).where(*where)).all())


def token_of_role(role: str) -> str:
    """The token of the operator's program in ``role``."""
    return f"{role.replace(' ', '-')}-{TOKEN}"


def roles_of(policy: Policy) -> set[str]:
    """The roles that some purpose is reserved for, one that no policy knows, and none, as that of a program by itself."""
    return {role for purpose in policy.purposes.values() for role in purpose.roles} | {"any", ""}


def with_programs(site: Site, *roles: str, environment: MutableMapping[str, str] = os.environ) -> Site:
    """``site`` with a program in each role that its policy knows and in each of ``roles``, which may read for any purpose."""
    policy = site.policy().policy
    programs = {}
    for role in sorted(roles_of(policy) | {*roles}):
        variable = f"{PROGRAM_TOKEN}_{re.sub('[^A-Z]', '_', role.upper())}"
        environment[variable] = token_of_role(role)
        wired = {"role": role, "token env": variable, "purposes": list(policy.purposes)}
        programs[re.sub("[^a-z]", "_", role)] = Program.model_validate(wired)
    return replace(site, wiring=site.wiring.model_copy(update={"programs": programs}))


Opening = Callable[..., Operator]


@pytest.fixture
def operator(
    fresh_database: Callable[..., str],
    tmp_path: Path,
    clock: MovedClock,
    mailbox: Mailbox,
) -> Iterator[Opening]:
    """``operator("ledflex")``: that site on fresh stores, served, with mail; ``store="postgresql"`` for the other store.

    With ``edits`` its operator wrote something else into the policy or the decisions before it was published, and settled
    whatever ``troth check`` had against that.
    """
    with ExitStack() as opened:

        def opening(name: str, *edits: Edit, store: StoreKind = "sqlite") -> Operator:
            site = mailing(open_operator(name, tmp_path, clock, fresh_database, store, edits=edits), mailbox)
            opened.callback(site.close)
            site = with_programs(site)
            return Operator(site, opened.enter_context(client(site)), mailbox, clock)

        yield opening


def checked(name: str, folder: Path, *edits: Edit) -> str:
    """What ``troth check`` says to an operator who changed the policy or the decisions of ``name``; blank when all is well."""
    done = terminal.troth("check", edited(SITES / name, folder / f"{name}-{len(list(folder.iterdir()))}", edits))
    assert done.exit_code in {0, 1}, done.output
    return done.output if done.exit_code else ""


@pytest.fixture(scope="module")
def shown(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opening]:
    """``shown("ledflex")``: that site served on a new store, the same for all tests of a file: for looking at pages only."""
    there: dict[str, Operator] = {}
    box = Mailbox()  # not started: nothing is sent
    with ExitStack() as opened:

        def showing(name: str) -> Operator:
            if name not in there:
                clock = MovedClock(START)
                fresh = lambda kind, prepared_by=None: databases.fresh(kind, prepared_by)  # noqa: E731
                site = open_operator(name, tmp_path_factory.mktemp("shown"), clock, fresh)
                opened.callback(site.close)
                there[name] = Operator(site, opened.enter_context(client(site)), box, clock)
            return there[name]

        yield showing
