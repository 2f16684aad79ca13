"""Finds what is stored for given signals and times, cheaply where nothing is: what a back-fill asks of each frame.

Files are left out by what the catalogue says of their times and signals; of the others only those row groups are read
in which a sought time may be. A back-fill into an empty past reads nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gemel.history import groups
from gemel.history.ahead import NOTHING, Ahead, Known
from gemel.history.answers import Existing
from gemel.history.files import MS, SCHEMA
from gemel.history.groups import Footers, Wanted
from gemel.history.manifest import Manifest
from gemel.history.summary import Mask
from gemel.samples import Batch
from gemel.samples.batch import I64, Index

MS_BITS = 33  # of a key, for the time: 99 days; above it there is room for 2^30 signals
EXACT_BITS = 42  # of the key of what is read ahead, for the time: until 2109; above it there is room for 2^21 signals


def existing(
    batch: Batch, manifest: Manifest, footers: Footers, tail: Batch, ahead: Ahead | None = None
) -> Existing:
    """Tell for each row what is stored for its signal and time that was received before it.

    Args:
        batch: what is asked about.
        manifest: of the lake.
        footers: of its files.
        tail: rows that may not be in the lake yet.
        ahead: what was read before it was asked.

    """
    n = len(batch)
    found = Existing(np.zeros(n, np.bool_), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64))
    if not n:
        return found
    for rows in _spans(batch):
        asked = batch.take(rows)
        known = NOTHING if ahead is None else ahead.known(_exact(asked))
        stored = (found for _, found in _stored(asked, manifest, footers, known))
        met = Batch.concat([*stored, tail.take(_meets(tail, asked))])
        at, of = _before(asked, met)
        found.found[rows[at]] = True
        found.value[rows[at]], found.status[rows[at]] = met.value[of], met.status[of]
        found.received[rows[at]] = met.received[of]
    return found


def look_ahead(batch: Batch, manifest: Manifest, footers: Footers, ahead: Ahead) -> None:
    """Read now what will be asked: what the files have of these signals and times."""
    files = [file.path for file in manifest.of("raw_").stored]
    found: dict[Path, list[Batch]] = {}
    for rows in _spans(batch):
        for path, part in _stored(batch.take(rows), manifest, footers, NOTHING):
            found.setdefault(path, []).append(part)
    ahead.keep(_exact(batch), files, {path: Batch.concat(parts) for path, parts in found.items()})


def _spans(batch: Batch) -> list[Index]:
    """Cut rows by time, so that a key holds the time of each."""
    order = np.argsort(batch.time, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(batch.time[order] // MS >> MS_BITS)) + 1)


def _stored(asked: Batch, manifest: Manifest, footers: Footers, known: Known) -> Iterator[tuple[Path, Batch]]:
    ms = asked.time // MS
    low, high = int(asked.signal.min()), int(asked.signal.max())
    for file in manifest.of("raw_").met(low, high, int(ms.min()), int(ms.max())):
        inside = (
            (ms >= file.first) & (ms <= file.last) & (asked.signal >= file.low) & (asked.signal <= file.high)
        )
        there, inside = known.of_file(file.path, inside)
        yield from ((file.path, rows) for rows in there)
        if not inside.any():
            continue
        mine = asked.take(inside)
        times = mine.time // MS
        wanted = Wanted(int(mine.signal.min()), int(mine.signal.max()), int(times.min()), int(times.max()))
        for table in groups.tables([file], wanted, SCHEMA.names, footers):
            rows = groups.batch(table)
            yield file.path, rows.take(_meets(rows, mine))


def _meets(rows: Batch, asked: Batch) -> Mask:
    """Tell which rows have a signal and time, to the ms, that is asked about."""
    start, end = int(asked.time.min()), int(asked.time.max())
    near = (rows.time >= start // MS * MS) & (rows.time <= end)
    at = np.flatnonzero(near)
    near[at] = np.isin(_keys(rows.take(at)), _keys(asked))
    return near


def _keys(rows: Batch) -> I64:
    return rows.signal.astype(np.int64) << MS_BITS | (rows.time // MS & (1 << MS_BITS) - 1)


def _exact(rows: Batch) -> I64:
    """Give a key of signal and time, to the ms, whenever it is; where there are too many signals for one, -1."""
    ms = rows.time // MS
    fits = (rows.signal >> 63 - EXACT_BITS == 0) & (ms >= 0) & (ms >> EXACT_BITS == 0)
    return np.where(fits, rows.signal.astype(np.int64) << EXACT_BITS | ms, -1)


def _before(asked: Batch, met: Batch) -> tuple[Index, Index]:
    """Give pairs (row asked, row met): of its signal and time, the last received before it; then status, then value."""
    if not len(met):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    both = Batch.concat([asked, met])
    is_met = np.arange(len(both)) >= len(asked)
    order = np.lexsort((both.value, both.status, is_met, both.received, both.time, both.signal))
    place = np.arange(len(both))
    last = np.maximum.accumulate(np.where(is_met[order], place, -1))
    rows = np.flatnonzero(~is_met[order] & (last >= 0))
    former = last[rows]
    one, other = order[rows], order[former]
    same = (both.signal[one] == both.signal[other]) & (both.time[one] == both.time[other])
    return one[same], other[same] - len(asked)
