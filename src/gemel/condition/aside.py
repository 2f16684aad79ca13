"""Readings that judge no others: of an impossible time, or older than the recent window.

They are stored all the same; what is left to tell is whether they say something that was said before. What came
since the last tick is known here; beyond that the store is asked, by the shell.
"""

from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np

from gemel.condition.arrange import repeats
from gemel.condition.judge import CONSTANT, LEAP
from gemel.condition.memory import SOURCE, TIME, VALUE, Memory, bits
from gemel.condition.readings import Emitted, Mask, Readings
from gemel.condition.reasons import CORRECTION, DUPLICATE, FUTURE, LATE, Counts
from gemel.condition.window import Chunk
from gemel.samples.batch import F64, U32, Index

_EARLIER: Final = -1  # position of what came in earlier batches


class Existing(Protocol):
    """What the store holds for each row asked about, received before it: columns as long as the question."""

    @property
    def found(self) -> Mask:
        """Whether there is a row of that signal and time."""

    @property
    def value(self) -> F64:
        """Value of the newest such row, in the declared unit."""

    @property
    def status(self) -> U32:
        """Its status, as it was judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Aside:
    """Readings that judge no others.

    Args:
        readings: the rows.
        repeats: which of them are, bit for bit, the newest of their signal when they came.

    """

    readings: Readings
    repeats: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What came of some signals since the last tick, with the row number in this batch, or -1."""

    chunk: Chunk
    position: Index

    @classmethod
    def of(cls, earlier: Chunk, now: list[Emitted]) -> Self:
        """Put together what came in earlier batches and what leaves of this one."""
        parts = [earlier, *(Chunk(e.batch, e.source, e.came) for e in now)]
        position = np.concatenate([np.full(len(earlier.source), _EARLIER), *(e.position for e in now)])
        return cls(Chunk.concat([p for p in parts if len(p.source)]), position)


def set_aside(
    aside: list[Aside], heard: Heard, counts: Counts, question: Index | None, existing: Existing | None
) -> Emitted:
    """Give the readings that say something new, to be stored.

    Args:
        aside: the readings.
        heard: what came of their signals since the last tick.
        counts: where to count.
        question: place of each row of the batch among those that the store was asked about, or -1.
        existing: what the store said.

    """
    readings = Readings.concat(a.readings for a in aside)
    duplicate, known = _heard_before(readings, heard)
    duplicate |= np.concatenate([a.repeats for a in aside])
    if existing is not None and question is not None:
        stored, there = _stored_before(readings, question[readings.position], existing)
        duplicate |= stored
        known |= there
    signal, fresh, possible = readings.batch.signal, ~duplicate, readings.reason != FUTURE
    counts.add(DUPLICATE, signal[duplicate])
    counts.add(CORRECTION, signal[fresh & known])
    counts.add(LATE, signal[fresh & ~known & possible])
    kept = readings.take(fresh)
    return Emitted.of(kept.batch, kept.source, kept.position, aside=True)


def repeats_newest(readings: Readings, memory: Memory) -> Mask:
    """Tell which readings say what is remembered as the newest of their signal, bit for bit."""
    same: Mask = readings.batch.time == memory[:, TIME]
    same &= bits(readings.batch.value) == memory[:, VALUE]
    same &= readings.source == memory[:, SOURCE]
    return same


def _stored_before(readings: Readings, asked: Index, existing: Existing) -> tuple[Mask, Mask]:
    """Tell which readings the store holds already, and for which it holds something of their time.

    The store knows what a status was judged to be, not what the source said: a worse status that the checks with
    memory give counts as the same, for it may have begun as this one.
    """
    was_asked = asked >= 0
    place = np.where(was_asked, asked, 0)
    status, given = existing.status[place], readings.batch.status
    judged = ((status == LEAP) | (status == CONSTANT)) & ((status >> 30) > (given >> 30))
    known = was_asked & existing.found[place]
    same = bits(existing.value[place]) == bits(readings.batch.value)
    return known & same & ((status == given) | judged), known


def _heard_before(readings: Readings, heard: Heard) -> tuple[Mask, Mask]:
    """Tell the same by what was heard since the last tick, these readings among themselves included."""
    n = len(heard.position)
    signal = np.concatenate([heard.chunk.batch.signal, readings.batch.signal])
    time = np.concatenate([heard.chunk.batch.time, readings.batch.time])
    when = np.concatenate([heard.position, readings.position])
    known = repeats(when, time, signal)[n:]
    if not known.any():  # of the past, mostly nothing was said before: no need to look what
        return known, known.copy()
    word = np.concatenate([bits(heard.chunk.batch.value), bits(readings.batch.value)])
    source = np.concatenate([heard.chunk.source, readings.source])
    return repeats(when, source, word, time, signal)[n:], known
