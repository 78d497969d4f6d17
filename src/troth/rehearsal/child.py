"""A process of its own that does what it is told and may be killed at any moment: ``kill -9``, with no chance to tidy up.

What could go wrong: a process that starts anew costs a second, most of it importing and reading the policy again; one that is
forked from a parent with threads may hang for ever. So there are three, each with one thread. A *nursery*, started afresh,
prepares everything once and then does nothing but fork and wait. The *actor* that it forks does one task after another. When a
task is dangerous, the actor gives up its connections and forks a *double* that does it instead: the double may be killed at any
point, and the actor, which never had a part in it, goes on warm. Now and then it must be the actor itself, so that whatever
lives only in memory is lost as well; then the nursery says so and forks the next one.

All share one pipe to the parent, on which only one of them ever speaks: whoever does a task, or else whoever waited for it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Event
from typing import Any, NoReturn, Protocol

PATIENCE_S = 120.0
_processes = multiprocessing.get_context("forkserver")


class Actor(Protocol):
    """What acts. Tasks, answers and errors travel between processes, so they must be picklable."""

    def refresh(self) -> None:
        """Prepare what the next actor should have at hand. Called in the nursery; must leave no connection and no thread."""

    def detach(self) -> None:
        """Give up every connection: another process goes on from here."""

    def do(self, task: Any) -> Any:
        """Do one task. Called again and again."""


class Killed(Exception):
    """The process died before it answered: what it was told may have been done whole, or not at all."""

    def __init__(self, ended_by: int) -> None:
        super().__init__(f"the acting process ended: {ended_by}")
        self.ended_by = ended_by


@dataclass(frozen=True, slots=True)
class _Told:
    task: Any
    double: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    pid: int


@dataclass(frozen=True, slots=True)
class _Answered:
    value: Any


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


@dataclass(frozen=True, slots=True)
class _Died:
    ended_by: int


class Child:
    """The actor that ``prepare(*args)`` makes, in a process of its own; another one takes the place of one that was killed.

    ``prepare`` is called once, in the nursery. To be used from one thread, and closed in the end. ``pid`` is the process that
    does the present task, or did the last one.
    """

    def __init__(self, prepare: Callable[..., Actor], *args: Any) -> None:
        _processes.set_forkserver_preload([__name__, "troth.work"])
        self._pipe, theirs = _processes.Pipe()
        self._begun, self.pid = Event(), 0
        self._nursery = _processes.Process(target=_nurse, args=(theirs, prepare, args), daemon=True)
        self._nursery.start()
        theirs.close()
        self._await_actor()

    def do(self, task: Any, *, double: bool = False) -> Any:
        """Let the actor, or a ``double`` of it, do ``task``, and return the answer.

        Raises:
            Killed: when whoever did it was killed meanwhile; the next one is ready.
            Exception: whatever the task ended with.
        """
        if double:
            self._begun.clear()
        self._pipe.send(_Told(task, double))
        said = self._heard()
        if isinstance(said, _Died):
            if not double:
                self._await_actor()
            raise Killed(said.ended_by)
        if isinstance(said, _Raised):
            raise said.error
        return said.value

    def kill(self) -> None:
        """Kill whoever does the present task; to be called from whatever it waits for."""
        self._begun.wait(PATIENCE_S)
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End all processes."""
        self._pipe.close()
        self._nursery.join(5)
        self._nursery.kill()

    def _await_actor(self) -> None:
        self._begun.clear()
        said = self._heard(beginning=True)
        if isinstance(said, _Raised):
            raise said.error

    def _heard(self, beginning: bool = False) -> Any:
        """What is said next; that somebody began is only noted, unless it is waited for."""
        while True:
            if not self._pipe.poll(PATIENCE_S):
                raise TimeoutError(f"the acting process has not answered for {PATIENCE_S:g} s")
            said = self._pipe.recv()
            if not isinstance(said, _Begun):
                return said
            self.pid = said.pid
            self._begun.set()
            if beginning:
                return said


def _nurse(pipe: Connection, prepare: Callable[..., Actor], args: tuple[Any, ...]) -> None:
    """Prepare once; fork an actor, wait for its end, say so, and begin again until one ends of itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us, by closing its end of the pipe
    try:
        actor = prepare(*args)
    except Exception as error:
        pipe.send(_Raised(error))
        return
    ended_by = -1
    while ended_by != 0:
        actor.refresh()
        ended_by = _outlive(pipe, lambda: _act(pipe, actor))


def _outlive(pipe: Connection, life: Callable[[], object]) -> int:
    """Let a process of its own begin, live ``life`` and end; say so if it was not of itself that it ended."""
    pid = os.fork()
    if pid == 0:
        _live(pipe, life)
    ended_by = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if ended_by != 0:
        pipe.send(_Died(ended_by))
    return ended_by


def _live(pipe: Connection, life: Callable[[], object]) -> NoReturn:
    """What the process that forked would tidy up is not ours: leave at once in the end, whatever happens."""
    ended = 1
    try:
        pipe.send(_Begun(os.getpid()))
        life()
        ended = 0
    except (EOFError, OSError):  # the parent is gone
        ended = 0
    finally:
        os._exit(ended)


def _act(pipe: Connection, actor: Actor) -> None:
    """The life of an actor: tasks until the parent is gone."""
    while True:
        told: _Told = pipe.recv()
        if told.double:
            actor.detach()
            _outlive(pipe, lambda task=told.task: _perform(pipe, actor, task))  # type: ignore[misc]
        else:
            _perform(pipe, actor, told.task)


def _perform(pipe: Connection, actor: Actor, task: Any) -> None:
    try:
        said: object = _Answered(actor.do(task))
    except Exception as error:
        if error.__cause__ is not None:  # it does not travel; what it says does
            error.add_note(f"{type(error.__cause__).__name__}: {error.__cause__}")
        said = _Raised(error)
    pipe.send(said)
