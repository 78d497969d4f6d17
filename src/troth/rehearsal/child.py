"""A process of its own that does what it is told and may be killed at any moment: ``kill -9``, with no chance to tidy up.

What could go wrong: a process that starts anew costs half a second, most of it importing and reading the policy again; one that
is forked from a parent with threads may hang for ever. So there are two: a *nursery*, which is started afresh, prepares
everything once and then does nothing but fork and wait, with one thread and no connection to anything; and the *actor* that it
forks, which has all that is prepared and is the one that is killed. When the actor is gone the nursery says so and forks the
next one. Parent, nursery and actor share one pipe, on which only one of the two ever speaks: an actor speaks when it has begun
and when it has answered, the nursery when its actor is dead.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

PATIENCE_S = 120.0
_processes = multiprocessing.get_context("forkserver")


class Actor(Protocol):
    """What acts. Tasks, answers and errors travel between processes, so they must be picklable."""

    def refresh(self) -> None:
        """Prepare what the next process should have at hand. Called in the nursery; must leave no connection and no thread."""

    def do(self, task: Any) -> Any:
        """Do one task. Called in an acting process, again and again."""


class Killed(Exception):
    """The actor died before it answered: what it was told may have been done whole, or not at all."""

    def __init__(self, ended_by: int) -> None:
        super().__init__(f"the acting process ended: {ended_by}")
        self.ended_by = ended_by


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
    """The actor that ``prepare(*args)`` makes, in a process of its own; a new one takes the place of one that was killed.

    ``prepare`` is called once, in the nursery. To be used from one thread, and closed in the end.
    """

    def __init__(self, prepare: Callable[..., Actor], *args: Any) -> None:
        _processes.set_forkserver_preload([__name__, "troth.work"])
        self._pipe, theirs = _processes.Pipe()
        self._nursery = _processes.Process(target=_nurse, args=(theirs, prepare, args), daemon=True)
        self._nursery.start()
        theirs.close()
        self.pid = self._begun()

    def do(self, task: Any) -> Any:
        """Let the actor do ``task`` and return its answer.

        Raises:
            Killed: when it was killed meanwhile; the next one is ready.
            Exception: whatever the task ended with.
        """
        self._pipe.send(task)
        said = self._heard()
        if isinstance(said, _Died):
            self.pid = self._begun()
            raise Killed(said.ended_by)
        if isinstance(said, _Raised):
            raise said.error
        return said.value

    def kill(self) -> None:
        """Kill the actor from outside; to be called while it does something, from whatever it waits for."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End both processes."""
        self._pipe.close()
        self._nursery.join(5)
        self._nursery.kill()

    def _begun(self) -> int:
        said = self._heard()
        if isinstance(said, _Raised):
            raise said.error
        pid: int = said.pid
        return pid

    def _heard(self) -> Any:
        if not self._pipe.poll(PATIENCE_S):
            raise TimeoutError(f"the acting process has not answered for {PATIENCE_S:g} s")
        return self._pipe.recv()


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
        pid = os.fork()
        if pid == 0:
            _act(pipe, actor)
        ended_by = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if ended_by != 0:
            pipe.send(_Died(ended_by))


def _act(pipe: Connection, actor: Actor) -> None:
    """The life of one actor: tasks until the parent is gone. Never returns: what the nursery would tidy up is not its own."""
    ended = 1
    try:
        pipe.send(_Begun(os.getpid()))
        while True:
            task = pipe.recv()
            try:
                said: object = _Answered(actor.do(task))
            except Exception as error:
                said = _Raised(error)
            pipe.send(said)
    except (EOFError, OSError):
        ended = 0
    finally:
        os._exit(ended)
