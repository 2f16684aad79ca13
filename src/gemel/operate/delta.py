"""What the twin tells its viewers ten times a second: the signals that changed, as columns, the latest only."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from gemel.samples import Batch

SUBJECT: Final = "live.{}"
CHUNK: Final = 100_000  # signals in one message: 3.4 MB, under the bus's limit


class Delta(msgspec.Struct, frozen=True):
    """Changed signals; `sequence` rises by one, a hole means that something was missed.

    Args:
        sequence: count of deltas since the twin started.
        run: which start of the twin counts.
        time: plant time [ns].
        behind_s: how far the fold is behind the log [s].
        facts: position in the record.
        rows: what to show, one row a signal.
        stale: which of them are silent too long.
    """

    sequence: int
    run: int
    time: int
    behind_s: float
    facts: int
    rows: Batch
    stale: npt.NDArray[np.bool_]


def encode(delta: Delta) -> bytes:
    """Give the bytes of a delta: a MessagePack map of raw little-endian columns."""
    r = delta.rows
    return msgspec.msgpack.encode(
        (delta.sequence, delta.run, delta.time, delta.behind_s, delta.facts, r.signal.tobytes(), r.time.tobytes(),
         r.received.tobytes(), r.value.tobytes(), r.status.tobytes(), np.packbits(delta.stale).tobytes())
    )  # fmt: skip


def decode(data: bytes) -> Delta:
    """Read a delta."""
    sequence, run, time, behind_s, facts, signal, times, received, value, status, stale = (
        msgspec.msgpack.decode(data)
    )
    rows = Batch(
        np.frombuffer(signal, np.int32), np.frombuffer(times, np.int64), np.frombuffer(received, np.int64),
        np.frombuffer(value, np.float64), np.frombuffer(status, np.uint32),
    )  # fmt: skip
    flags = np.unpackbits(np.frombuffer(stale, np.uint8), count=len(rows)).astype(np.bool_)
    return Delta(sequence, run, time, behind_s, facts, rows, flags)
