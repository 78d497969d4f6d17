"""The process that acts in a rehearsal can be killed at any moment, and the next one goes on."""

import os
import signal
import time
from collections.abc import Iterator
from threading import Timer

import pytest

from troth.errors import Refused
from troth.rehearsal.child import Child, Killed


class Answering:
    """Says who prepared it, how often it was refreshed, which process it is in, and how often this one was asked."""

    def __init__(self, word: str) -> None:
        self.word, self.nursery, self.refreshed, self.asked = word, os.getpid(), 0, 0

    def refresh(self) -> None:
        self.refreshed += 1

    def detach(self) -> None:
        self.word += "!"

    def do(self, task: str) -> object:
        self.asked += 1
        if task == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "wait":
            signal.pause()
        if task == "leave":
            os._exit(3)
        if task == "refuse":
            raise Refused("No.", "Never.", ("a line",))
        return self.word, self.nursery, os.getpid(), self.asked, self.refreshed


def never() -> Answering:
    raise Refused("Not today.")


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child(Answering, "hello")
    yield child
    child.close()


def test_an_actor_answers_from_another_process(child: Child) -> None:
    word, nursery, pid, asked, _ = child.do("say")
    assert (word, asked) == ("hello", 1)
    assert len({os.getpid(), nursery, pid}) == 3
    assert pid == child.pid


def test_after_a_kill_another_one_goes_on_with_all_that_was_prepared(child: Child) -> None:
    _, nursery, first, _, _ = child.do("say")
    for _ in range(3):
        with pytest.raises(Killed) as killed:
            child.do("die")
        assert killed.value.ended_by == -signal.SIGKILL
    _, same, last, asked, refreshed = child.do("say")
    assert (same, asked, refreshed) == (nursery, 1, 4)
    assert last != first


def test_a_double_is_killed_in_place_of_the_actor(child: Child) -> None:
    _, nursery, actor, _, _ = child.do("say")
    for _ in range(3):
        with pytest.raises(Killed):
            child.do("die", double=True)
    word, same, double, asked, refreshed = child.do("say", double=True)
    assert (word, same, asked, refreshed) == ("hello!!!!", nursery, 2, 1)
    assert child.pid == double != actor
    assert child.do("say") == ("hello!!!!", nursery, actor, 2, 1)


@pytest.mark.parametrize("double", [True, False])
def test_whoever_acts_can_be_killed_by_whatever_it_waits_for(child: Child, double: bool) -> None:
    waiting = Timer(0.05, child.kill)
    waiting.start()
    with pytest.raises(Killed):
        child.do("wait", double=double)
    waiting.join()
    assert child.do("say")[0].startswith("hello")


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


def test_a_double_costs_little(child: Child) -> None:
    costs = []
    for _ in range(10):
        begun = time.perf_counter()
        with pytest.raises(Killed):
            child.do("die", double=True)
        costs.append(time.perf_counter() - begun)
    assert min(costs) < 0.1


def test_nothing_is_left_behind() -> None:
    child = Child(Answering, "hello")
    pid = child.pid
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
