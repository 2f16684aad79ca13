"""What is shown of alarms: the items of ``GET /alarms``, in the order in which somebody should look, and counts."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gemel.samples.batch import F64
from gemel.samples.clock import iso
from gemel.twin.alarm_limits import Limits
from gemel.twin.alarm_state import (
    ACKNOWLEDGED,
    NORMAL,
    OUT_OF_SERVICE,
    RETURNED,
    SHELVED,
    SUPPRESSED,
    UNACKNOWLEDGED,
    Alarm,
)

ORDER: Final = {s: i for i, s in enumerate(
    (UNACKNOWLEDGED, RETURNED, ACKNOWLEDGED, SHELVED, SUPPRESSED, OUT_OF_SERVICE, NORMAL)
)}  # fmt: skip


def item(
    limits: Limits, index: int, alarm: Alarm, values: F64 | Mapping[int, float] | None, now: int
) -> dict[str, Any]:
    """Give one alarm as plain JSON values."""
    limit, path = limits.table[index], limits.path(index)
    value = alarm.value if values is None else float(values[limit.signal])
    return {
        "id": limits.name(index), "signal": path, "asset": limits.asset(index), "level": limit.level,
        "priority": limit.priority, "state": alarm.state, "active": alarm.active, "limit": limit.limit if math.isfinite(limit.limit) else None,
        "unit": limits.unit(index), "value": value if math.isfinite(value) else None,
        "since": _iso(alarm.onset), "raised": _iso(alarm.raised), "cleared": _iso(alarm.cleared),
        "acknowledged_by": alarm.acknowledged_by or None, "comment": alarm.comment or None,
        "first_out": alarm.first_out, "chattering": alarm.chattering(now), "standing": alarm.standing(now),
        "cause": limit.cause, "consequence": limit.consequence, "response": limit.response,
        "respond_within_s": limit.respond_within_s,
        "shelved_until": _iso(alarm.shelved_until), "shelved_by": alarm.shelved_by or None,
    }  # fmt: skip


def ordered(limits: Limits, alarms: Iterable[tuple[int, Alarm]]) -> list[tuple[int, Alarm]]:
    """Give alarms that are not normal: by state, then priority, then the earliest raised, so that causes stand first."""
    shown = [
        (ORDER[a.state], limits.table[i].priority, a.raised, i, a) for i, a in alarms if a.state != NORMAL
    ]
    return [(i, a) for *_, i, a in sorted(shown, key=lambda x: x[:4])]


def counts(limits: Limits, alarms: Iterable[tuple[int, Alarm]]) -> dict[str, Any]:
    """Count alarms by state, and those on the operator's list by priority."""
    states = dict.fromkeys(ORDER, 0)
    priorities = {"1": 0, "2": 0, "3": 0}
    for index, alarm in alarms:
        states[alarm.state] += 1
        if alarm.state in (UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED):
            priorities[str(limits.table[index].priority)] += 1
    return {
        "unacknowledged": states[UNACKNOWLEDGED], "acknowledged": states[ACKNOWLEDGED], "returned": states[RETURNED],
        "shelved": states[SHELVED], "suppressed": states[SUPPRESSED] + states[OUT_OF_SERVICE], "by_priority": priorities,
    }  # fmt: skip


def _iso(time: int) -> str | None:
    return iso(time) if time else None
