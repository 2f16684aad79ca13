"""Rate of change: a quantity cannot move further than its largest rate allows since it was last believed.

A reading is compared with the last *believed* one, and the allowance grows with the time since. So a lone spike is
rejected and the next good value taken, while a true step is taken as soon as time allows it.

Nearly all readings pass, so each is first compared with the one before it, all at once. Only where one fails does
the reference stay behind; from there on rows are taken one after another, until one passes: then the one before it
is the reference again and what was computed at once holds.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.samples.batch import F64, I64, Index

PER_NS: Final = 1e-9
WIDE: Final = 48  # with more signals at once an array operation beats a plain loop


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Sound readings sorted by (signal, time), with the reference that each signal starts from.

    Args:
        time, value: of the readings.
        start: first row of each signal.
        rate: largest rate of each row's signal, per second; NaN: not checked.
        ref_time, ref_value: the last believed reading before, of each signal; NaN where there is none.

    """

    time: I64
    value: F64
    start: Index
    rate: F64
    ref_time: I64
    ref_value: F64


def leaps(track: Track) -> Index:
    """Give the rows, in order, that no movement could have reached from the last believed reading."""
    with np.errstate(over="ignore"):
        step = np.empty_like(track.value)
        np.subtract(track.value[1:], track.value[:-1], out=step[1:])
        step[track.start] = track.value[track.start] - track.ref_value
        np.abs(step, out=step)
        since = np.empty_like(track.time)
        np.subtract(track.time[1:], track.time[:-1], out=since[1:])
        since[track.start] = track.time[track.start] - track.ref_time
        suspects = np.flatnonzero(step > track.rate * (since * PER_NS))
        return _follow(track, suspects) if len(suspects) else suspects


def _follow(track: Track, suspects: Index) -> Index:
    """Walk from each signal's first suspect on; `suspects` failed against the row before them."""
    segment = np.searchsorted(track.start, suspects, "right") - 1
    first = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    row, segment = suspects[first], segment[first]
    end = np.r_[track.start[1:], len(track.time)][segment]
    at_start = row == track.start[segment]
    ref_time = np.where(at_start, track.ref_time[segment], track.time[row - 1])
    ref_value = np.where(at_start, track.ref_value[segment], track.value[row - 1])
    found: list[Index] = []
    while len(row) >= WIDE:
        found.append(row)
        following = row + 1
        inside = following < end
        following, end, ref_time, ref_value = (
            following[inside],
            end[inside],
            ref_time[inside],
            ref_value[inside],
        )
        allowance = track.rate[following] * ((track.time[following] - ref_time) * PER_NS)
        fails = np.abs(track.value[following] - ref_value) > allowance
        ahead = np.searchsorted(suspects, following, "right")
        row = np.where(fails, following, np.r_[suspects, len(track.time)][ahead])
        inside = row < end
        fails, row, end = fails[inside], row[inside], end[inside]
        ref_time = np.where(fails, ref_time[inside], track.time[row - 1])
        ref_value = np.where(fails, ref_value[inside], track.value[row - 1])
    if len(row):
        begun = list(zip(row.tolist(), end.tolist(), ref_time.tolist(), ref_value.tolist(), strict=True))
        found.append(_walk(track, suspects, begun))
    return np.sort(np.concatenate(found))


def _walk(track: Track, suspects: Index, begun: list[tuple[int, int, int, float]]) -> Index:
    """Do the same for few signals, row by row."""
    time, value, rate = track.time.data, track.value.data, track.rate.data
    later, at = suspects.tolist(), 0
    found: list[int] = []
    for first, end, first_time, first_value in begun:
        row, ref_time, ref_value = first, first_time, first_value
        while row < end:
            found.append(row)
            row += 1
            while row < end and abs(value[row] - ref_value) > rate[row] * ((time[row] - ref_time) * PER_NS):
                found.append(row)
                row += 1
            at = bisect_right(later, row, at)
            row = later[at] if at < len(later) else end
            ref_time, ref_value = time[row - 1], value[row - 1]
    return np.array(found, np.intp)
