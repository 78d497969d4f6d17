"""Cookies and links to unsubscribe are tried at the site's own doors; what nobody tried is said to be not proven."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar import Response
from litestar.datastructures import Cookie

from tests.fixtures import days
from tests.flights import walking_only
from tests.promises.living import Living
from troth.evidence.prove import Proven, prove
from troth.proof import Proof
from troth.store import versions
from troth.store.site import Site
from troth.web import members, pages
from troth.web.inside import Inside


def of(site: Site, *promises: str, door: bool = True) -> list[Proven]:
    found = {one.promise.id: one for one in prove(site, door=Inside if door else None).proven}
    return [found[promise] for promise in promises]


def proofs(site: Site, *promises: str) -> list[Proof]:
    return [one.proof for one in of(site, *promises)]


def test_the_cookie_of_a_log_in_is_looked_at_where_it_is_set(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "cookies")
    (session,) = of(site, "cookies.session")
    assert (session.proof.verdict, session.proof.how) == ("kept", "canary")
    assert session.proof.measured == "set when somebody logs in, and by no other page of ours"
    assert not {"life", "set by"} & set(session.uncovered)


def test_of_a_cookie_that_no_page_of_ours_sets_nothing_is_proven(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "cookies")
    (taste,) = proofs(site, "cookies.taste")
    said = (taste.verdict, str(taste.measured), str(taste.evidence))
    assert said == ("not proven", "no page of ours sets it", "what other pages set is not seen here")


def test_before_anybody_looked_no_cookie_is_proven(site: Site) -> None:
    for one in of(site, "cookies.session", "cookies.taste", door=False):
        assert (one.proof.verdict, str(one.proof.measured)) == ("not proven", "nobody looked lately")


def _lasts_a_second_too_long(patch: pytest.MonkeyPatch) -> None:
    made = members._cookie
    patch.setattr(members, "_cookie", lambda site, value, life: made(site, value, life + 2))


def _never_ends(patch: pytest.MonkeyPatch) -> None:
    made = members._cookie

    def cookie(site: Site, value: str, life: int) -> Cookie:
        one = made(site, value, life)
        one.max_age, one.expires = None, 86400 * 400
        return one

    patch.setattr(members, "_cookie", cookie)


def _a_second_one_comes_with_it(patch: pytest.MonkeyPatch) -> None:
    kept = members.keep_logged_in

    def both(site: Site, answer: Response[str], fresh: Any) -> None:
        kept(site, answer, fresh)
        answer.set_cookie("tracker", "1", max_age=60)

    patch.setattr("troth.web.entering.keep_logged_in", both)


@pytest.mark.parametrize("lie", [_lasts_a_second_too_long, _never_ends, _a_second_one_comes_with_it])
def test_a_log_in_that_sets_something_else_breaks_the_promise(
    site: Site, lie: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    walking_only(monkeypatch, "cookies")
    lie(monkeypatch)
    session, taste = proofs(site, "cookies.session", "cookies.taste")
    assert (session.verdict, taste.verdict) == ("broken", "not proven")
    assert session.measured == "a page sets a cookie that the policy does not declare, or one that lasts longer"


def test_a_page_that_sets_a_cookie_nobody_declared_breaks_what_is_said_of_cookies(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    walking_only(monkeypatch, "cookies")
    made = pages.site_page

    def tracking(*given: Any, **more: Any) -> Response[str]:
        answer = made(*given, **more)
        answer.set_cookie("tracker", "1")
        return answer

    monkeypatch.setattr("troth.web.notices.site_page", tracking)
    assert {one.verdict for one in proofs(site, "cookies.session", "cookies.taste")} == {"broken"}


def test_a_message_is_kept_with_its_link_when_somebody_tried_that(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        (offers,) = of(site, "messages.offers", door=False)
        assert (offers.proof.verdict, offers.uncovered) == ("kept", ("when",))
        assert offers.proof.measured.endswith("; the link below it stops it at once")


def test_the_link_of_a_message_is_not_proven_while_nobody_tried_it(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        site.clock.move(days(8))  # type: ignore[attr-defined]
        (offers,) = of(site, "messages.offers", door=False)
        assert (offers.proof.verdict, offers.uncovered) == ("kept", ("when", "unsubscribe"))
        assert "link" not in offers.proof.measured


def test_that_mail_stops_a_message_is_not_proven_by_its_link(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        text = (site.folder / "policy.yaml").read_text("utf-8").replace("version: 1", "version: 2", 1)
        text = text.replace("unsubscribe: link}", "unsubscribe: link and e-mail}", 1)
        decisions = (site.folder / "decisions.yaml").read_text("utf-8")
        with site.writing() as conn:
            versions.archive(conn, text, decisions, effective_at=site.now(), at=site.now() - days(60))
        (offers,) = of(site, "messages.offers")
        assert (offers.proof.verdict, offers.uncovered) == ("kept", ("when", "unsubscribe"))
        assert offers.proof.measured.endswith("; the link below it stops it at once")


def test_a_link_that_stops_nothing_breaks_the_message(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        monkeypatch.setattr("troth.web.stopping.stop", lambda *_, **__: None)
        (offers,) = proofs(site, "messages.offers")
        assert offers.verdict == "broken"
