"""Work of many threads in one transaction: everybody gets their own answer or error, and nobody waits for ever."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from troth.errors import StoreError
from troth.store.together import MOST, Together


def beside_one_at_work(together: Together[int, int], numbers: Sequence[int], begun: Event, go: Event) -> list[object]:
    """What each of ``numbers`` comes to when all of them arrive while somebody (0) is at work."""
    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        first = pool.submit(together.join, 0)
        assert begun.wait(10)
        others = [pool.submit(together.join, number) for number in numbers]
        while len(together._queue) < len(numbers):
            pass
        go.set()
        assert first.result(10) == 0
        return [other.exception(10) or other.result() for other in others]


def slow_first(act: Callable[[int], int]) -> tuple[Together[int, int], list[list[int]], Event, Event]:
    batches: list[list[int]] = []
    begun, go = Event(), Event()

    def carry_out(wanted: Sequence[int]) -> list[int]:
        batches.append(list(wanted))
        begun.set()
        assert go.wait(10)
        return [act(one) for one in wanted]

    return Together(carry_out), batches, begun, go


def test_whoever_comes_meanwhile_is_done_together() -> None:
    together, batches, begun, go = slow_first(lambda number: number * 10)
    assert beside_one_at_work(together, range(1, 9), begun, go) == [10 * n for n in range(1, 9)]
    assert batches[0] == [0]
    assert sorted(batches[1]) == list(range(1, 9))
    assert len(batches) == 2


def test_no_more_than_a_bounded_number_is_done_together() -> None:
    together, batches, begun, go = slow_first(lambda number: number)
    assert beside_one_at_work(together, range(1, MOST + 3), begun, go) == list(range(1, MOST + 3))
    assert max(map(len, batches)) == MOST


def test_an_error_reaches_exactly_whom_it_is_for() -> None:
    def act(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        return number

    together, _, begun, go = slow_first(act)
    came = beside_one_at_work(together, [1, 2, 3, 4], begun, go)
    assert isinstance(came.pop(2), ValueError)
    assert came == [1, 2, 4]


def test_a_store_that_does_not_answer_is_everybodys_answer_and_asked_once() -> None:
    def act(number: int) -> int:
        if number:
            raise StoreError("The database is busy with another writer.", "")
        return number

    together, batches, begun, go = slow_first(act)
    came = beside_one_at_work(together, [1, 2, 3], begun, go)
    assert [type(one) for one in came] == [StoreError] * 3
    assert len({id(one) for one in came}) == 3
    assert len(batches) == 2


def test_what_an_interrupted_turn_left_undone_is_taken_by_the_next() -> None:
    begun, go = Event(), Event()
    calls: list[list[int]] = []

    def carry_out(wanted: Sequence[int]) -> list[int]:
        calls.append(list(wanted))
        if len(calls) == 1:
            begun.set()
            assert go.wait(10)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return list(wanted)

    together: Together[int, int] = Together(carry_out)
    came: list[object] = []

    def join(number: int) -> None:
        try:
            came.append(together.join(number))
        except KeyboardInterrupt:
            came.append("interrupted")

    threads = [Thread(target=join, args=(number,)) for number in range(4)]
    threads[0].start()
    assert begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(together._queue) < 3:
        pass
    go.set()
    for thread in threads:
        thread.join(10)
    assert came.count("interrupted") == 1
    assert len(came) == 4
    with pytest.raises(IndexError):
        together._queue.popleft()
