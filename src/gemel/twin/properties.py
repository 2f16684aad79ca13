"""Properties: what is shown where one property comes by several ways.

    signals (each a lane of a property) ─► `Properties` (a row a property, a column a lane) ─► `resolve` ─► `Shown`

The lanes in order: override > measured > estimated > simulated. A lane is eligible while its latest reading is not
Bad and it is not stale. Shown is the first eligible lane, else the newest last value of any, marked by its status
and as stale; which lane it is, is always said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.samples import LANES, Registry
from gemel.samples.batch import F64, I32, I64, U32, Index
from gemel.samples.status import GOOD_LOCAL_OVERRIDE, is_bad

Mask = npt.NDArray[np.bool_]
I8 = npt.NDArray[np.int8]
NONE: Final = -1
OVERRIDE: Final = LANES.index("override")
MEASURED: Final = LANES.index("measured")
_NEVER: Final = np.iinfo(np.int64).min


class Columns(Protocol):
    """What each signal shows, indexed by signal: the usable value and its times, the status of the latest reading."""

    @property
    def value(self) -> F64: ...
    @property
    def status(self) -> U32: ...
    @property
    def time(self) -> I64: ...
    @property
    def received(self) -> I64: ...
    @property
    def stale(self) -> Mask: ...
    @property
    def seen(self) -> Mask: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A value that a person put in the place of the lanes.

    Args:
        value: in the declared unit.
        time: since when it holds, as it was asked for [ns].
        received: when it took effect [ns].

    """

    value: float
    time: int
    received: int


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What some properties show, a row each.

    Args:
        signal: the lane's signal; for an override, the property's first.
        lane: index into `LANES`.
        value, status, time, received: as the lane has them.
        stale: no lane is fresh.
        seen: anything was ever received.

    """

    signal: I32
    lane: I8
    value: F64
    status: U32
    time: I64
    received: I64
    stale: Mask
    seen: Mask

    def __len__(self) -> int:
        return len(self.signal)


@dataclass(frozen=True, eq=False)
class Properties:
    """Which signals are the lanes of which property. A property is called by the number of its first lane's signal.

    Where each signal is a property of its own, which is nearly always, nothing is kept.

    Args:
        lane: index into `LANES` of each signal; None: all are measured.
        first: the property of each signal; None: each its own.
        several: properties that have more than one lane, sorted.
        table: int32 [several, lanes]: their signals; `NONE` where there is no such lane.

    """

    lane: I8 | None
    first: I32 | None
    several: I32
    table: I32

    @classmethod
    def of_registry(cls, registry: Registry) -> Self:
        """Make the table of a registry.

        >>> r = Registry.of([{"path": "a/b/p/flow"}, {"path": "a/b/p/flow", "lane": "estimated"}])
        >>> Properties.of_registry(r).lanes_of(np.array([0])).tolist()
        [[-1, 0, 1, -1]]
        """
        words = np.array([LANES.index(word) for word in registry.lanes.words], np.int8)
        lane: I8 = words[registry.lanes.code] if len(words) else np.zeros(0, np.int8)
        if not registry.retired.any() and (lane == MEASURED).all():
            return cls(None, None, np.zeros(0, np.int32), np.zeros((0, len(LANES)), np.int32))
        path = _chunk(registry.table.column("path")).dictionary_encode()
        of = path.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        live = ~registry.retired
        gone = ~live & ~np.isin(of, of[live])  # of properties that are gone as a whole
        return cls._of_groups(of, lane, live | gone)

    @classmethod
    def _of_groups(cls, of: I32, lane: I8, counts: Mask) -> Self:
        """Make the table: `of` numbers the properties from 0 on, `counts` says which signals may be shown."""
        table = np.full((int(of.max(initial=-1)) + 1, len(LANES)), NONE, np.int32)
        rows = np.flatnonzero(counts)
        table[of[rows], lane[rows]] = rows
        has = table >= 0
        first = table[np.arange(len(table)), has.argmax(axis=1)]
        several = np.flatnonzero(has.sum(axis=1) > 1)
        several = several[np.argsort(first[several])]
        return cls(lane, first[of], first[several], table[several])

    def among(self, signals: I32) -> Self:
        """Give the table of a few signals alone, numbered by their places; each property with all its lanes."""
        lane, properties = self.lane_of(signals), self.of(signals)
        _, of = np.unique(properties, return_inverse=True)
        counts = self.lanes_of(properties)[np.arange(len(signals)), lane] == signals
        return self._of_groups(of.astype(np.int32), lane, counts)

    def of(self, signals: I32) -> I32:
        """Give the property of each of some signals."""
        return signals if self.first is None else self.first[signals]

    def lane_of(self, signals: I32) -> I8:
        """Give the lane of each of some signals, as an index into `LANES`."""
        return np.full(len(signals), MEASURED, np.int8) if self.lane is None else self.lane[signals]

    def lanes_of(self, properties: I32) -> I32:
        """Give the signals of some properties, int32 [properties, lanes]; `NONE` where there is no such lane."""
        table = np.full((len(properties), len(LANES)), NONE, np.int32)
        table[np.arange(len(properties)), self.lane_of(properties)] = properties
        rows, places = self._several(properties)
        table[rows] = self.table[places]
        return table

    def resolve(self, columns: Columns, properties: I32, held: Mapping[int, Held] | None = None) -> Shown:
        """Give what some properties show.

        Args:
            columns: what each signal shows.
            properties: which.
            held: overrides in force, by property.

        """
        signal = self._choose(columns, properties)
        shown = Shown(
            signal, self.lane_of(signal).copy(), columns.value[signal], columns.status[signal], columns.time[signal],
            columns.received[signal], columns.stale[signal], columns.seen[signal],
        )  # fmt: skip
        return shown if not held else _with(shown, properties, held)

    def _several(self, properties: I32) -> tuple[Index, Index]:
        """Give the rows of those that have more than one lane, and their places in the table."""
        if not len(self.several):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        places = np.searchsorted(self.several, properties)
        rows = np.flatnonzero(self.several[np.minimum(places, len(self.several) - 1)] == properties)
        return rows, places[rows]

    def _choose(self, columns: Columns, properties: I32) -> I32:
        chosen = properties.copy()
        rows, places = self._several(properties)
        if len(rows):
            table = self.table[places]
            exist = table >= 0
            seen = columns.seen[table] & exist
            eligible = seen & ~columns.stale[table] & ~is_bad(columns.status[table])
            newest = np.where(seen, columns.time[table], _NEVER).argmax(axis=1)
            fallback = np.where(seen.any(axis=1), newest, exist.argmax(axis=1))
            lane = np.where(eligible.any(axis=1), eligible.argmax(axis=1), fallback)
            chosen[rows] = table[np.arange(len(table)), lane]
        return chosen


def _with(shown: Shown, properties: I32, held: Mapping[int, Held]) -> Shown:
    """Put overrides in place of what the lanes show."""
    for i, value in [(i, held[p]) for i, p in enumerate(properties.tolist()) if p in held]:
        shown.signal[i], shown.lane[i] = properties[i], OVERRIDE
        shown.value[i], shown.status[i] = value.value, GOOD_LOCAL_OVERRIDE
        shown.time[i], shown.received[i] = value.time, value.received
        shown.stale[i], shown.seen[i] = False, True
    return shown


def _chunk(column: Any) -> Any:
    if not isinstance(column, pa.ChunkedArray):
        return column
    column = column.combine_chunks()
    return column if not isinstance(column, pa.ChunkedArray) else pa.array([], column.type)
