"""What the twin answers about single values: where they came from, what they shall be, which version an asset is of."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from gemel.operate.partition import Partition
from gemel.twin.record import Record
from gemel.twin.versions import Versions

json = msgspec.json.encode


async def current(versions: Versions, record: Record) -> Versions:
    """Bring versions up to the end of the record."""
    while versions.position < record.position and (facts := await record.read(versions.position, 5000)):
        for fact in facts:
            versions.take(fact)
    return versions


class AskState:
    """Answers about single values."""

    def __init__(self, partition: Partition, record: Record, versions: Versions) -> None:
        self._partition = partition
        self._record = record
        self._versions = versions

    @property
    def verbs(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[bytes]]]:
        """The words by which they are asked."""
        return {"origins": self.origins, "desired": self.desired, "version": self.version}

    async def origins(self, body: dict[str, Any]) -> bytes:
        """Give where the shown samples of some signals came from."""
        p = self._partition
        found = [p.origins.read(o) for o in p.lanes.origin(np.array(body["signals"], np.int32)).tolist()]
        return json([
            {"frame": f"samples.{p.number}:{o.position}" if o.position else None, "producer": o.producer or None,
             "version": o.version or None}
            for o in found
        ])  # fmt: skip

    async def desired(self, body: dict[str, Any]) -> bytes:
        """Give what the properties of an asset shall be, and what is reported."""
        return json([asdict(d) for d in self._partition.desired.of(body["asset"])])

    async def version(self, body: dict[str, Any]) -> bytes:
        """Give the version of an asset."""
        return json((await current(self._versions, self._record)).of(body["asset"]).version)
