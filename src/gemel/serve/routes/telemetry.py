"""Readings sent over HTTP: each row is durable in the log before the answer, or is told apart."""

from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from gemel.connect.http import MEDIA_TYPES, Refusal, UnreadableBodyError, decode, settle
from gemel.connect.http.rows import Row
from gemel.serve.access import Asked, Operator
from gemel.serve.intake import Intake
from gemel.serve.names import Names
from gemel.serve.port import Twin

router = APIRouter(tags=["telemetry"])
MOST_BYTES: Final = 16 << 20
AT_ONCE: Final = 20_000  # rows in one message of the bus, well under its 8 MB

ROW: Final = {  # nothing is required of a row: one that cannot be taken is told apart, the others are taken
    "description": "path of a signal; value, a number, a truth or the word of a state, in the unit that the plant file names for the source, "
    "else the declared one; perhaps time, ISO 8601 or a number (s, ms, us or ns, by its size), else the time of receipt counts; "
    "perhaps status, an OPC UA StatusCode; perhaps sigma, its standard uncertainty in the same unit.",
    "examples": [
        {"path": "acme/riverside/area-1/pump-1/flow", "time": "2026-11-21T10:00:00Z", "value": 120.5}
    ],
}
BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": ROW}},
            "application/x-ndjson": {"schema": {"type": "string", "description": "A row a line."}},
            "text/plain": {
                "schema": {"type": "string", "description": "Line protocol: asset/path field=value time_ns."}
            },
            "application/vnd.apache.arrow.stream": {
                "schema": {"type": "string", "format": "binary", "description": "path, time, value, status, sigma."}
            },
        },
    }
}


class Rejected(BaseModel):
    """A row that was not taken, and why."""

    row: int = Field(description="Its place in the request, from 0.")
    code: str
    message: str


class Taken(BaseModel):
    """What became of the rows."""

    accepted: int
    rejected: list[Rejected]


@router.post("/telemetry", openapi_extra=BODY, max_body_size=MOST_BYTES)
async def telemetry(request: Request, _: Operator, twin: Asked) -> Taken:
    """Take readings: JSON, NDJSON, line protocol or an Arrow stream, at most 16 MiB and 100,000 rows."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"the Content-Type must be one of {', '.join(MEDIA_TYPES)}")
    intake: Intake = request.app.state.intake
    body = await request.body()
    try:
        given, refusals = decode(media_type, body)
    except UnreadableBodyError as e:
        intake.unreadable(e.code, body)
        raise
    rows, places, unsettled = settle(given, _states(request.app.state.names))
    refused = [*refusals, *unsettled, *await _ingest(twin, rows, places)]
    total = len(given) + len(refusals)
    intake.took(total, total - len(refused), refused)
    return Taken(
        accepted=total - len(refused),
        rejected=[Rejected(**asdict(r)) for r in sorted(refused, key=lambda r: r.row)],
    )


def _states(names: Names) -> Any:
    def states(path: str) -> list[str] | None:
        number = names.lanes_of(path).get("measured")
        return None if number is None else names.states[number]

    return states


async def _ingest(twin: Twin, rows: list[Row], places: list[int]) -> list[Refusal]:
    refused: list[Refusal] = []
    for start in range(0, len(rows), AT_ONCE):
        told = await twin.ingest(rows[start : start + AT_ONCE])
        refused += [Refusal(places[start + int(t["row"])], str(t["code"]), str(t["message"])) for t in told]
    return refused
