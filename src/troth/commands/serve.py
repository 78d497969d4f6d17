"""``troth serve``: the pages of sites, and their workers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folders
from troth.commands.saying import aside, fail
from troth.errors import StoreError, TrothError

if TYPE_CHECKING:
    from litestar import Litestar

    from troth.store.site import Site

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="where to listen; put a web server with TLS before it")]
Port = Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes any free one")]
BehindProxy = Annotated[
    str,
    typer.Option(
        metavar="ADDRESSES",
        help="web servers before this one, as addresses or networks with commas between: believe what they say of the "
        "visitor (X-Forwarded-For, X-Forwarded-Proto); without it nobody is believed",
    ),
]


def serve(
    sites: Folders,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="pages only; run `troth work SITE` beside it")] = False,
    behind_proxy: BehindProxy = "",
) -> None:
    """Serve the notices, forms and interfaces of sites, with a worker for each.

    A site whose policy has unsettled errors is refused; the first version is published when none is.

    \b
    Example: troth serve my-shop --port 8080
    Exit: 1 an error is unsettled; 2 a file is missing, or the port is taken.
    """
    from troth.commands.opening import opened, settled
    from troth.web.app import make_app

    proxies = _proxies(behind_proxy)
    for folder in sites:
        settled(folder, "served")
    with ExitStack() as stack:
        ready = [stack.enter_context(opened(folder)) for folder in sites]
        for site in ready:
            in_force(site)
            _warn_of_stores(site, works=not no_worker)
        if not no_worker:
            stack.enter_context(working(ready))
            stack.enter_context(mail_taken_in(ready))
        listen(make_app(ready), ready, host, port, proxies)


def in_force(site: Site) -> None:
    """Make ``site`` ready, and publish its first version if none is. Raises when no version is in force after that."""
    from troth.commands.opening import made_ready
    from troth.messages.publish import publish

    made_ready(site)
    try:
        site.policy()
    except StoreError:
        done = publish(site)
        aside(f"{site.name}: version {done.version} is published.")
        site.policy()


def _warn_of_stores(site: Site, works: bool = False) -> None:
    """Say so when the stores are not what was sealed (people are still answered, and nothing leaves), or an alarm stands.

    ``works`` is whether a worker starts now: on a site where none has ever run it is no alarm that none has.
    """
    from troth.clock import iso
    from troth.ledger.heads import HINT, look
    from troth.retention import heartbeat
    from troth.retention.alarms import STOPPED, to_show
    from troth.witnessing import learn

    learn(site)
    problem = look(site)
    if problem is not None:
        fail(StoreError(f"{site.name}: {problem.words}", HINT))
    with site.reading() as conn:
        alarms, beats = to_show(conn, site.now()), heartbeat.last(conn)
    first_run = works and not heartbeat.EXPECTED.keys() & beats.keys()
    for kind, since in alarms:
        if first_run and kind == STOPPED:
            continue
        fail(
            TrothError(
                f"{site.name}: an alarm stands since {iso(since)}: {kind}.", "`troth work SITE --once` says more."
            )
        )


@contextmanager
def working(sites: Sequence[Site]) -> Iterator[None]:
    """A worker thread for each site, stopped at the end after the turn it is in."""
    from troth.work import work

    stop = Event()
    threads = [Thread(target=work, args=(site, stop), name=f"work {site.name}", daemon=True) for site in sites]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        aside("Stopping, after what is under way.")
        for thread in threads:
            thread.join(timeout=30)


@contextmanager
def mail_taken_in(sites: Sequence[Site]) -> Iterator[None]:
    """Mail servers for those of ``sites`` that say where to listen; what comes in is a request."""
    from troth.messages.inbound.receive import listening
    from troth.rights.by_mail import take_in

    there = [site for site in sites if site.wiring.mail and site.wiring.mail.receive]
    with listening(there, take_in) as ports:
        for name, port in ports.items():
            aside(f"{name}: mail is taken in at port {port}.")
        yield


def _proxies(addresses: str) -> list[str]:
    """The web servers that are believed. Everybody is not an answer: then anybody could say they were somebody else."""
    found = [part.strip() for part in addresses.split(",") if part.strip()]
    try:
        if any(ip_network(part).prefixlen == 0 for part in found):
            raise ValueError
    except ValueError:
        hint = "Give the address of your own web server, as 127.0.0.1 or 10.0.0.0/24."
        raise TrothError("--behind-proxy takes IP addresses and networks, and not everybody's.", hint) from None
    return found


def listen(app: Litestar, sites: Sequence[Site], host: str, port: int, proxies: Sequence[str] = ()) -> None:
    """Answer requests until interrupted. The log holds no addresses of visitors. Raises when the port is taken."""
    import uvicorn

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    place = _socket(host, port)
    shown = f"http://{host}:{place.getsockname()[1]}"
    aside(f"{shown}/")
    for site in sites:
        aside(f"  {shown}/{site.name}  {site.wiring.title}")
    aside("Ctrl-C stops.")
    app.state.watch.renew(sites)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
    )
    uvicorn.Server(config).run(sockets=[place])


def _socket(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        place = socket.socket(family, kind, number)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
    except OSError as error:
        raise TrothError(f"Cannot listen on {host}:{port}: {error.strerror}.", "Choose another with --port.") from None
    return place
