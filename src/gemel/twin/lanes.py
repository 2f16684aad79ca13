"""Lanes: what is remembered of each signal. State is a fold, nobody writes it.

A lane holds two samples: the `latest`, which is the maximum by (time, received, bits of the value, status), and the
`former`, the newest usable one before it. The usable sample is the latest where that is not Bad, else the former.

A reading that is judged again comes as a row of its own: the same time, a later `received`, another status. A
maximum of the rows that are not Bad could not take the old word back; so a Bad row takes back the sample of its own
time, whether that is the latest (the former then counts) or the former (then none does, until the next usable
reading). What was taken back is never shown as usable again; see `docs/decisions/taken-back.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F32, F64, I32, I64, SIGMA, U32, Batch, Index
from gemel.samples.status import BAD_INVALID_TIMESTAMP, is_bad
from gemel.twin.disturbed import Mask, bits, settle
from gemel.twin.origins import of_rows

NEVER: Final = np.iinfo(np.int64).min
_SAMPLE: Final = ("time", "received", "value", "status")
_NAMES: Final = (*_SAMPLE, "origin")
_SIGMA: Final = "sigma"  # a column of lanes only once a sample came with one


@dataclass(slots=True, eq=False)
class Lane:
    """One sample of every signal, and where it came from (`origins`): columns indexed by signal.

    `sigma` is None until a sample comes with its uncertainty.
    """

    time: I64
    received: I64
    value: F64
    status: U32
    origin: I64
    sigma: F32 | None = None

    @classmethod
    def empty(cls, n: int) -> Self:
        """Make `n` lanes that have seen nothing."""
        return cls(
            np.full(n, NEVER), np.full(n, NEVER), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64)
        )  # fmt: skip

    def of(self, signals: npt.NDArray[np.integer[Any]]) -> Batch:
        """Give the samples of some signals, as they stand."""
        return Batch(
            signals.astype(np.int32, copy=False), self.time[signals], self.received[signals], self.value[signals], self.status[signals],
            sigma=None if self.sigma is None else self.sigma[signals],
        )  # fmt: skip

    def put(self, rows: Batch, origin: I64) -> None:
        """Set the samples of some signals, at most one a signal."""
        s = rows.signal
        self.time[s], self.received[s], self.value[s], self.status[s], self.origin[s] = (
            rows.time, rows.received, rows.value, rows.status, origin,
        )  # fmt: skip
        if rows.sigma is not None and self.sigma is None:
            self.sigma = np.full(len(self.time), np.nan, SIGMA)
        if self.sigma is not None:
            self.sigma[s] = rows.uncertainty()


class Lanes:
    """Latest and former usable sample of every signal.

    >>> lanes = Lanes(1)
    >>> lanes.fold(Batch.of(signal=[0], time=[1], received=[1], value=[5.0], status=[0])).tolist()
    [0]
    """

    def __init__(self, n: int) -> None:
        self.latest = Lane.empty(n)
        self.former = Lane.empty(n)

    def __len__(self) -> int:
        return len(self.latest.time)

    def fold(self, rows: Batch, origin: I64 | None = None) -> I32:
        """Fold rows in, in the order in which they came; give the signals that may have changed.

        Readings with an impossible time are left out. However the rows are cut into batches, the state is the same.

        Args:
            rows: conditioned.
            origin: where each came from, as `origins` packs it; None: unknown.
        """
        origin = np.zeros(len(rows), np.int64) if origin is None else origin
        timely = (rows.status & np.uint32(0xFFFF0000)) != np.uint32(BAD_INVALID_TIMESTAMP)
        if not timely.all():
            rows, origin = rows.take(timely), origin[timely]
        if not len(rows):
            return np.zeros(0, np.int32)
        order = by_signal(rows)
        signal, time = rows.signal[order], rows.time[order]
        first = np.append(True, signal[1:] != signal[:-1])
        rising = first.copy()
        rising[1:] |= time[1:] > time[:-1]
        rising[first] = time[first] > self.latest.time[signal[first]]
        if rising.all():
            return self._follow(rows, origin, order, first)
        start = np.flatnonzero(first)
        length = np.diff(start, append=len(order))
        even = np.repeat(np.logical_and.reduceat(rising, start), length)
        # what is older than both that a signal holds says nothing of now; of a signal with anything newer, all is looked at
        past = np.maximum.reduceat(time, start) < self.former.time[signal[start]]
        moving = ~even & ~np.repeat(past, length)
        if moving.any():
            self._disturbed(rows.take(order[moving]), origin[order[moving]])
        if even.any():
            self._follow(rows, origin, order[even], first[even])
        changed: I32 = signal[first]
        return changed

    def _follow(self, rows: Batch, origin: I64, order: Index, first: Mask) -> I32:
        """Take rows that are each newer than all before of their signal."""
        last = np.append(first[1:], True)
        newest = rows.take(order[last])
        before = self.latest.of(newest.signal)
        before = before.take((before.time != NEVER) & ~is_bad(before.status))
        self.former.put(before, self.latest.origin[before.signal])
        inner = order[~last]
        good = inner[~is_bad(rows.status[inner])]
        if len(good):
            signal = rows.signal[good]
            passed = good[np.append(signal[1:] != signal[:-1], True)]
            self.former.put(rows.take(passed), origin[passed])
        self.latest.put(newest, origin[order[last]])
        return newest.signal

    def _disturbed(self, rows: Batch, origin: I64) -> None:
        signals = np.unique(rows.signal)
        before = self.latest.of(signals), self.former.of(signals)
        known = Batch.concat([*before, rows])
        origins = np.concatenate([self.latest.origin[signals], self.former.origin[signals], origin])
        latest, former = settle(rows, *before)
        self.latest.put(latest, of_rows(latest, known, origins))
        self.former.put(former, of_rows(former, known, origins))

    def origin(self, signals: npt.NDArray[np.integer[Any]]) -> I64:
        """Give where what `shown` gives came from."""
        instead = is_bad(self.latest.status[signals]) & (self.former.time[signals] != NEVER)
        return np.asarray(
            np.where(instead, self.former.origin[signals], self.latest.origin[signals]), np.int64
        )

    def stale(self, now: int, stale_after: I64) -> Mask:
        """Tell which signals are silent for longer than they may be, at a plant time [ns]."""
        silent: Mask = (self.latest.time == NEVER) | (now - self.latest.time > stale_after)
        return silent

    def usable(self, signals: npt.NDArray[np.integer[Any]]) -> Batch:
        """Give the newest usable sample of some signals; its time is `NEVER` where there is none."""
        latest, former = self.latest.of(signals), self.former.of(signals)
        bad = is_bad(latest.status)
        return latest if not bad.any() else _either(bad, former, latest)

    def shown(self, signals: npt.NDArray[np.integer[Any]]) -> Batch:
        """Give what to show: the newest usable value and its times, with the status of the latest reading."""
        latest, former = self.latest.of(signals), self.former.of(signals)
        instead = is_bad(latest.status) & (former.time != NEVER)
        return (
            _either(instead, former, latest).with_columns(status=latest.status) if instead.any() else latest
        )

    def arrays(self, copied: bool = True) -> dict[str, npt.NDArray[Any]]:
        """Give the columns for a snapshot."""
        columns = {f"{lane}.{n}": getattr(getattr(self, lane), n) for lane in ("latest", "former") for n in (*_NAMES, _SIGMA)}
        return {n: column.copy() if copied else column for n, column in columns.items() if not _says_nothing(n, column)}

    @classmethod
    def restore(cls, n: int, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take the columns of a snapshot; signals added since have seen nothing.

        Snapshots of 0.1 hold the usable sample instead of the former one, and nothing of where samples came from.
        """
        lanes = cls(n)
        for lane, stored in (
            ("latest", "latest"),
            ("former", "former" if "former.time" in arrays else "usable"),
        ):
            for name in _NAMES if f"{stored}.origin" in arrays else _SAMPLE:
                old = arrays[f"{stored}.{name}"]
                getattr(getattr(lanes, lane), name)[: len(old)] = old
            if (told := arrays.get(f"{stored}.{_SIGMA}")) is not None:
                grown = np.full(n, np.nan, SIGMA)
                grown[: len(told)] = told
                getattr(lanes, lane).sigma = grown
        if "former.time" not in arrays:
            same = np.flatnonzero(lanes.former.time >= lanes.latest.time)
            lanes.former.put(Lane.empty(n).of(same), np.zeros(len(same), np.int64))
        return lanes


def _says_nothing(name: str, column: npt.NDArray[Any] | None) -> bool:
    """Tell whether a column is no part of the state: whether one was made depends on how rows were cut into batches."""
    return column is None or (name.endswith(_SIGMA) and bool(np.isnan(column).all()))


def by_signal(rows: Batch) -> Index:
    """Give the positions of rows sorted by signal, in order of arrival within one."""
    if np.all(rows.signal[1:] >= rows.signal[:-1]):
        return np.arange(len(rows))
    return np.argsort(rows.signal, kind="stable")


def _either(first: Mask, yes: Batch, no: Batch) -> Batch:
    told = yes.sigma is not None or no.sigma is not None
    return Batch(
        *(np.where(first, getattr(yes, name), getattr(no, name)) for name in ("signal", *_SAMPLE)),
        sigma=np.where(first, yes.uncertainty(), no.uncertainty()) if told else None,
    )


__all__ = ["NEVER", "Lane", "Lanes", "bits", "by_signal"]
