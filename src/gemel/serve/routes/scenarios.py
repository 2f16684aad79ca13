"""What-ifs: futures of an asset, from the state of now or of a past time, tried out beside the plant, never on it."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gemel.assets.problem import no_asset
from gemel.errors import ConflictError
from gemel.samples import Fact, units
from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.jobs import JobId, JobShape, of_kind, standing
from gemel.serve.names import Names
from gemel.serve.port import Twin
from gemel.serve.port_jobs import Job
from gemel.serve.provenance import uncertainties
from gemel.serve.routes.state import properties
from gemel.serve.standing import Moment
from gemel.twin.releases import Releases

NOTHING_CHANGED: Final = {"scenarios": [{"name": "ahead"}]}
router = APIRouter(tags=["scenarios"])
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Pairs = Annotated[list[tuple[Number, Number]], Field(max_length=2000)]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChangeShape(_Exact):
    """One thing done differently. A state is changed at an instant (`start_s`, or each of a profile), then the model moves it."""

    of: Name = Field(description="An input, a parameter or a state of the model.")
    how: Literal["set", "scale", "add"]
    value: Number = 0.0
    unit: Annotated[str | None, Field(max_length=40)] = Field(
        default=None, description="Of the value; the model's own, if left out."
    )
    profile: Pairs = Field(default=[], description="Pairs (seconds from now, value) instead of one value.")
    shape: Literal["hold", "linear"] = "hold"
    start_s: Number = 0.0
    end_s: Number = 1e12
    repeat_s: Annotated[float, Field(ge=0, le=3.2e8)] = Field(default=0.0, description="After which the profile begins anew; 0: it does not.")


class ScenarioShape(_Exact):
    """A future that is tried out."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    changes: Annotated[list[ChangeShape], Field(max_length=100)] = []


class UncertainShape(_Exact):
    """Something not known exactly."""

    of: Name
    spread: Annotated[float, Field(ge=0, le=1e12)]
    relative: bool = True
    law: Literal["normal", "uniform"] = "normal"


class PartShape(_Exact):
    """A figure that is no sum."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    statistic: Literal[
        "integral",
        "mean",
        "min",
        "max",
        "last",
        "time_above",
        "time_below",
        "first_above",
        "first_below",
        "life",
        "ratio",
        "time_outside",
        "times_outside",
        "met",
        "missing",
    ]
    of: Name
    per: Annotated[str, Field(max_length=200)] = Field(default="", description="Of a ratio: what the integral of `of` is divided by.")
    limit: Number = 0.0
    below: Number | None = Field(default=None, description="Of what is outside: from where on it is too little.")
    above: Number | None = Field(default=None, description="Of what is outside: from where on it is too much.")
    factor: Number = 1.0
    offset: Number = Field(default=0.0, description="Is added after the factor.")
    unit: Annotated[str, Field(max_length=40)] = ""
    price: Pairs = Field(default=[], description="Pairs (second of the plant's local day, price): an integral's weight.")
    better: Literal["less", "more", ""] = ""
    from_s: Number = Field(default=0.0, description="Of an integral or order: from when on it counts, from the beginning.")
    until_s: Number = Field(default=1e12, description="Of an integral or order: until when it counts.")


class SumShape(_Exact):
    """A figure that is the sum of others, member by member."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    statistic: Literal["sum"]
    of: Literal[""] = ""
    parts: Annotated[list[PartShape], Field(min_length=1, max_length=100)]
    factor: Number = 1.0
    offset: Number = Field(default=0.0, description="Is added after the factor.")
    unit: Annotated[str, Field(max_length=40)] = ""
    better: Literal["less", "more", ""] = ""


KpiName = Annotated[str, Field(min_length=1, max_length=300)]
_SOME: Final = r"(\.[0-9]{1,6})? ?"
LENGTH: Final = (  # of a horizon in words, none of which is longer than `horizon_s` may be
    rf"^([1-9][0-9]{{0,3}}{_SOME}(s|min|h)|[1-9][0-9]{{0,2}}{_SOME}(d|days?)|[1-9][0-9]?{_SOME}(weeks?|months?)|[1-9]{_SOME}(years?|a|y))$"
)


