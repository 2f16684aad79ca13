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
        signal: the lane's signal; for an override, the first lane's that the property has.
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
    """Which signals are the lanes of which property; properties are numbered in the order of the registry.

    Args:
        signals: int32 [properties, lanes]; `NONE` where a property has no such lane.
        of: the property of each signal.
        lane: index into `LANES` of each signal.
        first: the first lane's signal of each property.

    """

    signals: I32
    of: I32
    lane: I8
    first: I32

    @classmethod
    def of_registry(cls, registry: Registry) -> Self:
        """Make the table of a registry.

        >>> r = Registry.of([{"path": "a/b/p/flow"}, {"path": "a/b/p/flow", "lane": "estimated"}])
        >>> Properties.of_registry(r).signals.tolist()
        [[-1, 0, 1, -1]]
        """
        path = _chunk(registry.table.column("path")).dictionary_encode()
        of = path.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        lane = _codes(_chunk(registry.table.column("lane")))
        table = np.full((len(path.dictionary), len(LANES)), NONE, np.int32)
        live = ~registry.retired
        gone = np.flatnonzero(~live & ~np.isin(of, of[live])).astype(np.int32)  # of properties that are gone as a whole
        for some in (gone, np.flatnonzero(live).astype(np.int32)):
            table[of[some], lane[some]] = some
        has = table >= 0
        first = table[np.arange(len(table)), has.argmax(axis=1)] if len(table) else np.zeros(0, np.int32)
        return cls(table, of, lane, first)

    def __len__(self) -> int:
        return len(self.signals)

    def of_signals(self, signals: I32) -> I32:
        """Give the properties of some signals, each once, in order."""
        return np.unique(self.of[signals]).astype(np.int32)

    def resolve(self, columns: Columns, properties: I32, held: Mapping[int, Held] | None = None) -> Shown:
        """Give what some properties show.

        Args:
            columns: what each signal shows.
            properties: which.
            held: overrides in force, by property.

        """
        lane = self._choose(columns, properties)
        signal = self.signals[properties, lane]
        shown = Shown(
            signal, lane.astype(np.int8), columns.value[signal], columns.status[signal], columns.time[signal],
            columns.received[signal], columns.stale[signal], columns.seen[signal],
        )  # fmt: skip
        return shown if not held else self._with(shown, properties, held)

    def _choose(self, columns: Columns, properties: I32) -> Index:
        table = self.signals[properties]
        has = table >= 0
        first: Index = has.argmax(axis=1)
        several = np.flatnonzero(has.sum(axis=1) > 1)
        if len(several):
            signals, exist = table[several], has[several]
            seen = columns.seen[signals] & exist
            eligible = seen & ~columns.stale[signals] & ~is_bad(columns.status[signals])
            last = np.where(seen, columns.time[signals], _NEVER).argmax(axis=1)
            fallback = np.where(seen.any(axis=1), last, first[several])
            first[several] = np.where(eligible.any(axis=1), eligible.argmax(axis=1), fallback)
        return first

    def _with(self, shown: Shown, properties: I32, held: Mapping[int, Held]) -> Shown:
        rows = [(i, held[p]) for i, p in enumerate(properties.tolist()) if p in held]
        for i, value in rows:
            shown.signal[i], shown.lane[i] = self.first[properties[i]], OVERRIDE
            shown.value[i], shown.status[i] = value.value, GOOD_LOCAL_OVERRIDE
            shown.time[i], shown.received[i] = value.time, value.received
            shown.stale[i], shown.seen[i] = False, True
        return shown


def _chunk(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _codes(lanes: Any) -> I8:
    if isinstance(lanes, pa.ChunkedArray):  # an empty column
        lanes = pa.array([], pa.string())
    if pa.types.is_dictionary(lanes.type):
        lanes = lanes.cast(pa.string())
    encoded = lanes.dictionary_encode()
    codes = np.array([LANES.index(word) for word in encoded.dictionary.to_pylist()], np.int8)
    return codes[encoded.indices.to_numpy(zero_copy_only=False)] if len(codes) else np.zeros(0, np.int8)
