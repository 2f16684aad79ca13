"""History of many signals: as a file of readings, and side by side at common times."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.history.aligned import Aligned, Alignment
from gemel.history.export import CSV
from gemel.history.formats import MEDIA, SCHEMA, Long
from gemel.history.walk import Walk
from gemel.samples.clock import SECOND
from gemel.samples.select import Selected, select
from gemel.serve import streams, times
from gemel.serve.access import Asked, Viewer
from gemel.serve.missing import headed
from gemel.serve.names import Names
from gemel.serve.paging import json
from gemel.serve.port import Twin
from gemel.serve.routes.history import DEFAULT_NS, Lane
from gemel.serve.spans import Span

router = APIRouter(tags=["history"])
MOST_SIGNALS: Final = 1000
MOST_CELLS: Final = 400_000  # values in one JSON answer
Signals = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=500)]],
    Query(min_length=1, max_length=MOST_SIGNALS, description="Paths, their last parts, or patterns with `*`."),
]
Start = Annotated[times.Instant | None, Query(description="First time; an hour before the end, if left out.")]
End = Annotated[times.Instant | None, Query(description="The time after the last; now, if left out.")]
OnLane = Annotated[Lane | None, Query(description="Measured, if left out.")]


def _files(*more: str) -> dict[int | str, dict[str, Any]]:
    binary = {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()}
    return {200: {"content": {**binary, **{media: {} for media in more}}, "description": "The table."}}


def _range(twin: Twin, start: int | None, end: int | None) -> tuple[int, int]:
    until = twin.values.plant_time + 1 if end is None else end
    return (until - DEFAULT_NS if start is None else start), until


@router.get("/history/export", response_class=Response, responses=_files())
async def export(
    request: Request, _: Viewer, twin: Asked, signal: Signals, start: Start = None, end: End = None, lane: OnLane = None,
    known: Annotated[times.Instant | None, Query(description="What had been received by then.")] = None,
    format: Annotated[Literal["csv", "parquet", "arrow"] | None, Query(description="As the Accept header says, if left out; else CSV.")] = None,  # noqa: A002 - the face's own word
) -> Response:  # fmt: skip
    """Give every reading of some signals as a file, by signal and time, however long."""
    names: Names = request.app.state.names
    chosen = [s.signal for s in select(names.registry, signal, lane)]
    since, until = _range(twin, start, end)
    form = format or streams.wanted(request.headers.get("accept", ""), tuple(MEDIA))
    table = Long(chosen, [names.registry.paths[s] for s in chosen], [names.units[s] for s in chosen])

    found = streams.rows(twin, Walk(chosen, since, until), known)
    answer = await streams.response("history", form, CSV if form == "csv" else SCHEMA, streams.mapped(table, found))
    return await headed(answer, twin, chosen, (since, until))


class AlignedColumn(BaseModel):
    """One signal at the common times."""

    name: str
    signal: str
    unit: str
    value: list[float | None]
    status: list[int] = Field(description="OPC UA StatusCodes.")


class AlignedTable(BaseModel):
    """Signals side by side."""

    time: list[float] = Field(description="Seconds since 1970 UTC.")
    columns: list[AlignedColumn]
    next: times.Written | None = Field(description="Where more is left: the `start` to go on from.")


@router.get("/history/aligned", response_model=AlignedTable, responses=_files("application/json"))
async def aligned(
    request: Request, _: Viewer, twin: Asked, signal: Signals, start: Start = None, end: End = None, lane: OnLane = None,
    every: Annotated[Span | None, Query(description="A row each, from `start` on.")] = None,
    at: Annotated[list[times.Instant] | None, Query(max_length=1000, description="A row at each of these times.")] = None,
    on: Annotated[str | None, Query(max_length=500, description="A row at each reading of this signal: an as-of join.")] = None,
    how: Annotated[Literal["last", "linear", "mean"], Query(description="The newest usable reading, between two, or the mean of each interval.")] = "last",
    tolerance: Annotated[Span | None, Query(description="How long a reading holds; each signal's `stale_after`, if left out.")] = None,
    format: Annotated[Literal["json", "csv", "parquet", "arrow"] | None, Query(description="As the Accept header says, if left out; else JSON.")] = None,  # noqa: A002 - the face's own word
) -> Response:  # fmt: skip
    """Give signals side by side at common times."""
    names: Names = request.app.state.names
    since, until = _range(twin, start, end)
    leader = None if on is None else select(names.registry, [on], lane)[0].signal
    columns = [_column(names, s, tolerance) for s in select(names.registry, signal, lane)]
    plan = Alignment(columns, since, max(until, since), how, every, at, leader)
    form = format or streams.wanted(request.headers.get("accept", ""), ("json", *MEDIA))
    if form != "json":
        answer = await streams.response("aligned", form, plan.schema, streams.aligned(twin, plan))
    else:
        answer = json(await _as_json(plan, streams.aligned(twin, plan)))
    return await headed(answer, twin, plan.numbers.tolist(), (since, until))


def _column(names: Names, chosen: Selected, tolerance: int | None) -> Aligned:
    s = chosen.signal
    return Aligned(
        s, chosen.name, names.registry.paths[s], names.units[s], int(names.stale_after[s]) if tolerance is None else tolerance,
        int(names.interval[s]), names.kinds[s] == "state",
    )  # fmt: skip


async def _as_json(plan: Alignment, pieces: AsyncIterator[pa.RecordBatch]) -> dict[str, Any]:
    """Give as much as one answer holds, and where to go on."""
    taken: list[pa.RecordBatch] = []
    following: int | None = None
    async for piece in pieces:
        if sum(p.num_rows for p in taken) * len(plan.signals) >= MOST_CELLS and piece.num_rows:
            following = int(piece.column(0)[0].value)
            break
        taken.append(piece)
    table = pa.Table.from_batches(taken, plan.schema)
    time = table["time"].cast(pa.int64()).to_numpy() / SECOND
    columns = [
        {"name": s.name, "signal": s.path, "unit": s.unit, "value": table[s.name].to_pylist(), "status": table[f"{s.name}.status"].to_pylist()}
        for s in plan.signals
    ]  # fmt: skip
    return {"time": time, "columns": columns, "next": times.text(following)}
