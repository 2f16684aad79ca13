"""Remaining life in a notebook: foretold in this process, from a record that is read; nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from gemel.face.instants import Span, span
from gemel.face.table import Table
from gemel.operate import life as job
from gemel.samples import units
from gemel.samples.clock import SECOND
from gemel.serve.spans import read

DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class Life:
    """When something will have failed, if all goes on and with a change.

    Args:
        told: all of it, as ``GET /api/v1/life/jobs/{id}`` gives it under ``result``.
    """

    told: Mapping[str, Any]

    @property
    def reason(self) -> str:
        """Why there is no estimate; empty where there is one."""
        return str(self.told["futures"][0]["reason"])

    @property
    def days(self) -> float | None:
        """Median of the remaining life if all goes on [d]; None without an estimate."""
        q = None if self.reason else self.told["futures"][0]["event"]["q50"]
        return None if q is None else float(q) / DAY_S

    def events(self) -> Table:
        """Give the remaining life [d], a row a future: its quantiles, the risk within the time of the warning, why not."""
        rows = [
            {
                "future": f["name"],
                **{f"{q}_d": None if (s := f["event"].get(q)) is None else s / DAY_S for q in ("q05", "q25", "q50", "q75", "q95")},
                "risk": f["risk"].get("within"),
                "reason": f["reason"],
            }
            for f in self.told["futures"]
        ]
        return Table(pa.Table.from_pylist(rows), {"within_d": self.told["within_s"] / DAY_S})

    def differences(self) -> Table:
        """Give what the change does: shift of the end [d] with its 90 % interval, ratio, how probably earlier, whether clear."""
        rows = [
            {
                "future": d["name"],
                **{f"{k}_d": None if d[f"{k}_s"] is None else d[f"{k}_s"] / DAY_S for k in ("median", "low", "high")},
                "ratio": d["ratio"], "earlier": d["earlier"], "clear": d["clear"],
            }
            for d in self.told["differences"]
        ]  # fmt: skip
        return Table(pa.Table.from_pylist(rows))

    def fan(self) -> Table:
        """Give the degradation over time: future, days from now, and a column a quantile, in its unit."""
        labels = [f"q{round(100 * q):02d}" for q in self.told["quantiles"]]
        rows = [
            {"future": f["name"], "days": t / DAY_S, **dict(zip(labels, values, strict=True))}
            for f in self.told["futures"]
            for t, *values in zip(f["times_s"], *f["fan"], strict=True)
        ]
        return Table(pa.Table.from_pylist(rows), {"unit": self.told["unit"], "threshold": self.told["threshold"]})


def seconds(given: Span) -> float:
    """Give a horizon in seconds: a text may count years too; raises AssetError.

    >>> seconds("1y") / DAY_S, seconds("36h")
    (365.25, 129600.0)
    """
    if isinstance(given, str):
        return units.seconds(given)
    return read(span(given)) / SECOND


def foretold(spec: Mapping[str, Any], told: Callable[[float], bool]) -> Life:
    """Foretell what a record leads to, here and now."""
    return Life(job.run(spec, told))
