"""What the int32 `signal` of a batch means.

A `Registry` is an immutable table, one row a signal: appended to, never renumbered, known by its SHA-256.
A frame carries that digest; a reader with another registry maps by uid, once. A signal that the plant no longer has
keeps its row, marked retired: its history stays readable. One that changed its unit is a new signal that names, as
`formerly`, the one it goes on from (`samples.lineage`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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
        ("source", pa.string()),  # the unit in which its source sends, where it is another
        ("formerly", pa.string()),  # uid of the signal that it goes on from, or empty
        ("retired", pa.bool_()),  # whether the plant no longer has it
    ]
)
_DEFAULTS: Final[Mapping[str, Any]] = {
    "lane": "measured", "unit": "", "kind": "analog", "states": [], "retention": "default", "partition": 0,
    "source": "", "formerly": "", "retired": False,
}  # fmt: skip
_ADDED: Final = ("source", "formerly", "retired")  # columns that tables of the first data format do not have


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
        full = [{**_DEFAULTS, "uid": uid_of(r["path"], r.get("lane", "measured")), **r} for r in rows]
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
    def retired(self) -> npt.NDArray[np.bool_]:
        """Which signals the plant no longer has."""
        return np.asarray(self.table.column("retired").to_numpy(zero_copy_only=False), np.bool_)

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], int]:
        """Numbers by (path, lane): of the signal that has them now, else of the last that had them."""
        keys = list(zip(self.paths, self.table.column("lane").to_pylist(), strict=True))
        gone = np.flatnonzero(self.retired).tolist()
        return {
            **{keys[i]: i for i in gone},
            **{keys[i]: i for i in np.flatnonzero(~self.retired).tolist()},
        }

    @cached_property
    def _by_uid(self) -> dict[str, int]:
        return {uid: i for i, uid in enumerate(self.table.column("uid").to_pylist())}

    @cached_property
    def formers(self) -> Mapping[int, int]:
        """The number of the signal that each one goes on from, where there is one."""
        column = self.table.column("formerly")
        rows = np.flatnonzero(pc.not_equal(column, "").to_numpy(zero_copy_only=False))
        if not len(rows):
            return {}
        uids = self.table.column("uid")
        places = pc.index_in(column.take(rows), value_set=uids.combine_chunks()).to_pylist()
        return {r: p for r, p in zip(rows.tolist(), places, strict=True) if p is not None}

    def index(self, path: str, lane: str | None = None) -> int:
        """Give the number of a signal, or of the last that was called so; without a lane, of the property's first.

        Raises NotFoundError.
        """
        for one in LANES if lane is None else (lane,):
            if (number := self._by_key.get((path, one))) is not None:
                return number
        words = f"no signal {path!r}" + (f" on the lane {lane!r}" if lane else "")
        raise NotFoundError(words, remedy="see GET /api/v1/signals")

    def find(self, path: str, lane: str = "measured") -> int | None:
        """Give the number of a signal, or of the last that was called so; None where none ever was."""
        return self._by_key.get((path, lane))

    def uid(self, signal: int) -> str:
        """Give the permanent uid of a signal."""
        return str(self.table.column("uid")[signal].as_py())

    def has(self, uid: str) -> bool:
        """Tell whether a signal of this uid is there."""
        return uid in self._by_uid

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

    def numbers_of(self, other: Self) -> I32:
        """Give, for each signal of another registry, the number of the one that is called so here, or -1.

        By path and lane among those that the plant has: what a plant file, read alone, says of a signal finds its
        number in the applied registry by it, however often it was renamed.
        """
        live = np.flatnonzero(~self.retired)
        found = pc.index_in(_keys(other.table), value_set=_keys(self.table.take(live)))
        places = pc.fill_null(found, -1).to_numpy()
        return np.where(places < 0, -1, live[places] if len(live) else -1).astype(np.int32)

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
        """Read a table from its Arrow stream; one of the first data format gets the columns that came later."""
        table = pa.ipc.open_stream(stored).read_all()
        if table.column_names == [name for name in SCHEMA.names if name not in _ADDED]:
            for name in _ADDED:
                field = SCHEMA.field(name)
                table = table.append_column(
                    field, pa.repeat(pa.scalar(_DEFAULTS[name], field.type), len(table))
                )
        if table.schema != SCHEMA:
            raise DefectError("a registry of another data format", context={"schema": str(table.schema)})
        return cls(table)


def _keys(table: pa.Table) -> pa.Array:
    keys = pc.binary_join_element_wise(table.column("path"), table.column("lane"), "\0")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def uid_of(path: str, lane: str) -> str:
    """Give the permanent uid that a signal gets when it is first applied.

    It is made from the path of that day and then kept: a signal moved later keeps its uid.
    """
    return hashlib.sha256(f"{path}\0{lane}".encode()).hexdigest()[:20]
