"""Folding the log again, beside the live twin: what it gives must equal the live state, bit for bit."""

from gemel.bus import Bus, StreamReader, decode_frame
from gemel.bus.link import SAMPLES
from gemel.errors import StorageError
from gemel.operate.partition import Lookup, Partition
from gemel.samples import Snapshot
from gemel.twin.record import Record


async def replay(
    bus: Bus, record: Record, partition: Partition, start: Snapshot | None, upto: int, lookup: Lookup
) -> Partition:
    """Fold the log from a snapshot (or from its beginning) up to a position, one message at a time."""
    if start is not None:
        partition.restore(start)
    reader = StreamReader(bus, SAMPLES.format(partition.number), partition.position)
    try:
        while partition.position < upto:
            for message in await reader.take():
                if message.sequence > upto:
                    break
                try:
                    frame = decode_frame(message.data)
                    rows = partition.rows_of(frame) if frame.header.kind != "tick" else None
                except StorageError:
                    partition.position = message.sequence
                    continue
                if rows is None:
                    count = frame.header.facts - partition.facts
                    facts = await record.read(partition.facts, count) if count > 0 else []
                    partition.tick(frame.header, message.sequence, facts)
                else:
                    partition.fold(rows, message.sequence, lookup)
    finally:
        await reader.close()
    return partition
