"""What a lost file of roll-ups costs: nothing where its readings are still there, for it is made anew of them. Pure."""

from dataclasses import dataclass, replace

from gemel.history import lake
from gemel.history.catalogue import Stored
from gemel.history.files import MS
from gemel.history.holes import Hole
from gemel.history.levels import DAYS, HOUR, PICK, ROLL, level_of
from gemel.history.rolled import Dirty, Rolled
from gemel.samples.clock import DAY


@dataclass(frozen=True, slots=True)
class Remade:
    """What to make anew, and the hole that is left beside it."""

    hole: Hole
    hours: tuple[Dirty, ...] = ()
    days: tuple[Dirty, ...] = ()


def remade(file: Stored, hole: Hole, rolled: Rolled) -> Remade:
    """Tell what can be made anew of a lost file, and what of it stays a hole; readings cannot be made anew."""
    level = level_of(file.table)
    if level is None:
        return Remade(hole)
    width, upto = (DAY, rolled.days) if level is DAYS else (HOUR, rolled.upto)
    first, last = file.first * MS // width, file.last * MS // width
    kept = -(-_horizon(file.table, rolled) * HOUR // width)
    begin, end = max(first, kept), min(last, (upto or 0) - 1)
    marks = (Dirty(file.low, file.high, begin, end),) if begin <= end else ()
    lost = replace(hole, rows=0, settled=True) if first >= kept else replace(hole, end=min(hole.end, kept * width), settled=True)
    return Remade(lost, days=marks) if level is DAYS else Remade(lost, hours=marks)


def _horizon(table: str, rolled: Rolled) -> int:
    """Give the first hour of a table's retention class whose readings are all still there."""
    level = level_of(table)
    assert level is not None
    for name, hour in rolled.horizon.items():
        if table in (lake.table_of(name, f"{ROLL}{level.name}_"), lake.table_of(name, f"{PICK}{level.name}_")):
            return hour
    return 0
