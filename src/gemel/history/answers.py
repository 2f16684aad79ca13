"""What a reader answers with where a batch would not do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.errors import AssetError
from gemel.history.summary import Summary
from gemel.samples.batch import F64, I64, U32

MOST_INTERVALS: Final = 1_000_000


@dataclass(frozen=True)
class Aggregated:
    """One row an interval, from `start` on, none left out.

    Args:
        times: start of each interval [ns].
        values: the aggregate over usable rows (not Bad, not NaN); NaN is a gap.
        counts: how many usable rows.
        worst: the worst status of all rows, Bad ones too; 0 where there is none.

    """

    times: I64
    values: F64
    counts: I64
    worst: U32


@dataclass(frozen=True)
class Existing:
    """What the lake holds for each row asked about: columns as long as the question.

    Args:
        found: whether there is a row of that signal and time, received before.
        value, status, received: of the newest such row; NaN and 0 where not found.

    """

    found: npt.NDArray[np.bool_]
    value: F64
    status: U32
    received: I64


def check_intervals(start: int, end: int, interval_ns: int, aggregate: str) -> None:
    if aggregate not in VALUES:
        raise AssetError(
            f"no aggregate {aggregate!r}", code="aggregate", remedy=f"one of {', '.join(AGGREGATES)}"
        )
    if interval_ns <= 0:
        raise AssetError("an interval must be longer than nothing", code="interval", remedy="such as 60s")
    if (end - start) // interval_ns > MOST_INTERVALS:
        raise AssetError(
            f"more than {MOST_INTERVALS} intervals were asked for",
            code="interval",
            remedy="ask for longer intervals or a shorter range",
        )


def filled(found: Summary, start: int, end: int, interval: int, aggregate: str) -> Aggregated:
    """Put what was found into one row an interval."""
    n = max(-(-(end - start) // interval), 0)
    times = start + np.arange(n, dtype=np.int64) * interval
    values = np.zeros(n) if aggregate == "count" else np.full(n, np.nan)
    counts, worst = np.zeros(n, np.int64), np.zeros(n, np.uint32)
    bucket = (found.start - start) // interval
    values[bucket] = VALUES[aggregate](found)
    counts[bucket] = found.count
    worst[bucket] = found.worst
    return Aggregated(times, values, counts, worst)


def _sums(found: Summary) -> F64:
    return np.where(found.count > 0, found.total, np.nan)


def _worst(found: Summary) -> F64:
    return np.where(found.readings > 0, found.worst, np.nan)


WEIGHTED: Final = "time_weighted_mean"
VALUES: Final[dict[str, Callable[[Summary], F64]]] = {
    "mean": lambda s: s.mean, "min": lambda s: s.low, "max": lambda s: s.high, "sum": _sums, "first": lambda s: s.first,
    "last": lambda s: s.last, "count": lambda s: s.count.astype(np.float64), "worst": _worst, WEIGHTED: lambda s: s.time_weighted_mean,
}  # fmt: skip
AGGREGATES: Final = tuple(VALUES)
