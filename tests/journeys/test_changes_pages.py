"""The pages of what changes: what they say while nothing does, and which words they mark."""

import re

import pytest

from tests.databases import StoreKind
from tests.served import client, words_of
from tests.versions import publish_next
from troth.policy.notice.language import LANGUAGES
from troth.store.site import Site
from troth.web.words import say


@pytest.fixture
def store_kind() -> StoreKind:
    """What is said here does not depend on the store."""
    return "sqlite"


def test_while_nothing_changes_the_page_says_so_and_since_when_the_notice_is_there(site: Site) -> None:
    with client(site) as web:
        page = web.get("/shop/changes")
        assert page.status_code == 200
        assert "Nothing changes at present" in page.text
        assert re.search(r"Version 1 has applied since .+ and was published on \d+ \w+ \d{4}", words_of(page.text))
        assert 'href="/shop/versions"' in page.text
        publish_next(site, lambda text: text.replace("Lamp Shop Limited", "Lamp Shop Ltd"))
        assert "Nothing changes at present" not in web.get("/shop/changes").text


def test_the_empty_page_is_said_in_every_language() -> None:
    said = {tag: say(tag, "changes.none", version=1, day="D", published="P") for tag in LANGUAGES}
    assert len(set(said.values())) == len(LANGUAGES) and all("D" in one and "P" in one for one in said.values())


def test_of_a_sentence_that_is_said_differently_only_the_changed_words_are_struck(site: Site) -> None:
    publish_next(site, lambda text: text.replace("Lamp Shop Limited", "Lamp Shop Ltd"))
    with client(site) as web:
        for path in ("/shop/changes/2", "/shop/versions"):
            page = web.get(path).text
            assert "Limited" in " ".join(re.findall(r"<del>(.*?)</del>", page)), path
            assert set(re.findall(r"<del>([^<]*Limited[^<]*)</del>", page)) == {"Limited"}, path
            assert "Ltd" in {one.strip() for one in re.findall(r"<ins>(.*?)</ins>", page)}, path


@pytest.mark.parametrize(("now", "said", "in_chinese"), [("20", "shorter", "縮短"), ("40", "longer", "延長")])
def test_a_period_that_changed_is_said_as_shorter_or_longer_and_not_as_other_words(
    site: Site, now: str, said: str, in_chinese: str
) -> None:
    publish_next(site, lambda text: text.replace("keep: 30 days}", f"keep: {now} days}}", 1))
    with client(site) as web:
        page = words_of(web.get("/shop/changes/2").text)
        assert f"{said}: {now} days, was 30 days" in page and "said differently" not in page
    assert say("zh-Hant", f"changes.{said}", now="20 天", was="30 天") == f"{in_chinese}：20 天，原為30 天"


def test_other_words_are_no_period(site: Site) -> None:
    publish_next(site, lambda text: text.replace("Lamp Shop Limited", "Lamp Shop Ltd"))
    with client(site) as web:
        page = words_of(web.get("/shop/changes/2").text)
        assert "said differently" in page and "shorter" not in page and "longer" not in page
