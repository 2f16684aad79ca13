"""Whether a reading fits those before it: a pure function of rows in time order and what was remembered.

The same function judges what is new (from the newest state) and what must be judged again (from the state before
the recent window), so both say the same of the same rows.
"""

from collections.abc import Callable
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
from gemel.samples.batch import F64, I64, U32, Index
from gemel.samples.status import BAD_SENSOR_FAILURE, LIMIT_CONSTANT, UNCERTAIN, UNCERTAIN_SENSOR_NOT_ACCURATE

LEAP: Final = np.uint32(BAD_SENSOR_FAILURE)
CONSTANT: Final = np.uint32(UNCERTAIN_SENSOR_NOT_ACCURATE | LIMIT_CONSTANT)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What the checks with memory need of each kind of signal: largest rate [1/s], time until stuck [ns]."""

    at: Callable[[Index], Index]
    max_rate: F64
    stuck_after: I64
    any_rate: bool
    any_stuck: bool

    @classmethod
    def of(cls, checks: Checks) -> Self:
        """Take them from the checks of a plant."""
        stuck = np.where(checks.stuck_after > 0, checks.stuck_after, np.iinfo(np.int64).max)
        return cls(
            checks.at,
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

    signal: Index
    time: I64
    value: F64
    source: U32
    start: Index
    sound: Mask | None


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    """The sound rows of a sequence alone; `upto` numbers them up to and including each row (None: all are sound)."""

    signal: Index
    time: I64
    value: F64
    start: Index
    memory: Memory
    rows: Index | None = None
    upto: Index | None = None

    @classmethod
    def of(cls, s: Sequence, memory: Memory) -> Self:
        if s.sound is None:
            return cls(s.signal, s.time, s.value, s.start, memory)
        rows = np.flatnonzero(s.sound)
        upto: Index = np.cumsum(s.sound, dtype=np.intp)
        first = _count_before(upto, s.start)
        present = np.diff(first, append=len(rows)) > 0
        return cls(s.signal[rows], s.time[rows], s.value[rows], first[present], memory[present], rows, upto)

    def place(self, rows: Index) -> Index:
        """Give the rows of the sequence that these sound ones are."""
        return rows if self.rows is None else self.rows[rows]

    def last(self, rows: Index, first: Index) -> tuple[Index, Index]:
        """Give the last sound row up to some rows of the sequence, and the first of each one's signal."""
        if self.upto is None:
            return rows, first
        return self.upto[rows] - 1, _count_before(self.upto, first)


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
    _sound: _Sound
    _began: I64 | None  # when the run of each sound row began; None: nobody asks
    _believed: Index | None  # the last believed row up to each sound one, or -1; None: all are believed
    _any_rate: bool

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
        s, sound = self._sequence, self._sound
        after: Memory = self._memory.take(segment, 0)
        after[:, TIME] = s.time[rows]
        after[:, VALUE] = bits(s.value)[rows]
        after[:, SOURCE] = s.source[rows]
        last, first = sound.last(rows, s.start[segment])
        if self._began is not None:
            has, last_of = _present(last, first)
            after[has, RUN_VALUE] = bits(sound.value)[last_of]
            after[has, RUN_TIME] = self._began[last_of]
        if self._any_rate:
            if self._believed is not None:
                last = np.where(last >= 0, self._believed[last], -1)
            has, last_of = _present(last, first)
            after[has, REF_TIME] = sound.time[last_of]
            after[has, REF_VALUE] = bits(sound.value)[last_of]
        return after


def judge(sequence: Sequence, memory: Memory, limits: Limits) -> Verdict:
    """Judge a sequence that begins with `memory`, one row for each of its signals."""
    sound = _Sound.of(sequence, memory)
    found = stuck = np.zeros(0, np.intp)
    began = believed = None
    if limits.any_rate and len(sound.time):
        found = leaps(_track(sound, limits))
        believed = _last_believed(len(sound.time), found) if len(found) else None
    if limits.any_stuck and len(sound.time):
        began, stuck = _runs(sound, limits)
        if len(found):
            stuck = np.setdiff1d(stuck, found, assume_unique=True)
    any_rate = limits.any_rate and bool(len(sound.time))
    return Verdict(sound.place(found), sound.place(stuck), sequence, memory, sound, began, believed, any_rate)


def _track(sound: _Sound, limits: Limits) -> Track:
    rate = limits.max_rate.take(limits.at(sound.signal))
    return Track(
        sound.time,
        sound.value,
        sound.start,
        rate,
        sound.memory[:, REF_TIME],
        floats(sound.memory[:, REF_VALUE]),
    )


def _last_believed(n: int, rejected: Index) -> Index:
    """Give for each of `n` rows the last one up to it that is not rejected, or -1."""
    rows = np.arange(n)
    rows[rejected] = -1
    return np.maximum.accumulate(rows)


def _runs(sound: _Sound, limits: Limits) -> tuple[I64, Index]:
    """Give for each row when the run of bit-equal values that it is in began, and the rows of too long runs."""
    time, word, start = sound.time, bits(sound.value), sound.start
    same = np.empty(len(word), np.bool_)
    np.equal(word[1:], word[:-1], out=same[1:])
    same[start] = False
    began = time.copy()
    going_on = word[start] == sound.memory[:, RUN_VALUE]
    at = start[going_on]
    began[at] = sound.memory[going_on, RUN_TIME]
    inner = np.flatnonzero(same)
    if len(inner):
        opens = np.r_[True, inner[1:] != inner[:-1] + 1]
        heads = inner[opens] - 1
        began[inner] = began[heads[np.cumsum(opens) - 1]]
    repeats = np.concatenate([at, inner])
    long = (time[repeats] - began[repeats]) >= limits.stuck_after.take(limits.at(sound.signal[repeats]))
    return began, np.sort(repeats[long])


def _count_before(upto: Index, rows: Index) -> Index:
    return np.where(rows > 0, upto[rows - 1], 0)


def _present(last: Index, first: Index) -> tuple[Mask | slice, Index]:
    """Tell where there is such a row of the same signal, and which."""
    has: Mask = last >= first
    return (slice(None), last) if has.all() else (has, last[has])
