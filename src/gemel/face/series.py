"""What was measured, as a twin is asked for it: readings, signals side by side, files of both; and what is missing of them."""

from collections.abc import Sequence
from typing import Any, Literal

import pyarrow as pa

from gemel.face.asks import Asks, Paths, at_text, span_text
from gemel.face.instants import Instant, Span, instant, span
from gemel.face.missing import together
from gemel.face.table import Table
from gemel.face.transport import Answer


class Series(Asks):
    """The part of a twin that gives its history. Where damage took readings, the table says so under `missing`."""

    def history(
        self, signals: Paths, start: Instant | None = None, end: Instant | None = None, *, points: int | None = None,
        every: Span | None = None, aggregate: str = "mean", known: Instant | None = None, lane: str | None = None,
    ) -> Table:  # fmt: skip
        """Give what was measured: signal, unit, time, value, status, a row a reading.

        Args:
            signals: which.
            start: first time; an hour before the end, if left out.
            end: the time after the last; now, if left out.
            points: decimated as for a trend so many pixels wide: spikes stay.
            every: one value an interval, by `aggregate` (mean, time_weighted_mean, min, max, count, last, worst).
            aggregate: with `every`.
            known: only what had been received by then.
            lane: of these properties; measured, if left out.

        >>> import gemel
        >>> gemel.open("examples/water-loop").history("rig/flow", "2020-03-09", "2020-03-10").columns
        ['signal', 'unit', 'time', 'value', 'status', 'received', 'sigma']
        """
        asked: dict[str, Any] = {"start": at_text(start), "end": at_text(end), "lane": lane}
        if points is None and every is None:
            return self._table("/history/export", signal=signals, known=at_text(known), **asked)
        asked |= {"points": points} if every is None else {"interval": span(every), "aggregate": aggregate}
        found = [self._table("/history", signal=s, **asked) for s in self.paths(signals, lane)]
        return Table(pa.concat_tables([t.arrow for t in found]), missing=together(t.missing for t in found))

    def aligned(
        self, signals: Paths, start: Instant | None = None, end: Instant | None = None, *, every: Span | None = None,
        at: Sequence[Instant] | None = None, on: str | None = None, how: Literal["last", "linear", "mean"] = "last",
        tolerance: Span | None = None, lane: str | None = None,
    ) -> Table:  # fmt: skip
        """Give signals side by side at common times: ``time``, and for each signal its value and ``NAME.status``.

        Args:
            signals: which; a column is called as it was asked for, where that named one signal.
            start: first time; an hour before the end, if left out.
            end: the time after the last; now, if left out.
            every: a row each, from `start` on.
            at: a row at each of these times.
            on: a row at each reading of this signal: an as-of join.
            how: ``last`` (the newest usable reading), ``linear`` (between two), ``mean`` (of each interval of `every`).
            tolerance: how long a reading holds; each signal's `stale_after`, if left out.
            lane: of these properties; measured, if left out.

        >>> import gemel
        >>> twin = gemel.open("examples/water-loop")
        >>> twin.aligned(["flow", "pressure"], "2020-03-09", "2020-03-10", every="6h")
        <4 rows: time, flow, flow.status, pressure, pressure.status>
        """
        times = None if at is None else [instant(t) for t in at]
        return self._table(
            "/history/aligned", signal=signals, start=at_text(start), end=at_text(end), every=span_text(every), at=times, on=on, how=how,
            tolerance=span_text(tolerance), lane=lane,
        )  # fmt: skip

    def export(
        self,
        signals: Paths,
        start: Instant | None,
        end: Instant | None,
        form: str,
        *,
        lane: str | None = None,
    ) -> Answer:
        """Give every reading as a file in pieces: ``csv``, ``parquet`` or ``arrow``; any length, in bounded memory."""
        return self.pieces("/history/export", signals, (start, end), form, lane=lane)

    def pieces(
        self,
        path: str,
        signals: Paths,
        between: tuple[Instant | None, Instant | None],
        form: str,
        **query: Any,
    ) -> Answer:
        """Give a table of signals' history, as the API has it under a path, as a file in pieces."""
        spans = {name: span_text(query.pop(name, None)) for name in ("every", "tolerance")}
        start, end = (at_text(t) for t in between)
        return self._transport.get(
            path, {"signal": signals, "start": start, "end": end, "format": form, **spans, **query}
        )

    def paths(self, signals: Paths, lane: str | None = None) -> list[str]:
        """Give the paths of the signals that are meant; raises NotFoundError for what means none."""
        return [item["path"] for item in self._pages("/signals", None, signal=signals, lane=lane)]
