"""Paths to signal numbers and back, and what the API says of each signal; made once, for the registry is a value."""

from functools import cached_property
from typing import Any, Final

import numpy as np

from gemel.assets import Plant
from gemel.errors import NotFoundError
from gemel.samples import LANES, Registry
from gemel.samples.batch import I64
from gemel.samples.clock import SECOND

GAP_INTERVALS: Final = 5  # silent for more than so many intervals is a gap


class Names:
    """What the API asks of plant and registry again and again."""

    def __init__(self, plant: Plant, registry: Registry) -> None:
        self._plant = plant
        self.registry = registry

    @cached_property
    def units(self) -> list[str]:
        """Unit of each signal."""
        return list(self.registry.table.column("unit").to_pylist())

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of each signal."""
        return list(self.registry.table.column("kind").to_pylist())

    @cached_property
    def states(self) -> list[list[str]]:
        """Words of each state."""
        return [s or [] for s in self.registry.table.column("states").to_pylist()]

    @cached_property
    def lanes(self) -> list[str]:
        """Lane of each signal."""
        return list(self.registry.table.column("lane").to_pylist())

    @cached_property
    def _checks(self) -> Any:
        return self._plant.checks(self.registry)

    @cached_property
    def interval(self) -> I64:
        """Expected interval of each signal [ns]; 0 where not known."""
        return np.asarray(self._checks.interval, np.int64)

    @cached_property
    def stale_after(self) -> I64:
        """How long each signal may be silent [ns]."""
        return np.asarray(self._checks.stale_after, np.int64)

    @cached_property
    def by_path(self) -> dict[str, dict[str, int]]:
        """Numbers by path and lane."""
        found: dict[str, dict[str, int]] = {}
        for number, (path, lane) in enumerate(zip(self.registry.paths, self.lanes, strict=True)):
            found.setdefault(path, {})[lane] = number
        return found

    @cached_property
    def _assets(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, path in enumerate(self.registry.paths):
            found.setdefault(path.rpartition("/")[0], []).append(number)
        return found

    def shown(self, path: str) -> int | None:
        """Give the signal of a path: measured where there is one, else by the precedence of lanes."""
        lanes = self.by_path.get(path)
        if not lanes:
            return None
        return next(lanes[lane] for lane in ("measured", *LANES) if lane in lanes)

    def number(self, path: str, lane: str | None = None) -> int:
        """Give the signal of a path; raises NotFoundError."""
        number = self.shown(path) if lane is None else self.by_path.get(path, {}).get(lane)
        if number is None:
            raise NotFoundError(
                f"no signal {path[:200]!r}" + (f" on the lane {lane}" if lane else ""),
                remedy="see GET /api/v1/signals",
            )
        return number

    def of_asset(self, asset: str) -> list[int]:
        """Give the signals of an asset, in the registry's order."""
        return self._assets.get(asset, [])

    def gap_ns(self, signal: int) -> int:
        """Give the silence that counts as a gap [ns]; 0 where no interval is known."""
        return GAP_INTERVALS * int(self.interval[signal])

    def stale_after_s(self, signal: int) -> float:
        """Give how long a signal may be silent [s]."""
        return float(self.stale_after[signal]) / SECOND
