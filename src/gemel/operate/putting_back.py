"""Gives the log back what it lost and the lake still has: rows between the newest snapshot and the lake's progress.

    hole in the log → rows of the lake → frames marked `stored`, at the end of the log → folded like any, stored no more

Because they go through the log, a replay takes them at the same place: its state is the live one's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from gemel import __version__
from gemel.bus import FrameHeader, encode_frame
from gemel.bus.frame import ROWS
from gemel.history import Reader
from gemel.samples import Batch, Registry
from gemel.samples.clock import SECOND

MARGIN: Final = 60 * SECOND  # receipts are not in the order of the log to the nanosecond
MOST: Final = 2_000_000  # rows; of more only what each signal said last, and last usably


def lost_rows(lake: Path, since: int, signals: int) -> Batch:
    """Give what the lake has that was received since a time [ns], of signals 0 to `signals`, in the order of receipt.

    Where that is more than `MOST` rows (or since ever: there was no snapshot), only the newest row of each signal and
    its newest usable one: the state is whole then, what is summed up over time lacks the rest.
    """
    with Reader(lake) as reader:
        if since > 0:
            rows = reader.received_since(since - MARGIN, MOST + 1)
            if len(rows) <= MOST:
                known = rows.take(rows.signal < signals)
                return known.take(np.argsort(known.received, kind="stable"))
        latest = reader.latest()
        return Batch.empty() if latest is None else reader.stood(np.arange(signals), latest)


def frames(rows: Batch, registry: Registry, partition: int, producer: str) -> Iterator[bytes]:
    """Give frames of rows that are conditioned and stored already."""
    for number, start in enumerate(range(0, len(rows), ROWS), 1):
        header = FrameHeader(
            kind="samples", partition=partition, producer=producer, sequence=number, version=__version__,
            registry=registry.digest, stored=True,
        )  # fmt: skip
        yield encode_frame(header, rows[start : start + ROWS])
