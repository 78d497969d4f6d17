"""A mail server for the operator's address, by SMTP or LMTP: it takes a message when it is stored, and says so only then.

What could go wrong: "250" is said and the message is lost; a message is cut short and taken for whole; two programs see the end
of one message at different places, so that one message hides in another; somebody holds every connection, sends without end, or
makes ten megabytes of empty lines into a gigabyte; an address ends in a log. So the answer waits for the commit, and a store
that fails is a 451, on which the sender comes again; a line ends in CRLF and nowhere else; connections, recipients, commands,
bytes and the length of a session have bounds; what was said of the envelope never becomes part of the message; and this file
logs which site and what kind of error, no more. It takes mail for the addresses that the policies name, and relays none. It is
meant to stand behind the operator's own mail server, and can do without.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from troth.errors import StoreError, TrothError
from troth.messages.inbound.parse import MOST_BYTES, Unreadable
from troth.messages.inbound.take import Take, addresses, take
from troth.people.blind import normal_email
from troth.settings import ReceiveWires
from troth.store.site import Site

MOST_CONNECTIONS = 20
MOST_RECIPIENTS = 20
MOST_OF_ONE_COMMAND = 200
LONGEST_WAIT_S = 120.0
"""for the next command, and for a whole message"""
LONGEST_SESSION_S = 900.0
WRITERS = 4

TAKEN = "250 2.0.0 Taken"
BUSY = "421 4.7.0 Too many connections; try again later"
LATER = "451 4.3.0 Not taken; try again later"
NOBODY = "550 5.1.1 Nobody here has this address"
NO_SENDER = "550 5.6.0 The message must name one sender in From"
TOO_LONG = f"552 5.3.4 The message is longer than {MOST_BYTES} bytes"
TOO_MANY = "452 4.5.3 Too many recipients"

log = logging.getLogger(__name__)
Came = TypeVar("Came")


@contextmanager
def listening(sites: Sequence[Site], hand_over: Take) -> Iterator[dict[str, int]]:
    """Take mail in for every one of ``sites`` that says where, as long as the block runs; yields the ports by site.

    Sites may share a place to listen; the address a message is for says whose it is.

    Raises:
        TrothError: when a place is taken, a certificate cannot be read, or two sites want one place in different ways.
    """
    logging.getLogger("mail.log").setLevel(
        logging.CRITICAL + 1
    )  # aiosmtpd writes every command there, addresses and all
    with ExitStack() as stack:
        pool = ThreadPoolExecutor(WRITERS, "mail in")
        loop = stack.enter_context(_running())
        stack.callback(pool.shutdown)  # before the loop ends, so that what is being stored is answered
        ports: dict[str, int] = {}
        for group in _places(sites):
            place = stack.enter_context(_bound(_wires(group[0]).listen))
            door = _Door(group, hand_over, pool, loop)
            server = asyncio.run_coroutine_threadsafe(loop.create_server(door.opened, sock=place), loop).result(30)
            stack.callback(_close, server, loop)
            ports |= {site.name: int(place.getsockname()[1]) for site in group}
        yield ports


def _wires(site: Site) -> ReceiveWires:
    wires = site.wiring.mail.receive if site.wiring.mail else None
    assert wires is not None
    return wires


def _places(sites: Sequence[Site]) -> list[list[Site]]:
    groups: dict[str, list[Site]] = {}
    for site in sites:
        if site.wiring.mail is not None and site.wiring.mail.receive is not None:
            group = groups.setdefault(site.wiring.mail.receive.listen, [])
            group.append(site)
            if _protection(group[0]) != _protection(site):
                message = f"{group[0].name} and {site.name} take mail in at one place in different ways."
                raise TrothError(message, "Give `receive` the same protocol and certificate in both, or another port.")
    return list(groups.values())


def _protection(site: Site) -> tuple[object, ...]:
    wires = _wires(site)
    return wires.protocol, *(site.folder / path if path else None for path in (wires.certificate, wires.key))


@contextmanager
def _bound(listen: str) -> Iterator[socket.socket]:
    host, _, port = listen.rpartition(":")
    try:
        family, kind, number, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as place:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            place.bind(address)
            yield place
    except (OSError, OverflowError) as error:
        told = f"Mail cannot be taken in at {listen}: {getattr(error, 'strerror', None) or 'no such place'}."
        raise TrothError(told, "Change `mail.receive.listen` in site.yaml.") from None


@contextmanager
def _running() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, told: log.error("mail in: %s", type(told.get("exception")).__name__))
    thread = Thread(target=loop.run_forever, name="mail in", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_hung_up(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def _close(server: asyncio.Server, loop: asyncio.AbstractEventLoop) -> None:
    """Let nobody else in; done when this returns, since the place to listen is given back next."""

    async def closed() -> None:
        server.close()

    asyncio.run_coroutine_threadsafe(closed(), loop).result(30)


async def _hung_up() -> None:
    """End what is still connected; whoever was in the middle of something comes again."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@dataclass
