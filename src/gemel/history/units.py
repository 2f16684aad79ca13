"""What is rolled up next: a pure function of the manifest. New hours first, then dirty ones, the oldest mark first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gemel.history.catalogue import Stored
from gemel.history.files import MS
from gemel.history.levels import HOUR
from gemel.history.manifest import Manifest
from gemel.history.rolled import Dirty, Rolled

ROWS: Final = 4_000_000  # readings in a unit of more than one hour, about
MOST_HOURS: Final = 32 * 24  # of a unit
HOUR_MS: Final = HOUR // MS
HOURS_A_DAY: Final = 24
ALL: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Unit:
    """Signals low to high (both in) are rolled up for the hours first to end (not in).

    `fresh` moves on how far roll-ups reach; else it makes anew what `marks` say, and `rest` is left of the first.
    `days`: a day is made of its hours; else hours, and what is finer, of the readings.
    """

    low: int
    high: int
    first: int
    end: int
    fresh: bool
    marks: tuple[Dirty, ...] = ()
    rest: Dirty | None = None
    days: bool = False


def plan(manifest: Manifest, closed: int) -> Unit | None:
    """Give the next unit of hours before `closed`; None where all is done."""
    return _fresh(manifest, closed) or _day(manifest.rolled) or _anew(manifest)


def _day(rolled: Rolled) -> Unit | None:
    """Give a day whose hours are all rolled up, or one that became dirty; hours that are dirty wait, days do not."""
    if rolled.upto is not None and rolled.days is not None and rolled.days < rolled.upto // HOURS_A_DAY:
        end = min(rolled.upto // HOURS_A_DAY, rolled.days + MOST_HOURS // HOURS_A_DAY)
        return Unit(0, ALL, rolled.days * HOURS_A_DAY, end * HOURS_A_DAY, fresh=True, days=True)
    if not rolled.dirty_days:
        return None
    mark = rolled.dirty_days[0]
    last = min(mark.last, mark.first + MOST_HOURS // HOURS_A_DAY - 1)
    rest = Dirty(mark.low, mark.high, last + 1, mark.last, mark.mark) if mark.last > last else None
    same = tuple(d for d in rolled.dirty_days[1:] if mark.first <= d.first and d.last <= last)
    low, high = min(d.low for d in (mark, *same)), max(d.high for d in (mark, *same))
    hours = mark.first * HOURS_A_DAY, (last + 1) * HOURS_A_DAY
    return Unit(low, high, *hours, fresh=False, marks=(mark, *same), rest=rest, days=True)


def _fresh(manifest: Manifest, closed: int) -> Unit | None:
    raw = manifest.of("raw_").stored
    upto = manifest.rolled.upto
    if upto is None:
        upto = min((f.first // HOUR_MS for f in raw), default=closed)
    if upto >= closed:
        return None
    left = [
        f for f in raw if f.last // HOUR_MS >= upto - 1
    ]  # what was read in the hour before may still hold
    first = min((max(f.first // HOUR_MS, upto) for f in left), default=closed)
    if first >= closed:
        return None
    return Unit(0, ALL, first, _bounded(left, first, closed), fresh=True)


def _anew(manifest: Manifest) -> Unit | None:
    dirty = manifest.rolled.dirty
    if not dirty:
        return None
    mark = dirty[0]
    met = manifest.of("raw_").met(mark.low, mark.high, mark.first * HOUR_MS, (mark.last + 1) * HOUR_MS)
    end = _bounded(met, mark.first, mark.last + 1)
    rest = Dirty(mark.low, mark.high, end, mark.last, mark.mark) if end <= mark.last else None
    within = tuple(
        d
        for d in dirty[1:]
        if mark.low <= d.low and d.high <= mark.high and mark.first <= d.first and d.last < end
    )
    return Unit(mark.low, mark.high, mark.first, end, fresh=False, marks=(mark, *within), rest=rest)


def _bounded(files: Sequence[Stored], first: int, end: int) -> int:
    """Give an end that leaves about `ROWS` readings in the unit, and one hour at least."""
    rows, end = 0.0, min(end, first + MOST_HOURS)
    for hour in range(first, end):
        rows += sum(_share(f, hour) for f in files)
        if rows > ROWS:
            return max(hour, first + 1)
    return end


def _share(file: Stored, hour: int) -> float:
    low, high = max(file.first, hour * HOUR_MS), min(file.last + 1, (hour + 1) * HOUR_MS)
    return file.rows * max(high - low, 0) / (file.last + 1 - file.first)
