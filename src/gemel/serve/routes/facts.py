"""The record of facts, from either end, as JSON or CSV; and whether its chain holds."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from gemel.samples import Fact
from gemel.serve import times
from gemel.serve.access import Asked, Engineer, Viewer
from gemel.serve.before_after import before_after
from gemel.serve.paging import After, Limit, json
from gemel.serve.port import Twin

router = APIRouter(tags=["facts"])
PIECE: Final = 1000  # facts read at once for a file
FIRST: Final = 2**53  # a position that every fact is before
EVER: Final = 2**62
COLUMNS: Final = (
    "seq", "recorded", "at", "actor", "kind", "subject", "before", "after", "reason", "cause", "id", "body",
)  # fmt: skip
PLAIN: Final = {
    "content": {"text/csv": {"schema": {"type": "string"}}},
    "description": "Facts, as JSON or CSV.",
}
Worded = str | float | int | bool | None


class FactShape(BaseModel):
    """One event of the record."""

    seq: int
    id: str
    kind: str
    at: times.Written
    recorded: times.Written
    actor: str
    subject: str
    body: dict[str, Any]
    reason: str
    cause: str
    before: Worded = Field(default=None, description="How it was before, in words, where the fact tells.")
    after: Worded = Field(default=None, description="How it was after.")


class FactPage(BaseModel):
    """Facts in the order asked for."""

    items: list[FactShape]
    next: int | None


class Verdict(BaseModel):
    """Whether every byte of the record is as it was written."""

    ok: bool
    checked: int
    broken_at: int | None = None
    reason: str = ""
    head: str


class Why(BaseModel):
    """Why it is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


def shape(fact: Fact) -> dict[str, Any]:
    """Give a fact as plain JSON values."""
    before, after = before_after(fact)
    return {
        "seq": fact.seq, "id": fact.id, "kind": fact.kind, "at": times.text(fact.at), "recorded": times.text(fact.recorded),
        "actor": fact.actor, "subject": fact.subject, "body": dict(fact.body), "reason": fact.reason, "cause": fact.cause,
        "before": before, "after": after,
    }  # fmt: skip


@router.get("/facts", response_model=FactPage, responses={200: PLAIN})
async def facts(
    _: Viewer, twin: Asked, after: After = 0, limit: Limit = 100,
    kind: Annotated[str | None, Query(max_length=100, description="Only this kind, such as CommandRequested.")] = None,
    subject: Annotated[str | None, Query(max_length=500, description="Only about this path and what is under it.")] = None,
    order: Annotated[Literal["oldest", "newest"], Query(description="Which end first; with newest, `after` goes back.")] = "oldest",
    until: Annotated[times.Instant | None, Query(description="Only what had happened by then; with newest.")] = None,
    format: Annotated[Literal["json", "csv"], Query(description="CSV gives all that pass, the oldest first.")] = "json",  # noqa: A002
) -> Response:  # fmt: skip
    """Read the record after a position, or backwards from its end."""
    if format == "csv":
        head = {"Content-Disposition": 'attachment; filename="gemel-facts.csv"'}
        first = await twin.facts(after, PIECE, kind, subject)  # before the answer begins: it may be refused
        body = _rows(twin, first, kind, subject)
        return StreamingResponse(body, media_type="text/csv; charset=utf-8", headers=head)
    if order == "newest":
        end = EVER if until is None else until
        found = await twin.past.newest(limit, after or FIRST, end, {"kind": kind, "subject": subject})
    else:
        found = await twin.facts(after, limit, kind, subject)
    return json({"items": [shape(f) for f in found], "next": found[-1].seq if len(found) == limit else None})


@router.get("/facts/verify")
async def verify(_: Viewer, twin: Asked) -> Verdict:
    """Check every byte of the record against its chain and its head."""
    return Verdict.model_validate(await twin.verify())


@router.post("/facts/{seq}/revert", response_model=FactShape)
async def revert(
    seq: Annotated[int, Path(ge=1, le=2**53)], person: Engineer, twin: Asked, given: Why
) -> Response:
    """Take a fact back: a compensating fact is added, nothing leaves the record. Asked twice, it is the same fact."""
    assert person.name is not None
    return json(shape(await twin.revert(seq, person.name, given.reason)))


async def _rows(
    twin: Twin, found: list[Fact], kind: str | None, subject: str | None
) -> AsyncIterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    while found:
        yield await asyncio.to_thread(written, found)
        found = await twin.facts(found[-1].seq, PIECE, kind, subject)


def written(facts: Sequence[Fact]) -> str:
    """Give facts as rows of CSV (RFC 4180); no cell can be taken for a formula by a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out)
    for fact in facts:
        told = shape(fact) | {"body": orjson.dumps(dict(fact.body)).decode()}
        rows.writerow([_cell(told[column]) for column in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
