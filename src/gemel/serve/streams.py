"""Tables streamed as they are read: a piece is encoded while nobody waits for the whole."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import pyarrow as pa
from starlette.responses import Response, StreamingResponse

from gemel.history.align import of_means
from gemel.history.aligned import Alignment
from gemel.history.formats import MEDIA, Long, encoder
from gemel.history.walk import Walk
from gemel.samples import Batch
from gemel.serve.port import Twin

ENDINGS: Final = {"csv": "csv", "parquet": "parquet", "arrow": "arrows"}  # Arrow's own ending for a stream


async def rows(twin: Twin, walk: Walk, known: int | None) -> AsyncIterator[Batch]:
    """Give the rows of a walk, answer by answer."""
    while (asked := walk.question()) is not None:
        found = await twin.history_rows(asked.signals, asked.start, asked.end, asked.limit, known)
        walk.took(found)
        if len(found):
            yield found


async def aligned(twin: Twin, plan: Alignment) -> AsyncIterator[pa.RecordBatch]:
    """Give signals at common times, piece by piece."""
    for chunk in plan.chunks():
        if plan.by_means:
            every = plan.every or 0
            means = [
                await twin.history_aggregated(s.signal, chunk.start, chunk.end, every, "mean")
                for s in plan.signals
            ]
            assert chunk.times is not None
            yield plan.table(chunk.times, [of_means(m.values, m.counts, m.worst) for m in means])
        else:
            found = await twin.history_rows(plan.numbers.tolist(), chunk.start, chunk.end)
            yield await asyncio.to_thread(plan.piece, chunk, found)


async def mapped(table: Long, batches: AsyncIterator[Batch]) -> AsyncIterator[pa.RecordBatch]:
    """Give rows as pieces of a table."""
    async for found in batches:
        yield table(found)


async def one(piece: pa.RecordBatch) -> AsyncIterator[pa.RecordBatch]:
    """Give a table that is at hand."""
    yield piece


async def response(
    name: str, form: str, schema: pa.Schema, tables: AsyncIterator[pa.RecordBatch]
) -> Response:
    """Give tables as a file to keep; the first is asked for at once, so that a refusal is told in the answer's status."""
    file = encoder(form, schema)
    begin = [await asyncio.to_thread(file.add, table) async for table in _first(tables)]

    async def pieces() -> AsyncIterator[bytes]:
        for piece in begin:
            yield piece
        async for table in tables:
            if piece := await asyncio.to_thread(file.add, table):
                yield piece
        yield await asyncio.to_thread(file.end)

    headers = {"Content-Disposition": f'attachment; filename="{name}.{ENDINGS[form]}"'}
    return StreamingResponse(pieces(), media_type=MEDIA[form], headers=headers)


async def _first(tables: AsyncIterator[pa.RecordBatch]) -> AsyncIterator[pa.RecordBatch]:
    async for table in tables:
        yield table
        return


def wanted(accept: str, known: Sequence[str]) -> str:
    """Give the format that an Accept header names first among those known; else the first of them.

    >>> wanted("application/vnd.apache.arrow.stream, */*", ["csv", "arrow"])
    'arrow'
    """
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    media_of = {"json": "application/json", **MEDIA}
    return next((form for media in named for form in known if media_of[form] == media), known[0])
