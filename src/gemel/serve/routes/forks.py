"""Forks: the state of a moment, kept under a name for whoever wants to go on from there."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.port_forks import Fork

router = APIRouter(tags=["forks"])


class Forked(BaseModel):
    """A fork."""

    name: str
    by: str
    why: str
    made: times.Written
    at: times.Written = Field(description="Plant time of its state.")
    state: Literal["making", "ready", "failed"]
    origin: Literal["live", "log", "lake"] = Field(
        description="Live; replayed from the log; or, where that is trimmed, from history and the record."
    )
    position: int
    facts: int
    problem: str


class ForkPage(BaseModel):
    """Forks, the newest first."""

    items: list[Forked]
    next: int | None = None


class Wish(BaseModel):
    """What is to be forked."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    why: Annotated[str, Field(max_length=1000)] = ""
    at: times.Instant | None = Field(default=None, description="A past time; now, if left out.")


def _shape(fork: Fork) -> Forked:
    told: dict[str, Any] = {name: getattr(fork, name) for name in Forked.model_fields}
    return Forked.model_validate(told)


@router.post("/forks", status_code=201)
async def fork(person: Operator, twin: Asked, given: Wish, response: Response) -> Forked:
    """Fork the state of now, or of a past time; one that takes long is given as ``making``."""
    assert person.name is not None
    now = twin.values.plant_time
    past = given.at is not None and given.at < now
    make = twin.forks.then if past else twin.forks.now
    made = await make(given.name, person.name, given.why, given.at if past and given.at is not None else now)
    await twin.note("ForkMade", person.name, {"fork": made.name, "at": times.text(made.at), "why": made.why})
    response.headers["Location"] = f"/api/v1/forks/{made.name}"
    return _shape(made)


@router.get("/forks")
async def forks(_: Viewer, twin: Asked) -> ForkPage:
    """Give the forks there are."""
    return ForkPage(items=[_shape(f) for f in await asyncio.to_thread(twin.forks.kept.listed)])


@router.get("/forks/{name}")
async def one(name: str, _: Viewer, twin: Asked) -> Forked:
    """Give a fork."""
    return _shape(await asyncio.to_thread(twin.forks.kept.get, name))


@router.delete("/forks/{name}")
async def delete(name: str, person: Operator, twin: Asked) -> Forked:
    """Give a fork up."""
    assert person.name is not None
    gone = await asyncio.to_thread(twin.forks.kept.delete, name)
    await twin.note("ForkDeleted", person.name, {"fork": gone.name})
    return _shape(gone)
