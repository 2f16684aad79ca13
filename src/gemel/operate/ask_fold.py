"""What the twin answers about how far it has folded: to those who bring readings."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import numpy as np

from gemel.operate.delta import CHUNK
from gemel.operate.fold import Owner
from gemel.samples import Batch

Verbs = dict[str, Callable[[dict[str, Any]], Awaitable[bytes]]]


def verbs(owner: Owner) -> Verbs:
    """Give the words and what answers them."""

    async def folded(body: dict[str, Any]) -> bytes:
        """Give the position that the state has reached, once it is `upto`."""
        return msgspec.json.encode(await owner.folded(int(body["upto"])))

    async def heard(body: dict[str, Any]) -> bytes:
        """Give the newest source time [ns] of the signals from `start` on, a message full: int64."""
        start = int(body["start"])
        return bytes(owner.partition.lanes.latest.time[start : start + CHUNK].tobytes())

    async def ahead(body: dict[str, Any]) -> bytes:
        """Read, beside the fold, what the history has of signals and times of which it will be asked soon."""
        if body["registry"] == owner.partition.registry.digest:
            signal, time = np.frombuffer(body["signal"], np.int32), np.frombuffer(body["time"], np.int64)
            nothing = np.zeros(len(signal))
            rows = Batch.of(signal=signal, time=time, received=nothing, value=nothing, status=nothing)
            await asyncio.to_thread(owner.look_ahead, rows)
        return b""

    async def latency(_body: dict[str, Any]) -> bytes:
        """Give how long readings waited from receipt to state since this was last asked [ms]: of now, and of the past."""
        return msgspec.json.encode(owner.waits.taken())

    return {"folded": folded, "heard": heard, "ahead": ahead, "latency": latency}
