"""Says in an answer what damage took of what was asked for: spans of time in which readings may be missing."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.samples.batch import I64, U32
from gemel.serve import times
from gemel.serve.gaps import BAD_NO_DATA, Told
from gemel.serve.port_missing import Hole, Lacking

HEADER: Final = "Gemel-Missing"
MOST: Final = 20  # spans in a header
BAD_DATA_LOST: Final = 0x809D0000  # OPC UA StatusCode Bad_DataLost


class Missing(BaseModel):
    """A span in which readings may be missing: a file of the history was damaged."""

    start: times.Written
    end: times.Written
    rows: int = Field(description="How many are lost, of all signals that were in the file.")
    why: str


def told(holes: Sequence[Hole]) -> list[dict[str, Any]]:
    """Give holes as an answer has them: see `Missing`."""
    return [{"start": times.text(h.start), "end": times.text(h.end), "rows": h.rows, "why": h.why} for h in holes]


async def headed(answer: Response, twin: Lacking, signals: Sequence[int], span: tuple[int, int]) -> Response:
    """Give an answer whose head says what it lacks; where it lacks nothing, it says nothing."""
    holes = await twin.history_holes(signals, *span)
    if holes:
        answer.headers[HEADER] = ", ".join(f"{times.text(start)}/{times.text(end)}" for start, end in _few(holes))
    return answer


def _few(holes: Sequence[Hole]) -> list[tuple[int, int]]:
    """Give the spans, by time; where there are more than a header takes, the last one covers all that are left."""
    spans = sorted({(h.start, h.end) for h in holes})
    rest = spans[MOST - 1 :]
    return spans if len(spans) <= MOST else [*spans[: MOST - 1], (rest[0][0], max(end for _, end in rest))]


def with_holes(
    columns: Told, holes: Sequence[Hole], span: tuple[int, int]
) -> Told:
    """Give columns sorted by time with one row more where a hole begins: no value, and the status *Bad_DataLost*.

    Args:
        columns: time [ns], value, status and standard uncertainty.
        holes: what is missing.
        span: of the question [ns]; a hole that began before it is told at its start.
    """
    time, value, status, sigma = columns
    begin = np.unique(np.array([max(h.start, span[0]) for h in holes], np.int64))
    at = np.searchsorted(time, begin)
    return (
        np.insert(time, at, begin),
        np.insert(value, at, np.nan),
        np.insert(status, at, np.uint32(BAD_DATA_LOST)),
        None if sigma is None else np.insert(sigma, at, np.nan),
    )


def lost_intervals(times_ns: I64, interval: int, status: U32, holes: Sequence[Hole]) -> U32:
    """Give the status of intervals, *Bad_DataLost* instead of *Bad_NoData* where what is missing was lost in a hole."""
    lost = np.zeros(len(times_ns), np.bool_)
    for hole in holes:
        lost |= (times_ns < hole.end) & (times_ns + interval > hole.start)
    return np.where(lost & (status == BAD_NO_DATA), np.uint32(BAD_DATA_LOST), status).astype(np.uint32)
