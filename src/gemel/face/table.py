"""What comes back: a table that is a data frame in one word, whichever one uses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from gemel.face.missing import Missing


@dataclass(frozen=True, eq=False)
class Table:
    """Columns, as Arrow keeps them; values that are not known are null.

    Args:
        arrow: the columns as a `pyarrow.Table`.
        notes: what else there is to say, by name.
        missing: spans whose readings were lost to damage, so that rows may be missing there; empty: none were.

    >>> import pyarrow as pa
    >>> t = Table(pa.table({"value": [1.5, None]}))
    >>> len(t), t.columns, t["value"]
    (2, ['value'], [1.5, None])
    """

    arrow: pa.Table
    notes: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.arrow.column_names)

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __getitem__(self, column: str) -> list[Any]:
        """Give a column as a list."""
        return list(self.arrow[column].to_pylist())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give row after row as a mapping."""
        for batch in self.arrow.to_batches():
            yield from batch.to_pylist()

    def to_pandas(self) -> Any:
        """Give a `pandas.DataFrame`, `missing` among its ``attrs``; pandas must be installed."""
        frame = self.arrow.to_pandas()
        if self.missing:
            frame.attrs["missing"] = self.missing
        return frame

    def to_polars(self) -> Any:
        """Give a `polars.DataFrame`; polars must be installed."""
        import polars as pl

        return pl.from_arrow(self.arrow)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Give the columns to whatever takes Arrow (the PyCapsule interface): ``polars.DataFrame(table)``."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        lost = f"; readings were lost from {', '.join(map(str, self.missing))}" if self.missing else ""
        return f"<{len(self)} rows: {', '.join(self.columns)}{lost}>"
