"""Answers what was measured: lake and hot tail together, read-only, from any process, while the writer writes.

Times are [ns]; ranges are start <= time < end. Nothing is interpolated: a gap is a gap. A tail may hold rows that
are in the lake too: ask the twin for its tail first and the lake after, then no row is missed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.history import catalogue, lake, sought, sql
from gemel.history.ahead import Ahead
from gemel.history.answers import WEIGHTED, Aggregated, Existing, check_intervals, filled
from gemel.history.draw import ALWAYS, History
from gemel.history.files import TIME
from gemel.history.groups import Footers
from gemel.history.holes import Hole
from gemel.history.levels import HOUR, dividing
from gemel.history.lookback import clamped, first_rows, steps
from gemel.history.manifest import Manifest
from gemel.history.order import order
from gemel.history.resolve import distinct, newest, resolved
from gemel.history.session import Session
from gemel.history.stood import Ask, stood
from gemel.history.summary import Span, Summary
from gemel.samples import Batch


class Reader:
    """Reads a lake. Cheap to keep open, sees each commit; calls may come from any thread."""

    def __init__(self, path: Path | str, bounds: lake.Bounds = lake.Bounds()) -> None:  # noqa: B008 - frozen
        self.path = Path(path).absolute()
        self._session = Session(self.path, bounds)
        self._footers = Footers()
        self._ahead = Ahead()

    def raw(
        self, signals: npt.ArrayLike, start: int, end: int, limit: int | None = None, known: int | None = None,
        *, tail: Batch | None = None, corrected: bool = False,
    ) -> Batch:  # fmt: skip
        """Give rows sorted by (signal, time); for one (signal, time) the latest received wins.

        Args:
            signals: registry numbers.
            start: first time [ns].
            end: the time after the last [ns].
            limit: at most so many rows, the first ones.
            known: only what had been received by then [ns].
            tail: rows that may not be in the lake yet.
            corrected: give the rows that were superseded, too; equal rows once.

        """
        wanted = sql.wanted(signals)
        scope = sql.Scope(wanted, start, end, known)

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Batch:
            if corrected:
                query = sql.rows(tables, scope, tail=tail is not None)
                return distinct(_fetch(cursor, query))[:limit]
            if limit is None:
                return newest(_fetch(cursor, sql.rows(tables, scope, tail=tail is not None)))
            if len(wanted) == 1:
                return first_rows(cursor, tables, scope, limit, tail=tail is not None)
            found = resolved(cursor, tables, scope, tail=tail is not None)
            if found.rows is not None:
                return found.rows[:limit]
            query = f"SELECT * FROM ({found.query}) ORDER BY signal, time LIMIT {int(limit)}"
            return _sorted(_fetch(cursor, query))

        return self._session.ask(ask, tail, scope)

    def decimated(
        self, signal: int, start: int, end: int, points: int, *, tail: Batch | None = None
    ) -> Batch:
        """Give at most about 2 x `points` rows of the real ones, such that a trend looks the same.

        Per bucket of time: the first, the last, the lowest and the highest usable row, the worst status, the
        extremes among Bad rows; so a spike of one sample survives. Where there are few rows all are given.
        """
        most = 2 * max(points, 2)
        return self._session.look(
            lambda m: self._history(signal, m, tail).decimated(max(start, -ALWAYS), min(end, ALWAYS), most)
        )

    def aggregated(
        self, signal: int, start: int, end: int, interval_ns: int, aggregate: str,
        *, tail: Batch | None = None, hold_ns: int | None = None,
    ) -> Aggregated:  # fmt: skip
        """Give one aggregate an interval, intervals counted from `start`; raises AssetError for what cannot be.

        Args:
            signal: registry number.
            start: first time [ns].
            end: the time after the last [ns].
            interval_ns: length of an interval [ns].
            aggregate: one of `AGGREGATES`.
            tail: rows that may not be in the lake yet.
            hold_ns: for the time-weighted mean, how long a reading holds at most; None: as the roll-ups took it.

        """
        asked = (aggregate,)
        return self.aggregates(signal, start, end, interval_ns, asked, tail=tail, hold_ns=hold_ns)[aggregate]

    def aggregates(
        self, signal: int, start: int, end: int, interval_ns: int, which: Sequence[str],
        *, tail: Batch | None = None, hold_ns: int | None = None,
    ) -> dict[str, Aggregated]:  # fmt: skip
        """Give several aggregates an interval, as `aggregated` gives one, from one reading of the files."""
        for aggregate in which:
            check_intervals(start, end, interval_ns, aggregate)
        span = Span(start, end, interval_ns, start)

        def look(manifest: Manifest) -> Summary:
            history = self._history(signal, manifest, tail)
            if WEIGHTED in which:
                history = history.holding(hold_ns, start, end)
            return history.summary(span, dividing(interval_ns, start))

        summary = self._session.look(look)
        return {aggregate: filled(summary, start, end, interval_ns, aggregate) for aggregate in which}

    def _history(self, signal: int, manifest: Manifest, tail: Batch | None) -> History:
        mine = Batch.empty() if tail is None else tail.take(tail.signal == signal)
        return History(signal, manifest, self._footers, mine)

    def at(
        self, signals: npt.ArrayLike, at: int, known: int | None = None,
        *, tail: Batch | None = None, back_ns: int | None = None,
    ) -> Batch:  # fmt: skip
        """Give each signal's last row with time <= `at` and received <= `known`; signals without one are left out.

        It looks back in growing steps, so recent rows are found at once. A signal that never had a row makes it look
        through all the history, unless `back_ns` [ns] says how far is enough.
        """
        wanted = sql.wanted(signals)

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Batch:
            found: list[Batch] = []
            missing = wanted
            last = sql.ALWAYS if back_ns is None else at - back_ns
            for start, end in steps(clamped(at, cursor, tables, tail), last):
                scope = sql.Scope(missing, start, end, known)
                sql.register_wanted(cursor, scope)
                found.append(_fetch(cursor, sql.last(sql.rows(tables, scope, tail=tail is not None))))
                missing = np.setdiff1d(missing, found[-1].signal).astype(np.int32)
                if not len(missing):
                    break
            return _sorted(Batch.concat(found))

        return self._session.ask(ask, tail, sql.Scope(wanted, 0, 0))

    def stood(
        self, signals: npt.ArrayLike, at: int, known: int | None = None, *, tail: Batch | None = None
    ) -> Batch:
        """Give each signal's last row with time <= `at` and received <= `known` [ns], and its last usable one.

        The usable ones come first; where the last one is usable it comes twice. Folded in this order they give the
        state that everything up to there gives.
        """
        wanted = sql.wanted(signals)
        return self._session.ask(
            lambda cursor, tables: stood(Ask(cursor, tables, tail), wanted, at, known),
            tail,
            sql.Scope(wanted, 0, 0),
        )

    def received_since(self, received: int, limit: int) -> Batch:
        """Give at most `limit` of the rows that were received at a time [ns] or later, in no order, superseded ones too."""

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Batch:
            scope = sql.Scope(None, sql.ALWAYS, -sql.ALWAYS)
            query = sql.rows(tables, scope, tail=False)
            return _fetch(cursor, f"SELECT * FROM ({query}) WHERE received >= {int(received)} LIMIT {int(limit)}")

        return self._session.ask(ask)

    def existing(self, batch: Batch, *, tail: Batch | None = None) -> Existing:
        """Tell for each row of `batch` what is stored for its signal and time that was received before it."""
        rest = Batch.empty() if tail is None else tail
        return self._session.look(lambda m: sought.existing(batch, m, self._footers, rest, self._ahead))

    def look_ahead(self, batch: Batch) -> None:
        """Read now, in whatever thread this is, what `existing` will be asked about these rows."""
        if len(batch):
            self._session.look(lambda m: sought.look_ahead(batch, m, self._footers, self._ahead))

    def rows_count(
        self, signals: npt.ArrayLike | None = None, start: int | None = None, end: int | None = None
    ) -> int:
        """Count the stored rows, superseded ones too; without bounds no file is read."""
        low, high = sql.ALWAYS if start is None else start, -sql.ALWAYS if end is None else end
        scope = sql.Scope(None if signals is None else sql.wanted(signals), low, high)
        bounded = signals is not None or start is not None or end is not None
        condition = scope.where(TIME, stored=True) if bounded else "true"

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> int:
            counts = (
                cursor.execute(f"SELECT count(*) FROM {t} WHERE {condition}").fetchone() for t in tables
            )
            return sum(int(c[0]) for c in counts if c)

        return self._session.ask(ask, None, scope)

    def latest(self) -> int | None:
        """Give the newest source time stored [ns]; None where nothing is."""

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> int | None:
            bound = catalogue.newest(cursor) if tables else None
            for condition in (f"ms = {bound}", "true"):  # retention may have dropped what set the bound
                found = (
                    cursor.execute(f"SELECT max({TIME}) FROM {t} WHERE {condition}").fetchone()
                    for t in tables
                )
                times = [int(f[0]) for f in found if f and f[0] is not None]
                if times:
                    return max(times)
            return None

        return self._session.ask(ask)

    def holes(self, signals: npt.ArrayLike, start: int, end: int) -> list[Hole]:
        """Give what damage took of some signals' readings with start <= time < end [ns]: spans in which rows may be missing.

        Ask it after the rows: a file that was found broken on the way is then among them.
        """
        wanted = sql.wanted(signals)
        return self._session.look(lambda m: [h for h in m.holes if h.meets(wanted, start, end)])

    def files(self) -> list[Path]:
        """Give the files of the newest version; others wait to be deleted."""
        return self._session.look(lambda m: [f.path for kind in m.files.values() for f in kind.stored])

    def rolled_up_to(self) -> int | None:
        """Give the time up to which hours are rolled up [ns]; None where none is. Late rows may have changed some since."""
        reached = self._session.look(lambda manifest: manifest.rolled.upto)
        return None if reached is None else reached * HOUR

    def close(self) -> None:
        """Close the lake; a second call does nothing."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sorted(batch: Batch) -> Batch:
    return batch.take(order(batch))


def _fetch(cursor: duckdb.DuckDBPyConnection, query: str) -> Batch:
    return Batch.from_arrow(cursor.execute(query).to_arrow_table())
