"""What the twin tells its viewers ten times a second: the signals that changed, as columns, the latest only."""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.twin.properties import Held

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
        held: overrides in force, by property (value, since, took effect); None: as told before.
    """

    sequence: int
    run: int
    time: int
    behind_s: float
    facts: int
    rows: Batch
    stale: npt.NDArray[np.bool_]
    held: Mapping[int, Held] | None = None


def encode(delta: Delta) -> bytes:
    """Give the bytes of a delta: a MessagePack map of raw little-endian columns."""
    r = delta.rows.plain()
    return msgspec.msgpack.encode(
        (delta.sequence, delta.run, delta.time, delta.behind_s, delta.facts, r.signal.tobytes(), r.time.tobytes(),
         r.received.tobytes(), r.value.tobytes(), r.status.tobytes(), np.packbits(delta.stale).tobytes(), _packed(delta.held),
         b"" if r.sigma is None else r.sigma.tobytes())
    )  # fmt: skip


def decode(data: bytes) -> Delta:
    """Read a delta."""
    sequence, run, time, behind_s, facts, signal, times, received, value, status, stale, held, sigma = (
        msgspec.msgpack.decode(data)
    )
    rows = Batch(
        np.frombuffer(signal, np.int32), np.frombuffer(times, np.int64), np.frombuffer(received, np.int64),
        np.frombuffer(value, np.float64), np.frombuffer(status, np.uint32),
        sigma=np.frombuffer(sigma, np.float32) if sigma else None,
    )  # fmt: skip
    flags = np.unpackbits(np.frombuffer(stale, np.uint8), count=len(rows)).astype(np.bool_)
    return Delta(sequence, run, time, behind_s, facts, rows, flags, _unpacked(held))


def _packed(held: Mapping[int, Held] | None) -> list[tuple[int, float, int, int]] | None:
    return None if held is None else [(p, h.value, h.time, h.received) for p, h in held.items()]


def _unpacked(held: list[tuple[int, float, int, int]] | None) -> Mapping[int, Held] | None:
    return None if held is None else {p: Held(v, t, r) for p, v, t, r in held}
