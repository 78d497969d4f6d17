"""The two pictures of a copy: drawn from what is told, readable without colour, on a phone and when read aloud."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from troth.clock import utc
from troth.policy.check import check_texts
from troth.policy.notice.language import Speaker, language
from troth.rights.copy.model import About, Goes, Group, Item, Kind, Named, Overview, Section
from troth.rights.copy.pictures import bars, received, timeline

NOW = utc(2026, 1, 5, 9)
POLICY = check_texts("policy: {version: 1}\n").policy
assert POLICY is not None


def kind(number: int, label: str = "Register <now>", *fields: str) -> Kind:
    named = tuple(Named(one, one) for one in fields or ("name",))
    return Kind(number, Named("p", label), Named("you", "You"), named, (), ())


def item(of: Kind, days: float | None, how: str = "dated", because: str = "100 days after we got it") -> Item:
    by = None if days is None else NOW + timedelta(days=days)
    return Item(of, NOW, 1, {one.id: "x" for one in of.fields}, frozenset(), (), Goes(by, because, how))


def told(*items: Item, rows: tuple[tuple[object, ...], ...] = (), tag: str = "en") -> Overview:
    columns = tuple(Named(key, key) for key in ("recipient", "fields", "state"))
    section = Section("disclosures", "t", "a", "e", columns, rows)  # type: ignore[arg-type]
    groups = (Group(Named("", ""), "", items),) if items else ()
    about = About(tag, "Shop", "", NOW, 1, ())
    return Overview(about, groups, (section,), len(items), len(items), Speaker(POLICY, language(tag)))  # type: ignore[arg-type]


def test_each_kind_has_one_bar_from_the_first_to_the_last_of_its_days() -> None:
    one, other = kind(1), kind(2, "Order")
    shown = bars(
        told(item(one, 90), item(one, 10), item(one, 40), item(other, 20), item(other, None, "waits", "later"))
    )
    assert [(bar.label, bar.count, bar.how) for bar in shown] == [
        ("Order", 1, "dated"), ("Register <now>", 3, "dated"), ("Order", 1, "waits"),
    ]  # fmt: skip
    assert (shown[1].first, shown[1].last) == (NOW + timedelta(days=10), NOW + timedelta(days=90))


@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
def test_the_picture_is_sound_has_a_title_and_says_in_words_what_it_shows(tag: str) -> None:
    shown = told(
        item(kind(1), 90), item(kind(2), 9, "held"), item(kind(3), None, "waits"), item(kind(4), None, "never"), tag=tag
    )
    picture = timeline(shown)
    assert picture is not None
    for svg, width in ((picture.wide, 680), (picture.narrow, 340)):
        tree = ElementTree.fromstring(svg)
        assert tree.get("role") == "img" and tree.find("title") is not None and tree.find("desc") is not None
        assert tree.get("viewBox", "").split()[2] == str(width)
        said = " ".join(tree.itertext())
        assert "<now>" in said and "2026" in said
        assert len(tree.findall("pattern")) == 3
        ends = [float(one.get("x", 0)) + float(one.get("width", 0)) for one in tree.iter("rect")]
        assert max(ends) <= width
        assert 'style="' not in svg
    assert len(picture.rows) == 4 and all(len(row) == len(picture.columns) for row in picture.rows)


def test_a_later_day_has_a_longer_bar_and_what_is_overdue_still_has_one() -> None:
    picture = timeline(told(item(kind(1, "a"), -3), item(kind(2, "b"), 5), item(kind(3, "c"), 500)))
    assert picture is not None
    widths = [float(found) for found in re.findall(r'class="bar"[^>]*? width="([\d.]+)"', picture.wide)]
    assert widths == sorted(widths) and widths[0] > 0 and len(widths) == 3


def test_nothing_held_and_nothing_given_have_no_picture() -> None:
    assert timeline(told()) is None and received(told(item(kind(1), 9))) is None


def test_only_what_may_have_arrived_is_drawn_as_received() -> None:
    name, mail = Named("name", "Name & title"), Named("email", "E-mail")
    rows = (
        (Named("c", "Courier"), (name, mail), Named("delivered", "")),
        (Named("c", "Courier"), (name,), Named("unsure", "")),
        (Named("h", "House"), (mail,), Named("refused", "")),
    )
    picture = received(told(rows=rows))
    assert picture is not None
    assert picture.rows == (("Courier", "E-mail", "1"), ("Courier", "Name & title", "2"))
    ElementTree.fromstring(picture.wide)
    assert "House" not in picture.wide
