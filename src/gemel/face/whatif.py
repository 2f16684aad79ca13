"""What-if in a notebook: answered in this process, on a state that is read; nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from gemel.errors import GemelError, ModelError
from gemel.face import schedule
from gemel.face.life import seconds
from gemel.face.table import Table
from gemel.operate import whatif as job
from gemel.scenarios import parse_change

One = str | Path
Asked = One | Sequence[One] | Mapping[str, One | Sequence[One]]
"""``"load=+15%"``, ``"wear=0.4 @ 6h"`` or the path of a [schedule][gemel.face.schedule], several of them (one scenario), or scenarios by name."""


@dataclass(frozen=True)
class WhatIf:
    """What came of it.

    Args:
        told: all of it, as ``GET /api/v1/scenarios/{id}`` gives it under ``result``.
    """

    told: Mapping[str, Any]

    @property
    def words(self) -> tuple[str, ...]:
        """What is taken as uncertain and from where one knows it, or that nothing is, in sentences."""
        return tuple(self.told["words"])

    def figures(self) -> Table:
        """Give the figures: scenario, kpi, unit, mean, low, median, high, and the mean difference to the baseline.

        Beside it its 95 % interval (`difference_low`, `difference_high`), the `p_value` of there being none, whether it is `clear` (95 %
        of the members agree on its sign) and then whether that is `better`: null where nobody said which way is.

        Null is a time that never comes. Where an event comes in only one of scenario and baseline in some members, there is
        no mean of the difference, but `only_scenario` and `only_baseline`: in which share of them it comes only there.
        """
        return Table(pa.Table.from_pylist(list(self._figures())))

    def bands(self, quantity: str) -> Table:
        """Give a quantity over time: scenario, seconds from now, and a column a quantile; raises ModelError."""
        names = [w["name"] for w in self.told["watch"]]
        if quantity not in names:
            raise ModelError(
                f"{quantity!r} was not watched",
                code="unknown-quantity",
                remedy=f"there are: {', '.join(names)}",
            )
        at, labels = names.index(quantity), [f"q{round(100 * q):02d}" for q in self.told["quantiles"]]
        rows = [
            {"scenario": f["name"], "time_s": t, **dict(zip(labels, values, strict=True))}
            for f in self.told["futures"]
            for t, *values in zip(self.told["times_s"], *f["bands"][at], strict=True)
        ]
        return Table(pa.Table.from_pylist(rows), {"unit": self.told["watch"][at]["unit"]})

    def _figures(self) -> Iterator[dict[str, Any]]:
        for future in self.told["futures"]:
            for kpi in self.told["kpis"]:
                figure = future["figures"].get(kpi["name"])
                if figure is None:  # every member failed
                    continue
                q, d = figure["quantiles"], future["differences"].get(kpi["name"])
                yield {
                    "scenario": future["name"], "kpi": kpi["name"], "unit": kpi["unit"], "mean": figure["mean"],
                    "low": q[0], "median": q[len(q) // 2], "high": q[-1],
                    **_compared(d, kpi["better"]),
                }  # fmt: skip


def _compared(d: Mapping[str, Any] | None, wanted: str) -> dict[str, Any]:
    """Give the difference to the baseline, its significance, and whether it is one for the better."""
    names = ("difference", "difference_low", "difference_high", "p_value", "clear", "better", "only_scenario", "only_baseline")
    if d is None:
        return dict.fromkeys(names)
    judged = wanted and d["clear"] and d["mean"]
    better = (d["mean"] < 0) == (wanted == "less") if judged else None
    told = (d["mean"], *d["interval"], d["p_value"], d["clear"], better, d["only_scenario"], d["only_baseline"])
    return dict(zip(names, told, strict=True))


def answer(
    begun: Mapping[str, Any],
    change: Asked,
    at: str,
    plant: Any,
    told: Callable[[float], bool],
    **question: Any,
) -> WhatIf:
    """Answer a what-if here and now; raises ModelError."""
    asked = {"scenarios": _scenarios(change, at), **{k: v for k, v in question.items() if v is not None}}
    return WhatIf(job.run(job.spec(begun, asked, at, plant), told))


def _scenarios(change: Asked, at: str) -> list[dict[str, Any]]:
    if isinstance(change, Mapping):
        return [{"name": name, "changes": _changes(given, at)} for name, given in change.items()]
    whole = [change] if isinstance(change, One) else change
    return [{"name": ", ".join(one.stem if isinstance(one, Path) else one for one in whole), "changes": _changes(whole, at)}]


def _changes(given: One | Sequence[One], at: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in [given] if isinstance(given, One) else given:
        if isinstance(one, Path):
            found += schedule.read(one, at)
        else:
            words, _, when = one.partition("@")
            change, unit = parse_change(words)
            found.append({"of": change.of, "how": change.how, "value": change.value, "unit": unit, "start_s": _after(when)})
    return found


def _after(when: str) -> float:
    """Give how long after the beginning a change begins [s]; at once, where nothing is said."""
    if not when.strip():
        return 0.0
    try:
        return seconds(when.replace(" ", ""))
    except (ValueError, GemelError) as e:
        raise ModelError(f"{when.strip()!r} is no length of time", code="bad-scenario", remedy="write when it begins as in load=+15% @ 6h") from e
