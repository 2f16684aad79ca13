"""Figures of an area: what the figures of its assets come to together, in each member, so that its band is that of the sum.

    pump-1/energy, pump-2/energy ─► energy: their sum, over the same draws

Amounts are summed (energy, cost, water), and violations: how long, an hour of two assets being two hours, and how often. Means,
extremes, ratios and lives of several are not one figure, and have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

SUMMED: Final = ("integral", "time_outside", "times_outside")
Told = dict[str, Any]


def totals(declared: Sequence[Told], prefixes: Mapping[str, str]) -> list[Told]:
    """Give the sums of figures that several assets declare by one name, in one unit.

    Args:
        declared: as offered; names begin with their asset's prefix.
        prefixes: by asset.
    """
    found: dict[str, list[Told]] = {}
    for one in declared:
        prefix = max((p for p in prefixes.values() if one["name"].startswith(p)), key=len)
        found.setdefault(one["name"].removeprefix(prefix), []).append(one)
    return [_sum(name, parts, prefixes) for name, parts in found.items() if _summable(parts)]


def _summable(parts: Sequence[Told]) -> bool:
    alike = len({(one["statistic"], one["unit"]) for one in parts}) == 1
    return len(parts) > 1 and alike and parts[0]["statistic"] in SUMMED


def _sum(name: str, parts: Sequence[Told], prefixes: Mapping[str, str]) -> Told:
    own = [p for p in prefixes.values() if any(one["name"].startswith(p) for one in parts)]
    better = {one["better"] for one in parts}
    return {
        "name": name, "kpi": parts[0]["kpi"].removeprefix(own[0]), "statistic": "sum", "of": "", "parts": list(parts), "unit": parts[0]["unit"],
        "better": better.pop() if len(better) == 1 else "", "default": True, "description": f"Of {', '.join(p.rstrip('/') for p in own)} together",
    }  # fmt: skip
