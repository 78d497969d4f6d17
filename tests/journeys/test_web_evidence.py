"""Evidence on the pages: never waited for, soon there, in words for people; and pages that ask their store little."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient
from sqlalchemy import event

from tests.databases import StoreKind
from tests.operators import open_operator
from tests.served import client, words_of
from troth.clock import MovedClock
from troth.proof import Proof
from troth.store.site import Site
from troth.web.app import make_app
from troth.web.evidence import Shown, Watch, _text, proofs


@pytest.fixture
def store_kind() -> StoreKind:
    """What is shown here does not depend on the store."""
    return "sqlite"


def test_nobody_waits_for_the_first_proofs(site: Site) -> None:
    done = threading.Event()

    def look(asked: Site) -> Mapping[str, Shown]:
        done.wait(20)
        return {"visits.keep": Shown("kept", {"en": "oldest visit kept: 29 days"}, asked.now())}

    app = make_app([site], look=look)
    with TestClient(app) as web:
        assert "being checked at this moment" in words_of(web.get("/shop").text)
        assert "being checked at this moment" in words_of(web.get("/").text)
        (looking,) = (thread for thread in threading.enumerate() if thread.name == "evidence")
        done.set()
        looking.join(20)
        assert "oldest visit kept: 29 days" in words_of(web.get("/shop").text)
        assert "1 kept, 0 broken, " in words_of(web.get("/").text)


def test_old_evidence_is_shown_with_its_age_while_newer_is_made(site: Site, clock: MovedClock) -> None:
    looked = 0

    def look(asked: Site) -> Mapping[str, Shown]:
        nonlocal looked
        looked += 1
        return {"visits.keep": Shown("kept", {"en": f"look {looked}"}, asked.now())}

    watch = Watch(look)
    first = watch.renew([site])
    assert first is not None
    first.join()
    clock.move(timedelta(minutes=4))
    assert watch.renew([site]) is None
    clock.move(timedelta(minutes=2))
    second = watch.renew([site])
    assert second is not None and watch.renew([site]) is None
    second.join()
    assert (watch.of(site) or {})["visits.keep"].text == {"en": "look 2"}


def test_proofs_that_fail_leave_a_notice_without_evidence(site: Site) -> None:
    def look(asked: Site) -> Mapping[str, Shown]:
        raise ValueError("ann@shop.example")

    with client(site, look=look) as web:
        page = web.get("/shop")
        assert page.status_code == 200 and "being checked" not in page.text and 'class="evidence' not in page.text


def test_a_look_that_fails_leaves_nothing_of_the_one_before(site: Site, clock: MovedClock) -> None:
    looks = iter([{"visits.keep": Shown("kept", {"en": "29 days"}, site.now())}])
    watch = Watch(lambda _site: next(looks))
    for _ in range(2):
        looking = watch.renew([site])
        assert looking is not None
        looking.join()
        clock.move(timedelta(minutes=6))
    assert not watch.of(site)


def test_a_notice_shows_what_was_measured_and_no_place_in_the_program(site: Site) -> None:
    shown = proofs(site)
    assert len(shown) > 20
    assert not [one.text for one in shown.values() if "tests/" in one.text["en"] or ".py" in one.text["en"]]
    assert all(one.text["en"] for one in shown.values())
    proof = Proof("kept", "query", "30 days", "29 days", "7 visits looked at")
    assert _text(proof, site.policy().policy, "en") == "29 days · 7 visits looked at"


def test_a_difference_is_said_once_above_the_promises_that_rest_on_it(site: Site) -> None:
    rests = {"en": "rests on a record that was changed · see difference 1"}

    def look(asked: Site) -> Mapping[str, Shown]:
        told = Shown("not proven", rests, asked.now(), differences=(1,))
        return {"visits.keep": told, "purposes.marketing": told}

    app = make_app([site], look=look)
    looking = app.state.watch.renew([site])
    assert looking is not None
    looking.join()
    with TestClient(app) as web:
        page = words_of(web.get("/shop").text)
    assert page.count("A record here (difference 1) is not as this system wrote it.") == 1
    assert page.count("see difference 1") == 2


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    """The statements sent to either store of ``site`` meanwhile."""
    heard: list[str] = []

    def hear(conn: object, cursor: object, statement: str, *rest: object) -> None:
        heard.append(statement)

    for engine in (site.engine, site.keys):
        event.listen(engine, "before_cursor_execute", hear)
    yield heard
    for engine in (site.engine, site.keys):
        event.remove(engine, "before_cursor_execute", hear)


PAGES = ("/shop", "/shop/forms", "/shop/forms/register", "/shop/versions", "/shop/notice.md", "/", "/shop/mailbox")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_its_store_a_handful_of_things(site: Site, path: str) -> None:
    with client(site) as web:
        web.get(path)
        with statements(site) as heard:
            web.get(path)
    asked = [one for one in heard if one.startswith("SELECT") and "visit" not in one]
    assert len(asked) <= 3, asked


def test_evidence_speaks_the_language_of_the_page(
    clock: MovedClock, tmp_path: Path, fresh_database: Callable[..., str]
) -> None:
    site = open_operator("ledflex", tmp_path, clock, fresh_database)
    said = proofs(site)["transfers"].text
    site.close()
    assert "United Kingdom" in said["en"]
    assert "英國" in said["zh-Hant"]
