"""What was measured, as columns: all of it, decimated for drawing, or one value an interval."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.history.formats import MEDIA, SCHEMA, Long
from gemel.history.walk import Walk
from gemel.samples import LANES, Batch
from gemel.samples.clock import SECOND
from gemel.serve import export, streams, times
from gemel.serve.access import Asked, Viewer
from gemel.serve.gaps import BAD_NO_DATA, Told, with_gaps
from gemel.serve.missing import BAD_DATA_LOST, Missing, headed, lost_intervals, told, with_holes
from gemel.serve.names import Names
from gemel.serve.paging import json
from gemel.serve.port import Twin
from gemel.serve.port_missing import Hole
from gemel.serve.spans import Span

router = APIRouter(tags=["history"])
MOST_ROWS: Final = 100_000
MOST_INTERVALS: Final = 100_000
DEFAULT_NS: Final = 3600 * SECOND
BUCKETS_A_GAP: Final = 3  # decimated rows stand up to two buckets apart without a gap; less is not to be seen
Aggregate = Literal["mean", "time_weighted_mean", "min", "max", "count", "last", "worst"]
Lane = Literal["override", "measured", "estimated", "simulated"]
assert set(LANES) == set(Lane.__args__)  # type: ignore[attr-defined]


class History(BaseModel):
    """Columns of equal length; a row without a value is a gap."""

    signal: str
    unit: str
    start: times.Written
    end: times.Written
    mode: Literal["raw", "decimated", "aggregated"]
    time: list[float] = Field(description="Seconds since 1970 UTC.")
    value: list[float | None]
    status: list[int] = Field(description="OPC UA StatusCodes; of an interval, the worst.")
    sigma: list[float | None] | None = Field(
        default=None, description="Standard uncertainty of each value, in its unit; left out where none is known."
    )
    rows: int = Field(description="How many readings or intervals, gaps not counted.")
    next: times.Written | None = Field(description="Where more is left: the `start` to go on from.")
    missing: list[Missing] = Field(description="Spans in which readings may be missing because files were damaged.")


PLAIN: Final = {
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        **{MEDIA[form]: {"schema": {"type": "string", "format": "binary"}} for form in ("parquet", "arrow")},
    },
    "description": "Columns, as JSON, CSV, Parquet or an Arrow stream.",
}
BRIEF: Final = pa.schema([f for f in SCHEMA if f.name != "received"])


@router.get("/history", response_model=History, responses={200: PLAIN})
async def history(
    request: Request, _: Viewer, twin: Asked,
    signal: Annotated[str, Query(max_length=500, description="Path of a signal.")],
    start: Annotated[times.Instant | None, Query(description="First time; an hour before the end, if left out.")] = None,
    end: Annotated[times.Instant | None, Query(description="The time after the last; now, if left out.")] = None,
    points: Annotated[int | None, Query(ge=2, le=20_000, description="Decimate for so many pixels.")] = None,
    interval: Annotated[Span | None, Query(description="One value each, such as 60s.")] = None,
    aggregate: Annotated[Aggregate, Query(description="With `interval`.")] = "mean",
    known: Annotated[times.Instant | None, Query(description="Raw only: what had been received by then.")] = None,
    lane: Annotated[Lane | None, Query(description="Measured, if left out.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="Raw only: most rows in one answer.")] = MOST_ROWS,
    format: Annotated[Literal["json", "csv", "parquet", "arrow"] | None, Query(description="As the Accept header says, if left out; else JSON.")] = None,  # noqa: A002 - the face's own word
) -> Response:  # fmt: skip
    """Give the history of a signal."""
    names: Names = request.app.state.names
    number = names.number(signal, lane)
    end_ns = twin.values.plant_time + 1 if end is None else end
    start_ns = end_ns - DEFAULT_NS if start is None else start
    asked = _Asked(twin, names, number, start_ns, end_ns)
    form = format or streams.wanted(request.headers.get("accept", ""), ("json", "csv", "parquet", "arrow"))
    table = Long([number], [names.registry.paths[number]], [names.units[number]])
    whole = interval is None and points is None
    if whole and form in ("parquet", "arrow"):
        found = streams.rows(twin, Walk([number], start_ns, end_ns), known)
        answer = await streams.response(export.file_name(signal), form, SCHEMA, streams.mapped(table, found))
        return await headed(answer, twin, [number], (start_ns, end_ns))
    if whole and form == "csv":
        answer = export.response(signal, await export.raw(twin, number, start_ns, end_ns, known))
        return await headed(answer, twin, [number], (start_ns, end_ns))
    if interval is not None:
        mode = "aggregated"
        (time, value, status, sigma), more = await asked.aggregated(interval, aggregate)
    elif points is not None:
        mode, (time, value, status, sigma), more = "decimated", await asked.decimated(points), None
    else:
        mode = "raw"
        (time, value, status, sigma), more = await asked.raw(limit, known)
    if form == "csv":
        answer = export.response(signal, export.once((time, value, status, sigma)))
        return await headed(answer, twin, [number], (start_ns, end_ns))
    if form in ("parquet", "arrow"):
        rows = Batch(np.full(len(time), number, np.int32), time, np.zeros(len(time), np.int64), value, status, sigma=sigma)
        piece = table(rows).select(BRIEF.names)
        answer = await streams.response(export.file_name(signal), form, BRIEF, streams.one(piece))
        return await headed(answer, twin, [number], (start_ns, end_ns))
    answer = json(
        {"signal": signal, "unit": names.units[number], "start": times.text(start_ns), "end": times.text(end_ns), "mode": mode,
         "time": time / SECOND, "value": value, "status": status, "rows": int(np.count_nonzero(~np.isin(status, (BAD_NO_DATA, BAD_DATA_LOST)))),
         "next": times.text(more), "missing": told(await asked.holes()),
         **({} if sigma is None or np.isnan(sigma).all() else {"sigma": sigma})}
    )  # fmt: skip
    return await headed(answer, twin, [number], (start_ns, end_ns))


class _Asked:
    """One question for history; an empty range has an empty answer."""

    def __init__(self, twin: Twin, names: Names, number: int, start: int, end: int) -> None:
        self._twin, self._names, self._number, self._start, self._end = twin, names, number, start, end

    async def raw(self, limit: int, known: int | None) -> tuple[Told, int | None]:
        if self._start >= self._end:
            return _EMPTY, None
        rows = await self._twin.history_raw(self._number, self._start, self._end, limit, known)
        more = int(rows.time[-1]) + 1 if len(rows) >= limit else None
        columns = with_gaps(rows.time, rows.value, rows.status, rows.sigma, self._names.gap_ns(self._number))
        return await self._holed(columns, self._end if more is None else more), more

    async def decimated(self, points: int) -> Told:
        if self._start >= self._end:
            return _EMPTY
        rows = await self._twin.history_decimated(self._number, self._start, self._end, points)
        bucket = (self._end - self._start) // max(points // 2, 1)
        gap = self._names.gap_ns(self._number)
        columns = with_gaps(rows.time, rows.value, rows.status, rows.sigma, max(gap, BUCKETS_A_GAP * bucket) if gap else gap)
        return await self._holed(columns, self._end)

    async def aggregated(self, interval: int, aggregate: str) -> tuple[Told, int | None]:
        if self._start >= self._end:
            return _EMPTY, None
        end = min(self._end, self._start + MOST_INTERVALS * interval)
        found = await self._twin.history_aggregated(self._number, self._start, end, interval, aggregate)
        empty = np.isnan(found.values) & (found.worst == 0)
        status = np.where(empty, np.uint32(BAD_NO_DATA), found.worst).astype(np.uint32)
        status = lost_intervals(found.times, interval, status, await self.holes())
        return (found.times, found.values, status, None), end if end < self._end else None

    async def holes(self) -> Sequence[Hole]:
        """Give what damage took of what is asked for."""
        return await self._twin.history_holes([self._number], self._start, self._end)

    async def _holed(self, columns: Told, end: int) -> Told:
        holes = [h for h in await self.holes() if h.start < end]
        return with_holes(columns, holes, (self._start, end)) if holes else columns


_EMPTY: Final[Told] = (np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint32), None)
