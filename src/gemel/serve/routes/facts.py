"""The record of facts, and whether its chain holds."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gemel.samples import Fact
from gemel.serve import times
from gemel.serve.access import Asked, Viewer
from gemel.serve.paging import After, Limit, json

router = APIRouter(tags=["facts"])


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


class FactPage(BaseModel):
    """Facts in the order of the record."""

    items: list[FactShape]
    next: int | None


class Verdict(BaseModel):
    """Whether every byte of the record is as it was written."""

    ok: bool
    checked: int
    broken_at: int | None = None
    reason: str = ""
    head: str


def shape(fact: Fact) -> dict[str, Any]:
    """Give a fact as plain JSON values."""
    return {
        "seq": fact.seq, "id": fact.id, "kind": fact.kind, "at": times.text(fact.at), "recorded": times.text(fact.recorded),
        "actor": fact.actor, "subject": fact.subject, "body": dict(fact.body), "reason": fact.reason, "cause": fact.cause,
    }  # fmt: skip


@router.get("/facts", response_model=FactPage)
async def facts(
    _: Viewer, twin: Asked, after: After = 0, limit: Limit = 100,
    kind: Annotated[str | None, Query(max_length=100, description="Only this kind, such as CommandRequested.")] = None,
    subject: Annotated[str | None, Query(max_length=500, description="Only about this path and what is under it.")] = None,
) -> Response:  # fmt: skip
    """Read the record after a position."""
    found = await twin.facts(after, limit, kind, subject)
    return json({"items": [shape(f) for f in found], "next": found[-1].seq if len(found) == limit else None})


@router.get("/facts/verify")
async def verify(_: Viewer, twin: Asked) -> Verdict:
    """Check every byte of the record against its chain and its head."""
    return Verdict.model_validate(await twin.verify())
