"""The history of a property through all the signals that it was: one series, in the unit of today.

A changed unit made a new signal that goes on from the former one. Asked for the new one, the rows of all are given,
converted, under the number that was asked for; of rows of one time the last received counts, whoever's it is. Signals
that go on from no other are answered by the reader as they stand.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gemel.history.answers import Aggregated, Existing
from gemel.history.holes import Hole
from gemel.history.order import order
from gemel.history.reader import Reader
from gemel.history.resolve import distinct, newest
from gemel.samples import Batch, Registry
from gemel.samples.batch import I32
from gemel.samples.lineage import Segment, lineage

_NO_VALUES: Final = frozenset({"count", "worst"})  # aggregates that are not in the signal's unit


class Numbered(Protocol):
    """Whoever knows which signals there are; a changed plant changes what it knows."""

    @property
    def registry(self) -> Registry:
        """What the signal numbers mean."""


class Series:
    """Reads a lake through the lineage of its signals.

    Args:
        reader: of the lake.
        site: tells which signal goes on from which.

    """

    def __init__(self, reader: Reader, site: Numbered) -> None:
        self.reader = reader
        self._site = site

    def parts(self, signal: int) -> tuple[Segment, ...]:
        """Give the signals whose rows make the history of one, the oldest first."""
        return lineage(self._site.registry, signal)

    def numbers(self, signals: npt.ArrayLike) -> I32:
        """Give the signals whose rows make the history of some."""
        wanted = np.atleast_1d(np.asarray(signals, np.int32))
        if not len(self._chained(wanted)):
            return wanted
        return np.array(sorted({p.signal for s in wanted.tolist() for p in self.parts(s)}), np.int32)

    def latest(self) -> int | None:
        """Give the newest source time stored [ns]; None where nothing is."""
        return self.reader.latest()

    def holes(self, signals: npt.ArrayLike, start: int, end: int) -> list[Hole]:
        """Give what damage took of some signals' readings, as `Reader.holes` does."""
        return self.reader.holes(self.numbers(signals), start, end)

    def _chained(self, signals: npt.ArrayLike) -> list[int]:
        formers = self._site.registry.formers
        if not formers:
            return []
        return [s for s in np.atleast_1d(np.asarray(signals)).tolist() if s in formers]

    # ---- rows

    def raw(
        self, signals: npt.ArrayLike, start: int, end: int, limit: int | None = None, known: int | None = None,
        *, tail: Batch | None = None, corrected: bool = False,
    ) -> Batch:  # fmt: skip
        """Give rows sorted by (signal, time), as `Reader.raw` does."""
        chained = self._chained(signals)
        if not chained:
            return self.reader.raw(signals, start, end, limit, known, tail=tail, corrected=corrected)
        plain = np.setdiff1d(np.asarray(signals), chained)
        found = []
        if len(plain):
            found.append(self.reader.raw(plain, start, end, limit, known, tail=tail, corrected=corrected))
        for signal in dict.fromkeys(chained):
            rows = [
                converted(self.reader.raw([p.signal], start, end, limit, known, tail=tail, corrected=corrected), p, signal)
                for p in self.parts(signal)
            ]  # fmt: skip
            merged = Batch.concat(rows)
            found.append(distinct(merged) if corrected else newest(merged))
        rows_of_all = Batch.concat(found)
        return rows_of_all.take(order(rows_of_all))[:limit]

    def decimated(
        self, signal: int, start: int, end: int, points: int, *, tail: Batch | None = None
    ) -> Batch:
        """Give about 2 x `points` rows that draw like all of them, as `Reader.decimated` does."""
        parts = self.parts(signal)
        if len(parts) == 1:
            return self.reader.decimated(signal, start, end, points, tail=tail)
        rows = (
            converted(self.reader.decimated(p.signal, start, end, points, tail=tail), p, signal) for p in parts
        )  # fmt: skip
        return newest(Batch.concat(rows))

    # ---- values

    def aggregated(
        self, signal: int, start: int, end: int, interval_ns: int, aggregate: str,
        *, tail: Batch | None = None, hold_ns: int | None = None,
    ) -> Aggregated:  # fmt: skip
        """Give one value an interval, as `Reader.aggregated` does; an interval of several parts is made of their rows."""
        parts = self.parts(signal)
        if len(parts) == 1:
            return self.reader.aggregated(signal, start, end, interval_ns, aggregate, tail=tail, hold_ns=hold_ns)
        answers = [
            self.reader.aggregated(p.signal, start, end, interval_ns, aggregate, tail=tail, hold_ns=hold_ns) for p in parts
        ]  # fmt: skip
        told = np.stack([(a.counts > 0) | (a.worst > 0) for a in answers])
        out = _joined(answers, told, parts, aggregate)
        several = _seams(told)
        if len(several):
            self._of_rows(out, several, (start, end, interval_ns, aggregate), (signal, tail, hold_ns))
        return out

    def _of_rows(
        self, out: Aggregated, several: npt.NDArray[np.intp], asked: tuple[int, int, int, str],
        given: tuple[int, Batch | None, int | None],
    ) -> None:  # fmt: skip
        """Make the intervals in which one part ended and the next began, of the rows of all."""
        start, end, interval, aggregate = asked
        signal, tail, hold_ns = given
        low, high = int(several[0]), int(several[-1]) + 1
        since, upto = start + low * interval, min(start + high * interval, end)
        before = self.at([signal], since - 1, tail=tail)  # it holds into the first interval
        rows = Batch.concat([before, self.raw([signal], since, upto, tail=tail)])
        answer = self.reader.aggregated(signal, since, upto, interval, aggregate, tail=rows, hold_ns=hold_ns)
        span = slice(low, high)
        for mine, made in (
            (out.values, answer.values), (out.counts, answer.counts), (out.worst, answer.worst),
        ):  # fmt: skip
            mine[span] = made

    def at(
        self, signals: npt.ArrayLike, at: int, known: int | None = None,
        *, tail: Batch | None = None, back_ns: int | None = None,
    ) -> Batch:  # fmt: skip
        """Give each signal's last row at a time, as `Reader.at` does."""
        chained = self._chained(signals)
        if not chained:
            return self.reader.at(signals, at, known, tail=tail, back_ns=back_ns)
        found = [self.reader.at(self.numbers(signals), at, known, tail=tail, back_ns=back_ns)]
        return self._resolved(found[0], signals)

    def stood(
        self, signals: npt.ArrayLike, at: int, known: int | None = None, *, tail: Batch | None = None
    ) -> Batch:
        """Give each signal's last row and its last usable one, as `Reader.stood` does, in an order to fold them in."""
        chained = self._chained(signals)
        if not chained:
            return self.reader.stood(signals, at, known, tail=tail)
        rows = self.reader.stood(self.numbers(signals), at, known, tail=tail)
        found = [self._renamed(rows, signals)]
        merged = Batch.concat(found)
        return merged.take(np.lexsort((merged.received, merged.time)))

    def existing(self, batch: Batch, *, tail: Batch | None = None) -> Existing:
        """Tell what is stored for the signal and time of each row, as `Reader.existing` does."""
        found = self.reader.existing(batch, tail=tail)
        for signal in np.unique(self._chained(batch.signal)).tolist():
            rows = np.flatnonzero((batch.signal == signal) & ~found.found)
            for part in reversed(self.parts(int(signal))[:-1]):
                if not len(rows):
                    break
                asked = batch.take(rows)
                asked = asked.with_columns(signal=np.full(len(rows), part.signal, np.int32))
                rows = _filled(found, rows, self.reader.existing(asked, tail=tail), part)
        return found

    def look_ahead(self, batch: Batch) -> None:
        """Read now what `existing` will be asked about these rows, as `Reader.look_ahead` does."""
        former = [
            mine.with_columns(signal=np.full(len(mine), part.signal, np.int32))
            for signal in np.unique(self._chained(batch.signal)).tolist()
            for mine in [batch.take(batch.signal == signal)]
            for part in self.parts(int(signal))[:-1]
        ]
        self.reader.look_ahead(Batch.concat([batch, *former]))

    def _renamed(self, rows: Batch, signals: npt.ArrayLike) -> Batch:
        wanted: Sequence[int] = np.atleast_1d(np.asarray(signals)).tolist()
        return Batch.concat(
            converted(rows.take(rows.signal == p.signal), p, s) for s in wanted for p in self.parts(int(s))
        )

    def _resolved(self, rows: Batch, signals: npt.ArrayLike) -> Batch:
        """Keep the last row of each signal of all that its parts gave."""
        rows = self._renamed(rows, signals)
        rows = rows.take(np.lexsort((rows.received, rows.time, rows.signal)))
        last = np.append(rows.signal[1:] != rows.signal[:-1], True)[: len(rows)]
        return rows.take(last)


