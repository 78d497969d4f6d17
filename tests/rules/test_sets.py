"""Sets of one: that the numbers are found, and put back."""

import pytest

from tests.sets import one_by_one, sizes
from troth.acts import write
from troth.messages import changing
from troth.recipients import instructions


def test_the_sizes_of_sets_are_found_made_one_and_put_back() -> None:
    assert {
        ("troth.messages.changing", "BATCH"),
        ("troth.acts.write", "LOT"),
        ("troth.recipients.instructions", "_BATCH"),
        ("troth.visits.actions", "PAGE"),
        ("troth.retention.leaving", "_BATCH"),
    } <= set(sizes())
    before = changing.BATCH, write.LOT, instructions._BATCH
    with pytest.MonkeyPatch.context() as patch:
        one_by_one(patch)
        assert (changing.BATCH, write.LOT, instructions._BATCH) == (1, 1, 1)
    assert before == (changing.BATCH, write.LOT, instructions._BATCH) and min(before) > 1
