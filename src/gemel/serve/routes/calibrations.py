"""Calibrations: the parameters of an asset's model, fitted to its own history and judged; nothing comes into force by it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.jobs import JobId, JobShape, of_kind, standing
from gemel.serve.port import Twin
from gemel.serve.port_jobs import Job

router = APIRouter(tags=["calibrations"])
HOUR = 3_600_000_000_000
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class CalibrationWish(BaseModel):
    """What is asked of a calibration; of step, lead, running, regimes, most, unseen and hybrid what the plant file says counts where they are left out."""

    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(max_length=200)] = ""
    start: times.Instant | None = Field(default=None, description="Of the history; an hour before its end, if left out.")
    end: times.Instant | None = Field(default=None, description="Of the history; now, if left out.")
    parameters: Annotated[list[Name], Field(max_length=100)] = Field(
        default=[], description="To fit; those marked `calibrate`, if left out."
    )
    step_s: Annotated[float | None, Field(gt=0, le=86_400)] = Field(
        default=None, description="Of the fit; as the first output's readings come, if left out."
    )
    unseen: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.3, description="Share of the data, the newest, that is judged on and not fitted."
    )
    running: Annotated[dict[Name, tuple[Number | None, Number | None]], Field(max_length=20)] = Field(
        default={}, description="By signal, between which values the machine runs; the rest is no data."
    )
    regimes: Annotated[dict[Name, Annotated[list[Number], Field(min_length=1, max_length=20)]], Field(max_length=5)] = Field(
        default={}, description="By signal, edges between regimes: each has its share of the data."
    )
    block_s: Annotated[float | None, Field(gt=0, le=1e8)] = Field(
        default=None, description="Length of the blocks that data are chosen in; a twentieth of all, if left out."
    )
    most: Annotated[int, Field(ge=1, le=10_000)] = Field(default=10_000, description="Blocks of each regime, the newest.")
    lead: Annotated[int, Field(ge=1, le=10_000)] = 10
    starts: Annotated[int, Field(ge=1, le=20)] = 3
    seed: Annotated[int, Field(ge=0, lt=1 << 53)] = 0
    blamed: Annotated[list[Name], Field(max_length=100)] = Field(
        default=[], description="Signals that are held wrong: the gate lets nothing through that they say."
    )
    blame: bool = Field(default=True, description="Of what the gate would let in, ask who is wrong in the readings.")
    hybrid: bool = Field(default=False, description="Learn what the fit leaves over, too.")


class Calibration(JobShape):
    """A calibration as it stands; its result: parameters with intervals, identifiability, residuals, free run of both, the gate's checks."""

    start: times.Written
    end: times.Written
    wish: dict[str, Any]
    champion: int = Field(description="Version that it was judged against.")


class CalibrationPage(BaseModel):
    """Calibrations, the newest first, without their results."""

    items: list[Calibration]
    next: int | None = None


@router.post("/assets/{asset:path}/calibrations", status_code=202)
async def ask(
    asset: Annotated[str, Path(max_length=500)], person: Operator, twin: Asked, wish: CalibrationWish, response: Response
) -> Calibration:
    """Ask for a calibration on the asset's history. The same question about the same readings is the same calibration."""
    assert person.name is not None
    end = twin.values.plant_time if wish.end is None else wish.end
    start = end - HOUR if wish.start is None else wish.start
    given = wish.model_dump(exclude={"title", "start", "end"}, exclude_unset=True)
    job = await twin.calibration_ask(asset, given, (start, end), wish.title, person.name)
    response.headers["Location"] = f"/api/v1/calibrations/{job.asked.id}"
    return _shape(job)


@router.get("/calibrations")
async def listed(
    _: Viewer, twin: Asked, asset: Annotated[str | None, Query(max_length=500, description="Only of this asset.")] = None
) -> CalibrationPage:
    """Give the calibrations there are."""
    jobs = await twin.jobs.listed("calibrate")
    return CalibrationPage(items=[_shape(job) for job in jobs if asset in (None, job.asked.spec["asset"])])


@router.get("/calibrations/{job}")
async def one(job: JobId, _: Viewer, twin: Asked) -> Calibration:
    """Give a calibration: how far it is, and its result once it is done."""
    return _shape(await found(twin, job))


@router.delete("/calibrations/{job}")
async def stop(job: JobId, _: Operator, twin: Asked) -> Calibration:
    """Stop one that waits or runs; give one up that has ended. What was released of it stays in force."""
    await found(twin, job)
    return _shape(await twin.jobs.cancel(job))


async def found(twin: Twin, name: str) -> Job:
    """Give a calibration; raises NotFoundError where the job is none."""
    return await of_kind(twin.jobs, "calibrate", name)


def _shape(job: Job) -> Calibration:
    spec = job.asked.spec
    start, end = spec["span"]
    more = {"start": start, "end": end, "wish": spec["wish"], "champion": spec["champion"]["version"]}
    return Calibration.model_validate({**standing(job), **more})
