"""Sites served on this machine, as people and programs meet them."""

import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import uvicorn
from litestar import Litestar
from litestar.testing import TestClient

from troth.messages.mailbox import Mailbox
from troth.store.site import Site
from troth.web.app import make_app
from troth.web.evidence import Look, no_look

Client = TestClient  # type: ignore[type-arg]


def client(*sites: Site, mailbox: Mailbox | None = None, look: Look = no_look) -> Client:
    """A client of ``sites``; a mailbox is shown, as in the demo."""
    return TestClient(looked_at(sites, mailbox, look))


def looked_at(sites: Sequence[Site], mailbox: Mailbox | None = None, look: Look = no_look) -> Litestar:
    """The application of ``sites``, with its first evidence there."""
    app = make_app(sites, mailbox=mailbox, demo=mailbox is not None, look=look)
    looking = app.state.watch.renew(sites)
    if looking:
        looking.join()
    return app


@contextmanager
def serving(sites: Sequence[Site], mailbox: Mailbox | None = None, look: Look = no_look) -> Iterator[str]:
    """``sites`` on a real server; yields its address."""
    app = looked_at(sites, mailbox, look)
    # With its protocol named, as `troth serve` names it: else asyncio leaves Nagle's algorithm on, and an answer waits 40 ms.
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.bind(("127.0.0.1", 0))
    place.listen()
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None, server_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        place.close()


def token_of(page: str) -> str:
    """The token of the form on ``page``."""
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]


def filled(web: Client, address: str, values: Mapping[str, str], **more: str) -> dict[str, str]:
    """What a browser would send from the form at ``address`` with ``values`` typed in: also the boxes that are ticked there."""
    page = web.get(address).text
    sent = {"token": token_of(page)} | {name: "yes" for name, ticked in boxes_of(page).items() if ticked}
    return sent | {f"field.{key}": value for key, value in values.items()} | more


def boxes_of(page: str) -> dict[str, bool]:
    """The check boxes of ``page`` by name, and whether each is ticked as it comes."""
    tags = re.findall(r'<input type="checkbox"[^>]*>', page)
    return {re.findall(r' name="([^"]+)"', tag)[0]: re.search(r"\bchecked\b", tag) is not None for tag in tags}


def words_of(page: str) -> str:
    """What a reader sees of ``page``, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
