"""Samples travel in columns, never one object each.

A `Batch` is a few arrays of equal length; a row is one sample. Batches are values: no stage changes one in
place, each gives a new one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.errors import DefectError

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
U32 = npt.NDArray[np.uint32]
Index = npt.NDArray[np.intp]

SCHEMA: Final = pa.schema(
    [
        ("signal", pa.int32()),
        ("time", pa.int64()),
        ("received", pa.int64()),
        ("value", pa.float64()),
        ("status", pa.uint32()),
    ]
)
TOLD: Final = SCHEMA.append(pa.field("sigma", pa.float32()))
DTYPES: Final = {
    "signal": np.int32,
    "time": np.int64,
    "received": np.int64,
    "value": np.float64,
    "status": np.uint32,
}
SIGMA: Final = np.float32
"""The column that only batches of estimates have."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples as columns.

    Args:
        signal: index into the registry, int32.
        time: when the source says it was so, [ns] since 1970 UTC, int64.
        received: when gemel received it, plant clock, [ns] since 1970 UTC, int64.
        value: float64; states and booleans as codes of the signal's table.
        status: OPC UA StatusCode, uint32.
        sigma: standard uncertainty of each value in its unit (JCGM 100:2008, 2.3.1), float32, NaN where it is not known;
            None: of none, which costs nothing.

    >>> b = Batch.of(signal=[0, 1], time=[1, 1], received=[2, 2], value=[0.5, 1.0], status=[0, 0])
    >>> len(b), b.take(np.array([1])).value.tolist()
    (2, [1.0])
    """

    signal: I32
    time: I64
    received: I64
    value: F64
    status: U32
    sigma: F32 | None = field(default=None, kw_only=True)

    @classmethod
    def of(
        cls,
        *,
        signal: npt.ArrayLike,
        time: npt.ArrayLike,
        received: npt.ArrayLike,
        value: npt.ArrayLike,
        status: npt.ArrayLike,
        sigma: npt.ArrayLike | None = None,
    ) -> Self:
        """Make a batch from anything array-like; columns must be of equal length."""
        given = {"signal": signal, "time": time, "received": received, "value": value, "status": status}
        columns: dict[str, Any] = {k: np.ascontiguousarray(v, dtype=DTYPES[k]) for k, v in given.items()}
        if sigma is not None:
            columns["sigma"] = np.ascontiguousarray(sigma, dtype=SIGMA)
        if len({len(c) for c in columns.values()}) > 1:
            raise DefectError("the columns of a batch differ in length")
        return cls(**columns)

    @classmethod
    def empty(cls) -> Self:
        """Make a batch without rows."""
        return cls.of(signal=[], time=[], received=[], value=[], status=[])

    @classmethod
    def concat(cls, batches: Iterable[Self]) -> Self:
        """Put batches one after another."""
        parts = [b for b in batches if len(b)]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        told = any(b.sigma is not None for b in parts)
        return cls(
            *(np.concatenate([getattr(b, name) for b in parts]) for name in DTYPES),
            sigma=np.concatenate([b.uncertainty() for b in parts]) if told else None,
        )

    def __len__(self) -> int:
        return len(self.signal)

    def __getitem__(self, rows: slice) -> Self:
        """Give a run of rows as views, without a copy."""
        return self._rows(rows)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Self:
        """Give the rows at these positions, or where this mask is true."""
        return self._rows(rows)

    def _rows(self, rows: Any) -> Self:
        sigma = None if self.sigma is None else self.sigma[rows]
        return type(self)(*(getattr(self, name)[rows] for name in DTYPES), sigma=sigma)

    def uncertainty(self) -> F32:
        """Give the standard uncertainty of each value, NaN where it is not known."""
        return np.full(len(self), np.nan, SIGMA) if self.sigma is None else self.sigma

    def plain(self) -> Self:
        """Give the same rows without a column of uncertainties that says nothing."""
        empty = self.sigma is not None and bool(np.isnan(self.sigma).all())
        return replace(self, sigma=None) if empty else self

    def with_columns(self, **columns: npt.NDArray[np.generic] | None) -> Self:
        """Give the same rows with some columns replaced."""
        return replace(self, **columns)  # type: ignore[arg-type]

    def order(self) -> Index:
        """Give the permutation that sorts by (signal, time, received), stable."""
        return np.lexsort((self.received, self.time, self.signal))

    def to_arrow(self, *, sigma: bool = False) -> pa.RecordBatch:
        """Give the columns as an Arrow record batch, without a copy; `sigma`: with that column also where none is known."""
        columns = [pa.array(getattr(self, f.name)) for f in SCHEMA]
        if self.sigma is None and not sigma:
            return pa.record_batch(columns, schema=SCHEMA)
        return pa.record_batch([*columns, pa.array(self.uncertainty())], schema=TOLD)

    @classmethod
    def from_arrow(cls, table: pa.RecordBatch | pa.Table) -> Self:
        """Take the columns of an Arrow record batch or table."""
        told = "sigma" in table.schema.names and table.column("sigma").null_count < len(table)
        sigma = _column(table, "sigma") if told else None
        return cls(*(_column(table, f.name) for f in SCHEMA), sigma=sigma).plain()


def _column(table: pa.RecordBatch | pa.Table, name: str) -> npt.NDArray[Any]:
    column = table.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False), dtype=DTYPES.get(name, SIGMA))
