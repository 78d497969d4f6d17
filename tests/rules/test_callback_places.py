"""A callback goes to hosts of site.yaml over TLS, and to nothing inside, however it is spelt or looked up."""

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import Refused
from troth.rights.protocols.places import look_up, place_problem, read_place

ALLOWED = frozenset({"controller.example", "calls.example:8443"})
INSIDE = frozenset({"127.0.0.1:9", "localhost:9", "10.0.0.1"})

FINE = [
    "https://controller.example",
    "https://controller.example/",
    "https://controller.example:443/in",
    "https://calls.example:8443/a/b?c=d&e=%20",
]

WRONG = [
    "",
    "controller.example",
    "http://controller.example/",
    "ftp://controller.example/",
    "file:///etc/passwd",
    "gopher://controller.example/",
    "https://evil.example/",
    "https://controller.example.evil.example/",
    "https://controller.example@evil.example/",
    "https://evil.example#@controller.example/",
    "https://evil.example\\@controller.example/",
    "https://user:word@controller.example/",
    "https://controller.example:22/",
    "https://controller.example:0443/",
    "https://controller.example:99999/",
    "https://calls.example/",
    "https://CONTROLLER.example/",
    "https://controller.example./",
    "https://controller.example/#part",
    "https://controller.example/a b",
    "https://controller.example/\r\nX-Admin: yes",
    "https://controller.example/\n",
    "\nhttps://controller.example/",
    "https://controller.example/\x00",
    "https://controller.example/é",
    "https://ｃontroller.example/",
    "https://169.254.169.254/latest/meta-data/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "http://localhost:9/",
    "https://controller.example/" + "a" * 2000,
]


@pytest.mark.parametrize("address", FINE)
def test_a_host_of_the_wiring_may_be_called(address: str) -> None:
    assert place_problem(address, ALLOWED, private=False) == ""


@pytest.mark.parametrize("address", WRONG)
def test_nothing_else_may_be_called_and_the_reason_does_not_repeat_it(address: str) -> None:
    problem = place_problem(address, ALLOWED | INSIDE, private=False)
    assert problem and "evil" not in problem and "169" not in problem


def test_loopback_is_for_those_who_say_so_and_over_http_only_there() -> None:
    assert place_problem("http://127.0.0.1:9/in", INSIDE, private=True) == ""
    assert place_problem("http://localhost:9/in", INSIDE, private=True) == ""
    assert place_problem("http://10.0.0.1/", INSIDE, private=True) != ""
    assert place_problem("https://10.0.0.1/", INSIDE, private=True) == ""


@given(st.text(max_size=60), st.sampled_from(["https://", "http://", ""]))
def test_whatever_is_read_is_read_whole(rest: str, scheme: str) -> None:
    place = read_place(scheme + rest)
    if place is not None:
        again = read_place(f"{place.scheme}://{place.host}:{place.port}{place.rest}")
        assert again == place
        assert not set(place.rest) & set("\r\n\0 #@\\") - {"@"}


INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "::ffff:10.0.0.1",
    "2002:0a00:0001::1",
    "64:ff9b::7f00:1",
    "ff02::1",
]


def _resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def look(host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look)


@pytest.mark.parametrize("address", INNER)
def test_a_name_that_leads_inside_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = read_place("https://controller.example/")
    assert place is not None
    for addresses in ((address,), ("93.184.215.14", address)):
        _resolving(monkeypatch, *addresses)
        with pytest.raises(Refused, match="not public"):
            look_up(place, private=False)
    assert look_up(place, private=True) == ["93.184.215.14", address]


def test_a_public_name_is_called_at_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    place = read_place("https://controller.example/")
    assert place is not None
    found = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
    _resolving(monkeypatch, *found, *found)
    assert look_up(place, private=False) == found


def test_a_name_without_an_address_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_args: Any, **_more: Any) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", none)
    place = read_place("https://controller.example/")
    assert place is not None
    with pytest.raises(Refused, match="no address"):
        look_up(place, private=False)
