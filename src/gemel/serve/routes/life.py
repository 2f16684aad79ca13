"""Remaining life: what wears out of an asset, when it will have failed, and what more load or an overhaul does to that."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gemel.operate.life_law import read_maintenance
from gemel.operate.life_state import readings
from gemel.scenarios.scenario import parse_change
from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.jobs import JobId, JobShape, of_kind, standing
from gemel.serve.names import Names
from gemel.serve.port import Twin
from gemel.serve.port_jobs import Job
from gemel.serve.routes.state import properties
from gemel.serve.standing import EVER, Moment

router = APIRouter(tags=["life"])
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]
OfAsset = Annotated[str, Query(max_length=500, description="Path of an asset.")]
Of = Annotated[str, Query(max_length=200, description="Which of what wears out; the first, if left out.")]
Then = Annotated[times.Instant | None, Query(description="By what was known up to this time; now, if left out.")]
CHANGE = r"^[^=\s][^=]{0,80}=[+\-*=]?-?[0-9]{1,9}(\.[0-9]{1,9})?(%| ?[A-Za-z][^\s]{0,30})?$"
MAINTAIN = r"^[^@\s][^@]{0,80}(@[0-9]{1,9}(\.[0-9]{1,9})? ?(s|min|h|d))?$"
TITLED = 200


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Different(_Exact):
    """What drives it, changed from now on."""

    of: Name = Field(description="A signal of the law, or a word of its `drives`: load, speed.")
    how: Literal["set", "scale", "add"]
    value: Number
    unit: Annotated[str | None, Field(max_length=40)] = Field(default=None, description="Of the value; the signal's own, if left out.")


class Upkeep(_Exact):
    """Maintenance to come."""

    action: Name
    in_s: Annotated[float, Field(ge=0, le=3.2e8)] = 0.0


class LifeWish(_Exact):
    """What is asked: what comes if all goes on, and if this is done differently."""

    asset: Annotated[str, Field(max_length=500)]
    of: Name = ""
    title: Annotated[str, Field(max_length=TITLED)] = ""
    at: times.Instant | None = Field(default=None, description="From what was known at a past time; now, if left out.")
    changes: Annotated[list[Different], Field(max_length=20)] = []
    maintenance: Annotated[list[Upkeep], Field(max_length=20)] = []
    horizon_s: Annotated[float | None, Field(gt=0, le=3.2e8)] = None
    members: Annotated[int, Field(ge=100, le=20_000)] = 2000
    seed: Annotated[int, Field(ge=0, lt=1 << 53)] = 0


class Prognosis(JobShape):
    """A prognosis as it stands."""

    of: str
    at: str = Field(description="Plant time up to which the record counts.")


class Wears(BaseModel):
    """Something that wears out, and what was last foretold of it."""

    name: str
    description: str
    unit: str
    threshold: float
    new: float
    law: str
    indicator: str
    drives: dict[str, str] = Field(description="Signals that drive it, with their units.")
    words: dict[str, str] = Field(description="Words for them.")
    maintenance: dict[str, float] = Field(description="Actions, and what each leaves of it.")
    horizon_s: float
    within_s: float = Field(description="The time that its risk is told of.")
    every_s: float
    signals: dict[str, str]
    told: dict[str, dict[str, Any]] = Field(description="By role (value, life, low, high, risk): what is shown of it now.")


class WearsPage(BaseModel):
    """What wears out of an asset."""

    asset: str
    at: times.Written
    items: list[Wears]


class Last(BaseModel):
    """The newest prognosis of something, or what there is for one."""

    item: Prognosis | None
    readings: int = Field(description="Where there is none: bins that tell something; 20 are needed.")


class Done(_Exact):
    """Maintenance that was done."""

    asset: Annotated[str, Field(min_length=1, max_length=500)]
    of: Name = ""
    action: Name
    reason: Annotated[str, Field(max_length=1000)] = ""
    at: times.Instant | None = Field(default=None, description="When; now, if left out.")


class Recorded(BaseModel):
    """What was recorded."""

    asset: str
    action: str


@router.get("/life")
async def declared(request: Request, _: Viewer, twin: Asked, asset: OfAsset) -> WearsPage:
    """Give what wears out of an asset and what was last foretold; has whoever computes it made ready meanwhile."""
    found = await twin.life_declared(asset)
    names: Names = request.app.state.names
    moment = Moment.of(twin, None, None)
    signals = np.array(names.of_asset(asset), np.int32)
    shown = properties(names, await moment.standing(names, signals, asset), moment.at)
    items = [{**d, "told": {role: shown[n] for role, n in d["signals"].items() if n in shown}} for d in found]
    return WearsPage.model_validate({"asset": asset, "at": moment.at, "items": items})


@router.get("/life/last")
async def last(_: Viewer, twin: Asked, asset: OfAsset, of: Of = "", at: Then = None) -> Last:
    """Give the last prognosis that the twin made by itself; where there is none, how many readings there are for one."""
    found = await twin.life_last(asset, of, EVER if at is None else at)
    if found is not None:
        return Last(item=_shape(found), readings=0)
    spec = await twin.life_spec(asset, of, _question([], []), _at(twin, at))
    return Last(item=None, readings=readings(spec))


@router.get("/life/record")
async def record(
    _: Viewer, twin: Asked, asset: OfAsset, of: Of = "", at: Then = None,
    change: Annotated[list[Annotated[str, Query(max_length=200, pattern=CHANGE)]], Query(max_length=20, description="load=+15%, speed=2400 rpm.")] = [],  # noqa: B006 - FastAPI copies it
    maintain: Annotated[list[Annotated[str, Query(max_length=200, pattern=MAINTAIN)]], Query(max_length=20, description="overhaul, or overhaul@30d.")] = [],  # noqa: B006 - as above
) -> dict[str, Any]:  # fmt: skip
    """Give what a prognosis follows from: the law's rate, bin by bin, the indicator, maintenance, and the rate under a change."""
    changes = []
    for text in change:
        read, unit = parse_change(text)
        changes.append({"of": read.of, "how": read.how, "value": read.value, "unit": unit})
    done = [read_maintenance(text) for text in maintain]
    return await twin.life_spec(asset, of, _question(changes, done), _at(twin, at))


