"""Merges small files into large ones, so that a query opens few. Files merge only within a span of days.

Which merge next is decided by `plan`, a pure function: like-sized files, a dozen at a time, so that each row is
rewritten seldom (P. O'Neil et al., "The Log-Structured Merge-Tree", 1996; the tiered form); in spans that are over,
whatever is left. `merge` does it, slice by slice of signals, in bounded memory.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa

from gemel.history import files, groups, lake, rollfile, sealed
from gemel.history.catalogue import Stored
from gemel.history.levels import PICK, Level, level_of
from gemel.history.order import order
from gemel.history.quantise import Grids
from gemel.history.rollfile import PICKS, ROLLS
from gemel.history.settled import latest
from gemel.samples import Batch
from gemel.samples.clock import DAY

FAN: Final = 12  # like-sized files to a merge
BASE: Final = 1_000  # rows of the smallest tier
LARGEST: Final = 16_000_000  # rows of a file; beyond it `received` no longer packs across signals
SLICE: Final = 1_000_000  # rows in memory at a time
LONG: Final = 4 * SLICE  # rows of one signal that are still held at once
DAY_MS: Final = DAY // files.MS
EVERYTHING: Final = groups.Wanted(0, 2**31 - 1, -(2**62), 2**62)

Parts: TypeAlias = Generator[pa.Table, None, None]  # tables of one schema, each sorted after the one before


def plan(live: Sequence[Stored]) -> list[Stored]:
    """Give the files to merge next, or none."""
    newest = max((f.last // DAY_MS for f in live), default=0)
    groups: dict[tuple[str, int, int], list[Stored]] = {}
    for file in live:
        groups.setdefault((file.table, *_span(file)), []).append(file)
    for (_, _, last_day), group in sorted(groups.items()):
        chosen = _tier(group) or (_rest(group) if last_day < newest else [])
        if len(chosen) > 1:
            return chosen
    return []


def _span(file: Stored) -> tuple[int, int]:
    """Give first and last day of the span that a file may cover, as `files.spans` or its level cut it."""
    first, last = file.first // DAY_MS, file.last // DAY_MS
    level = level_of(file.table)
    if level is not None:
        return first // level.span * level.span, first // level.span * level.span + level.span - 1
    if first == last:
        return first, last
    start = first // files.LONG_SPAN * files.LONG_SPAN
    return start, start + files.LONG_SPAN - 1


def _tier(group: Sequence[Stored]) -> list[Stored]:
    """Give a dozen files of one tier, with the smaller ones there are, as long as they make no giant."""
    by_tier: dict[int, list[Stored]] = {}
    for file in group:
        if file.rows * 2 <= LARGEST:
            by_tier.setdefault(int(math.log(max(file.rows, BASE) / BASE, FAN)), []).append(file)
    for tier in sorted(by_tier):
        if len(by_tier[tier]) >= FAN:
            return _fitting([f for t in sorted(by_tier) if t <= tier for f in by_tier[t]])
    return []


def _rest(group: Sequence[Stored]) -> list[Stored]:
    """Give the smaller files of a span that is over, leaving out one that is large beside all of them."""
    chosen: list[Stored] = []
    total = 0
    for file in sorted(group, key=lambda f: f.rows):
        if len(chosen) > 1 and file.rows > 4 * total:
            break
        chosen.append(file)
        total += file.rows
    if len(chosen) == 2 and chosen[1].rows > 4 * chosen[0].rows:  # one late straggler: wait for more of them
        return []
    return _fitting(chosen)


def _fitting(group: Sequence[Stored]) -> list[Stored]:
    rows = np.cumsum([f.rows for f in group])
    return list(group[: max(int(np.searchsorted(rows, LARGEST, side="right")), 0)])


def merge(group: Sequence[Stored], folder: Path, bounds: lake.Bounds) -> files.Written:
    """Write the rows of some files of one table into one file; all inputs stay as they are.

    Of roll-ups only those are written that are not made anew by another file of the group.
    """
    table = group[0].table
    level = level_of(table)
    if level is not None:
        schema = PICKS if table.startswith(PICK) else ROLLS
        form = rollfile.options(schema), rollfile.ROW_GROUP
        return _written(_rolls(group, level, schema), folder, table, *form)
    footers = groups.Footers(len(group))
    if groups.longest([footers.of(f.path) for f in group]) > LONG:
        return _written(_cut(group, folder, bounds, _told(group, footers)), folder, table)
    return _written(_readings(group, footers), folder, table)


def _written(parts: Parts, folder: Path, table: str, *form: Any) -> files.Written:
    """Write parts into one file, of the form that `FileWriter` is told; on an error nothing is left behind."""
    writer: files.FileWriter | None = None
    try:
        with closing(parts):
            for part in parts:
                writer = writer or files.FileWriter(folder / table, part, *form)
                writer.write(part)
        assert writer is not None
        return writer.finish(table)
    except BaseException as error:
        if writer is not None:
            writer.discard()
        if isinstance(error, OSError | duckdb.Error):
            raise lake.storage_error(error, "merge files of the history") from error
        raise


def _readings(group: Sequence[Stored], footers: groups.Footers) -> Parts:
    """Put the stored columns together as they are, signal after signal: nothing is decoded into values and back."""
    schema = files.SCHEMA if _told(group, footers) else files.PLAIN
    for tables in groups.sliced(group, EVERYTHING, schema.names, footers):
        rows = _stored(tables, schema)
        yield rows.take(pa.array(order(_keys(rows))))


def _told(group: Sequence[Stored], footers: groups.Footers) -> bool:
    """Tell whether a file of a group knows how uncertain its values are."""
    return any("sigma" in footers.of(f.path).places for f in group)


def _stored(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Give all stored columns, those too that were left unread because they are nought, or nothing."""
    table = pa.concat_tables(tables, promote_options="default")
    columns = []
    for field in schema:
        there = field.name in table.column_names
        column = table.column(field.name) if there else pa.nulls(len(table), field.type)
        nought = field.name in files.CONSTANT
        columns.append(column.fill_null(pa.scalar(0).cast(field.type)) if nought else column)
    return pa.Table.from_arrays(columns, schema=schema)


