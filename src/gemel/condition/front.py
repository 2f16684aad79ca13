"""The front: readings newer than all of their signal are judged at once, thousands in a few array operations."""

import numpy as np

from gemel.condition.arrange import Arranged
from gemel.condition.judge import Limits, Sequence, judge
from gemel.condition.memory import NEVER, TIME, Memory
from gemel.condition.readings import Emitted, Readings
from gemel.condition.reasons import GAP, JITTER, RATE, STUCK, Counts
from gemel.condition.timing import Timing
from gemel.condition.window import Window
from gemel.samples.batch import I64


class Front:
    """What is remembered of every signal at its newest reading, and the judging of what is newer."""

    def __init__(
        self, memory: Memory, limits: Limits, timing: Timing, counts: Counts, window: Window
    ) -> None:
        self.memory = memory
        self.limits = limits
        self.timing = timing
        self.counts = counts
        self.window = window

    def recall(self, arranged: Arranged) -> Memory:
        """Give what is remembered of each arranged signal."""
        memory: Memory = self.memory.take(arranged.signals, 0)
        return memory

    def follow(self, readings: Readings, arranged: Arranged, memory: Memory, distance: I64) -> Emitted:
        """Judge readings each of which is newer than its signal's last; remember the newest.

        Args:
            readings: in order of arrival.
            arranged: the same by signal.
            memory: what is remembered of each of those signals.
            distance: time since the row before, or since the newest remembered [ns].

        """
        self.window.touch(arranged.signals, memory)
        self._time(arranged, memory, distance)
        order = arranged.order
        sound = readings.sound
        value, source = readings.batch.value[order], readings.source[order]
        sequence = Sequence(
            arranged.signal,
            arranged.time,
            value,
            source,
            arranged.start,
            None if sound.all() else sound[order],
        )
        verdict = judge(sequence, memory, self.limits)
        after = verdict.memory_after(arranged.end, np.arange(len(arranged.signals)))
        self.memory[arranged.signals] = after
        self.counts.add(RATE, arranged.signal[verdict.leaps])
        self.counts.add(STUCK, arranged.signal[verdict.stuck])
        status = verdict.amend(readings.batch.status, order)
        batch = (
            readings.batch if status is readings.batch.status else readings.batch.with_columns(status=status)
        )
        return Emitted.of(batch, readings.source, readings.position, news=True)

    def arrange_and_follow(self, readings: Readings) -> Emitted:
        """Do the same with readings that stand in order of arrival, and may be none."""
        if not len(readings):
            return Emitted.of(readings.batch, readings.source, readings.position)
        arranged = Arranged.of(readings.batch.signal, readings.batch.time)
        memory = self.recall(arranged)
        return self.follow(readings, arranged, memory, arranged.distance(memory[:, TIME]))

    def _time(self, arranged: Arranged, memory: Memory, distance: I64) -> None:
        before = memory[:, TIME]
        first = before == NEVER
        span = arranged.time[arranged.end] - before
        steps = arranged.length
        if first.any():
            distance = distance.copy()
            distance[arranged.start[first]] = 0
            span = np.where(first, arranged.time[arranged.end] - arranged.time[arranged.start], span)
            steps = steps - first
        self.timing.take(arranged.signals, steps, span)
        gaps, beside = self.timing.irregular(arranged.signal, distance, arranged.start)
        self.counts.add(GAP, arranged.signal[gaps])
        self.counts.add(JITTER, arranged.signal[beside])