class Wish(_Exact):
    """What is asked."""

    asset: Annotated[str, Field(max_length=2000, description="Path of an asset; several divided by +; an area.")]
    title: Annotated[str, Field(max_length=200)] = ""
    at: times.Instant | None = Field(default=None, description="From a past state; from now, if left out.")
    fork: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="From the state that is kept under this name.")
    indices: bool = Field(default=False, description="Also Sobol indices of each figure: (uncertain + 2) times the runs.")
    scenarios: Annotated[list[ScenarioShape], Field(min_length=1, max_length=5)]
    horizon: Annotated[str, Field(max_length=40, pattern=LENGTH)] | None = Field(default=None, description="How far ahead, as in `1 year`; instead of `horizon_s`.")
    horizon_s: Annotated[float, Field(gt=0, le=3.2e8)] = 86_400.0
    leap: Literal["auto", "never"] = Field(default="auto", description="Over a horizon of weeks and more: leap over days that are alike, or take each step.")
    step_s: Annotated[float, Field(gt=0, le=86_400)] = 10.0
    members: Annotated[int | None, Field(ge=1, le=100_000)] = Field(default=None, description="1000, if left out; of an FMU 100, and 10,000 at most.")
    seed: Annotated[int, Field(ge=0, lt=1 << 53)] = 0
    uncertain: Annotated[list[UncertainShape] | None, Field(max_length=50)] = Field(
        default=None, description="If left out: what `GET /whatif` gives: states by their uncertainty, parameters by the interval released, else by the accuracy declared, else what is calibrated by 5 %."
    )
    kpis: Annotated[list[PartShape | SumShape | KpiName], Field(max_length=30)] = Field(
        default=[], description="Figures: names of those that `GET /whatif` offers, lines as `peak={max: power}`, or whole; its default ones, if left out."
    )
    watch: Annotated[list[Name], Field(max_length=30)] = []
    points: Annotated[int, Field(ge=2, le=1000)] = 121
    precision: Literal["float32", "float64"] = "float32"
    engine: Literal["auto", "jax"] = Field(default="auto", description="The fastest there is, or JAX on the device that it finds.")

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("horizon"), str):
            return {**given, "horizon_s": units.seconds(given["horizon"])}
        return given


class WhatIf(JobShape):
    """A what-if as it stands."""

    at: str = Field(description="Plant time of the state that it begins with.")
    question: dict[str, Any]


class WhatIfPage(BaseModel):
    """What-ifs, the newest first, without their results."""

    items: list[WhatIf]
    next: int | None = None


class Beginning(BaseModel):
    """Where a what-if about an asset would begin, and what can be changed."""

    asset: str
    at: times.Written
    model: str | dict[str, Any] = Field(description="`module:name`; of several assets, what their system is made of.")
    quantities: dict[str, dict[str, dict[str, Any]]] = Field(
        description="By kind and name: `value` in the model's `unit`, and `shown_unit`, in which SI = value * scale + offset."
    )
    calibrated: list[str]
    uncertain: list[dict[str, Any]] = Field(
        default=[], description="What is not known exactly of it where a question does not say, and from where one knows that (`source`)."
    )
    together: list[dict[str, Any]] = Field(default=[], description="What of it varies together: `names` and their `correlation`.")
    versions: dict[str, int] = Field(default={}, description="Of the parameters in force, by asset; 0: the plant file's.")
    kpis: list[dict[str, Any]] = Field(default=[], description="Figures that can be asked for by name: those that the types declare, and others.")
    hybrids: list[dict[str, Any]] = Field(default=[], description="What was learned and released with them, of which outputs.")


@router.post("/scenarios", status_code=202)
async def ask(request: Request, person: Operator, twin: Asked, wish: Wish, response: Response) -> WhatIf:
    """Ask what would come of it. The same question about the same state is the same what-if, and is there at once."""
    assert person.name is not None
    begun, moment = await _begun(request, twin, wish.asset, await _when(twin, wish.at, wish.fork))
    question = wish.model_dump(exclude={"asset", "title", "at", "fork", "horizon"})
    spec = await twin.whatif_spec(begun, question, times.text(moment.at) or "")
    job = await twin.jobs.ask("whatif", spec, wish.title, person.name)
    response.headers["Location"] = f"/api/v1/scenarios/{job.asked.id}"
    return _shape(job)


