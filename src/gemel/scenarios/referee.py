"""The referee: which readings a figure needs, and what it is, from the readings alone.

No model and no optimiser computes its own score: whoever is compared is measured here, by the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.scenarios.plan import LIMITED, Gauge, Raw
from gemel.scenarios.scenario import DAY_S, Kpi

Array = npt.NDArray[np.float64]
READ: Final = {"mean": "integral", "last": None}


@dataclass(frozen=True)
class Referee:
    """Reads figures off runs.

    Args:
        kpis: the figures.
        watch: what is kept at instants, in order; contains what `last` and `life` are about.
        horizon_s: of the runs.
    """

    kpis: tuple[Kpi, ...]
    watch: tuple[str, ...]
    horizon_s: float

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        """What must be read off on the way, one for each figure that needs one."""
        return tuple(g for g in map(self._gauge, self.kpis) if g is not None)

    @property
    def limits(self) -> Array:
        """The limits of the gauges."""
        return np.array([k.limit for k in self.kpis if self._gauge(k) is not None], float)

    def weights(self, t: Array) -> Array:
        """Give the prices at each time [s], one column for each figure that has one."""
        priced = [k for k in self.kpis if k.price]
        return np.array([_daily(k.price, t) for k in priced], float).reshape(len(priced), len(t)).T

    def figures(self, raw: Raw) -> Array:
        """Give every figure of every member [kpis, members]; ∞ where an event never comes."""
        rows = iter(np.asarray(raw.gauges, float))
        return np.array([self._figure(k, raw, rows) for k in self.kpis]).reshape(len(self.kpis), len(raw.end))

    def _gauge(self, kpi: Kpi) -> Gauge | None:
        if kpi.statistic == "last":
            return None
        if kpi.statistic == "life":
            return Gauge("first_above", kpi.of)
        weight = [k.name for k in self.kpis if k.price].index(kpi.name) if kpi.price else None
        return Gauge("integral" if kpi.statistic == "mean" else kpi.statistic, kpi.of, weight)

    def _figure(self, kpi: Kpi, raw: Raw, rows: object) -> Array:
        if kpi.statistic == "last":
            return kpi.factor * np.asarray(raw.kept[-1, self.watch.index(kpi.of)], float)
        row: Array = next(rows)  # type: ignore[call-overload]
        if kpi.statistic == "mean":
            row = row / self.horizon_s
        if kpi.statistic == "life":
            row = self._life(kpi, raw, row)
        return kpi.factor * row

    def _life(self, kpi: Kpi, raw: Raw, met: Array) -> Array:
        """Give when the limit is reached: met on the way, or by going on at the mean rate."""
        kept = np.asarray(raw.kept[:, self.watch.index(kpi.of)], float)
        rate = (kept[-1] - kept[0]) / self.horizon_s
        with np.errstate(divide="ignore", invalid="ignore"):
            later = self.horizon_s + (kpi.limit - kept[-1]) / rate
        return np.where(np.isfinite(met), met, np.where(rate > 0, later, np.inf))


def needed(kpis: Sequence[Kpi]) -> tuple[str, ...]:
    """Give what must be kept at instants for some figures."""
    return tuple(dict.fromkeys(k.of for k in kpis if k.statistic in ("last", "life")))


def limited(kpi: Kpi) -> bool:
    """Whether a figure's limit is looked at."""
    return kpi.statistic in (*LIMITED, "life")


def _daily(price: tuple[tuple[float, float], ...], t: Array) -> Array:
    at, values = np.array(price, float).T
    found: Array = values[
        np.searchsorted(at, t % DAY_S, "right") - 1
    ]  # before the first instant: last day's last
    return found
