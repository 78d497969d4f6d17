"""Ids: opaque, never twice, and in order."""

from troth.clock import utc
from troth.ids import new_id


def test_ids_of_one_instant_come_in_the_order_in_which_they_were_made() -> None:
    made = [new_id(utc(2026)) for _ in range(2_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_clocks_side_by_side_keep_their_order() -> None:
    pairs = [(new_id(utc(2026)), new_id(utc(2024))) for _ in range(50)]
    assert [late for late, _ in pairs] == sorted(late for late, _ in pairs)
    assert [early for _, early in pairs] == sorted(early for _, early in pairs)
    assert max(early for _, early in pairs) < min(late for late, _ in pairs)


def test_an_id_does_not_tell_the_next() -> None:
    steps = {_number(new_id(utc(2026))) - _number(new_id(utc(2026))) for _ in range(20)}
    assert len(steps) == 20


def _number(made: str) -> int:
    number = 0
    for sign in made:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(sign)
    return number
