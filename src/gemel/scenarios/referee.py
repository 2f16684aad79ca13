"""The referee: which readings a figure needs, and what it is, from the readings alone.

No model and no optimiser computes its own score: whoever is compared is measured here, by the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.scenarios.kpi import Kpi, Weight
from gemel.scenarios.plan import Gauge, Raw
from gemel.scenarios.scenario import DAY_S

Array = npt.NDArray[np.float64]
AMOUNTS: Final = ("integral", "mean", "met", "missing")


@dataclass(frozen=True)
class Referee:
    """Reads figures off runs.

    Args:
        kpis: the figures.
        watch: what is kept at instants, in order; contains what `last`, `life` and `times_outside` are about.
        horizon_s: of the runs.
    """

    kpis: tuple[Kpi, ...]
    watch: tuple[str, ...]
    horizon_s: float

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        """What must be read off on the way, each once."""
        return tuple(gauge for gauge, _ in self._places)

    @property
    def limits(self) -> Array:
        """The limits of the gauges."""
        return np.array([limit for _, limit in self._places], float)

    @cached_property
    def weighing(self) -> tuple[Weight, ...]:
        """What weighs integrals over time, each once."""
        return tuple(dict.fromkeys(one.weight for one in _leaves(self.kpis) if one.weight is not None))

    def weights(self, t: Array) -> Array:
        """Give what weighs integrals at each time [s], a column each."""
        return np.array([_along(w, t) for w in self.weighing], float).reshape(len(self.weighing), len(t)).T

    def figures(self, raw: Raw) -> Array:
        """Give every figure of every member [kpis, members]; ∞ where an event never comes."""
        rows = np.asarray(raw.gauges, float)
        return np.array([self._figure(k, raw, rows) for k in self.kpis]).reshape(len(self.kpis), len(raw.end))

    @cached_property
    def _places(self) -> dict[tuple[Gauge, float], int]:
        """Where each gauge with its limit is read."""
        needed = dict.fromkeys(read for one in _leaves(self.kpis) for read in self._read(one))
        return {read: i for i, read in enumerate(needed)}

    def _read(self, kpi: Kpi) -> tuple[tuple[Gauge, float], ...]:
        """Give the gauges of a figure, each with its limit."""
        if kpi.statistic == "last":
            return ()
        if kpi.statistic == "life":  # which of the two it is says where each member begins
            return (Gauge("first_above", kpi.of), kpi.limit), (Gauge("first_below", kpi.of), kpi.limit)
        if kpi.statistic == "ratio":
            return (Gauge("integral", kpi.of), 0.0), (Gauge("integral", kpi.per), 0.0)
        if kpi.statistic == "time_outside":
            ways = ((Gauge("time_above", kpi.of), kpi.above), (Gauge("time_below", kpi.of), kpi.below))
            return tuple((gauge, limit) for gauge, limit in ways if limit is not None)
        if kpi.statistic == "times_outside":
            ways = ((Gauge("times_above", kpi.of), kpi.above), (Gauge("times_below", kpi.of), kpi.below))
            return tuple((gauge, limit) for gauge, limit in ways if limit is not None)
        if kpi.statistic in AMOUNTS:
            return ((Gauge("integral", kpi.of, None if kpi.weight is None else self.weighing.index(kpi.weight)), 0.0),)
        return ((Gauge(kpi.statistic, kpi.of), kpi.limit),)  # type: ignore[arg-type]

    def _figure(self, kpi: Kpi, raw: Raw, rows: Array) -> Array:
        if kpi.parts:
            total: Array = np.sum([self._figure(part, raw, rows) for part in kpi.parts], axis=0)
            return kpi.factor * total + kpi.offset
        return kpi.factor * self._reading(kpi, raw, [rows[self._places[read]] for read in self._read(kpi)]) + kpi.offset

    def _reading(self, kpi: Kpi, raw: Raw, read: list[Array]) -> Array:
        """Give a figure in SI."""
        if kpi.statistic == "last":
            return np.asarray(raw.kept[-1, self.watch.index(kpi.of)], float)
        if kpi.statistic == "life":
            return self._life(kpi, raw, read[0], read[1])
        if kpi.statistic == "ratio":
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio: Array = np.where(read[1] == 0.0, np.inf, read[0] / read[1])
            return ratio
        if kpi.statistic == "mean":
            return read[0] / self.horizon_s
        total: Array = np.sum(read, axis=0)
        if kpi.statistic == "met":
            return np.asarray(total >= kpi.limit, float)
        return np.maximum(kpi.limit - total, 0.0) if kpi.statistic == "missing" else total

    def _life(self, kpi: Kpi, raw: Raw, above: Array, below: Array) -> Array:
        """Give when the limit is reached, rising or falling: met on the way, or by going on at the mean rate."""
        kept = np.asarray(raw.kept[:, self.watch.index(kpi.of)], float)
        met = np.where(kept[0] <= kpi.limit, above, below)
        rate, left = (kept[-1] - kept[0]) / self.horizon_s, kpi.limit - kept[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            later = self.horizon_s + left / rate
        return np.where(np.isfinite(met), met, np.where(rate * left > 0, later, np.inf))


def needed(kpis: Sequence[Kpi]) -> tuple[str, ...]:
    """Give what must be kept at instants for some figures."""
    return tuple(dict.fromkeys(k.of for k in _leaves(kpis) if k.statistic in ("last", "life", "times_outside")))


def _leaves(kpis: Sequence[Kpi]) -> Iterator[Kpi]:
    return (one for kpi in kpis for one in kpi.leaves)


def _along(weight: Weight, t: Array) -> Array:
    """Give a weight at each time [s]: the price that holds then, nothing outside of what counts."""
    price, begin, end = weight
    there = ((t >= begin) & (t < end)).astype(float)
    if not price:
        return there
    at, values = np.array(price, float).T
    found: Array = there * values[np.searchsorted(at, t % DAY_S, "right") - 1]  # before the first instant: last day's last
    return found
