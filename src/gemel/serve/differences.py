"""What differs between two states of an asset, as `GET /state/{asset}` tells them."""

from collections.abc import Mapping
from typing import Any, Final

COMPARED: Final = ("value", "quality", "status", "lane")
NORMAL: Final = "normal"


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Give properties and alarms side by side.

    >>> one = {"value": 1.0, "quality": "good", "status": 0, "lane": "measured"}
    >>> two = {**one, "value": 3.0}
    >>> told = between({"properties": {"flow": one}, "alarms": []}, {"properties": {"flow": two}, "alarms": []})
    >>> told["properties"][0]["delta"], told["properties"][0]["changed"]
    (2.0, ['value'])
    """
    return {
        "properties": _properties(before["properties"], after["properties"]),
        "alarms": _alarms(before["alarms"], after["alarms"]),
    }


def _properties(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "property": name, "before": before[name], "after": now, "delta": _delta(before[name]["value"], now["value"]),
            "changed": [key for key in COMPARED if before[name][key] != now[key]],
        }
        for name, now in after.items()
    ]  # fmt: skip


def _delta(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _alarms(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, str]]:
    first, then = ({a["id"]: a["state"] for a in alarms} for alarms in (before, after))
    states = ((i, first.get(i, NORMAL), then.get(i, NORMAL)) for i in dict.fromkeys([*first, *then]))
    return [{"id": i, "before": b, "after": a} for i, b, a in states if b != a]
