"""What is so now, of many properties at once."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Final, Literal

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.history.formats import MEDIA
from gemel.samples.batch import I32
from gemel.samples.select import select
from gemel.serve import streams, times
from gemel.serve.access import Asked, Viewer
from gemel.serve.latest import SCHEMA
from gemel.serve.listing import Listing
from gemel.serve.names import Names
from gemel.serve.paging import After, Limit, following, json

router = APIRouter(tags=["state"])
FORMATS: Final = {200: {"content": {m: {"schema": {"type": "string", "format": "binary"}} for m in MEDIA.values()}}}


class LatestItem(BaseModel):
    """What a property shows now."""

    signal: str
    unit: str
    value: float | None
    quality: str
    status: int = Field(description="OPC UA StatusCode.")
    lane: str
    time: times.Written | None
    received: times.Written | None


class LatestPage(BaseModel):
    """Properties in the order of the registry."""

    items: list[LatestItem]
    next: int | None


@router.get("/latest", response_model=LatestPage, responses=FORMATS)  # type: ignore[arg-type]
async def latest(
    request: Request, _: Viewer, twin: Asked, after: After = 0, limit: Limit = 1000,
    signal: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]] | None, Query(max_length=1000, description="Only these: paths, their last parts, or patterns with `*`.")] = None,
    format: Annotated[Literal["json", "csv", "parquet", "arrow"] | None, Query(description="As the Accept header says, if left out; else JSON, in pages.")] = None,  # noqa: A002 - the face's own word
) -> Response:  # fmt: skip
    """Give what properties show now; as a file, all of them at once."""
    names: Names = request.app.state.names
    listing: Listing = request.app.state.listing
    wanted = listing.shown_properties if signal is None else _chosen(names, signal)
    form = format or streams.wanted(request.headers.get("accept", ""), ("json", *MEDIA))
    part = wanted[after : after + limit] if form == "json" else wanted
    shown = names.properties.resolve(twin.values, part, twin.values.held)
    pieces = listing.latest.pieces(shown, heard=twin.link()["up"])
    if form != "json":
        return await streams.response("latest", form, SCHEMA, _each(pieces))
    rows = [item for piece in pieces for item in _items(piece)]
    return json({"items": rows, "next": following(after, limit, len(wanted))})


def _chosen(names: Names, patterns: list[str]) -> I32:
    numbers = np.array([s.signal for s in select(names.registry, patterns)], np.int32)
    return np.unique(names.properties.of(numbers)).astype(np.int32)


def _items(piece: pa.RecordBatch) -> list[dict[str, Any]]:
    rows = pa.table(piece)
    for name in ("time", "received"):  # as [ns]: only pandas, which need not be there, knows a time to the nanosecond
        rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast(pa.int64()))
    return [{**row, **{name: times.text(row[name]) for name in ("time", "received")}} for row in rows.to_pylist()]


async def _each(pieces: Iterator[pa.RecordBatch]) -> AsyncIterator[pa.RecordBatch]:
    for piece in pieces:
        yield piece