@router.get("/scenarios")
async def listed(_: Viewer, twin: Asked) -> WhatIfPage:
    """Give the what-ifs there are."""
    return WhatIfPage(items=[_shape(job) for job in await twin.jobs.listed("whatif")])


@router.get("/whatif")
async def start(
    request: Request, _: Viewer, twin: Asked,
    asset: Annotated[str, Query(max_length=2000, description="Path of an asset; several divided by +; an area.")],
    at: Annotated[times.Instant | None, Query(description="A past state; that of now, if left out.")] = None,
    fork: Annotated[str | None, Query(max_length=64, description="The state that is kept under this name.")] = None,
    warm: Annotated[bool, Query(description="Whether who computes is made ready meanwhile.")] = True,
) -> Beginning:  # fmt: skip
    """Give where a what-if would begin and what can be changed; has whoever computes it made ready meanwhile."""
    begun, moment = await _begun(request, twin, asset, await _when(twin, at, fork))
    if warm:
        await twin.jobs.ahead(await twin.whatif_spec(begun, NOTHING_CHANGED, times.text(moment.at) or ""))
    return Beginning.model_validate({**begun, "at": moment.at})


@router.get("/scenarios/{job}")
async def one(job: JobId, _: Viewer, twin: Asked) -> WhatIf:
    """Give a what-if: how far it is, and its result once it is done."""
    return _shape(await of_kind(twin.jobs, "whatif", job))


@router.delete("/scenarios/{job}")
async def stop(job: JobId, _: Operator, twin: Asked) -> WhatIf:
    """Stop one that waits or runs; give one up that has ended."""
    await of_kind(twin.jobs, "whatif", job)
    return _shape(await twin.jobs.cancel(job))


async def _begun(request: Request, twin: Twin, asset: str, at: int | None) -> tuple[dict[str, Any], Moment]:
    names: Names = request.app.state.names
    moment = Moment.of(twin, at, None)
    shown: dict[str, tuple[float, str, float, str]] = {}
    facts: list[Fact] = []
    assets = await twin.whatif_assets(asset)
    for one in assets:
        shown |= await _shown(names, moment, one)
        facts += await moment.released(one)
    if moment.live:  # a version may be told before the plant's time has come to it: its time is what to ask for to see the same again
        moment = replace(moment, at=max([moment.at, *(fact.at for fact in facts)]))
    estimated = await twin.whatif_together(assets) if moment.live else ()  # of the past nobody keeps it
    begun = dict(await twin.whatif_begin(asset, shown, Releases().take_all(facts), moment.at, estimated))
    if not begun:
        raise no_asset(asset)
    return begun, moment


async def _when(twin: Twin, at: int | None, fork: str | None) -> int | None:
    """Give the plant time that is begun with; that of a fork is the time of its state."""
    if fork is None:
        return at
    kept = await asyncio.to_thread(twin.forks.kept.get, fork)
    if at not in (None, kept.at):
        raise ConflictError(f"the fork {fork} is of another time", code="fork-time", remedy="give `at` or `fork`, not both")
    if kept.state != "ready":
        raise ConflictError(f"the fork {fork} is {kept.state}", code="fork-not-ready", remedy=kept.problem or "wait for it")
    return kept.at


async def _shown(names: Names, moment: Moment, asset: str) -> dict[str, tuple[float, str, float, str]]:
    """Give what an asset shows, by the paths of its properties, and how sure that is."""
    signals = np.array(names.of_asset(asset), np.int32)
    if not len(signals):
        return {}
    stands = await moment.standing(names, signals, asset)
    told, sure = properties(names, stands, moment.at), uncertainties(names, stands)
    paths = {f"{asset}/{n}": p for n, p in told.items()}
    return {path: (np.nan if p["value"] is None else p["value"], p["unit"], *sure[path]) for path, p in paths.items()}


def _shape(job: Job) -> WhatIf:
    spec = job.asked.spec
    return WhatIf.model_validate({**standing(job), "at": spec["at"], "question": spec["question"]})
