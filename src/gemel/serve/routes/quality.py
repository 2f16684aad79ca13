"""Data quality: per signal what came, what was missing, what was refused and why; per connection how it is."""

from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.samples.clock import SECOND
from gemel.serve import times
from gemel.serve.access import Asked, Viewer
from gemel.serve.intake import Intake
from gemel.serve.names import Names
from gemel.serve.paging import After, Limit, following, json
from gemel.serve.standing import Moment

router = APIRouter(tags=["quality"])
COUNTS: Final = {
    "received": "received", "stored": "stored", "gaps": "gap", "jitter": "jitter", "late": "late", "duplicate": "duplicate",
    "correction": "correction",
}  # fmt: skip
FIGURES: Final = ("rate_per_s", "jitter_ms", "jitter_max_ms", "good_fraction")
LONGEST_S: Final = 86_400
REASONS: Final = ("out_of_range", "rate", "stuck", "future", "not_a_number", "source_bad", "source_uncertain")


class SignalQuality(BaseModel):
    """How well a signal comes in: since the twin's counters began, or in a past span."""

    signal: str
    unit: str
    rate_per_s: float | None
    received: int
    stored: int
    last_time: times.Written | None
    gaps: int
    jitter: int = Field(description="Readings more than 50 ms off their rhythm.")
    jitter_ms: float | None = Field(description="How far beside their rhythm they come on average; null: no rhythm is known.")
    jitter_max_ms: float | None = Field(description="At most.")
    late: int
    duplicate: int | None = Field(description="Null for a past span: a duplicate is not kept.")
    correction: int
    rejected: dict[str, int] = Field(
        description="Readings that failed a check, by reason; they are kept with their status."
    )
    good_fraction: float | None


class Example(BaseModel):
    """Something that was refused."""

    reason: str
    topic: str
    text: str


class ConnectionQuality(BaseModel):
    """How a connection is."""

    name: str
    protocol: str
    state: str
    messages: int
    values: int
    refused: dict[str, int]
    examples: list[Example]


class QualityPage(BaseModel):
    """Signals in the order of the registry; every connection."""

    since: times.Written | None = Field(description="Begin of the span that is told of; null: since the counters began.")
    items: list[SignalQuality]
    connections: list[ConnectionQuality] = Field(description="As they are now; none for a past span.")
    next: int | None


Columns = dict[str, npt.NDArray[np.float64]]


@router.get("/quality", response_model=QualityPage)
async def quality(
    request: Request, _: Viewer, twin: Asked, after: After = 0, limit: Limit = 1000,
    asset: Annotated[str | None, Query(max_length=500, description="Only the signals of this asset.")] = None,
    at: Annotated[times.Instant | None, Query(description="Of the span up to then; now, if left out.")] = None,
    known: Annotated[times.Instant | None, Query(description="What had been received by then; all, if left out.")] = None,
    span_s: Annotated[int, Query(ge=1, le=LONGEST_S, description="How long the past span is [s].")] = 600,
) -> Response:  # fmt: skip
    """Tell how well the data come in, or came in before a time."""
    names: Names = request.app.state.names
    intake: Intake = request.app.state.intake
    wanted = names.signals if asset is None else names.of_asset(asset)
    page = np.array(wanted[after : after + limit], np.int32)
    moment = Moment.of(twin, at, known)
    connections: list[dict[str, Any]] = []
    if moment.live:
        told = await twin.quality(page)
        columns, last = told["signals"], np.where(twin.values.seen[page], twin.values.time[page], times.NEVER)
        connections = [*told["connections"], intake.as_connection()]
    else:
        columns = await twin.past.quality(page, moment.at - span_s * SECOND, moment.at + 1, moment.known)
        newest = columns.get("last_time", np.zeros(0))
        last = np.where(np.isnan(newest), times.NEVER, newest).astype(np.int64)
    items = [_item(row, int(s), columns, names, int(last[row]), live=moment.live) for row, s in enumerate(page)]
    return json(
        {
            "since": None if moment.live else times.text(moment.at - span_s * SECOND),
            "items": items,
            "connections": [_connection(c) for c in connections],
            "next": following(after, limit, len(wanted)),
        }
    )


def _item(row: int, signal: int, columns: Columns, names: Names, last: int, *, live: bool) -> dict[str, Any]:
    def number(name: str) -> float | None:
        column = columns.get(name)
        value = np.nan if column is None or row >= len(column) else float(column[row])
        return value if np.isfinite(value) else None

    kept = {shown: int(number(column) or 0) for shown, column in COUNTS.items()}
    return {
        "signal": names.registry.paths[signal], "unit": names.units[signal],
        "last_time": times.text(last),
        **kept, "duplicate": kept["duplicate"] if live else None, **{f: number(f) for f in FIGURES},
        "rejected": {reason: int(count) for reason in REASONS if (count := number(reason))},
    }  # fmt: skip


def _connection(told: dict[str, Any]) -> dict[str, Any]:
    return ConnectionQuality.model_validate(told).model_dump()
