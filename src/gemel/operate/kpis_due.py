"""When an order is due: a span from the beginning, a local time of the day, or a time; as seconds from where the what-if begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gemel.errors import GemelError, ModelError
from gemel.samples.units import seconds

SAID: Final = {"by": "until_s", "after": "from_s"}
Told = dict[str, Any]


def timed(figures: Sequence[Told], at: str, timezone: str, horizon_s: float, *, asked: bool) -> list[Told]:
    """Give figures with `by` and `after` as seconds; raises ModelError (`bad-kpi`) where one is due when nothing is computed.

    Args:
        figures: as offered.
        at: plant time that the what-if begins with (ISO 8601).
        timezone: of the plant: times of the day and times without an offset are local.
        horizon_s: how far ahead it looks.
        asked: whether somebody asked for them; else those that are due later, or were before, are left out.
    """
    found = []
    for one in figures:
        words = {key: one[key] for key in SAID if one.get(key)}
        when = {SAID[key]: _seconds(one, text, at, timezone) for key, text in words.items()}
        wrong = _wrong(when, horizon_s)
        if wrong and asked:
            raise ModelError(f"KPI {one['name']!r} {wrong}", code="bad-kpi", remedy="ask for a longer horizon, or another time")
        if not wrong:
            found.append({key: value for key, value in one.items() if key not in SAID} | when)
    return found


def _wrong(when: Mapping[str, float], horizon_s: float) -> str:
    until, begin = when.get("until_s"), when.get("from_s", 0.0)
    if until is None:
        return ""
    if until > horizon_s * (1 + 1e-9):
        return f"is due {until / 3600:.4g} h from the beginning, and only {horizon_s / 3600:.4g} h are computed"
    return "is due before it begins to count" if until <= max(begin, 0.0) else ""


def _seconds(one: Mapping[str, Any], text: str, at: str, timezone: str) -> float:
    begin = datetime.fromisoformat(at).astimezone(ZoneInfo(timezone))
    try:
        if text[2:3] == ":":
            clock = begin.replace(hour=int(text[:2]), minute=int(text[3:]), second=0, microsecond=0)
            return ((clock if clock > begin else clock + timedelta(days=1)) - begin).total_seconds()
        if text[4:5] == "-":
            meant = datetime.fromisoformat(text)
            return ((meant if meant.tzinfo else meant.replace(tzinfo=begin.tzinfo)) - begin).total_seconds()
        return seconds(text)
    except (ValueError, GemelError) as e:
        raise ModelError(f"KPI {one['name']!r}: {text!r} is no time", code="bad-kpi", remedy="write 8 h, 18:00 or 2026-11-23T18:00") from e
