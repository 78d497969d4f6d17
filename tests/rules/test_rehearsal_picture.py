"""The picture of a year says what the numbers say, also to those who see no colours, no picture, or a narrow one."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rehearsed import day, life, violation, year
from troth.rehearsal.picture import MOST_AREAS, Drawn, Mark, draw, standalone
from troth.rehearsal.report import picture
from troth.rehearsal.result import DayCount

POINTS = ("register", "order", "contact")


def drawn(days: tuple[DayCount, ...], marks: tuple[Mark, ...] = ()) -> Drawn:
    made = draw(days, {"register": "Open an account", "order": "Order <b>now</b>"}, marks)
    assert made is not None
    return made


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


def heights(svg: str, style: str) -> list[float]:
    """How high the top of an area stands on each drawn day, in its own order."""
    [path] = [one.get("d") or "" for one in ElementTree.fromstring(svg).iter() if one.get("class") == style]
    points = [tuple(map(float, point.split())) for point in path.strip("MZ").split("L")]
    return [y for _, y in points[: len(points) // 2]]


def test_no_day_no_picture() -> None:
    assert draw((), {}) is None


def test_every_area_has_a_letter_and_a_pattern_of_its_own() -> None:
    made = drawn(year(POINTS))
    assert [area.letter for area in made.areas] == ["A", "B", "C", "Q"]
    assert set(texts(made.wide)) >= {"A", "B", "C"}
    patterns = re.findall(r"<pattern [^>]*>(.*?)</pattern>", made.wide)
    assert len(set(patterns)) == len(patterns) == len(made.areas) - 1
    assert len({area.swatch for area in made.areas}) == len(made.areas)


def test_the_areas_are_stacked_by_what_they_hold() -> None:
    days = (
        day(0, {"register": 1, "order": 2}),
        day(1, {"register": 3, "order": 2}),
        day(2, {"register": 5, "order": 5}),
    )
    svg = drawn(days).wide
    register, order = heights(svg, "area-0"), heights(svg, "area-1")
    bottom = register[0] + (register[0] - register[1]) / 2
    assert [round((bottom - y) / (register[0] - register[1]) * 2) for y in register] == [1, 3, 5]
    assert [round((bottom - y) / (register[0] - register[1]) * 2) for y in order] == [3, 5, 10]


def test_more_areas_than_can_be_told_apart_are_one() -> None:
    days = tuple(day(number, {f"point_{n}": n + number for n in range(12)}) for number in range(3))
    made = drawn(days)
    assert len(made.areas) == MOST_AREAS
    assert made.areas[-1].label == "6 other places"
    assert made.areas[-1].values[-1] == sum(n + 2 for n in range(6))


def test_a_point_that_never_held_anything_is_no_area() -> None:
    assert [area.label for area in drawn((day(0, {"register": 1, "order": 0}),)).areas] == ["Open an account"]


def test_the_table_says_what_the_days_say() -> None:
    days = year(POINTS)
    made = drawn(days)
    assert [row[0] for row in made.rows[:2]] == ["31 March 2026", "30 April 2026"]
    assert made.rows[-1][0] == "4 April 2027"
    destroyed = sum(int(row[-1].replace(",", "")) for row in made.rows)
    assert destroyed == sum(one.destroyed for one in days)
    last = [int(cell.replace(",", "")) for cell in made.rows[-1][1:-2]]
    assert last == [area.values[-1] for area in made.areas]
    assert sum(last) == sum(days[-1].held.values()) + days[-1].quarantined
    assert len(made.columns) == len(made.rows[0])


def test_a_reader_who_sees_nothing_is_told_the_most_and_the_end() -> None:
    made = drawn((day(0, {"order": 4}), day(1, {"order": 1_500}, 3, 70), day(2, {"order": 2}, 1, 60, destroyed=9)))
    assert made.says == (
        "Most was held on 2 March 2026: 1,500 records of 1,500 people. 9 were destroyed in 3 days."
        " At the end 2 are held, 1 wait in quarantine and 60 visits are kept."
    )
    assert f'aria-label="{made.says}"' in made.wide


def test_what_a_policy_says_is_text_and_no_markup() -> None:
    made = drawn(year(("order",)), (Mark(3, "violation", "<script>"),))
    assert "<script>" not in made.wide
    assert "&lt;script&gt;" in made.wide
    assert made.areas[0].label == "Order <b>now</b>"


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 90_000), st.integers(0, 300)),
        min_size=1,
        max_size=60,
    ),
    st.lists(st.tuples(st.integers(0, 59), st.sampled_from(["amendment", "violation"])), max_size=6),
)
def test_any_life_is_drawn_within_its_frame(
    lived: list[tuple[int, int, int, int]], marks: list[tuple[int, str]]
) -> None:
    days = tuple(day(n, {"register": held, "order": n}, q, v, gone) for n, (held, q, v, gone) in enumerate(lived))
    shown = tuple(Mark(at, kind, f"day {at}") for at, kind in marks if at < len(days))  # type: ignore[arg-type]
    made = drawn(days, shown)
    for svg in (made.wide, made.narrow):
        root = ElementTree.fromstring(svg)
        width, height = map(float, (root.get("viewBox") or "").split()[2:])
        for path in (element.get("d") or "" for element in root.iter() if "area" in (element.get("class") or "")):
            numbers = [tuple(map(float, point.split())) for point in path.strip("MZ").split("L")]
            assert all(0 <= x <= width and 0 <= y <= height for x, y in numbers)


def test_marks_that_stand_close_keep_their_signs_and_share_no_place_for_words() -> None:
    marks = tuple(Mark(at, "violation", f"day {at}") for at in (100, 101, 102, 300))
    svg = drawn(year(POINTS), marks).narrow
    assert svg.count('class="sign violation"') == 4
    assert "day 300" in texts(svg)
    assert "day 101" not in texts(svg)


@pytest.mark.parametrize(("days", "first"), [(400, "Mar 2026"), (20, "1 Mar")])
def test_the_scale_names_months_or_in_a_few_weeks_days(days: int, first: str) -> None:
    shown = [
        words for words in texts(drawn(year(POINTS, days)).wide) if re.match(r"(\d+ )?[A-Z][a-z]{2}( \d{4})?$", words)
    ]
    assert first in shown
    assert 3 <= len(shown) <= 15


def test_a_life_shows_its_amendments_and_what_went_wrong() -> None:
    made = picture(life("ledflex", violation("outlived", "customers", 63), violation("outlived", "customers", 64)))
    assert made is not None
    assert made.wide.count('class="sign amendment"') == 2
    assert made.wide.count('class="sign violation"') == 1
    assert "day 63" in texts(made.wide)


def test_the_picture_alone_brings_its_style_and_stays_small() -> None:
    svg = standalone(drawn(year(POINTS)))
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in svg
    assert len(svg) < 60_000