def _keys(rows: pa.Table) -> Batch:
    """Give what rows are sorted by; they have no values."""
    nothing = np.zeros(0)
    received = groups.column(rows, "received")
    return Batch(groups.column(rows, "signal"), groups.times(rows), received, nothing, nothing.astype(np.uint32))


def _cut(group: Sequence[Stored], folder: Path, bounds: lake.Bounds, told: bool) -> Parts:
    """Give the rows of files in which a signal has more of them than memory is to hold: it is cut by time."""
    ordered = sorted(group, key=lambda f: f.first)
    source = f"read_parquet([{', '.join(lake.quoted(sealed.address(f.path)) for f in ordered)}], union_by_name => true)"
    grids = Grids()
    with duckdb.connect(
        ":memory:", config={"threads": bounds.threads, "memory_limit": bounds.memory}
    ) as connection:
        sealed.let_in(connection, folder)
        for condition in _slices(connection, source):
            rows = _read(connection, source, condition, grids, told)
            yield files.whole(rows) if told else rows


def _rolls(group: Sequence[Stored], level: Level, schema: pa.Schema) -> Parts:
    """Put the roll-ups together that are not made anew by another file, signal after signal."""
    for tables in groups.sliced(group, EVERYTHING, schema.names, groups.Footers(len(group))):
        rows = rollfile.whole(latest(tables, EVERYTHING, level), schema)
        yield rows.take(pa.array(np.lexsort((groups.times(rows), groups.column(rows, "signal")))))


def _read(connection: duckdb.DuckDBPyConnection, source: str, condition: str, grids: Grids, told: bool) -> pa.Table:
    table = connection.execute(
        f"SELECT signal, {files.TIME} AS time, received, {files.VALUE} AS value, status, late{', sigma' if told else ''} "
        f"FROM {source} WHERE {condition}"
    ).to_arrow_table()
    batch, late = Batch.from_arrow(table), table["late"].to_numpy()
    rows = order(batch)
    return files.to_table(batch.take(rows), late[rows], grids)


def _slices(connection: duckdb.DuckDBPyConnection, source: str) -> Iterator[str]:
    """Cut the rows into slices of about `SLICE`, in order: by signal, and by time where one signal has more."""
    found = connection.execute(
        f"SELECT signal, count(*) AS n, min(ms) AS first, max(ms) AS last FROM {source} GROUP BY 1 ORDER BY 1"
    ).fetchnumpy()
    start = 0
    signal, n = found["signal"], found["n"]
    while start < len(signal):
        end = start + max(int(np.searchsorted(np.cumsum(n[start:]), SLICE, side="right")), 1)
        inside = f"signal BETWEEN {signal[start]} AND {signal[end - 1]}"
        parts = -(-int(n[start]) // (4 * SLICE)) if end == start + 1 else 1
        edges = np.linspace(int(found["first"][start]), int(found["last"][start]) + 1, parts + 1).astype(
            np.int64
        )
        for low, high in pairwise(edges):
            yield inside if parts == 1 else f"{inside} AND ms >= {low} AND ms < {high}"
        start = end
