"""What somebody sent is in no cache of the process once it was answered."""

import functools
import gc
import secrets
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.databases import StoreKind
from tests.served import client, serving
from troth.store.site import Site

CACHE: type = type(functools.lru_cache(maxsize=1)(len))


@pytest.fixture
def store_kind() -> StoreKind:
    """Pages do not know which store they stand on."""
    return "sqlite"


def caches_with(secret: str) -> list[str]:
    """The cached functions of the process that hold ``secret`` in what they were asked."""
    gc.collect()
    found = [one for one in gc.get_objects() if isinstance(one, CACHE)]
    return sorted({f"{one.__module__}.{one.__qualname__}" for one in found if secret in _kept(one)})


def _kept(cached: Any) -> str:
    return "\n".join(_texts(cached, depth=5, seen=set())) if cached.cache_info().currsize else ""


def _texts(one: object, depth: int, seen: set[int]) -> Iterator[str]:
    if isinstance(one, str | bytes):
        yield one if isinstance(one, str) else one.decode("latin-1")
    elif depth and id(one) not in seen and isinstance(one, CACHE | dict | tuple | list | frozenset):
        seen.add(id(one))
        for part in gc.get_referents(one):
            yield from _texts(part, depth - 1, seen)


def test_no_cache_keeps_what_somebody_sent(site: Site) -> None:
    """On a real server and with the plainest of clients, since others have caches of their own."""
    form, cookie, query, path = (secrets.token_hex(12) for _ in range(4))
    headers = {"cookie": f"troth-shop={cookie}", "content-type": "application/x-www-form-urlencoded"}
    with serving([site]) as address:
        for page in (f"login?lang={query}", f"link/{path}"):
            for method in ("POST", "GET"):
                line = HTTPConnection(address.removeprefix("http://"))
                body = f"token=x&address=ann%40shop.example&password={form}" if method == "POST" else None
                line.request(method, f"/shop/account/{page}", body, headers)
                assert line.getresponse().read()
                line.close()
        assert [caches_with(one) for one in (form, cookie, query, path)] == [[], [], [], []]


def test_the_search_finds_what_a_cache_keeps() -> None:
    secret = secrets.token_hex(12)
    keeping = functools.lru_cache(repr)
    keeping(f"password={secret}".encode())
    assert len(caches_with(secret)) == 1


def test_two_who_send_the_same_share_nothing(site: Site) -> None:
    from litestar.connection.request import parse_url_encoded_form_data

    with client(site):
        first, second = (parse_url_encoded_form_data(b"right=access") for _ in range(2))
    assert first == second and first is not second
