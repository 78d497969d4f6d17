"""The process that acts in a rehearsal can be killed at any moment, and the next one goes on."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from troth.errors import Refused
from troth.rehearsal.child import Child, Killed


def prepared(word: str):  # type: ignore[no-untyped-def]
    """An actor that remembers who prepared it, and how often this process was asked."""
    nursery, asked = os.getpid(), 0

    def act(task: str) -> object:
        nonlocal asked
        asked += 1
        if task == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "leave":
            os._exit(3)
        if task == "refuse":
            raise Refused("No.", "Never.", ("a line",))
        return word, nursery, os.getpid(), asked

    return act


def never() -> None:
    raise Refused("Not today.")


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child(prepared, "hello")
    yield child
    child.close()


def test_an_actor_answers_from_another_process(child: Child) -> None:
    word, nursery, pid, asked = child.do("say")
    assert (word, asked) == ("hello", 1)
    assert len({os.getpid(), nursery, pid}) == 3
    assert pid == child.pid


def test_after_a_kill_another_one_goes_on_with_all_that_was_prepared(child: Child) -> None:
    _, nursery, first, _ = child.do("say")
    for _ in range(3):
        with pytest.raises(Killed) as killed:
            child.do("die")
        assert killed.value.ended_by == -signal.SIGKILL
    _, same, last, asked = child.do("say")
    assert (same, asked) == (nursery, 1)
    assert last != first


def test_an_actor_that_leaves_without_a_word_is_no_answer(child: Child) -> None:
    with pytest.raises(Killed) as killed:
        child.do("leave")
    assert killed.value.ended_by == 3
    assert child.do("say")[3] == 1


def test_a_refusal_comes_back_whole(child: Child) -> None:
    with pytest.raises(Refused) as refused:
        child.do("refuse")
    assert (refused.value.message, refused.value.hint, refused.value.because) == ("No.", "Never.", ("a line",))
    assert child.do("say")[3] == 2


def test_what_cannot_be_prepared_says_so() -> None:
    with pytest.raises(Refused, match="Not today"):
        Child(never)


def test_a_new_process_costs_little(child: Child) -> None:
    begun = time.perf_counter()
    for _ in range(10):
        with pytest.raises(Killed):
            child.do("die")
    assert (time.perf_counter() - begun) / 10 < 0.1


def test_nothing_is_left_behind() -> None:
    child = Child(prepared, "hello")
    pid = child.pid
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
