"""Folding the log again, beside the live twin: what it gives must equal the live state, bit for bit."""

from typing import Final, Protocol

import numpy as np

from gemel.bus import Bus, FrameHeader, Message, StreamReader, decode_frame
from gemel.bus.link import SAMPLES
from gemel.errors import StorageError
from gemel.operate.partition import Lookup, Partition
from gemel.samples import Batch, Fact, Snapshot

ANY_TIME: Final = 2**62  # plant time that no tick is after [ns]


class Facts(Protocol):
    """Where facts are read."""

    async def read(self, after: int, limit: int) -> list[Fact]:
        """Give facts after a position, at most so many."""


async def replay(
    bus: Bus, record: Facts, partition: Partition, start: Snapshot | None, upto: int, lookup: Lookup,
    *, until: int = ANY_TIME,
) -> Partition:  # fmt: skip
    """Fold the log from a snapshot (or from its beginning), one message at a time.

    Args:
        bus: where the log is.
        record: where the facts are that take effect at its ticks.
        partition: a fresh one; it is given back folded.
        start: where it begins.
        upto: last position that is folded.
        lookup: what history held, for readings older than the checks remember.
        until: plant time [ns]; it ends before the first tick after it.

    """
    if start is not None:
        partition.restore(start)
    reader = StreamReader(bus, SAMPLES.format(partition.number), partition.position)
    try:
        while partition.position < upto:
            for message in await reader.take():
                if message.sequence > upto:
                    break
                if not await _fold(message, partition, record, lookup, until):
                    return partition
    finally:
        await reader.close()
    return partition


async def _fold(
    message: Message, partition: Partition, record: Facts, lookup: Lookup, until: int
) -> bool:
    """Fold one message; tell whether there may be more before `until`."""
    try:
        frame = decode_frame(message.data)
        rows: Batch | None = partition.rows_of(frame) if frame.header.kind != "tick" else None
    except StorageError:
        partition.position = message.sequence
        return True
    if rows is not None:
        came = np.full(len(rows), partition.origin(frame.header, message.sequence) if len(rows) else 0)
        if frame.header.stored:
            partition.fold_stored(rows, message.sequence, came)
        else:
            partition.fold(rows, message.sequence, lookup, came)
        return True
    if frame.header.time > until:
        return False
    await _tick(frame.header, message.sequence, partition, record)
    return True


async def _tick(header: FrameHeader, sequence: int, partition: Partition, record: Facts) -> None:
    count = header.facts - partition.facts
    facts = await record.read(partition.facts, count) if count > 0 else []
    partition.tick(header, sequence, facts)


def differing(one: Snapshot, other: Snapshot) -> list[str]:
    """Name what differs between two states, bit for bit; nothing where they are the same."""
    found = [
        name for name in ("partition", "sequence", "facts", "time", "registry")
        if getattr(one, name) != getattr(other, name)
    ]  # fmt: skip
    found += [f"notes.{k}" for k in one.notes.keys() | other.notes.keys() if one.notes.get(k) != other.notes.get(k)]
    found += sorted(one.arrays.keys() ^ other.arrays.keys())
    for name in sorted(one.arrays.keys() & other.arrays.keys()):
        a, b = np.asarray(one.arrays[name]), np.asarray(other.arrays[name])
        if (a.dtype, a.shape) != (b.dtype, b.shape) or a.tobytes() != b.tobytes():
            found.append(name)
    return found
