"""Ids sort by time, also within one instant, and do not repeat."""

from datetime import timedelta

from troth.clock import utc
from troth.ids import new_id

AT = utc(2026, 1, 5, 9)


def test_ids_of_one_instant_sort_in_the_order_they_were_made() -> None:
    made = [new_id(AT) for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == 2000


def test_ids_of_later_instants_sort_later() -> None:
    made = [new_id(AT + timedelta(milliseconds=number)) for number in range(100)]
    assert made == sorted(made)


def test_the_next_id_is_not_guessed_from_the_last() -> None:
    ends = {new_id(AT)[-10:] for _ in range(200)}
    assert len(ends) == 200


def test_an_id_has_the_layout_of_a_ulid() -> None:
    made = new_id(AT)
    assert len(made) == 26
    assert made[:10] == new_id(AT)[:10]
    assert made[0] in "01234567"
    assert not set(made) - set("0123456789abcdefghjkmnpqrstvwxyz")
