"""Many files, one stream of rows sorted by time.

Files whose times overlap are read together and merged; others follow one another, so that memory holds one
such group and never all.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from gemel.connect.files.table import TIME, FileOptions, FileTable, read_file

CHUNK: Final = 65_536  # rows


class Files:
    """Files in order of time.

    Args:
        paths: CSV or Parquet.
        options: what they do not say of themselves.
        columns: only these; none takes all.

    Attributes:
        names: columns found, in order of first appearance.
        length: rows with a usable time.
        timeless: rows without.
    """

    def __init__(
        self, paths: Sequence[Path], options: FileOptions | None = None, columns: Sequence[str] | None = None
    ) -> None:
        self._options = options or FileOptions()
        self._columns = columns
        names: dict[str, None] = {}
        extents: list[tuple[int, int, Path]] = []
        self.length = self.timeless = 0
        for path in paths:
            table = read_file(path, self._options, columns)
            names.update(dict.fromkeys(n for n in table.rows.column_names if n != TIME))
            self.length += table.rows.num_rows
            self.timeless += table.timeless
            if table.rows.num_rows:
                extents.append((int(table.times[0]), int(table.times[-1]), path))
        self.names = tuple(names)
        self.first = min((first for first, _, _ in extents), default=0)
        self.last = max((last for _, last, _ in extents), default=0)
        self._groups = _groups(sorted(extents))

    def chunks(self, rows: int = CHUNK) -> Iterator[pa.Table]:
        """Give the rows in order of time; columns that a file lacks are null there."""
        for group in self._groups:
            merged = _merge([read_file(path, self._options, self._columns) for path in group])
            for start in range(0, merged.num_rows, rows):
                yield merged.slice(start, rows)


def _groups(extents: Sequence[tuple[int, int, Path]]) -> list[list[Path]]:
    """Put files together whose times overlap; the extents are sorted by their beginning."""
    groups: list[list[Path]] = []
    end = -1
    for first, last, path in extents:
        if groups and first <= end:
            groups[-1].append(path)
        else:
            groups.append([path])
        end = max(end, last)
    return groups


def _merge(tables: Sequence[FileTable]) -> pa.Table:
    if len(tables) == 1:
        return tables[0].rows
    together = pa.concat_tables([t.rows for t in tables], promote_options="permissive")
    order = np.argsort(together.column(TIME).to_numpy(), kind="stable")
    return together.take(pa.array(order))
