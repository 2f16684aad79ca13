"""Who weighs who is wrong has compiled what that takes before a residual leaves its band: 7 to 30 s for an area, at its first.

estimates have caught up ─► a kind whose machines have been seen for a while ─► a question of the same shapes, its answer thrown away

One kind after the other, in the thread that weighs, and rested for in between. What is estimated and told does not depend on it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Final

from gemel.estimate.blame import Verdict
from gemel.estimate.questions import Question
from gemel.operate.weighing import WORKER, Worker

log = logging.getLogger(__name__)
REST: Final = 4.0  # so many times as long as a rehearsal took


class Rehearsing:
    """Rehearses for the kinds of one estimator.

    Args:
        worker: who weighs.
        now: gives seconds.
    """

    def __init__(self, worker: Worker = WORKER, now: Callable[[], float] = time.monotonic) -> None:
        self._worker, self._now = worker, now
        self._under_way: Future[Verdict] | None = None
        self._began = self._rested = now()
        self.done: set[int] = set()

    def step(self, questions: Mapping[int, Callable[[], Question | None]], kinds: Sequence[object] = ()) -> None:
        """Begin the next rehearsal, if none is under way and it is time: of the kinds' questions, by their numbers."""
        if self._under_way is not None:
            if not self._under_way.done():
                return
            took = self._now() - self._began
            if (failure := self._under_way.exception()) is not None:  # the real one will say so
                log.info("who is wrong was not rehearsed: %s", failure)
            self._under_way, self._rested = None, self._now() + REST * took
        if self._now() < self._rested or not self._worker.idle:
            return
        for kind, ask in questions.items():
            if kind not in self.done and (question := ask()) is not None:
                self.done.add(kind)
                self._began, self._under_way = self._now(), self._worker.ask(question, kinds[kind] if kinds else None)
                return