class _Door:
    """One place to listen, for ``sites``. Its hooks are what the protocol calls; an answer is a code and words."""

    sites: Sequence[Site]
    hand_over: Take
    pool: ThreadPoolExecutor
    loop: asyncio.AbstractEventLoop
    inside: set[object] = field(default_factory=set)

    def __post_init__(self) -> None:
        wires, folder = _wires(self.sites[0]), self.sites[0].folder
        self.speaks = _Lmtp if wires.protocol == "lmtp" else _Smtp
        self.host = urlsplit(self.sites[0].wiring.base_url).hostname or "localhost"
        self.certificate: _Certificate | None = None
        if wires.certificate:
            self.certificate = _Certificate(folder / wires.certificate, folder / (wires.key or wires.certificate))

    def opened(self) -> asyncio.Protocol | SMTP:
        """Called for every connection."""
        if len(self.inside) >= MOST_CONNECTIONS:
            return _Busy()
        return self.speaks(
            self,
            hostname=self.host,
            ident="Troth",
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            tls_context=self.certificate.context() if self.certificate else None,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=MOST_OF_ONE_COMMAND,
            timeout=LONGEST_WAIT_S,
            loop=self.loop,
        )

    async def _aside(self, act: Callable[..., Came], *given: object) -> Came:
        """``act`` in a thread, since it waits for a store."""
        return await self.loop.run_in_executor(self.pool, act, *given)

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, host: str, told: list[str]
    ) -> list[str]:
        session.host_name = host
        return [line for line in told if not line.startswith("250-AUTH")]  # nobody logs in here

    async def handle_VRFY(self, *_: object) -> str:  # noqa: N802
        return "252 2.5.0 Send it and see"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        try:
            if await self._aside(self._site, address) is None:
                return NOBODY
        except StoreError:
            return LATER
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Go on"

    async def handle_exception(self, error: Exception) -> str:
        log.error("mail in: a mistake in Troth (%s)", type(error).__name__)
        return LATER

    async def answers(self, envelope: Envelope, content: bytes) -> list[str]:
        """What to say of a whole message, for each of its recipients."""
        # of the envelope only this goes on: whether an answer would have somewhere to go
        way_back = b"" if envelope.mail_from in {"<>", "", None} else b"there is one"
        raw = b"Return-Path: <" + way_back + b">\r\n" + content
        came: dict[str, str] = {}
        try:
            owners = [await self._aside(self._site, address) for address in envelope.rcpt_tos]
        except StoreError:
            return [LATER] * len(envelope.rcpt_tos)
        for site in owners:
            if site is not None and site.name not in came:
                came[site.name] = await self._aside(self._taken, site, raw)
        return [came[site.name] if site is not None else NOBODY for site in owners]

    def _site(self, address: str) -> Site | None:
        wanted = normal_email(address).lower()
        return next((site for site in self.sites if wanted in addresses(site)), None)

    def _taken(self, site: Site, raw: bytes) -> str:
        try:
            take(site, raw, self.hand_over)
        except Unreadable:
            return NO_SENDER
        except TrothError as error:
            log.warning("%s: a message was not taken: %s", site.name, error)
            return LATER
        except Exception as error:  # its words may quote the message
            log.error("%s: a message was not taken: a mistake in Troth (%s)", site.name, type(error).__name__)
            return LATER
        return TAKEN


class _Smtp(SMTP):
    """aiosmtpd's, with its own way to read a message: into one piece of memory, whatever the length of lines."""

    line_length_limit = 65_536
    event_handler: _Door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self not in self.event_handler.inside:  # else it is the same one, encrypted from here on
            self.event_handler.inside.add(self)
            self._ends = self.loop.call_later(LONGEST_SESSION_S, transport.close)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.inside.discard(self)
        self._ends.cancel()
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 5.5.4 DATA alone" if arg else "503 5.5.1 Say who it is for first")
            return
        await self.push("354 End with a dot alone")
        content = await self._content()
        if content is None:
            answers = [TOO_LONG] * len(self.envelope.rcpt_tos)
        else:
            answers = await self.event_handler.answers(self.envelope, content)
        self.envelope = Envelope()
        await self.tell(answers)

    async def tell(self, answers: Sequence[str]) -> None:
        """One answer for all: the worst, so that the message comes again until everybody took it, who takes it once."""
        await self.push(min(answers, key=lambda answer: "45 2".index(answer[0])))

    async def _content(self) -> bytes | None:
        """The message up to the dot alone, in full; None when it is too long."""
        content, fits, begins = bytearray(), True, True
        while True:
            line, ends = await self._line()
            if begins and line == b".\r\n":
                return bytes(content) if fits else None
            if begins and line.startswith(b"."):
                line = line[1:]
            fits = fits and len(content) + len(line) <= MOST_BYTES
            if fits:
                content += line  # in place: a copy for each line of millions would take hours
            else:
                content.clear()
            begins = ends

    async def _line(self) -> tuple[bytes, bool]:
        """What comes next, and whether it ends a line. Lines of any length are taken; only CRLF ends one."""
        try:
            return await self._reader.readuntil(b"\r\n"), True
        except asyncio.LimitOverrunError as more:
            return await self._reader.read(more.consumed), False


class _Lmtp(_Smtp, LMTP):
    """LMTP (RFC 2033): the same, with an answer for each recipient."""

    async def tell(self, answers: Sequence[str]) -> None:
        for answer in answers:
            await self.push(answer)


class _Busy(asyncio.Protocol):
    """What somebody meets when there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(BUSY.encode() + b"\r\n")
        transport.close()


class _Certificate:
    """A certificate that is read again when its file was renewed."""

    def __init__(self, chain: Path, key: Path) -> None:
        self._files = chain, key
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._read_at = 0
        try:
            self._read()
        except OSError as error:
            told = f"The certificate `{chain.name}` for taking mail in cannot be read ({type(error).__name__})."
            raise TrothError(told, "Check `mail.receive` in site.yaml.") from None

    def context(self) -> ssl.SSLContext:
        """The certificate as it is now, or as it was while a new one does not fit its key yet."""
        with suppress(OSError):
            self._read()
        return self._context

    def _read(self) -> None:
        changed = max(path.stat().st_mtime_ns for path in self._files)
        if changed != self._read_at:
            self._context.load_cert_chain(*self._files)
            self._read_at = changed
