"""A `Snapshot` is the twin at one position of its log: state, and the memory of every stateful check.

What follows the log is a deterministic function of snapshot and tail; a fork is a snapshot handed on.
"""

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from gemel.errors import StorageError

FORMAT: Final = 2  # raised with every change of what is stored; readers keep understanding the old ones
FIRST_MAGIC: Final = b"GMLS"  # of format 1
MAGIC: Final = b"GML2"
HEAD: Final = 16  # bytes before the header
ALIGN: Final = 64  # bytes: a cache line


@dataclass(frozen=True, eq=False)
class Pieces:
    """A column that lies in pieces, to be stored one after another: put together only where somebody reads it."""

    pieces: Sequence[npt.NDArray[Any]]

    def whole(self) -> npt.NDArray[Any]:
        """Put it together."""
        return np.concatenate(self.pieces)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its values."""
        return self.pieces[0].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the whole."""
        return (sum(map(len, self.pieces)), *self.pieces[0].shape[1:])


Column = npt.NDArray[Any] | Pieces


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
    arrays: Mapping[str, Any]
    notes: Mapping[str, Any]

    def write(self, file: BinaryIO) -> None:
        """Write the stored form: magic, CRC-32 and size of the header, header, then the columns as they lie in memory.

        Column after column, so that no second copy of them is made; each has a CRC-32 of its own and stands on a
        multiple of 64 bytes, so that other programs may map the file.
        """
        columns = {name: _pieces(column) for name, column in self.arrays.items()}
        header = msgspec.json.encode(
            {"format": FORMAT, "partition": self.partition, "sequence": self.sequence, "facts": self.facts,
             "time": self.time, "registry": self.registry, "notes": self.notes,
             "columns": [(name, self.arrays[name].dtype.str, self.arrays[name].shape, _checksum(pieces))
                         for name, pieces in columns.items()]}
        )  # fmt: skip
        head = MAGIC + zlib.crc32(header).to_bytes(4, "little") + len(header).to_bytes(8, "little") + header
        file.write(head + bytes(-len(head) % ALIGN))
        for pieces in columns.values():
            file.writelines(_bytes(piece) for piece in pieces)
            file.write(bytes(-sum(piece.nbytes for piece in pieces) % ALIGN))

    def to_bytes(self) -> bytes:
        """Give the stored form."""
        file = io.BytesIO()
        self.write(file)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read a stored snapshot; a torn or changed one raises StorageError."""
        return cls.read(io.BytesIO(stored))

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """Read a stored snapshot from a file, column after column; a torn or changed one raises StorageError."""
        return cls._read(file, whole=True)

    @classmethod
    def read_head(cls, file: BinaryIO) -> Self:
        """Read a stored snapshot without its columns: where it stands, under which registry, and its notes."""
        return cls._read(file, whole=False)

    @classmethod
    def _read(cls, file: BinaryIO, *, whole: bool) -> Self:
        head = file.read(HEAD)
        if head[:4] == FIRST_MAGIC:
            return cls._of_first_format(head + file.read())
        size = int.from_bytes(head[8:], "little")
        header = file.read(size) if len(head) == HEAD and head[:4] == MAGIC else b""
        if not header or zlib.crc32(header) != int.from_bytes(head[4:8], "little"):
            raise _torn()
        file.read(-(HEAD + size) % ALIGN)
        told = msgspec.json.decode(header)
        _check_format(told.pop("format"))
        columns = told.pop("columns") if whole else told.pop("columns")[:0]
        return cls(arrays={name: _column(file, *form) for name, *form in columns}, **told)

    @classmethod
    def _of_first_format(cls, stored: bytes) -> Self:
        """Read what 0.1 stored: magic, CRC-32 of the rest, header, the columns in NumPy's archive."""
        rest = stored[8:]
        if len(stored) < 12 or zlib.crc32(rest) != int.from_bytes(stored[4:8], "little"):
            raise _torn()
        size = int.from_bytes(rest[:4], "little")
        header = msgspec.json.decode(rest[4 : 4 + size])
        _check_format(header.pop("format"))
        with np.load(io.BytesIO(rest[4 + size :])) as arrays:
            return cls(arrays=dict(arrays), **header)


def _column(file: BinaryIO, dtype: str, shape: list[int], check: int) -> npt.NDArray[Any]:
    column = np.empty(shape, dtype)
    stored = _bytes(column)
    if file.readinto(stored) != len(stored) or zlib.crc32(stored) != check:  # type: ignore[attr-defined]
        raise _torn()
    file.read(-len(stored) % ALIGN)
    return column


def _pieces(column: Column) -> list[npt.NDArray[Any]]:
    found = column.pieces if isinstance(column, Pieces) else [column]
    return [np.ascontiguousarray(piece) for piece in found]


def _checksum(pieces: list[npt.NDArray[Any]]) -> int:
    check = 0
    for piece in pieces:
        check = zlib.crc32(_bytes(piece), check)
    return check


def _bytes(column: npt.NDArray[Any]) -> memoryview:
    return column.reshape(-1).view(np.uint8).data


def _check_format(found: int) -> None:
    if found > FORMAT:
        raise StorageError(
            "a snapshot of another data format",
            code="snapshot-format",
            remedy="start with the version that wrote it",
        )


def _torn() -> StorageError:
    return StorageError(
        "a snapshot is torn or changed",
        code="snapshot-torn",
        remedy="an older one is used; nothing is lost",
    )