@router.post("/life", status_code=202)
async def ask(person: Operator, twin: Asked, wish: LifeWish, response: Response) -> Prognosis:
    """Ask how long something lives if all goes on, and with a change. The same question of the same record is the same job."""
    assert person.name is not None
    question = _question([c.model_dump() for c in wish.changes], [m.model_dump() for m in wish.maintenance])
    question |= {"horizon_s": wish.horizon_s, "members": wish.members, "seed": wish.seed}
    spec = await twin.life_spec(wish.asset, wish.of, question, _at(twin, wish.at))
    job = await twin.jobs.ask("life", spec, wish.title, person.name)
    response.headers["Location"] = f"/api/v1/life/jobs/{job.asked.id}"
    return _shape(job)


@router.get("/life/jobs/{job}")
async def one(job: JobId, _: Viewer, twin: Asked) -> Prognosis:
    """Give a prognosis: how far it is, and its result once it is done."""
    return _shape(await of_kind(twin.jobs, "life", job))


@router.delete("/life/jobs/{job}")
async def stop(job: JobId, _: Operator, twin: Asked) -> Prognosis:
    """Stop one that waits or runs; give one up that has ended."""
    await of_kind(twin.jobs, "life", job)
    return _shape(await twin.jobs.cancel(job))


@router.post("/life/maintenance", status_code=201)
async def maintained(person: Operator, twin: Asked, given: Done) -> Recorded:
    """Record maintenance: from then on what it leaves of the degradation is what the record goes on from."""
    assert person.name is not None
    body = {"action": given.action, "reason": given.reason, "at": given.at}
    await twin.maintained(given.asset, given.of, body, person.name)
    return Recorded(asset=given.asset, action=given.action)


def _question(changes: list[dict[str, Any]], maintenance: list[dict[str, Any]]) -> dict[str, Any]:
    changed = [{"name": "changed", "changes": changes, "maintenance": maintenance}]
    return {"scenarios": changed if changes or maintenance else []}


def _at(twin: Twin, at: int | None) -> int:
    return int(twin.values.plant_time or 0) if at is None else at


def _shape(job: Job) -> Prognosis:
    spec = job.asked.spec
    return Prognosis.model_validate({**standing(job), "of": spec["of"], "at": spec["at"]})
