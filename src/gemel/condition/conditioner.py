"""Whether a reading is believed: the whole way of a batch through the checks.

source numbers, in order of the log → unit, number, range, time → order → rate, stuck → rows to be stored and folded

The state is explicit and what comes out is a function of it and of the stream: however the stream is cut into
batches between two ticks, the same rows come out and the same state remains.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.assets.checks import Checks
from gemel.condition.arrange import Arranged
from gemel.condition.aside import Aside, Existing, Heard, set_aside
from gemel.condition.front import Front
from gemel.condition.judge import Limits
from gemel.condition.late import settle
from gemel.condition.memory import NEVER, TIME, blank
from gemel.condition.readings import Emitted, Mask, Readings
from gemel.condition.reasons import DOUBTS, REASONS, RECEIVED, SOURCE_UNCERTAIN, Counts
from gemel.condition.screen import Screen, is_uncertain
from gemel.condition.timing import Timing
from gemel.condition.window import Window
from gemel.errors import StorageError
from gemel.samples import Batch
from gemel.samples.batch import F64, Index
from gemel.samples.snapshot import Column

FORMAT: Final = 1  # of the state


@dataclass(frozen=True, slots=True, eq=False)
class Conditioned:
    """What leaves the checks.

    Args:
        rows: to be stored and folded, in declared units, judged; in the order of what caused them. Duplicates are
            not among them; a row judged again follows what changed it.
        news: which rows were, when they came, the newest of their signal.
        again: which rows were stored before and have another status now.
        position: the row of the batch that came in which each is, or is judged again by.

    """

    rows: Batch
    news: Mask
    again: Mask
    position: Index


class Conditioner:
    """The checks of one partition, with what they remember.

    Args:
        checks: constants of each signal.
        n: number of signals, where it is to be said.

    >>> c = Conditioner(Checks.plain(1))
    >>> out = c.process(Batch.of(signal=[0, 0], time=[10, 10], received=[20, 21], value=[1.5, 1.5], status=[0, 0]))
    >>> len(out.rows), c.totals()["duplicate"]
    (1, 1)

    """

    def __init__(self, checks: Checks, n: int | None = None) -> None:
        n = len(checks) if n is None else n
        self._checks = checks
        self._screen = Screen(checks)
        self._window = Window(n)
        self._counts = Counts(n)
        self._timing = Timing(checks)
        self._front = Front(blank(n), Limits.of(checks), self._timing, self._counts, self._window)
        self._watermark = NEVER

    def __len__(self) -> int:
        return len(self._front.memory)

    @property
    def watermark(self) -> int:
        """The plant time [ns] up to which late readings are no longer waited for."""
        return self._watermark

    @property
    def counts(self) -> npt.NDArray[np.uint64]:
        """How many readings of each signal, shape [REASONS, signals]."""
        return self._counts.table

    # ---- the way of a batch

    def too_late(self, batch: Batch) -> Mask:
        """Tell which rows need what the store holds for their signal and time, to tell whether they are new."""
        wrong = self._screen.impossible(batch)
        asked = np.zeros(len(batch), np.bool_) if wrong is None else wrong.copy()
        if len(batch) and batch.time.min() <= self._watermark:
            old = np.flatnonzero(batch.time <= self._watermark)
            asked[old] |= batch.time[old] <= self._front.memory[batch.signal[old], TIME]
        return asked

    def process(self, batch: Batch, existing: Existing | None = None) -> Conditioned:
        """Judge a batch in the order of the log, source numbers; `existing` answers for the `too_late` rows."""
        if not len(batch):
            nothing = np.zeros(0, np.bool_)
            return Conditioned(Batch.empty(), nothing, nothing, np.zeros(0, np.intp))
        question = None if existing is None else self._question(batch)
        readings, wrong = self._screen(batch)
        timely = readings if wrong is None else readings.take(~wrong)
        emitted, aside = self._timely(timely)
        if wrong is not None:
            self._counts.add(RECEIVED, batch.signal[wrong])
            impossible = readings.take(wrong)
            aside.append(Aside(impossible, np.zeros(len(impossible), np.bool_)))
        if aside:
            emitted.append(set_aside(aside, self._recent(aside, emitted), self._counts, question, existing))
        out = Emitted.merge(emitted)
        self._window.append(out)
        self._count(out, readings)
        return Conditioned(out.batch, out.news, out.again, out.position)

    def advance(self, tick_time: int) -> None:
        """Let the plant's time pass up to a tick [ns]: what is older than `lateness` is settled."""
        self._watermark = max(self._watermark, tick_time - self._checks.lateness)
        self._window.close(tick_time, self._watermark, self._checks.future_tolerance)
        self._timing.tick(tick_time)

    def _question(self, batch: Batch) -> Index:
        """Give for each row its place among the rows that the store was asked about, or -1."""
        asked = self.too_late(batch)
        return np.where(asked, np.cumsum(asked) - 1, -1)

    def _timely(self, readings: Readings) -> tuple[list[Emitted], list[Aside]]:
        """Judge rows of possible times; give what leaves, and the rows that are older than the window."""
        if not len(readings):
            return [], []
        arranged = Arranged.of(readings.batch.signal, readings.batch.time)
        memory = self._front.recall(arranged)
        distance = arranged.distance(memory[:, TIME])
        self._counts.add_many(RECEIVED, arranged.signals, arranged.length)
        disturbed = np.flatnonzero(distance <= 0)
        if not len(disturbed):
            return [self._front.follow(readings, arranged, memory, distance)], []
        odd = arranged.rows_like(disturbed)
        even = self._front.arrange_and_follow(readings.take(~odd))
        emitted, stale = settle(self._front, self._screen, readings.take(odd), self._watermark)
        return [even, *emitted], [stale] if len(stale.readings) else []

    def _recent(self, aside: list[Aside], emitted: list[Emitted]) -> Heard:
        """Give what came of some signals since the last tick, this batch included."""
        signals = np.unique(np.concatenate([a.readings.batch.signal for a in aside]))
        earlier = self._window.since_tick(signals)
        now = [e.take(np.isin(e.batch.signal, signals)) for e in emitted]
        return Heard.of(earlier, now)

    def _count(self, out: Emitted, readings: Readings) -> None:
        """Count what the rows that are stored for the first time were found to be."""
        own = out.take(~out.again) if out.again.any() else out
        reason = readings.reason if own.position is readings.position else readings.reason[own.position]
        rows = np.flatnonzero(reason)
        for number in np.unique(reason[rows]).tolist():
            self._counts.add(number, own.batch.signal[rows[reason[rows] == number]])
        self._counts.add(SOURCE_UNCERTAIN, own.batch.signal[is_uncertain(own.source)])

    # ---- what is kept, and what people ask

    def state(self, copied: bool = True) -> dict[str, Column]:
        """Give all that is remembered, by name; nothing in it changes later where it is `copied`."""
        memory = self._front.memory
        return {
            "format": np.array([FORMAT]),
            "watermark": np.array([self._watermark]),
            "memory": memory.copy() if copied else memory,
            **self._counts.state(copied),
            **self._timing.state(copied),
            **self._window.state(copied),
        }

    @classmethod
    def restore(cls, checks: Checks, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take what was remembered; signals that `checks` has beyond it have said nothing.

        A state of another format raises StorageError: the shell then goes on from an older position of the log.
        """
        if int(arrays["format"][0]) != FORMAT:
            raise StorageError(
                "the memory of the checks is of another data format",
                code="snapshot-format",
                remedy="start with the version that wrote it",
            )
        n = len(checks)
        self = cls(checks)
        memory = blank(n)
        memory[: len(arrays["memory"])] = arrays["memory"]
        self._watermark = int(arrays["watermark"][0])
        self._counts = Counts.restore(n, arrays)
        self._timing = Timing.restore(checks, arrays)
        self._window = Window.restore(n, arrays)
        self._front = Front(memory, Limits.of(checks), self._timing, self._counts, self._window)
        return self

    def totals(self) -> dict[str, int]:
        """Give the counts of all signals together, by reason."""
        return dict(zip(REASONS, self.counts.sum(axis=1).tolist(), strict=True))

    def report(self, signals: Index | None = None) -> dict[str, F64]:
        """Give, by signal: each count; rate_per_s, interval_s, jitter_ms, jitter_max_ms; last_time [ns]; good_fraction.

        NaN where too little came to tell.

        Args:
            signals: which, in this order; None: all.
        """
        rows = np.arange(len(self)) if signals is None else signals
        counts = dict(zip(REASONS, self.counts[:, rows].astype(np.float64), strict=True))
        interval = self._timing.interval_s(rows)
        newest = self._front.memory[rows, TIME]
        doubted = sum(counts[name] for name in DOUBTS)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                **counts,
                "rate_per_s": 1.0 / interval,
                "interval_s": interval,
                "jitter_ms": self._timing.jitter_ms(rows),
                "jitter_max_ms": self._timing.worst[rows] / 1e6,
                "last_time": np.where(newest == NEVER, np.nan, newest.astype(np.float64)),
                "good_fraction": 1.0 - doubted / counts["stored"],
            }
