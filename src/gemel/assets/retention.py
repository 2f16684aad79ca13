"""How long what is kept: readings by class, and their roll-ups by class and level."""

from typing import Final

from gemel.assets.dimension import duration_s
from gemel.assets.node import Node

RETENTION_S: Final = 400 * 86_400.0  # a year and a month: last year's same day is still there
LONG_S: Final = 3650 * 86_400.0  # hours and days are small
LEVELS: Final = ("seconds", "minutes", "hours", "days")


def read_retention(section: Node | None) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Give how long readings are kept, by class [s], and roll-ups, by class and level [s]."""
    raw, rollups = {"default": RETENTION_S}, {"default": levels_of(RETENTION_S)}
    if section is None:
        return raw, rollups
    for name in section.lost:  # whoever names one is not wrong as well
        raw[name], rollups[name] = RETENTION_S, levels_of(RETENTION_S)
    for name, node in section.fields.items():
        said = node.fields if isinstance(node.value, dict) else {"raw": node}
        raw[name] = duration_s(said.get("raw")) or RETENTION_S
        given = {level: duration_s(said.get(level)) for level in LEVELS}
        rollups[name] = levels_of(raw[name]) | {level: s for level, s in given.items() if s is not None}
    return raw, rollups


def levels_of(raw_s: float) -> dict[str, float]:
    """Give how long roll-ups are kept [s], by level, where the plant file says how long readings are, and no more.

    >>> levels_of(30 * 86_400)["minutes"] / 86_400, levels_of(30 * 86_400)["hours"] / 86_400
    (30.0, 3650.0)
    """
    long = max(raw_s, LONG_S)
    return {"seconds": raw_s, "minutes": raw_s, "hours": long, "days": long}
