"""Data quality: per signal what came, what was missing, what was refused and why; per connection how it is."""

from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.serve import times
from gemel.serve.access import Asked, Viewer
from gemel.serve.intake import Intake
from gemel.serve.names import Names
from gemel.serve.paging import After, Limit, following, json
from gemel.serve.port import Twin

router = APIRouter(tags=["quality"])
COUNTS: Final = {
    "received": "received", "stored": "stored", "gaps": "gap", "jitter": "jitter", "late": "late", "duplicate": "duplicate",
    "correction": "correction",
}  # fmt: skip
FIGURES: Final = ("rate_per_s", "jitter_ms_p95", "good_fraction")
REASONS: Final = ("out_of_range", "rate", "stuck", "future", "not_a_number", "source_bad", "source_uncertain")


class SignalQuality(BaseModel):
    """How well a signal comes in, since the twin's counters began."""

    signal: str
    unit: str
    rate_per_s: float | None
    received: int
    stored: int
    last_time: times.Written | None
    gaps: int
    jitter: int = Field(description="Readings more than 50 ms off their rhythm.")
    jitter_ms_p95: float | None
    late: int
    duplicate: int
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

    items: list[SignalQuality]
    connections: list[ConnectionQuality]
    next: int | None


Columns = dict[str, npt.NDArray[np.float64]]


@router.get("/quality", response_model=QualityPage)
async def quality(
    request: Request, _: Viewer, twin: Asked, after: After = 0, limit: Limit = 1000,
    asset: Annotated[str | None, Query(max_length=500, description="Only the signals of this asset.")] = None,
) -> Response:  # fmt: skip
    """Tell how well the data come in."""
    names: Names = request.app.state.names
    intake: Intake = request.app.state.intake
    wanted = names.signals if asset is None else names.of_asset(asset)
    page = wanted[after : after + limit]
    told = await twin.quality(np.array(page, np.int32))
    columns: Columns = told["signals"]
    connections = [*told["connections"], intake.as_connection()]
    items = [_item(row, int(s), columns, names, twin) for row, s in enumerate(page)]
    return json(
        {
            "items": items,
            "connections": [_connection(c) for c in connections],
            "next": following(after, limit, len(wanted)),
        }
    )


def _item(row: int, signal: int, columns: Columns, names: Names, twin: Twin) -> dict[str, Any]:
    def number(name: str) -> float | None:
        column = columns.get(name)
        value = np.nan if column is None or row >= len(column) else float(column[row])
        return value if np.isfinite(value) else None

    last = int(twin.values.time[signal]) if twin.values.seen[signal] else None
    return {
        "signal": names.registry.paths[signal], "unit": names.units[signal], "last_time": times.text(last),
        **{shown: int(number(column) or 0) for shown, column in COUNTS.items()}, **{f: number(f) for f in FIGURES},
        "rejected": {reason: int(count) for reason in REASONS if (count := number(reason))},
    }  # fmt: skip


def _connection(told: dict[str, Any]) -> dict[str, Any]:
    return ConnectionQuality.model_validate(told).model_dump()
