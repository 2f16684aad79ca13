"""The referee: which readings a figure needs, and what it is, from the readings alone.

No model and no optimiser computes its own score: whoever is compared is measured here, by the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gemel.scenarios.plan import Gauge, Raw
from gemel.scenarios.scenario import DAY_S, Kpi

Array = npt.NDArray[np.float64]


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
        """What must be read off on the way, for each figure that needs something."""
        return tuple(gauge for kpi in self.kpis for gauge, _ in self._read(kpi))

    @property
    def limits(self) -> Array:
        """The limits of the gauges."""
        return np.array([limit for kpi in self.kpis for _, limit in self._read(kpi)], float)

    def weights(self, t: Array) -> Array:
        """Give the prices at each time [s], one column for each figure that has one."""
        priced = [k for k in self.kpis if k.price]
        return np.array([_daily(k.price, t) for k in priced], float).reshape(len(priced), len(t)).T

    def figures(self, raw: Raw) -> Array:
        """Give every figure of every member [kpis, members]; ∞ where an event never comes."""
        rows = iter(np.asarray(raw.gauges, float))
        return np.array([self._figure(k, raw, rows) for k in self.kpis]).reshape(len(self.kpis), len(raw.end))

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
        weight = [k.name for k in self.kpis if k.price].index(kpi.name) if kpi.price else None
        return ((Gauge("integral" if kpi.statistic == "mean" else kpi.statistic, kpi.of, weight), kpi.limit),)

    def _figure(self, kpi: Kpi, raw: Raw, rows: Iterator[Array]) -> Array:
        read = [next(rows) for _ in self._read(kpi)]
        return kpi.factor * self._reading(kpi, raw, read) + kpi.offset

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
        return total

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
    return tuple(dict.fromkeys(k.of for k in kpis if k.statistic in ("last", "life", "times_outside")))


def _daily(price: tuple[tuple[float, float], ...], t: Array) -> Array:
    at, values = np.array(price, float).T
    found: Array = values[
        np.searchsorted(at, t % DAY_S, "right") - 1
    ]  # before the first instant: last day's last
    return found
