"""Whether a reading fits those before it: a pure function of rows in time order and what was remembered.

The same function judges what is new (from the newest state) and what must be judged again (from the state before
the recent window), so both say the same of the same rows.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from gemel.assets.checks import Checks
from gemel.condition.memory import (
    REF_TIME,
    REF_VALUE,
    RUN_TIME,
    RUN_VALUE,
    SOURCE,
    TIME,
    VALUE,
    Memory,
    bits,
    floats,
)
from gemel.condition.rate import Track, leaps
from gemel.condition.readings import Mask
from gemel.samples.batch import F64, I32, I64, U32, Index
from gemel.samples.status import BAD_SENSOR_FAILURE, LIMIT_CONSTANT, UNCERTAIN, UNCERTAIN_SENSOR_NOT_ACCURATE

LEAP: Final = np.uint32(BAD_SENSOR_FAILURE)
CONSTANT: Final = np.uint32(UNCERTAIN_SENSOR_NOT_ACCURATE | LIMIT_CONSTANT)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What the checks with memory need of each signal: largest rate [1/s], time until stuck [ns]."""

    max_rate: F64
    stuck_after: I64
    any_rate: bool
    any_stuck: bool

    @classmethod
    def of(cls, checks: Checks) -> Self:
        """Take them from the checks of a plant."""
        stuck = np.where(checks.stuck_after > 0, checks.stuck_after, np.iinfo(np.int64).max)
        return cls(
            np.ascontiguousarray(checks.max_rate, np.float64),
            stuck,
            not np.isnan(checks.max_rate).all(),
            bool((checks.stuck_after > 0).any()),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """Readings sorted by (signal, time), each time of a signal once.

    Args:
        signal, time, value, source: columns of the readings.
        start: first row of each signal.
        sound: which may be compared with others; None: all.

    """

    signal: I32
    time: I64
    value: F64
    source: U32
    start: Index
    sound: Mask | None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What became of a sequence.

    Args:
        leaps: rows that the rate check rejects.
        stuck: rows that repeat one value for too long, without the leaps.

    """

    leaps: Index
    stuck: Index
    _sequence: Sequence
    _memory: Memory
    _sound_before: Index | None  # number of sound rows up to and including each row; None: all are sound
    _run_time: I64 | None  # of the sound rows
    _sound_value: F64
    _sound_time: I64
    _believed_before: Index | None  # number of believed rows among the sound ones, up to and including each
    _limits: Limits

    def amend(self, status: U32, order: Index | None = None) -> U32:
        """Give statuses with the verdict; a source's own doubt is kept where it is no milder.

        With `order` the statuses stand in another order: sorted row i is row ``order[i]`` of them.
        """
        if not len(self.leaps) and not len(self.stuck):
            return status
        leaps, stuck = (self.leaps, self.stuck) if order is None else (order[self.leaps], order[self.stuck])
        status = status.copy()
        status[leaps] = LEAP
        status[stuck[status[stuck] < np.uint32(UNCERTAIN)]] = CONSTANT
        return status

    def memory_after(self, rows: Index, segment: Index) -> Memory:
        """Give what is to be remembered after some rows; `segment` is the number of each row's signal."""
        s = self._sequence
        after: Memory = self._memory.take(segment, 0)
        after[:, TIME] = s.time[rows]
        after[:, VALUE] = bits(s.value)[rows]
        after[:, SOURCE] = s.source[rows]
        first = s.start[segment]
        if self._sound_before is None:
            last, first_sound = rows, first
        else:
            last = self._sound_before[rows] - 1
            first_sound = np.where(first > 0, self._sound_before[first - 1], 0)
        if self._limits.any_stuck:
            has = last >= first_sound
            kept = last if has.all() else last[has]
            where = slice(None) if has.all() else has
            after[where, RUN_VALUE] = bits(self._sound_value)[kept]
            after[where, RUN_TIME] = (
                self._sound_time[kept] if self._run_time is None else self._run_time[kept]
            )
        if self._limits.any_rate:
            if self._believed_before is not None:
                last = self._last_believed(last)
            has = last >= first_sound
            kept = last if has.all() else last[has]
            where = slice(None) if has.all() else has
            after[where, REF_TIME] = self._sound_time[kept]
            after[where, REF_VALUE] = bits(self._sound_value)[kept]
        return after

    def _last_believed(self, sound: Index) -> Index:
        assert self._believed_before is not None
        number = np.where(sound >= 0, self._believed_before[sound], 0)
        places = np.r_[-1, np.flatnonzero(np.diff(self._believed_before, prepend=0))]
        return places[number]


def judge(sequence: Sequence, memory: Memory, limits: Limits) -> Verdict:
    """Judge a sequence that begins with `memory`, one row for each of its signals."""
    s = sequence
    if s.sound is None:
        rows, before = None, None
        signal, time, value, start, kept = s.signal, s.time, s.value, s.start, memory
    else:
        rows = np.flatnonzero(s.sound)
        before = np.cumsum(s.sound)
        signal, time, value = s.signal[rows], s.time[rows], s.value[rows]
        after_start = np.where(s.start > 0, before[s.start - 1], 0)
        present = np.diff(after_start, append=len(rows)) > 0
        start, kept = after_start[present], memory[present]
    found = none = np.zeros(0, np.intp)
    if limits.any_rate and len(time):
        found = leaps(
            Track(
                time,
                value,
                start,
                limits.max_rate.take(signal),
                kept[:, REF_TIME],
                floats(kept[:, REF_VALUE]),
            )
        )
    stuck, run_time = none, None
    if limits.any_stuck and len(time):
        run_time, stuck = _runs(signal, time, value, start, kept, limits)
        if len(found):
            stuck = np.setdiff1d(stuck, found, assume_unique=True)
    believed = None
    if len(found):
        passes = np.ones(len(time), np.bool_)
        passes[found] = False
        believed = np.cumsum(passes)
    if rows is not None:
        place = rows
        return Verdict(place[found], place[stuck], s, memory, before, run_time, value, time, believed, limits)
    return Verdict(found, stuck, s, memory, before, run_time, value, time, believed, limits)


def _runs(
    signal: I32, time: I64, value: F64, start: Index, memory: Memory, limits: Limits
) -> tuple[I64, Index]:
    """Give for each row when the run of bit-equal values that it is in began, and the rows of too long runs."""
    word = bits(value)
    same = np.empty(len(word), np.bool_)
    np.equal(word[1:], word[:-1], out=same[1:])
    same[start] = False
    began = time.copy()
    going_on = word[start] == memory[:, RUN_VALUE]
    at = start[going_on]
    began[at] = memory[going_on, RUN_TIME]
    inner = np.flatnonzero(same)
    if len(inner):
        opens = np.r_[True, inner[1:] != inner[:-1] + 1]
        heads = inner[opens] - 1
        began[inner] = began[heads[np.cumsum(opens) - 1]]
    repeats = np.concatenate([at, inner])
    long = (time[repeats] - began[repeats]) >= limits.stuck_after.take(signal[repeats])
    return began, np.sort(repeats[long])
