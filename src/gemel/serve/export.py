"""History as CSV: time in ISO 8601 to the nanosecond, value, name of the status, standard uncertainty. Streamed, so that any length goes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import numpy as np
from starlette.responses import Response, StreamingResponse

from gemel.history.formats import numbers
from gemel.samples import Batch
from gemel.samples import status as statuses
from gemel.samples.batch import F32, F64, I64, U32
from gemel.serve import times
from gemel.serve.gaps import Told
from gemel.serve.port import Twin

HEADER: Final = "time,value,status,sigma\n"
ROWS: Final = 50_000  # in one piece


def rows(time: I64, value: F64, status: U32, sigma: F32 | None = None) -> str:
    r"""Give rows as text.

    >>> rows(np.array([0]), np.array([1.5]), np.array([0], np.uint32))
    '1970-01-01T00:00:00.000000000Z,1.5,Good,\n'
    """
    words = {int(s): statuses.name(int(s)) for s in np.unique(status)}
    known = [""] * len(time) if sigma is None else numbers(sigma)
    columns = zip(times.texts(time), numbers(value), status.tolist(), known, strict=True)
    return "".join(f"{t},{v},{words[s]},{u}\n" for t, v, s, u in columns)


async def once(columns: Told) -> AsyncIterator[str]:
    """Give columns that are at hand."""
    yield HEADER
    if len(columns[0]):
        yield await asyncio.to_thread(rows, *columns)


async def raw(twin: Twin, signal: int, start: int, end: int, known: int | None) -> AsyncIterator[str]:
    """Give every reading, piece by piece; the first is asked for at once, so that a refusal is told in the answer's status."""
    found = await twin.history_raw(signal, start, end, ROWS, known) if start < end else Batch.empty()
    return _pieces(found, twin, signal, end, known)


async def _pieces(found: Batch, twin: Twin, signal: int, end: int, known: int | None) -> AsyncIterator[str]:
    yield HEADER
    while len(found):
        yield await asyncio.to_thread(rows, found.time, found.value, found.status, found.sigma)
        start = int(found.time[-1]) + 1
        if len(found) < ROWS or start >= end:
            return
        found = await twin.history_raw(signal, start, end, ROWS, known)


def response(signal: str, pieces: AsyncIterator[str]) -> Response:
    """Give the pieces as a file to keep."""
    head = {"Content-Disposition": f'attachment; filename="{file_name(signal)}.csv"'}
    return StreamingResponse(pieces, media_type="text/csv", headers=head)


def file_name(signal: str) -> str:
    """Give a name that every file system takes.

    >>> file_name("acme/pump 1/flow")
    'acme-pump-1-flow'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in signal)[-100:]
