"""What the int32 `signal` of a batch means.

A `Registry` is an immutable table, one row a signal: appended to, never renumbered, known by its SHA-256.
A frame carries that digest; a reader with another registry maps by uid, once. A signal that the plant no longer has
keeps its row, marked retired: its history stays readable. One that changed its unit is a new signal that names, as
`formerly`, the one it goes on from (`samples.lineage`).

Signals are columns: no Python object each. Stored (`write`), the table has two columns more, the sorted keys by which
paths are found, so that processes which map the file share its pages and compute nothing.
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
from gemel.samples.pathindex import PathIndex
from gemel.samples.texts import Texts

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


KEYS: Final = (pa.field("path_key", pa.uint64()), pa.field("path_order", pa.int32()))  # of the stored form
DIGEST: Final = b"gemel.digest"


@dataclass(frozen=True, eq=False)
class Codes:
    """A text column as codes of a few words: ``words[code[signal]]``."""

    code: I32
    words: Sequence[str]

    def by_signal(self) -> npt.NDArray[np.str_]:
        """Give the words as an array indexed by signal; where there is one word only, it is stored once."""
        words = np.array(self.words, np.str_)
        return np.broadcast_to(words, len(self.code)) if len(words) == 1 else words[self.code]

    def __getitem__(self, signal: int) -> str:
        return str(self.words[self.code[signal]])

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True, eq=False)
class Registry:
    """An immutable table of signals; the row number is the `signal` of a batch.

    Args:
        table: the signals, a row each.
        stored: digest, and sorted keys of the paths, where they were read with the table; else they are made.

    >>> r = Registry.of([{"path": "acme/site/pump-1/flow", "unit": "m3/h"}])
    >>> r.index("acme/site/pump-1/flow"), len(r), r.of_asset("acme/site/pump-1").tolist()
    (0, 1, [0])
    """

    table: pa.Table
    stored: tuple[str, PathIndex] | None = None

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
        if self.stored is not None:
            return self.stored[0]
        told = _Told()
        self._stream(pa.PythonFile(told, "w"))
        return told.hash.hexdigest()

    @cached_property
    def paths(self) -> Texts:
        """Path of each signal."""
        return Texts(_whole(self.table.column("path")))

    @cached_property
    def retired(self) -> npt.NDArray[np.bool_]:
        """Which signals the plant no longer has."""
        return np.asarray(self.table.column("retired").to_numpy(zero_copy_only=False), np.bool_)

    @cached_property
    def paths_found(self) -> PathIndex:
        """Where each path stands: signals of one path in order of precedence, those that are no more behind them."""
        if self.stored is not None:
            return self.stored[1]
        lanes, retired = self.lanes, self.retired
        if len(lanes.words) < 2 and not retired.any():
            return PathIndex.of(self.paths.array)
        rank = np.array([LANES.index(lane) for lane in lanes.words])[lanes.code]
        latest_first = len(LANES) + np.arange(len(self))[::-1]
        return PathIndex.of(self.paths.array, np.where(retired, latest_first, rank))

    @cached_property
    def lanes(self) -> Codes:
        """Lane of each signal."""
        return self.codes("lane")

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

    def codes(self, column: str) -> Codes:
        """Give a text column as codes of its distinct words."""
        encoded = _whole(self.table.column(column)).dictionary_encode()
        return Codes(encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist())

    def index(self, path: str, lane: str | None = None) -> int:
        """Give the number of a signal, or of the last that was called so; without a lane, of the property's first.

        Raises NotFoundError.
        """
        number = self.find(path, lane)
        if number is not None:
            return number
        words = f"no signal {path!r}" + (f" on the lane {lane!r}" if lane else "")
        raise NotFoundError(words, remedy="see GET /api/v1/signals")

    def lanes_of(self, path: str) -> dict[str, int]:
        """Give the signals of a property by lane, or the last that were called so; none where it is unknown."""
        found: dict[str, int] = {}
        for row in self.paths_found.find(path):
            found.setdefault(self.lanes[row], row)
        return found

    def of_asset(self, asset: str) -> I32:
        """Give the signals of an asset, in the order of their numbers."""
        return self.paths_found.children(asset)

    def numbers(self, paths: Sequence[str], lane: str | None = None) -> I32:
        """Give the signal of each of many paths, -1 where there is none: one pass for all of them.

        Args:
            paths: of properties.
            lane: None: of each the first that there is in order of precedence.
        """
        if lane is None:
            return self.paths_found.numbers(paths)
        return self.paths_found.numbers(paths, self._on(lane))

    def _on(self, lane: str) -> npt.NDArray[np.bool_]:
        mine = np.array([word == lane for word in self.lanes.words], np.bool_)
        return mine[self.lanes.code] if len(self) else mine

    @property
    def sound(self) -> bool:
        """Whether the table still is what its stored digest says: every byte is read."""
        return self.stored is None or type(self)(self.table).digest == self.stored[0]

    def find(self, path: str, lane: str | None = "measured") -> int | None:
        """Give the number of a signal, or of the last that was called so; None where none ever was."""
        found = self.lanes_of(path)
        return next(iter(found.values()), None) if lane is None else found.get(lane)

    def uid(self, signal: int) -> str:
        """Give the permanent uid of a signal."""
        return str(self.table.column("uid")[signal].as_py())

    def has(self, uid: str) -> bool:
        """Tell whether a signal of this uid is there."""
        return bool(pc.index(self.table.column("uid"), uid).as_py() >= 0)

    def row(self, signal: int) -> dict[str, Any]:
        """Give one signal's row as a mapping."""
        return dict(self.table.slice(signal, 1).to_pylist()[0])

    def grown(self, other: Self) -> Self:
        """Give this registry with the other's new signals appended; nothing is renumbered."""
        fresh = np.flatnonzero(self.mapping_from(other) < 0)
        if not len(fresh):
            return self
        return type(self)(pa.concat_tables([self.table, other.table.take(fresh)]).combine_chunks())

    def numbers_of(self, other: Self) -> I32:
        """Give, for each signal of another registry, the number of the one that is called so here, or -1.

        By path and lane among those that the plant has: what a plant file, read alone, says of a signal finds its
        number in the applied registry by it, however often it was renamed.
        """
        same = self.table.select(("path", "lane")).slice(0, len(other))
        if not self.retired.any() and same.equals(other.table.select(("path", "lane"))):
            return np.arange(len(other), dtype=np.int32)
        return self.numbers_named(other.table)

    def numbers_named(self, names: pa.Table) -> I32:
        """Give the number of the signal that the plant has by each path and lane of a table, or -1."""
        paths, lanes = _whole(names.column("path")), _whole(names.column("lane")).dictionary_encode()
        numbers = np.full(len(paths), -1, np.int32)
        for code, lane in enumerate(lanes.dictionary.to_pylist()):
            rows = np.flatnonzero(lanes.indices.to_numpy(zero_copy_only=False) == code)
            has = self._on(lane) & ~self.retired
            numbers[rows] = self.paths_found.numbers(paths.take(pa.array(rows)), has)
        return numbers

    def mapping_from(self, other: Self) -> I32:
        """Give, for each signal of another registry, its number here, or -1."""
        mine, theirs = self.table.column("uid"), other.table.column("uid")
        if len(other) <= len(self) and mine.slice(0, len(other)).equals(theirs):  # it grew into this one
            return np.arange(len(other), dtype=np.int32)
        found = pc.fill_null(pc.index_in(theirs, value_set=_whole(mine)), -1)
        return np.asarray(_whole(found), np.int32)

    def to_bytes(self) -> bytes:
        """Give the table as an Arrow stream: what the digest is made of."""
        sink = pa.BufferOutputStream()
        self._stream(sink)
        return bytes(sink.getvalue())

    def _stream(self, sink: Any) -> None:
        with pa.ipc.new_stream(sink, SCHEMA) as writer:
            writer.write_table(self.table.combine_chunks())

    def write(self, sink: Any) -> None:
        """Write the stored form into an Arrow sink: an IPC file, its digest and sorted keys with it."""
        found = self.paths_found
        columns = [_whole(self.table.column(f.name)) for f in SCHEMA]
        schema = pa.schema([*SCHEMA, *KEYS], metadata={DIGEST: self.digest})
        batch = pa.record_batch([*columns, pa.array(found.keys), pa.array(found.order)], schema=schema)
        with pa.ipc.new_file(sink, schema) as writer:
            writer.write_batch(batch)

    @classmethod
    def from_bytes(cls, stored: bytes | pa.Buffer) -> Self:
        """Read a table from its stored form, or from the Arrow stream that it was in the first data format.

        A buffer that maps a file is not read: its pages come when they are looked at, and are shared.
        """
        buffer = pa.py_buffer(stored)
        if buffer[:6].to_pybytes() != b"ARROW1":
            return cls(_known(_completed(pa.ipc.open_stream(buffer).read_all())))
        table = pa.ipc.open_file(buffer).read_all()
        keys, order = (np.asarray(_whole(table.column(f.name))) for f in KEYS)
        digest = (table.schema.metadata or {})[DIGEST].decode()
        table = _known(table.drop_columns([f.name for f in KEYS]).replace_schema_metadata(None))
        return cls(table, (digest, PathIndex(_whole(table.column("path")), keys, order)))


class _Told:
    """A file that only hashes what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held."""


def _completed(table: pa.Table) -> pa.Table:
    """Give a table of the first data format the columns that came later."""
    if table.column_names != [name for name in SCHEMA.names if name not in _ADDED]:
        return table
    for name in _ADDED:
        field = SCHEMA.field(name)
        table = table.append_column(field, pa.repeat(pa.scalar(_DEFAULTS[name], field.type), len(table)))
    return table


def _known(table: pa.Table) -> pa.Table:
    if table.schema != SCHEMA:
        raise DefectError("a registry of another data format", context={"schema": str(table.schema)})
    return table


def _whole(column: pa.ChunkedArray | pa.Array) -> Any:
    """Give a column as one array; without a copy where it is one already."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def uid_of(path: str, lane: str) -> str:
    """Give the permanent uid that a signal gets when it is first applied.

    It is made from the path of that day and then kept: a signal moved later keeps its uid.
    """
    return hashlib.sha256(f"{path}\0{lane}".encode()).hexdigest()[:20]
