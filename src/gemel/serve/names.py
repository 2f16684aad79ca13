"""Paths to signal numbers and back, and what the API says of each signal; made once, for the registry is a value."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np

from gemel.assets import Checks, Plant
from gemel.errors import NotFoundError
from gemel.samples import LANES, Registry
from gemel.samples.batch import F64, I64
from gemel.samples.clock import SECOND
from gemel.samples.registry import Codes
from gemel.samples.select import select
from gemel.twin.properties import Properties

RECENT: Final = 65_536  # paths
GAP_INTERVALS: Final = 5  # silent for more than so many intervals is a gap


class States:
    """The words of each state's codes; none of what is no state."""

    def __init__(self, registry: Registry) -> None:
        self._column = registry.table.column("states")

    def __getitem__(self, signal: int) -> list[str]:
        return list(self._column[int(signal)].as_py() or [])


class Constants:
    """A constant of each signal, kept once a kind."""

    def __init__(self, checks: Checks, column: I64) -> None:
        self._checks, self._column = checks, column

    def __getitem__(self, signal: Any) -> Any:
        return self._column[self._checks.at(np.asarray(signal))]


class Names:
    """What the API asks of plant and registry again and again."""

    def __init__(self, plant: Plant, registry: Registry) -> None:
        self._plant = plant
        self.registry = registry

    @cached_property
    def units(self) -> Codes:
        """Unit of each signal."""
        return self.registry.codes("unit")

    @cached_property
    def kinds(self) -> Codes:
        """Kind of each signal."""
        return self.registry.codes("kind")

    @property
    def lanes(self) -> Codes:
        """Lane of each signal."""
        return self.registry.lanes

    @cached_property
    def states(self) -> "States":
        """Words of each state."""
        return States(self.registry)

    @cached_property
    def properties(self) -> Properties:
        """Which signals are lanes of which property."""
        return Properties.of_registry(self.registry)

    @cached_property
    def accuracy(self) -> F64:
        """Declared standard uncertainty of each signal, in its unit; NaN where none is."""
        return self._plant.accuracy(self.registry)

    @cached_property
    def given_by(self) -> Mapping[int, str]:
        """The dynamic model or learner that gives a signal, where the plant file names one."""
        layout = self._plant.layout
        found = layout.where(lambda s: bool(s.by))
        numbers = self._plant.numbers(self.registry)[found].tolist()
        return {n: s.by for n, (_, s) in zip(numbers, layout.pairs(found.tolist()), strict=True)}

    @cached_property
    def _checks(self) -> Checks:
        return self._plant.checks(self.registry)

    @cached_property
    def interval(self) -> "Constants":
        """Expected interval of each signal [ns]; 0 where not known."""
        return Constants(self._checks, self._checks.interval)

    @cached_property
    def stale_after(self) -> "Constants":
        """How long each signal may be silent [ns]."""
        return Constants(self._checks, self._checks.stale_after)

    def lanes_of(self, path: str) -> Mapping[str, int]:
        """Give the signals of a property by lane; what is asked for again and again is remembered."""
        return self._recent(path)

    @cached_property
    def _recent(self) -> Callable[[str], Mapping[str, int]]:
        return lru_cache(RECENT)(self.registry.lanes_of)

    def shown(self, path: str) -> int | None:
        """Give the signal of a path: measured where there is one, else by the precedence of lanes."""
        lanes = self.lanes_of(path)
        return next((lanes[lane] for lane in ("measured", *LANES) if lane in lanes), None)

    def meant(self, pattern: str) -> list[tuple[str, int]]:
        """Give path and signal of each property that a path means, or a pattern in which * stands for anything."""
        if "*" not in pattern:
            number = self.shown(pattern)
            return [] if number is None else [(pattern, number)]
        try:
            return [(self.registry.paths[s.signal], s.signal) for s in select(self.registry, [pattern])]
        except NotFoundError:
            return []

    def assets_meant(self, pattern: str) -> list[int]:
        """Give the rows of the assets that a path means, or a pattern in which * stands for anything."""
        fleet = self._plant.assets
        if "*" not in pattern:
            row = fleet.find(pattern)
            return [] if row is None else [row]
        fits = re.compile(".*".join(map(re.escape, pattern.split("*")))).fullmatch
        return [row for row, path in enumerate(fleet.paths) if fits(path)]

    def kinds_of(self, rows: Sequence[int]) -> list[tuple[list[str], list[str]]]:
        """Give, for each kind of asset among some rows, the names of its properties and the paths of its assets."""
        kinds: dict[int, list[str]] = {}
        for row in rows:
            kinds.setdefault(int(self._plant.assets.template[row]), []).append(self._plant.assets.paths[row])
        return [([s.name for s in self._plant.templates[t].signals], paths) for t, paths in kinds.items()]

    def number(self, path: str, lane: str | None = None) -> int:
        """Give the signal of a path; raises NotFoundError."""
        number = self.shown(path) if lane is None else self.lanes_of(path).get(lane)
        if number is None:
            raise NotFoundError(
                f"no signal {path[:200]!r}" + (f" on the lane {lane}" if lane else ""),
                remedy="see GET /api/v1/signals",
            )
        return number

    def of_asset(self, asset: str) -> list[int]:
        """Give the signals of an asset, in the registry's order; of one that is gone, those that it had."""
        found = self.registry.of_asset(asset)
        live = found[~self.registry.retired[found]]
        return list((live if len(live) else found).tolist())

    @cached_property
    def signals(self) -> Sequence[int]:
        """The signals that the plant has, in the registry's order."""
        retired = self.registry.retired
        return np.flatnonzero(~retired).tolist() if retired.any() else range(len(self.registry))

    def gap_ns(self, signal: int) -> int:
        """Give the silence that counts as a gap [ns]; 0 where no interval is known."""
        return GAP_INTERVALS * int(self.interval[signal])

    def stale_after_s(self, signal: int) -> float:
        """Give how long a signal may be silent [s]."""
        return float(self.stale_after[signal]) / SECOND
