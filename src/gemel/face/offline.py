"""A twin that does not run, as the application knows one: its plant file, and its history where there is any."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, cast

import numpy as np

from gemel.assets import Plant
from gemel.errors import StorageError
from gemel.history import Aggregated, Hole, Series
from gemel.operate import whatif
from gemel.operate.joining import members
from gemel.operate.past import Stood, folded
from gemel.operate.values import Values
from gemel.operate.view_life import LifeAsked
from gemel.samples import Batch, Fact, Registry
from gemel.samples.batch import I32
from gemel.serve.port import Twin
from gemel.twin.lanes import NEVER
from gemel.twin.releases import Releases

Told = dict[str, Any]


class Offline(LifeAsked):
    """Answers from a plant and its lake; now is when the newest reading was taken. What only a running twin knows is refused.

    Args:
        plant: the plant file.
        registry: the numbers of its signals.
        reader: its history; None: there is none.
    """

    def __init__(self, plant: Plant, registry: Registry, reader: Series | None) -> None:
        self.plant = plant
        self.registry = registry
        self.past = OfflinePast(reader)
        self._reader = reader

    @cached_property
    def values(self) -> "Newest":
        """Last values, as the newest reading of all left them."""
        newest = None if self._reader is None else self._reader.latest()
        return Newest(self._values_at, newest or 0)

    def _values_at(self, newest: int) -> Values:
        n = len(self.registry)
        values = Values(n)
        if not newest:
            return values
        stood = self.past.fold(np.arange(n, dtype=np.int32), newest, 2**62)
        rows = stood.shown
        values.value[:], values.status[:], values.time[:], values.received[:] = (
            rows.value, rows.status, rows.time, rows.received,
        )  # fmt: skip
        values.sigma = rows.sigma
        values.seen[:] = stood.heard != NEVER
        allowed = self.plant.checks(self.registry).each("stale_after")
        values.stale[:] = ~values.seen | (newest - stood.heard > allowed)
        return values

    def link(self) -> Told:
        """Say that what is shown is as of the newest reading: nothing is on its way."""
        return {"up": True, "age_s": 0.0}

    async def whatif_assets(self, asset: str) -> list[str]:
        """Give the assets that a what-if is about."""
        return members(self.plant, asset)

    async def whatif_begin(
        self, asset: str, shown: Mapping[str, tuple[float, str]], releases: Releases, at: int, estimated: Sequence[Told] = ()
    ) -> Told:  # fmt: skip
        """Give where a what-if about an asset begins."""
        return await asyncio.to_thread(whatif.begin, self.plant, asset, shown, releases, at, estimated)

    async def whatif_together(self, assets: Sequence[str]) -> list[Told]:
        """Say that nobody estimates."""
        return []

    async def health(self) -> Told:
        """Say that nothing runs."""
        return {"status": "down", "link": self.link(), "behind_s": 0.0, "processes": {}, "problems": []}

    async def version(self, asset: str) -> int:
        """Say that nothing is decided here."""
        return 0

    async def history_raw(
        self, signal: int, start: int, end: int, limit: int, known: int | None = None
    ) -> Batch:
        """Give the readings of a signal."""
        return await self.history_rows([signal], start, end, limit, known)

    async def history_rows(
        self, signals: Sequence[int], start: int, end: int, limit: int | None = None, known: int | None = None
    ) -> Batch:
        """Give the readings of several signals, by signal and time."""
        if self._reader is None:
            return Batch.empty()
        return await asyncio.to_thread(self._reader.raw, signals, start, end, limit, known)

    async def history_holes(self, signals: Sequence[int], start: int, end: int) -> list[Hole]:
        """Give what damage took of some signals' readings."""
        return [] if self._reader is None else await asyncio.to_thread(self._reader.holes, signals, start, end)

    async def history_decimated(self, signal: int, start: int, end: int, points: int) -> Batch:
        """Give readings that draw like all of them."""
        if self._reader is None:
            return Batch.empty()
        return await asyncio.to_thread(self._reader.decimated, signal, start, end, points)

    async def history_aggregated(
        self, signal: int, start: int, end: int, interval_ns: int, aggregate: str
    ) -> Aggregated:
        """Give one value an interval."""
        if self._reader is None:
            n = max(-(-(end - start) // interval_ns), 0)
            times = start + np.arange(n, dtype=np.int64) * interval_ns
            return Aggregated(times, np.full(n, np.nan), np.zeros(n, np.int64), np.zeros(n, np.uint32))
        return await asyncio.to_thread(self._reader.aggregated, signal, start, end, interval_ns, aggregate)

    def __getattr__(self, name: str) -> Any:
        """Refuse whatever else a running twin would do."""
        if name.startswith("_"):
            raise AttributeError(name)
        return _refused


class Newest:
    """Last values, read when somebody looks at one: whoever asks for history alone need not wait for all of them."""

    def __init__(self, read: Callable[[int], Values], newest: int) -> None:
        self._read = read
        self.plant_time = newest

    @cached_property
    def _all(self) -> Values:
        return self._read(self.plant_time)

    def __getattr__(self, name: str) -> Any:
        """Give a column."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._all, name)


class OfflinePast:
    """What was so at a past time, as far as history tells; the record of facts is read by a running twin only."""

    def __init__(self, reader: Series | None) -> None:
        self._reader = reader

    def fold(self, signals: I32, at: int, known: int) -> Stood:
        """Give signals as they stood."""
        none = self._reader is None or not len(signals)
        return folded(
            signals, Batch.empty() if none else cast(Series, self._reader).stood(signals, at, known)
        )

    async def facts(self, at: int, known: int, *, kind: str = "", **_: Any) -> list[Fact]:
        """Give none of the overrides and versions of parameters or of what was learned there may have been: what was measured, what the file says."""
        return [] if kind in {"Override", "Parameters", "Learner"} else await _refused()

    async def stood(self, signals: I32, at: int, known: int) -> Stood:
        """Give signals as they stood."""
        return await asyncio.to_thread(self.fold, signals, at, known)

    def __getattr__(self, name: str) -> Any:
        """Refuse whatever the record would be needed for."""
        if name.startswith("_"):
            raise AttributeError(name)
        return _refused


async def _refused(*_: Any, **__: Any) -> NoReturn:
    raise StorageError(
        "no twin runs on these data, and this only a running one knows",
        code="twin-away",
        remedy="gemel run PLANT",
    )


def offline(plant: Plant, registry: Registry, reader: Series | None) -> Twin:
    """Give a plant and its history as a twin."""
    return cast(Twin, Offline(plant, registry, reader))
