"""A transaction of the history's catalogue."""

import duckdb

from gemel.history import lake


class Transaction:
    """All or nothing on one connection; raises StorageError where the disk does not take it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, doing: str) -> None:
        self._connection = connection
        self._doing = doing

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        except duckdb.Error as failed:
            if kind is None:
                raise lake.storage_error(failed, self._doing) from failed
        if isinstance(error, duckdb.Error):
            raise lake.storage_error(error, self._doing) from error
