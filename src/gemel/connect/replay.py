"""A replay: rows of files, each sent as the messages a device would have sent, at the pace of their times.

Files.chunks -> compose by topic -> Pace.waits -> Publisher.publish
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from gemel.connect.compose import Shape, compose
from gemel.connect.files import TIME, Files
from gemel.connect.pace import Pace

SHORTEST_SLEEP_S = 0.002  # shorter waits are saved up


class Publishes(Protocol):
    """What takes the messages."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Take one message; waits while too many are under way."""


@dataclass(slots=True)
class Played:
    """What was played: rows of the files, messages made of them, and values in those."""

    rows: int = 0
    messages: int = 0
    values: int = 0


async def play(
    files: Files, shapes: Sequence[Shape], pace: Pace, publisher: Publishes, *,
    progress: Callable[[int], None] = lambda rows: None,
) -> Played:  # fmt: skip
    """Send all rows in order of time; `progress` is told of every few hundred rows."""
    played = Played()
    before: int | None = None
    loop = asyncio.get_running_loop()
    due = loop.time()
    for chunk in files.chunks(1_000):
        times = np.asarray(chunk.column(TIME).to_numpy(), dtype=np.int64)
        composed = [(shape.topic, compose(shape, chunk, times)) for shape in shapes]
        for at, wait in enumerate(pace.waits(times, before).tolist()):
            due = max(due + wait, loop.time() - 1.0)  # what is more than a second behind is not caught up
            if due - loop.time() > SHORTEST_SLEEP_S:
                await asyncio.sleep(due - loop.time())
            for topic, payloads in composed:
                payload = payloads[at]
                if payload is not None:
                    await publisher.publish(topic, payload)
                    played.messages += 1
            played.rows += 1
            if played.rows % 100 == 0:
                progress(100)
        before = int(times[-1])
        played.values += _values(shapes, chunk)
    progress(played.rows % 100)
    return played


def _values(shapes: Sequence[Shape], chunk: pa.Table) -> int:
    names = [name for shape in shapes for _, name in shape.fields if name in chunk.column_names]
    return sum(_present(chunk.column(name)) for name in names)


def _present(column: pa.ChunkedArray) -> int:
    """Count the cells that a message carries: JSON has no word for NaN."""
    if not pa.types.is_floating(column.type):
        return int(len(column) - column.null_count)
    return int(np.isfinite(column.drop_null().to_numpy()).sum())
