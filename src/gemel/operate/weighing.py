"""Who is wrong is weighed beside the filters, so that no estimate waits for it; when the answer counts, the instants say.

residual left its band ─► told at once ─► a thread weighs (seconds) ─► its instant has come ─► told again, with who is wrong

A question asked at one instant is answered so many instants later (`Question.wait`), and never sooner than so long after the one before it.
So what is told is a function of the log, and a thousand machines whose residuals leave at once are weighed one after the
other. Where the thread is not done by then (a replay, a machine that is loaded), the filters wait for it.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.attribution import Readings
from gemel.estimate.blame import Verdict
from gemel.estimate.questions import Hours, Left, Question
from gemel.estimate.watch import Watch
from gemel.operate.under_way import UnderWay

log = logging.getLogger(__name__)
MOST: Final = 30  # that wait; what is asked beyond them is asked again when the residual has been out for longer


class Worker:
    """A thread that weighs, one question after the other; where its process ends, it ends with the question in hand."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Question, Future[Verdict], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ends = False
        self.under = UnderWay()
        self.awaited = False  # a filter waits for an answer

    def ask(self, question: Question, of: object = None) -> Future[Verdict]:
        """Have a question of a kind weighed; one that is cancelled before its turn is passed by."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="weighing", daemon=True)
            self._thread.start()
            atexit.register(self._end)  # a compiler that is cut off in its work takes the process down
        answer: Future[Verdict] = Future()
        self._asked.put((question, answer, of))
        return answer

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be weighed."""
        return self._asked.empty()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None and not self._ends:
            question, answer, of = asked
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                with self.under.of(of or question):
                    verdict = question.weighed()
                answer.set_result(verdict)
            except BaseException as e:
                answer.set_exception(e)

    def _end(self) -> None:
        self._ends = True
        self._asked.put(None)
        if self._thread is not None:
            self._thread.join()


WORKER: Final = Worker()
"""Of this process: whoever weighs waits for one another."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    question: Question
    due: int
    answer: Future[Verdict]


class Weighing:
    """The questions of machines of one kind that wait for their answer.

    Args:
        worker: who weighs.
        of: the kind.
    """

    def __init__(self, worker: Worker = WORKER, of: object = None) -> None:
        self._worker, self._of = worker, of
        self._waiting: list[_Waiting] = []
        self._last = 0  # instant at which the newest of them is due

    def ask(self, question: Question) -> None:
        """Ask; nothing where too many wait."""
        if len(self._waiting) < MOST:
            self._last = max(question.at, self._last) + question.wait
            self._wait(question, self._last)

    def due(self, at: int) -> list[Left]:
        """Give the answers that count from an instant on, in the order asked; none to a question that fails."""
        found = []
        while self._waiting and self._waiting[0].due <= at:
            one = self._waiting.pop(0)
            q = one.question
            if (failure := self._failure(one.answer)) is None:
                found.append(Left(q.machine, q.output, at, q.onset, one.answer.result()))
            else:  # it fails again wherever it is asked: the estimates must not end with it
                log.error("who is wrong cannot be told: %r", failure, exc_info=failure)
        return found

    def _failure(self, answer: Future[Verdict]) -> BaseException | None:
        """Wait for an answer; give what failed, where something did."""
        self._worker.awaited = True
        try:
            return answer.exception()
        finally:
            self._worker.awaited = False

    def forget(self, machine: int) -> None:
        """Forget what was asked of a machine: it is another by now."""
        gone = [one for one in self._waiting if one.question.machine == machine]
        self._waiting = [one for one in self._waiting if one.question.machine != machine]
        for one in gone:
            one.answer.cancel()

    def _wait(self, question: Question, due: int) -> None:
        self._waiting.append(_Waiting(question, due, self._worker.ask(question, self._of)))

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name: questions, not answers."""
        asked = [(q.machine, q.output, q.at, q.onset, one.due) for one in self._waiting for q in (one.question,)]
        found = {"asked": np.array(asked, np.int64).reshape(len(asked), 5), "last": np.array([self._last])}
        for i, one in enumerate(self._waiting):
            seen = one.question.seen
            found |= {f"{i}.u": seen.recent.u, f"{i}.y": seen.recent.y}
            found |= {f"{i}.good.u": seen.asked.good.u, f"{i}.good.y": seen.asked.good.y} if isinstance(seen, Hours) else {}
        return found

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], watch: Watch) -> None:
        """Take what `state` gave, of a watch that is restored; what was not answered is weighed again."""
        self._last = int(arrays["last"][0])
        for i, (machine, output, at, onset, due) in enumerate(arrays["asked"].tolist()):
            recent, good = (Readings(arrays[f"{i}.{k}u"], arrays[f"{i}.{k}y"]) if f"{i}.{k}u" in arrays else None for k in ("", "good."))
            assert recent is not None
            self._wait(watch.question(Left(machine, output, at, onset), recent, good), due)
