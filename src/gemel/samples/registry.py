"""What the int32 `signal` of a batch means.

A `Registry` is an immutable table, one row a signal: appended to, never renumbered, known by its SHA-256.
A frame carries that digest; a reader with another registry maps by uid, once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from gemel.errors import DefectError, NotFoundError
from gemel.samples.batch import I32

LANES: Final = ("override", "measured", "estimated", "simulated")  # in order of precedence
SCHEMA: Final = pa.schema(
    [
        ("uid", pa.string()),
        ("path", pa.string()),  # enterprise/site/…/asset/property
        ("lane", pa.string()),
        ("unit", pa.string()),
        ("kind", pa.string()),  # analog, total or state
        ("states", pa.list_(pa.string())),  # the words of a state's codes 0, 1, 2 …
        ("retention", pa.string()),
        ("partition", pa.int16()),
    ]
)


@dataclass(frozen=True, eq=False)
class Registry:
    """An immutable table of signals; the row number is the `signal` of a batch.

    >>> r = Registry.of([{"path": "acme/site/pump-1/flow", "unit": "m3/h"}])
    >>> r.index("acme/site/pump-1/flow"), len(r)
    (0, 1)
    """

    table: pa.Table

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Make a registry from rows; what a row leaves out gets its default."""
        defaults = {
            "lane": "measured",
            "unit": "",
            "kind": "analog",
            "states": [],
            "retention": "default",
            "partition": 0,
        }
        full = [{**defaults, "uid": uid_of(r["path"], r.get("lane", "measured")), **r} for r in rows]
        return cls(pa.Table.from_pylist(full, schema=SCHEMA))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the table's bytes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @cached_property
    def paths(self) -> list[str]:
        """Path of each signal."""
        return list(self.table.column("path").to_pylist())

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], int]:
        return {
            key: i
            for i, key in enumerate(zip(self.paths, self.table.column("lane").to_pylist(), strict=True))
        }

    @cached_property
    def _by_uid(self) -> dict[str, int]:
        return {uid: i for i, uid in enumerate(self.table.column("uid").to_pylist())}

    def index(self, path: str, lane: str = "measured") -> int:
        """Give the number of a signal; raises NotFoundError."""
        try:
            return self._by_key[path, lane]
        except KeyError:
            raise NotFoundError(
                f"no signal {path!r} on the lane {lane!r}", remedy="see GET /api/v1/signals"
            ) from None

    def row(self, signal: int) -> dict[str, Any]:
        """Give one signal's row as a mapping."""
        return dict(self.table.slice(signal, 1).to_pylist()[0])

    def grown(self, other: Self) -> Self:
        """Give this registry with the other's new signals appended; nothing is renumbered."""
        known = self._by_uid
        fresh = [i for i, uid in enumerate(other.table.column("uid").to_pylist()) if uid not in known]
        return (
            type(self)(pa.concat_tables([self.table, other.table.take(fresh)]).combine_chunks())
            if fresh
            else self
        )

    def mapping_from(self, other: Self) -> I32:
        """Give, for each signal of another registry, its number here, or -1."""
        return np.array(
            [self._by_uid.get(uid, -1) for uid in other.table.column("uid").to_pylist()], dtype=np.int32
        )

    def to_bytes(self) -> bytes:
        """Give the table as an Arrow stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, SCHEMA) as writer:
            writer.write_table(self.table.combine_chunks())
        return bytes(sink.getvalue())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read a table from its Arrow stream."""
        table = pa.ipc.open_stream(stored).read_all()
        if table.schema != SCHEMA:
            raise DefectError("a registry of another data format", context={"schema": str(table.schema)})
        return cls(table)


def uid_of(path: str, lane: str) -> str:
    """Give the permanent uid that a signal gets when it is first applied.

    It is made from the path of that day and then kept: a signal moved later keeps its uid.
    """
    return hashlib.sha256(f"{path}\0{lane}".encode()).hexdigest()[:20]
