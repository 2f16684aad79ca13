"""Takes the bounds of values out of a catalogue that was in the clear beside its files: they tell what was measured."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from gemel.history.sealed import TOLD

OF_FILES: Final = "ducklake_file_column_stats"
OF_TABLES: Final = "ducklake_table_column_stats"
OURS: Final = "t.table_name LIKE 'raw\\_%' ESCAPE '\\' OR t.table_name LIKE 'roll\\_%' ESCAPE '\\' OR t.table_name LIKE 'pick\\_%' ESCAPE '\\'"


def scrub(catalogue: Path) -> None:
    """Forget the bounds of all columns but those of `TOLD`, and what the file still holds of them; nothing may have it open."""
    if not catalogue.exists():
        return
    names = ", ".join(f"'{n}'" for n in sorted(TOLD))
    with closing(sqlite3.connect(catalogue, timeout=20)) as connection:
        for table in (OF_FILES, OF_TABLES):
            connection.execute(
                f"""
                UPDATE {table} SET min_value = NULL, max_value = NULL, contains_nan = NULL
                WHERE (table_id, column_id) IN (
                    SELECT c.table_id, c.column_id FROM ducklake_column c JOIN ducklake_table t ON t.table_id = c.table_id
                    WHERE ({OURS}) AND c.column_name NOT IN ({names})
                )
                """
            )
        connection.commit()
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
