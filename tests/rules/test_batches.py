"""Many things a few at a time, none lost and none twice."""

import pytest

from troth.batches import batches


@pytest.mark.parametrize(("number", "sizes"), [(0, []), (1, [1]), (3, [3]), (7, [3, 3, 1])])
def test_all_come_in_their_order(number: int, sizes: list[int]) -> None:
    found = list(batches(iter(range(number)), 3))
    assert [len(one) for one in found] == sizes
    assert [one for batch in found for one in batch] == list(range(number))
