"""What the catalogue says of its files, read from DuckLake's own tables (DuckLake specification 1.0, "Tables")."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from gemel.history import lake, sealed

META: Final = "__ducklake_metadata_lake"


@dataclass(frozen=True)
class Stored:
    """A file that a reader sees now; first and last: bounds of its rows' time [ms], low and high: of their signals."""

    table: str
    path: Path
    rows: int
    size: int
    first: int
    last: int
    low: int = 0
    high: int = 2**31 - 1
    id: int = 0


def live(connection: duckdb.DuckDBPyConnection, folder: Path, prefix: str = lake.PREFIX) -> list[Stored]:
    """Give all files of the tables whose names begin so, oldest first."""
    return sorted(
        (f for f in stored(connection, folder) if f.table.startswith(prefix)), key=lambda f: (f.first, f.id)
    )


def stored(connection: duckdb.DuckDBPyConnection, folder: Path, after: int = -1) -> list[Stored]:
    """Give the live files of samples and roll-ups, by their number; only those numbered above `after`."""
    rows = connection.execute(
        f"""
        SELECT t.table_name, f.path, f.record_count, f.file_size_bytes, m.min_value::BIGINT, m.max_value::BIGINT,
               s.min_value::BIGINT, s.max_value::BIGINT, f.data_file_id
        FROM {META}.ducklake_data_file f
        JOIN {META}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
        JOIN {META}.ducklake_column c ON c.table_id = f.table_id AND c.column_name = 'ms' AND c.end_snapshot IS NULL
        JOIN {META}.ducklake_file_column_stats m ON m.data_file_id = f.data_file_id AND m.column_id = c.column_id
        JOIN {META}.ducklake_column d ON d.table_id = f.table_id AND d.column_name = 'signal' AND d.end_snapshot IS NULL
        JOIN {META}.ducklake_file_column_stats s ON s.data_file_id = f.data_file_id AND s.column_id = d.column_id
        WHERE f.end_snapshot IS NULL AND f.data_file_id > {int(after)}
        ORDER BY f.data_file_id
        """
    ).fetchall()
    return [Stored(t, folder / t / p, *map(int, numbers)) for t, p, *numbers in rows]


def newest(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Give a bound no row is newer than [ms], None for an empty lake; it does not sink when files are dropped."""
    row = connection.execute(
        f"""
        SELECT max(s.max_value::BIGINT) FROM {META}.ducklake_table_column_stats s
        JOIN {META}.ducklake_table t ON t.table_id = s.table_id AND t.end_snapshot IS NULL
        JOIN {META}.ducklake_column c ON c.table_id = s.table_id AND c.column_id = s.column_id AND c.column_name = 'ms'
        WHERE starts_with(t.table_name, '{lake.PREFIX}') AND c.end_snapshot IS NULL
        """
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def drop(connection: duckdb.DuckDBPyConnection, files: Iterable[Stored]) -> int:
    """Take whole files out of their tables, within the caller's transaction; gives how many rows went."""
    gone = 0
    for table, paths, first, last in _by_table(files):
        names = ", ".join(lake.quoted(sealed.address(p)) for p in paths)
        row = connection.execute(
            f"DELETE FROM lake.{table} WHERE ms BETWEEN {first} AND {last} AND filename IN ({names})"
        ).fetchone()
        gone += int(row[0]) if row else 0
    return gone


def _by_table(files: Iterable[Stored]) -> list[tuple[str, list[Path], int, int]]:
    groups: dict[str, list[Stored]] = {}
    for file in files:
        groups.setdefault(file.table, []).append(file)
    return [
        (t, [f.path for f in g], min(f.first for f in g), max(f.last for f in g)) for t, g in groups.items()
    ]


def version(connection: duckdb.DuckDBPyConnection) -> int:
    """Give the version of the lake that the transaction under way reads."""
    row = connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    return int(row[0]) if row else 0


def oldest(connection: duckdb.DuckDBPyConnection) -> int:
    """Give the oldest version of the lake that is not given up; an older one reads as if files were missing."""
    row = connection.execute(f"SELECT min(snapshot_id) FROM {META}.ducklake_snapshot").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def forget(connection: duckdb.DuckDBPyConnection, grace_s: float) -> int:
    """Give up former versions and delete the files that only they named; gives how many were deleted.

    A version goes `grace_s` [s] after it was superseded, so that a slow query still finds what it began to read.
    """
    old = connection.execute(
        f"""
        SELECT snapshot_id FROM (
            SELECT snapshot_id, lead(snapshot_time::TIMESTAMPTZ) OVER (ORDER BY snapshot_id) AS superseded
            FROM {META}.ducklake_snapshot
        ) WHERE superseded <= now() - to_microseconds({int(grace_s * 1e6)})
        """
    ).fetchall()
    if old:  # by number: `older_than` compares texts of different forms in a SQLite catalogue, and takes all of today
        versions = ", ".join(str(int(v)) for (v,) in old)
        connection.execute(f"CALL ducklake_expire_snapshots('lake', versions => [{versions}])")
    gone = connection.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)").fetchall()
    _forget_inlined(connection)
    return len(gone)


def _forget_inlined(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the former rows of `progress`: they are kept in the catalogue itself, and DuckLake leaves them there."""
    last = oldest(connection)
    for (name,) in connection.execute(
        f"SELECT table_name FROM {META}.ducklake_inlined_data_tables"
    ).fetchall():
        connection.execute(f'DELETE FROM {META}."{name}" WHERE end_snapshot <= {last}')


def keep_rows_in_files(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Have DuckLake end a file whose rows are all deleted, however few: it notes up to ten deleted rows elsewhere else.

    Such a file stayed live, and was merged again and again without end.
    """
    connection.execute(f"CALL lake.set_option('data_inlining_row_limit', 0, table_name => '{table}')")


def end_emptied(connection: duckdb.DuckDBPyConnection) -> None:
    """End the files whose rows were deleted without ending them, as gemel 0.1.0 did with files of up to ten rows."""
    raw = f"""
        SELECT DISTINCT table_id FROM {META}.ducklake_table
        WHERE end_snapshot IS NULL AND starts_with(table_name, '{lake.PREFIX}')
    """
    for (table,) in connection.execute(raw).fetchall():
        notes = f"{META}.ducklake_inlined_delete_{table}"
        with suppress(duckdb.CatalogException):  # there is one only where it was needed
            _end_emptied(connection, notes)


def _end_emptied(connection: duckdb.DuckDBPyConnection, notes: str) -> None:
    emptied = f"""
        SELECT f.data_file_id, max(n.begin_snapshot) FROM {META}.ducklake_data_file f
        JOIN {notes} n ON n.file_id = f.data_file_id
        WHERE f.end_snapshot IS NULL GROUP BY f.data_file_id, f.record_count HAVING count(*) = f.record_count
    """
    for file, ended in connection.execute(emptied).fetchall():
        connection.execute(
            f"UPDATE {META}.ducklake_data_file SET end_snapshot = {ended} WHERE data_file_id = {file}"
        )
        connection.execute(f"DELETE FROM {notes} WHERE file_id = {file}")


def named(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Give the names of all files that some version of the lake names."""
    return {
        str(row[0]).rsplit("/", 1)[-1]
        for table in ("ducklake_data_file", "ducklake_delete_file", "ducklake_files_scheduled_for_deletion")
        for row in connection.execute(f"SELECT path FROM {META}.{table}").fetchall()
    }


def sweep(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Delete those of some files that no version of the lake names: torn, or left by a crash before its commit."""
    known = named(connection)
    for path in files:
        if path.name not in known:
            path.unlink(missing_ok=True)
