"""Opens a DuckLake: DuckDB with its extensions from the wheels, a SQLite catalogue in WAL, Parquet beside it.

<path>/catalogue.sqlite   what files there are; progress; format        (one writer, many readers)
<path>/files/main/…       Parquet, one folder a table
<path>/writer.lock        held by the writer
<path>/scratch            where DuckDB spills
"""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from gemel.errors import ConfigError, StorageError
from gemel.history import sealed

FORMAT: Final = 3  # raised with every change of what is stored; a newer one is refused with words
FORMER: Final = (1, 2)  # 1: without roll-ups; 2: without `sigma`. Read as they are; the writer brings them up to date when it opens
PREFIX: Final = "raw_"
CATALOGUE: Final = "catalogue.sqlite"
NO_SPACE: Final = re.compile(
    r"no space left|disk (is )?full|quota exceeded|could not write all|file too large|disk i/o error",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Bounds:
    """How much of the machine one connection may take.

    Args:
        threads: DuckDB's worker threads.
        memory: DuckDB's own notation, such as ``1GB``; beyond it, it spills to ``scratch``.
        busy_ms: how long to wait for the catalogue while another process holds it [ms].

    """

    threads: int = 2
    memory: str = "1GB"
    busy_ms: int = 10_000


def extension(name: str) -> Path:
    """Give the file of a DuckDB extension that came with a wheel; raises ConfigError."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    roots = [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
    for root in roots:
        file = root / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if file.is_file():
            return file
    raise ConfigError(
        f"the DuckDB extension {name} for DuckDB {duckdb.__version__} is not installed",
        code="history-extension",
        remedy=f"pip install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}",
    )


def quoted(text: str | Path) -> str:
    """Give a text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def connect(path: Path, *, read_only: bool, bounds: Bounds) -> duckdb.DuckDBPyConnection:
    """Open the lake under `path` as the database ``lake`` of a fresh in-memory DuckDB."""
    settings: Mapping[str, str | int | bool] = {
        "threads": bounds.threads,
        "memory_limit": bounds.memory,
        "extension_directory": str(path / "scratch" / "extensions"),
        "temp_directory": str(path / "scratch"),
        "autoinstall_known_extensions": False,  # nothing is fetched from a network, ever
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=dict(settings))
    try:
        for name in ("ducklake", "sqlite_scanner"):
            connection.execute(f"LOAD {quoted(extension(name))}")
        connection.execute("SET TimeZone = 'UTC'")
        sealed.let_in(connection, path)
        access = "READ_ONLY" if read_only else "META_JOURNAL_MODE 'WAL'"
        connection.execute(
            f"ATTACH {quoted(f'ducklake:sqlite:{path / CATALOGUE}')} AS lake "
            f"(DATA_PATH {quoted(sealed.address(path / 'files'))}, OVERRIDE_DATA_PATH true, META_BUSY_TIMEOUT {bounds.busy_ms}, {access})"
        )
    except duckdb.Error as error:
        connection.close()
        raise storage_error(error, "open the history") from error
    except BaseException:
        connection.close()
        raise
    return connection


def check_format(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise StorageError where the lake was written by a newer gemel."""
    row = connection.execute("SELECT max(version) FROM lake.format").fetchone()
    found = int(row[0]) if row and row[0] is not None else 0
    if found not in (FORMAT, *FORMER):
        raise StorageError(
            f"the history has data format {found}; this gemel reads and writes format {FORMAT}",
            code="history-format",
            remedy="use the version of gemel that wrote it, or a newer one",
        )


def relations(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give what raw tables are read from, each with a column `sigma`; those of former formats have none yet."""
    told = _with_sigma(connection)
    return [f"lake.{t}" if t in told else f"(SELECT *, NULL::FLOAT AS sigma FROM lake.{t})" for t in tables(connection)]


def add_sigma(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the raw tables of former formats a column `sigma`."""
    told = _with_sigma(connection)
    for table in tables(connection):
        if table not in told:
            connection.execute(f"ALTER TABLE lake.{table} ADD COLUMN sigma FLOAT")


def _with_sigma(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE database_name = 'lake' AND column_name = 'sigma'"
    ).fetchall()
    return {str(r[0]) for r in rows}


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give the names of the raw tables, one a retention class."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND starts_with(table_name, ?) ORDER BY 1",
        [PREFIX],
    ).fetchall()
    return [str(r[0]) for r in rows]


def table_of(retention: str, prefix: str = PREFIX) -> str:
    """Give the table of a retention class; what is not a lower-case letter or digit is spelt by its code point.

    >>> table_of("default"), table_of("30-days")
    ('raw_default', 'raw_30_2d_days')
    """
    return prefix + re.sub(r"[^a-z0-9]", lambda odd: f"_{ord(odd[0]):x}_", retention)


def storage_error(error: Exception, doing: str) -> StorageError:
    """Put DuckDB's or the system's error into words an administrator can act on."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if NO_SPACE.search(str(error)):
        return StorageError(
            f"could not {doing}: the disk is full, or does not write ({text})", code="disk-full",
            remedy="free space on the disk of the data directory; nothing stored is harmed, and writing goes on by itself",
        )  # fmt: skip
    return StorageError(
        f"could not {doing}: {text}",
        code="history",
        remedy="see `gemel doctor`",
        context={"error": str(error)},
    )
