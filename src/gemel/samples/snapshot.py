"""A `Snapshot` is the twin at one position of its log: state, and the memory of every stateful check.

What follows the log is a deterministic function of snapshot and tail; a fork is a snapshot handed on.
"""

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from gemel.errors import StorageError

FORMAT: Final = 1  # raised with every change of what is stored; readers keep understanding the old ones
MAGIC: Final = b"GMLS"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """State at a position.

    Args:
        partition: whose state.
        sequence: last position of the partition's log that is in it.
        facts: last position of the record that is in it.
        time: plant time of the last tick [ns].
        registry: digest of the registry that numbers its signals.
        arrays: named columns (lanes, memory of checks, counters).
        notes: small things, plain JSON values (alarms, commands).
    """

    partition: int
    sequence: int
    facts: int
    time: int
    registry: str
    arrays: Mapping[str, npt.NDArray[Any]]
    notes: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Give the stored form: magic, CRC-32 of the rest, header, arrays."""
        header = msgspec.json.encode(
            {"format": FORMAT, "partition": self.partition, "sequence": self.sequence, "facts": self.facts,
             "time": self.time, "registry": self.registry, "notes": self.notes}
        )  # fmt: skip
        body = io.BytesIO()
        np.savez(body, **dict(self.arrays))  # type: ignore[arg-type]
        rest = len(header).to_bytes(4, "little") + header + body.getvalue()
        return MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read a stored snapshot; a torn or changed one raises StorageError."""
        rest = stored[8:]
        if (
            len(stored) < 12
            or stored[:4] != MAGIC
            or zlib.crc32(rest) != int.from_bytes(stored[4:8], "little")
        ):
            raise StorageError(
                "a snapshot is torn or changed",
                code="snapshot-torn",
                remedy="an older one is used; nothing is lost",
            )
        size = int.from_bytes(rest[:4], "little")
        header = msgspec.json.decode(rest[4 : 4 + size])
        if header.pop("format") != FORMAT:
            raise StorageError(
                "a snapshot of another data format",
                code="snapshot-format",
                remedy="start with the version that wrote it",
            )
        with np.load(io.BytesIO(rest[4 + size :])) as arrays:
            return cls(arrays=dict(arrays), **header)
