"""Work that several threads have at the same time, done in one transaction by one of them.

What could go wrong: an answer is given before it is committed; an error of one reaches another; whoever works for the others
dies or is interrupted, and they wait for ever. So there is no thread that sleeps and no clock: whoever finds nobody at work
takes what waits, up to ``MOST``, and does it all, its own among it; the others wait for that one's turn to end and then find
their answer, or take the next turn. A batch that fails is done again one by one, so that an error reaches whom it is for; only
when the store itself does not answer is that everybody's answer. What an interrupted turn left undone goes back to be taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import Generic, TypeVar

from troth.errors import StoreError

MOST = 64
"""pieces of work in one transaction, so that nobody waits long for others"""

Wanted = TypeVar("Wanted")
Came = TypeVar("Came")
CarryOut = Callable[[Sequence[Wanted]], Sequence[Came]]
"""does all that is wanted in one transaction and returns what came of each, or raises when it did nothing of it"""


class _Waiting(Generic[Wanted, Came]):
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.came: list[Came] = []
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return bool(self.came) or self.error is not None


class Together(Generic[Wanted, Came]):
    """One kind of work of one site."""

    def __init__(self, carry_out: CarryOut[Wanted, Came]) -> None:
        self._carry_out = carry_out
        self._queue: deque[_Waiting[Wanted, Came]] = deque()
        self._turn = Lock()

    def join(self, wanted: Wanted) -> Came:
        """What came of ``wanted``, once its transaction is committed. Raises what doing it raised."""
        mine: _Waiting[Wanted, Came] = _Waiting(wanted)
        self._queue.append(mine)
        with self._turn:
            while not mine.done:
                self._take_turn()
        if mine.error is not None:
            raise mine.error
        return mine.came[0]

    def _take_turn(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), MOST))]
        try:
            self._do(batch)
        finally:
            self._queue.extendleft(one for one in reversed(batch) if not one.done)

    def _do(self, batch: Sequence[_Waiting[Wanted, Came]]) -> None:
        try:
            came = self._carry_out([one.wanted for one in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, StoreError):
                for one in batch:
                    one.error = error if len(batch) == 1 else copy(error)
            else:
                for one in batch:
                    self._do([one])
        else:
            for one, answer in zip(batch, came, strict=True):
                one.came = [answer]
