"""Readings out of order, within the recent window: put where they belong, and what follows them judged again.

For each signal rows are taken as they came. A row that is not its signal's newest is either known (a duplicate),
or another word for a known time (a correction), or late. It goes among its true neighbours, and the signal is
judged again from a state before it; rows whose status is another now leave once more. One disturbing row a signal
is taken at a time, all signals side by side, with the rows in order between them on the quick way.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gemel.condition.arrange import Arranged, repeats, starts
from gemel.condition.aside import Aside, repeats_newest
from gemel.condition.front import Front
from gemel.condition.judge import Sequence, Verdict, judge
from gemel.condition.memory import TIME, Memory, bits
from gemel.condition.readings import Emitted, Mask, Readings, Rows
from gemel.condition.reasons import CORRECTION, DUPLICATE, LATE, RATE, REJUDGED, STUCK
from gemel.condition.screen import Screen
from gemel.condition.window import Chunk
from gemel.samples import Batch
from gemel.samples.batch import I32, I64, U32, Index

MOST: Final = 256  # of a signal between two ticks; a broken source must not hold up the plant
_LAST: Final = np.iinfo(np.int64).max
_FIRST: Final = np.iinfo(np.int64).min


def settle(front: Front, screen: Screen, readings: Readings, watermark: int) -> tuple[list[Emitted], Aside]:
    """Take readings of signals whose order is disturbed, in order of arrival.

    Gives the rows that leave, and the readings that judge no others: those older than the window, and what a signal
    sends out of order beyond `MOST` readings between two ticks.
    """
    arranged = Arranged.of(readings.batch.signal, readings.batch.time)
    readings = readings.take(arranged.order)
    memory = front.recall(arranged)
    newest = memory[:, TIME]
    before = _running_newest(arranged, newest)
    floor = np.repeat(front.window.floor(arranged.signals, newest), arranged.length)
    behind = arranged.time <= before
    stale = behind & (arranged.time <= np.maximum(floor, watermark))
    again = (arranged.time == before) & repeats_newest(readings, np.repeat(memory, arranged.length, axis=0))
    disturbing = behind & ~stale
    if not disturbing.any():
        return [front.arrange_and_follow(readings.take(~behind))], Aside(readings.take(stale), again[stale])
    rework = _Rework(front, screen, readings.take(disturbing), arranged, memory)
    duplicate = disturbing & rework.repeats(readings)
    front.counts.add(DUPLICATE, readings.batch.signal[duplicate])
    disturbing &= ~duplicate
    so_far = np.repeat(front.window.disturbed[arranged.signals], arranged.length)
    beyond = disturbing & (so_far + _number(disturbing, arranged) > MOST)
    disturbing &= ~beyond
    front.window.disturb(readings.batch.signal[disturbing])
    turn = _number(disturbing, arranged)
    emitted = [front.arrange_and_follow(readings.take(~behind & (turn == 0)))]
    rework.add(emitted[0])
    for n in range(1, int(turn.max()) + 1):
        emitted += rework.insert(readings.take(disturbing & (turn == n)))
        emitted.append(front.arrange_and_follow(readings.take(~behind & (turn == n))))
        rework.add(emitted[-1])
    aside = stale | beyond
    return emitted, Aside(readings.take(aside), again[aside])


def _number(marked: Mask, arranged: Arranged) -> Index:
    """Give how many marked rows of the same signal there are up to and including each row."""
    number: Index = np.cumsum(marked, dtype=np.intp)
    return number - np.repeat(number[arranged.start] - marked[arranged.start], arranged.length)


def _running_newest(arranged: Arranged, newest: I64) -> I64:
    """Give for each row the greatest time of its signal before it came."""
    segment = np.repeat(np.arange(len(arranged.start)), arranged.length)
    row = np.arange(len(segment)) + segment + 1  # each signal's rows stand behind what is known of it
    times = np.empty(len(segment) + len(newest), np.int64)
    times[row] = arranged.time
    times[arranged.start + np.arange(len(newest))] = newest
    distinct, rank = np.unique(times, return_inverse=True)
    owner = np.empty(len(times), np.int64)
    owner[row] = segment
    owner[arranged.start + np.arange(len(newest))] = np.arange(len(newest))
    peak = np.maximum.accumulate(owner * len(distinct) + rank)
    result: I64 = distinct[peak[row - 1] - segment * len(distinct)]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Rows of the disturbed signals: those of the window, and those of this batch so far."""

    chunk: Chunk
    segment: Index
    generation: Index

    def take(self, rows: Rows) -> "_Held":
        return _Held(self.chunk.take(rows), self.segment[rows], self.generation[rows])

    def joined(self, other: "_Held") -> "_Held":
        return _Held(
            Chunk.concat([c for c in (self.chunk, other.chunk) if len(c.source)]), np.concatenate([self.segment, other.segment]),
            np.concatenate([self.generation, other.generation]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """The rows that count, one a time, sorted by (signal, time), with the verdict on them."""

    held: _Held
    start: Index
    owner: Index  # number of the disturbing row of the same signal
    mine: Mask  # it is that row
    first_generation: Index  # in which something was first said for that time
    verdict: Verdict
    status: U32


class _Rework:
    """The signals that disturbing rows belong to, through all rounds of a batch."""

    def __init__(
        self, front: Front, screen: Screen, disturbing: Readings, arranged: Arranged, memory: Memory
    ) -> None:
        self._front = front
        self._screen = screen
        at = starts(disturbing.batch.signal)
        self._signals: I32 = disturbing.batch.signal[at]
        earliest = np.minimum.reduceat(disturbing.batch.time, at)
        gathered = front.window.gather(
            self._signals, earliest, memory[np.searchsorted(arranged.signals, self._signals)]
        )
        self._base: Memory = gathered.base
        self._now = front.window.last
        chunk = gathered.chunk
        self._held = _Held(chunk, np.searchsorted(self._signals, chunk.batch.signal), gathered.generation)
        self._oldest = int(gathered.generation.min()) if len(gathered.generation) else self._now

    def repeats(self, readings: Readings) -> Mask:
        """Tell which readings say what the window, or a reading before them, said of their time, bit for bit."""
        chunk = self._held.chunk
        n = len(chunk.source)
        when = np.concatenate([np.full(n, -1), readings.position])
        source = np.concatenate([chunk.source, readings.source])
        word = np.concatenate([bits(chunk.batch.value), bits(readings.batch.value)])
        time = np.concatenate([chunk.batch.time, readings.batch.time])
        signal = np.concatenate([chunk.batch.signal, readings.batch.signal])
        return repeats(when, source, word, time, signal)[n:]

    def add(self, emitted: Emitted) -> None:
        """Hold rows of this batch too, where they are of the disturbed signals."""
        segment = np.minimum(np.searchsorted(self._signals, emitted.batch.signal), len(self._signals) - 1)
        ours = self._signals[segment] == emitted.batch.signal
        chunk = Chunk(emitted.batch, emitted.source, emitted.came).take(ours)
        self._held = self._held.joined(_Held(chunk, segment[ours], np.full(len(chunk.source), self._now)))

    def insert(self, rows: Readings) -> list[Emitted]:
        """Put one row of each of some signals where it belongs."""
        segment = np.searchsorted(self._signals, rows.batch.signal)
        number = np.full(len(self._signals), -1)
        number[segment] = np.arange(len(rows))
        held = self._held.take(number[self._held.segment] >= 0)
        owner = number[held.segment]
        there = held.chunk.batch.time == rows.batch.time[owner]
        known = _any(owner[there], len(rows))
        counts, signal = self._front.counts, rows.batch.signal
        counts.add(CORRECTION, signal[known])
        counts.add(LATE, signal[~known])
        came = rows.batch.received
        loses = _greatest(owner[there], held.chunk.came[there], len(rows)) > came
        stored = np.maximum(_greatest(owner[there], held.chunk.batch.received[there], len(rows)), _FIRST + 1)
        received = np.where(loses, came, np.maximum(came, stored + 1))
        self._front.window.touch(signal, self._front.memory.take(signal, 0))
        mine = replace(rows, batch=rows.batch.with_columns(received=received))
        return self._place(held, mine, came, loses, segment)

    def _place(self, held: _Held, mine: Readings, came: I64, loses: Mask, segment: Index) -> list[Emitted]:
        line = self._judge(held, Chunk(mine.batch, mine.source, came), segment)
        at = np.flatnonzero(line.mine)
        at = at[np.argsort(line.owner[at])]
        batch = mine.batch.with_columns(status=line.status[at])
        counts = self._front.counts
        counts.add(RATE, line.held.chunk.batch.signal[_both(line.verdict.leaps, at)])
        counts.add(STUCK, line.held.chunk.batch.signal[_both(line.verdict.stuck, at)])
        emitted = [Emitted.of(batch, mine.source, mine.position, came=came)]
        wins = ~loses[line.owner]
        changed = np.flatnonzero(wins & ~line.mine & (line.status != line.held.chunk.batch.status))
        if len(changed):
            counts.add(REJUDGED, line.held.chunk.batch.signal[changed])
            emitted.append(_again(line, changed, came, mine.position))
        if not loses.all():
            self._remember(line, ~loses[line.owner[line.start]])
        for part in emitted:
            self.add(part)
        return emitted

    def _judge(self, held: _Held, mine: Chunk, segment: Index) -> _Line:
        """Judge all rows of the signals anew, the new one standing for its time."""
        fresh = np.arange(len(held.segment) + len(segment)) >= len(held.segment)
        both = held.joined(_Held(mine, segment, np.full(len(segment), self._now)))
        batch = both.chunk.batch
        order = np.lexsort((np.where(fresh, _LAST, both.chunk.came), batch.time, both.segment))
        after_base = batch.time[order] > self._base[both.segment[order], TIME]
        order = order[after_base]
        owner, time = both.segment[order], batch.time[order]
        opens = np.flatnonzero(np.r_[True, (owner[1:] != owner[:-1]) | (time[1:] != time[:-1])])
        last = np.append(opens[1:], len(order)) - 1
        line = both.take(order[last])
        generation = np.minimum.reduceat(both.generation[order], opens)
        start = starts(line.segment)
        batch = line.chunk.batch
        signal = batch.signal.astype(np.intp)
        status, sound = self._screen.status(self._screen.kind(batch.signal), batch.value, line.chunk.source)
        sequence = Sequence(signal, batch.time, batch.value, line.chunk.source, start, sound)
        verdict = judge(sequence, self._base[line.segment[start]], self._front.limits)
        number = np.full(len(self._signals), -1)
        number[segment] = np.arange(len(segment))
        return _Line(
            line, start, number[line.segment], fresh[order[last]], generation, verdict, verdict.amend(status)
        )

    def _remember(self, line: _Line, wins: Mask) -> None:
        """Bring up to date what is remembered of each signal now, and before each generation since."""
        signals = self._signals[line.held.segment[line.start]]
        end = np.append(line.start[1:], len(line.status)) - 1
        segments = np.flatnonzero(wins)
        self._front.memory[signals[segments]] = line.verdict.memory_after(end[segments], segments)
        rows = np.arange(len(line.status))
        for generation in range(self._oldest + 1, self._now + 1):
            earlier = np.maximum.reduceat(np.where(line.first_generation < generation, rows, -1), line.start)
            has = np.flatnonzero(wins & (earlier >= 0))
            if len(has):
                self._front.window.amend(
                    generation, signals[has], line.verdict.memory_after(earlier[has], has)
                )


def _again(line: _Line, changed: Index, came: I64, position: Index) -> Emitted:
    """Give rows whose status is another now, received when what changed it was.

    At least a nanosecond after the row was stored last: the later `received` is what readers believe.
    """
    old = line.held.chunk.take(changed)
    cause = line.owner[changed]
    batch = Batch(
        old.batch.signal,
        old.batch.time,
        np.maximum(came[cause], old.batch.received + 1),
        old.batch.value,
        line.status[changed],
        sigma=old.batch.sigma,
    )
    return Emitted.of(batch, old.source, position[cause], came=old.came, again=True)


def _any(owners: Index, n: int) -> Mask:
    out = np.zeros(n, np.bool_)
    out[owners] = True
    return out


def _greatest(owners: Index, numbers: I64, n: int) -> I64:
    out = np.full(n, _FIRST)
    np.maximum.at(out, owners, numbers)
    return out


def _both(rows: Index, others: Index) -> Index:
    return np.intersect1d(rows, others, assume_unique=True)
