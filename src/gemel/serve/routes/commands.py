"""Commands: asked for, approved by a second person, written, read back. The twin decides; here only who may ask."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.conditional import TOLD, Expected, ExpectedVersion, IfMatch
from gemel.serve.paging import After, Limit, following
from gemel.serve.standing import Moment

router = APIRouter(tags=["commands"])
Reason = Annotated[str, Field(max_length=1000)]


class Asking(BaseModel):
    """What is asked for."""

    asset: Annotated[str, Field(max_length=500)]
    command: Annotated[str, Field(max_length=200)]
    value: Annotated[float, Field(allow_inf_nan=False)]
    reason: Reason = ""
    expected_version: ExpectedVersion = None


class Why(BaseModel):
    """Why it is decided so."""

    reason: Reason = ""


class Step(BaseModel):
    """One step of a command's life."""

    state: str
    at: times.Written
    by: str | None = None
    note: str | None = None


class Command(BaseModel):
    """A command and what became of it."""

    id: str
    asset: str
    command: str
    value: float | None
    unit: str
    state: str = Field(
        description="refused, awaiting_approval, approved, sent, confirmed, failed, rejected or cancelled."
    )
    requested_by: str
    requested: times.Written
    reason: str
    approval: str | None = None
    approved_by: str | None = None
    refusal: str | None = None
    sent: times.Written | None = None
    read_back: float | None = None
    confirmed: times.Written | None = None
    failure: str | None = None
    steps: list[Step] = []


class CommandPage(BaseModel):
    """Commands, the newest first."""

    items: list[Command]
    next: int | None


def _shape(told: dict[str, Any]) -> Command:
    return Command.model_validate(told)


@router.post("/commands", status_code=201, responses=TOLD)
async def ask(
    person: Operator, twin: Asked, given: Asking, response: Response, if_match: IfMatch = None
) -> Command:
    """Ask for a command. What a guard refuses is recorded too, with the state ``refused`` and the reason."""
    assert person.name is not None
    with Expected.of(if_match, given.expected_version) as expected:
        made = _shape(
            await twin.command(
                person.name, person.role, given.asset, given.command, given.value, given.reason, expected
            )
        )
    response.headers["Location"] = f"/api/v1/commands/{made.id}"
    return made


@router.get("/commands")
async def commands(
    _: Viewer,
    twin: Asked,
    asset: Annotated[str | None, Query(max_length=500)] = None,
    after: After = 0,
    limit: Limit = 100,
    at: Annotated[
        times.Instant | None, Query(description="As far as they had come then; now, if left out.")
    ] = None,
) -> CommandPage:
    """Give the commands, the newest first."""
    found = await Moment.of(twin, at, None).commands(asset)
    return CommandPage(
        items=[_shape(c) for c in found[after : after + limit]], next=following(after, limit, len(found))
    )


@router.get("/commands/{id}")
async def command(id: str, _: Viewer, twin: Asked) -> Command:  # noqa: A002 - the face's own word
    """Give a command."""
    return _shape(await twin.command_get(id))


@router.post("/commands/{id}/approve")
async def approve(id: str, person: Operator, twin: Asked, given: Why) -> Command:  # noqa: A002
    """Approve a command; another person than who asked for it."""
    assert person.name is not None
    return _shape(await twin.approve(id, person.name, person.role, given.reason))


@router.post("/commands/{id}/reject")
async def reject(id: str, person: Operator, twin: Asked, given: Why) -> Command:  # noqa: A002
    """Reject a command."""
    assert person.name is not None
    return _shape(await twin.reject(id, person.name, person.role, given.reason))


@router.post("/commands/{id}/cancel")
async def cancel(id: str, person: Operator, twin: Asked, given: Why) -> Command:  # noqa: A002
    """Take a command back."""
    assert person.name is not None
    return _shape(await twin.cancel(id, person.name, person.role, given.reason))
