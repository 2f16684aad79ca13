"""Reading many rows of many signals in answers of bounded size: what to ask for next, whoever asks. Pure.

Signals with few rows are asked for many at a time, one with many rows piece by piece, so that neither a year of one
signal nor an hour of ten thousand is slow or large.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gemel.samples import Batch

ROWS: Final = 200_000  # most in one answer
FASTER: Final = 16  # times as many signals in the next question, at most
MOST_SIGNALS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Question:
    """Give the first `limit` rows of some signals with start <= time < end [ns], by (signal, time)."""

    signals: Sequence[int]
    start: int
    end: int
    limit: int


class Walk:
    """Asks for all rows of some signals with start <= time < end, in the order of (signal, time).

    >>> walk = Walk([3, 4], 0, 10)
    >>> walk.question().signals, walk.took(Batch.empty()), walk.question().signals, walk.took(Batch.empty())
    ([3], None, [4], None)
    >>> walk.question() is None
    True
    """

    def __init__(self, signals: Sequence[int], start: int, end: int, most: int = ROWS) -> None:
        self._signals = sorted(set(signals))
        self._start, self._end, self._most = start, end, most
        self._next = 0
        self._at = start
        self._many = 1
        self._asked: Question | None = None

    def question(self) -> Question | None:
        """Give the next question; None when all is read."""
        if self._next >= len(self._signals) or self._start >= self._end:
            return None
        many = 1 if self._at > self._start else self._many
        self._asked = Question(self._signals[self._next : self._next + many], self._at, self._end, self._most)
        return self._asked

    def took(self, rows: Batch) -> None:
        """Note the answer to the last question."""
        asked = self._asked
        assert asked is not None
        if len(rows) >= self._most:
            self._next += asked.signals.index(int(rows.signal[-1]))
            self._at = int(rows.time[-1]) + 1
            self._many = 1
            if self._at < self._end:
                return
        else:
            self._next += len(asked.signals) - 1
            grown = len(asked.signals) * min(self._most / 4 / max(len(rows), 1), FASTER)
            self._many = min(max(int(grown), 1), MOST_SIGNALS)
        self._next += 1
        self._at = self._start


def walked(ask: Callable[[Question], Batch], walk: Walk) -> Iterator[Batch]:
    """Give the rows of a walk, answer by answer."""
    while (question := walk.question()) is not None:
        rows = ask(question)
        walk.took(rows)
        if len(rows):
            yield rows
