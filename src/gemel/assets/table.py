"""A fleet's table: CSV or Parquet beside the plant file, a row an asset, every cell a text."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from gemel import sealing
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.samples.texts import Texts

BLOCK: Final = 65_536  # rows made into one text while they are hashed


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a table.

    Args:
        file: its path.
        first: line of the first row (2 in a CSV file, whose first line is the header).
        columns: cells as texts; an empty one is empty.
    """

    file: str
    first: int
    columns: Mapping[str, Texts]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def row(self, number: int) -> Node:
        """Give the place of a row, for a message about it."""
        return Node(None, self.file, self.first + number)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what it says, whatever its format."""
        told = hashlib.sha256()
        for name in sorted(self.columns):
            told.update(name.encode())
            for start in range(0, len(self), BLOCK):
                told.update(("\0" + "\0".join(self.columns[name][start : start + BLOCK])).encode())
            told.update(b"\1")
        return told.hexdigest()


def read_table(path: Path, at: Node, problems: Problems) -> Table | None:
    """Read a table; one that cannot be read is a problem at the place that names it."""
    try:
        found = parquet.read_table(io.BytesIO(sealing.read(path))) if path.suffix == ".parquet" else _csv(path)
        cells = {name: _texts(column) for name, column in zip(found.column_names, found.columns, strict=True)}
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as e:
        problems.error(
            at,
            f"the table {path.name} cannot be read: {str(e).splitlines()[0]}",
            "put a CSV (a header, then a row an asset) or Parquet file beside plant.yaml",
        )
        return None
    if len(cells) < len(found.column_names):
        problems.error(Node(None, str(path), 1), "a column stands here twice", "rename one")
        return None
    return Table(str(path), 1 if path.suffix == ".parquet" else 2, cells)


def _csv(path: Path) -> pa.Table:
    data = sealing.read(path)
    header = io.BytesIO(data).readline().decode("utf-8-sig")
    delimiter = max(",;\t", key=header.count)
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    options = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.read_csv(io.BytesIO(data), parse_options=csv.ParseOptions(delimiter=delimiter), convert_options=options)


def _texts(column: pa.ChunkedArray) -> Texts:
    texts = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    return Texts(pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string()))
