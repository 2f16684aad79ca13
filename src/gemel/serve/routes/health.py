"""How the twin is."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gemel import __version__
from gemel.serve import times
from gemel.serve.access import Asked, Gate
from gemel.serve.problems import UnauthenticatedError

router = APIRouter(tags=["health"])


class Link(BaseModel):
    """Whether the twin process is heard."""

    up: bool
    age_s: float


class Process(BaseModel):
    """A process of the family."""

    state: str
    restarts: int = 0


class Trouble(BaseModel):
    """Something wrong, and what to do."""

    code: str
    message: str
    remedy: str


class Health(BaseModel):
    """How the twin is. Who is not logged in where one must be learns the status only."""

    status: str = Field(description="ok, degraded or down.")
    plant: str
    title: str
    clock: str
    timezone: str
    plant_time: times.Written | None
    version: str
    link: Link
    behind_s: float
    processes: dict[str, Process]
    problems: list[Trouble]
    writes: bool
    retention: dict[str, float] = Field(description="How long history is kept [s], by class.")


@router.get("/health")
async def health(request: Request, twin: Asked) -> Health:
    """Tell how the twin is; answers without a log-in too, for whoever watches over the machine."""
    gate: Gate = request.app.state.gate
    told = await twin.health()
    try:
        await gate.who(request)
    except UnauthenticatedError:
        return _status_only(told)
    return _full(told, twin)


def _full(told: dict[str, Any], twin: Asked) -> Health:
    plant = twin.plant
    return Health(
        status=told["status"], plant=plant.root, title=plant.title, clock=plant.clock, timezone=plant.timezone,
        plant_time=times.text(twin.values.plant_time or None), version=__version__, link=told["link"], behind_s=told["behind_s"],
        processes=told["processes"], problems=told["problems"], writes=plant.writes, retention=dict(plant.retention),
    )  # fmt: skip


def _status_only(told: dict[str, Any]) -> Health:
    return Health(
        status=told["status"], plant="", title="", clock="", timezone="", plant_time=None, version=__version__,
        link=told["link"], behind_s=told["behind_s"], processes={}, problems=[], writes=False, retention={},
    )  # fmt: skip
