"""Files as a source, straight in: a connector that ends. The topic of a signal is the name of its column."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from gemel.connect.contract import ConnectionStatus, Reading, Receipt, State, WriteOrder, WriteOutcome
from gemel.connect.files.merge import Files
from gemel.connect.files.table import TIME, FileOptions
from gemel.connect.plan import Sources, compile_plan
from gemel.connect.refusals import Refusals
from gemel.errors import ConnectError, DefectError
from gemel.samples import Batch, Clock, Registry, WallClock
from gemel.samples.batch import F64
from gemel.samples.status import GOOD

ROWS: Final = 8_192  # of a file in one reading


class FilesConnector:
    """Reads files in order of time (see `Connector`); what was not acknowledged is read again after `open`."""

    protocol: Final = "files"
    delivery: Final = "exactly-once by key"

    def __init__(
        self, name: str, paths: Sequence[Path], sources: Sources, registry: Registry, *,
        options: FileOptions | None = None, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._paths = tuple(paths)
        self._options = options
        self._clock = clock or WallClock()
        compile_plan(sources, registry)  # the same refusals of a bad plan as everywhere
        self._signals = {topic: int(s) for topic, s in zip(sources.topic, sources.signal, strict=True)}
        states = registry.table.column("states").to_pylist()
        self._states = {topic: list(states[s] or []) for topic, s in self._signals.items()}
        self._state: State = "closed"
        self._since = self._clock.now()
        self._acknowledged = self._read_rows = self._rows = self._values = 0
        self._refused = Refusals()
        self._chunks: Iterator[pa.Table] = iter(())
        self._coming: asyncio.Future[pa.Table | None] | None = None

    async def open(self) -> None:
        """Look at the files; raises ConnectError where one cannot be read."""
        files = await asyncio.to_thread(Files, self._paths, self._options, tuple(self._signals))
        for _ in range(files.timeless if not self._acknowledged else 0):
            self._refused.add("absurd_time", self.name, "a row without a usable time")
        self._chunks = _after(files.chunks(ROWS), self._acknowledged)
        self._read_rows = self._acknowledged
        self._state, self._since = "connected", self._clock.now()

    async def read(self) -> Reading:
        """Give the next rows; at the end, readings that say so."""
        if self._state == "closed":
            raise ConnectError(f"the connection {self.name} is closed", code="closed")
        if self._coming is None:  # a cancelled read leaves it to the next
            self._coming = asyncio.ensure_future(asyncio.to_thread(next, self._chunks, None))
        chunk = await asyncio.shield(self._coming)
        self._coming = None
        if chunk is None:
            return Reading(Batch.empty(), Refusals(), self._read_rows, 0, ended=True)
        rows, refused = self._decode(chunk)
        self._read_rows += chunk.num_rows
        self._rows += chunk.num_rows
        self._values += len(rows)
        self._refused.merge(refused)
        return Reading(rows, refused, self._read_rows, chunk.num_rows)

    async def acknowledge(self, receipt: Receipt) -> None:
        """Remember how far the rows are durable."""
        if not isinstance(receipt, int):
            raise DefectError("a receipt of another connector")
        self._acknowledged = max(self._acknowledged, receipt)

    async def write(self, order: WriteOrder) -> WriteOutcome:
        """Refuse: a file takes no commands."""
        return WriteOutcome(
            acknowledged=False, note=f"{order.topic} is a column of a file; it takes no commands"
        )

    async def close(self) -> None:
        """Let go of the files."""
        if self._coming is not None:
            await asyncio.wait([self._coming])
            self._coming = None
        self._chunks = iter(())
        self._state, self._since = "closed", self._clock.now()

    def status(self) -> ConnectionStatus:
        """Say how far it is."""
        return ConnectionStatus(
            name=self.name, protocol=self.protocol, state=self._state, since=self._since, messages=self._rows,
            values=self._values, unacknowledged=self._read_rows - self._acknowledged,
            refused=dict(self._refused.counts), examples=list(self._refused.examples),
        )  # fmt: skip

    def _decode(self, chunk: pa.Table) -> tuple[Batch, Refusals]:
        refused = Refusals()
        times = np.asarray(chunk.column(TIME).to_numpy(), dtype=np.int64)
        received = self._clock.now()
        parts = []
        for name in (n for n in chunk.column_names if n != TIME):
            column = chunk.column(name)
            there = np.asarray(column.is_valid().to_numpy(), dtype=np.bool_)
            values = _numbers(column, self._states[name])
            _refuse(refused, name, values, there, text=_is_text(column))
            good = there & np.isfinite(values)
            count = int(good.sum())
            signal, moment = np.full(count, self._signals[name]), np.full(count, received)
            status = np.full(count, GOOD)
            parts.append(
                Batch.of(signal=signal, time=times[good], received=moment, value=values[good], status=status)
            )
        together = Batch.concat(parts)
        return together.take(np.argsort(together.time, kind="stable")), refused


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _numbers(column: pa.ChunkedArray, states: Sequence[str]) -> F64:
    """Give a column's values, NaN where a cell is empty or cannot be used."""
    if _is_text(column):
        codes = {word: float(code) for code, word in enumerate(states)}
        return np.array([codes.get(cell, np.nan) for cell in column.to_pylist()], dtype=np.float64)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _refuse(refused: Refusals, name: str, values: F64, there: np.ndarray, *, text: bool) -> None:
    reason = "unknown_state" if text else "not_finite"
    for value in values[there & ~np.isfinite(values)].tolist():
        refused.add(reason, name, value)


def _after(chunks: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Skip so many rows."""
    for chunk in chunks:
        if rows >= chunk.num_rows:
            rows -= chunk.num_rows
            continue
        yield chunk.slice(rows)
        rows = 0
