"""Whether a test goes through a door that a business or a person has: web, browser, command line, mail, worker."""

from __future__ import annotations

import inspect
import smtplib
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import httpx

from tests import terminal
from troth import work
from troth.messages.inbound import poll, take


def doors() -> dict[CodeType, str]:
    """The code of every way in that a business or a person has, with its name."""
    from litestar.testing import TestClient
    from typer.testing import CliRunner

    ways: dict[str, tuple[Any, ...]] = {
        "web": (TestClient.request, httpx.Client.request, urllib.request.urlopen),
        "browser": _pages(),
        "command line": (CliRunner.invoke, terminal.run),
        "mail": (take, poll, smtplib.SMTP.sendmail),
        "worker": (work.turn, work.work),
    }
    return {inspect.unwrap(one).__code__: name for name, ones in ways.items() for one in ones}


def _pages() -> tuple[Any, ...]:
    """A browser's way to a page; none as long as no test has asked for a browser, which takes half a second."""
    loaded = sys.modules.get("playwright.sync_api")
    return (loaded.Page.goto,) if loaded else ()


@contextmanager
def watched() -> Iterator[list[str]]:
    """The doors that are gone through within the block by this thread: the first is enough, so that watching costs little."""
    if sys.getprofile() is not None:  # somebody else watches, such as tests.mutation: both cannot
        yield ["not watched"]
        return
    known, found = doors(), list[str]()

    def hear(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in known:
            found.append(known[frame.f_code])
            sys.setprofile(None)

    sys.setprofile(hear)
    try:
        yield found
    finally:
        sys.setprofile(None)