def converted(rows: Batch, part: Segment, signal: int) -> Batch:
    """Give rows of a part under the number, and in the unit, of the signal that was asked for."""
    numbers = np.full(len(rows), signal, np.int32)
    if part.same:
        return rows.with_columns(signal=numbers)
    sigma = None if rows.sigma is None else (rows.sigma * abs(part.scale)).astype(np.float32)
    return rows.with_columns(signal=numbers, value=rows.value * part.scale + part.offset, sigma=sigma)


def _seams(told: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Give the intervals that one part begins in, where another speaks in it or spoke before."""
    found = set(np.flatnonzero(told.sum(axis=0) > 1).tolist())
    for own, before in zip(told[1:], np.logical_or.accumulate(told, axis=0)[:-1], strict=True):
        if own.any() and before[: int(own.argmax()) + 1].any():
            found.add(int(own.argmax()))
    return np.array(sorted(found), np.intp)


def _joined(
    answers: Sequence[Aggregated], told: npt.NDArray[np.bool_], parts: Sequence[Segment], aggregate: str
) -> Aggregated:
    """Put together intervals of which at most one part says something; the later part's where two do."""
    last = answers[-1]
    values, counts, worst = last.values.copy(), last.counts.copy(), last.worst.copy()
    for answer, own, part in reversed(list(zip(answers[:-1], told[:-1], parts[:-1], strict=True))):
        mine = own & ~(counts > 0) & ~(worst > 0)
        values[mine] = _in_unit(answer.values[mine], answer.counts[mine], part, aggregate)
        counts[mine], worst[mine] = answer.counts[mine], answer.worst[mine]
    return Aggregated(last.times, values, counts, worst)


def _in_unit(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], part: Segment, aggregate: str
) -> npt.NDArray[np.float64]:
    if part.same or aggregate in _NO_VALUES:
        return values
    offset = part.offset * counts if aggregate == "sum" else part.offset
    return values * part.scale + offset


def _filled(
    found: Existing, rows: npt.NDArray[np.intp], answer: Existing, part: Segment
) -> npt.NDArray[np.intp]:
    """Take over what a former part holds; give the rows that are still not found."""
    there = rows[answer.found]
    found.found[there] = True
    found.value[there] = answer.value[answer.found] * part.scale + part.offset
    found.status[there], found.received[there] = answer.status[answer.found], answer.received[answer.found]
    return rows[~answer.found]
