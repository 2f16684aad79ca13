"""Versions of parameters: what is in force, what was, how faithful each proved, and taking one back."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from gemel.assets import Plant
from gemel.errors import ConflictError, RefusedError
from gemel.operate.following import proposed, put
from gemel.operate.models_source import source
from gemel.serve import times
from gemel.serve.access import Asked, Engineer, Viewer
from gemel.serve.paging import After, Limit, following
from gemel.serve.port import Twin
from gemel.serve.routes.calibrations import found as calibration

router = APIRouter(tags=["releases"])
OfAsset = Annotated[str | None, Query(max_length=500, description="Only of this asset.")]


class Ended(BaseModel):
    """That a version was taken back."""

    at: times.Written
    by: str
    reason: str
    fact: int = Field(description="Position in the record.")
    version: int = Field(description="In force since then, of its kind; 0: what the plant file says, or nothing learned.")


class Release(BaseModel):
    """A version of an asset's parameters, or of what was learned of it."""

    asset: str
    kind: str = Field(default="parameters", description="`parameters`; `hybrid` for corrections released alone; or another learner's.")
    version: int = Field(description="From 1 for each kind; version 0 of the parameters is what the plant file says.")
    state: Literal["in_force", "superseded", "rolled_back"]
    values: dict[str, float] = Field(description="In the units of the plant file; none of what was learned.")
    intervals: dict[str, list[float]] = Field(default={}, description="95 %: lowest and highest.")
    units: dict[str, str] = {}
    at: times.Written
    by: str
    champion: int = Field(default=0, description="The version it took the place of.")
    digest: str = ""
    data: dict[str, Any] = Field(default={}, description="What it was fitted to: sources, span [s since 1970], readings.")
    models: dict[str, str] = Field(default={}, description="SHA-256 of the source of a model of one's own that it was found with.")
    rewritten: bool = Field(default=False, description="Whether that source is another by now: calibrate anew.")
    calibration: str = Field(default="", description="It comes from, if any.")
    good_for: dict[str, Any] = Field(default={}, description="What was learned: with which version of the parameters, for which outputs.")
    unconfirmed: list[str] = Field(default=[], description="What one sensor alone said of it.")
    fact: int = Field(description="Position in the record.")
    ended: Ended | None = Field(default=None, description="Who took it back, when and why; null: nobody did.")


class ReleasePage(BaseModel):
    """Versions, in the order of the record."""

    items: list[Release]
    next: int | None


class Fidelity(BaseModel):
    """How well a model ran free beside its machine, on data that it was not fitted to."""

    asset: str
    kind: str = Field(default="parameters", description="Of that version: `parameters`, or that of what was released alone, such as `hybrid`.")
    version: int = Field(description="Of its kind; with `release`, the one that was released then.")
    at: times.Written
    fidelity: dict[str, float] = Field(
        description="By output: the explained part of the readings' variation, at most 1."
    )
    shadow: dict[str, float] = Field(default={}, description="The same of whoever ran beside, deciding nothing.")
    decision: Literal["release", "rolled_back", "kept", "released", "proposed", "beside", "promoted", "dropped", "failed"] = Field(
        default="release", description="`release`: scored when it was released; `rolled_back`: one was taken back, and `version` is in force since; "
        "else what a calibration by itself led to."
    )
    words: str = Field(default="", description="Why.")
    state: Literal["in_force", "superseded", "rolled_back"] | None = Field(default=None, description="Of that version, with `release`.")


class FidelityPage(BaseModel):
    """Scores over time."""

    items: list[Fidelity]
    next: int | None


class Back(BaseModel):
    """What is to be taken back, and why."""

    asset: Annotated[str, Field(min_length=1, max_length=500)]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    kind: Annotated[str | None, Field(max_length=40)] = Field(
        default=None, description="`parameters`, `hybrid` or another learner's; what the model got last, parameters or a hybrid, if left out."
    )


class Put(BaseModel):
    """What is to be put in force, and why."""

    model_config = ConfigDict(extra="forbid")
    asset: Annotated[str, Field(min_length=1, max_length=500)]
    calibration: Annotated[str | None, Field(pattern=r"^[0-9a-f]{20}$")] = Field(
        default=None, description="One that is done: its values, and what the gate said of them."
    )
    shadow: bool = Field(default=False, description="Instead: who runs beside, as the last judgement tells.")
    values: Annotated[dict[str, Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=100)] = Field(
        default={}, description="Instead: by name, in the plant file's units. No gate was asked: `despite_gate` must say so."
    )
    expected: Annotated[int, Field(ge=0)] = Field(description="Version in force, as you know it; 0: the plant file's.")
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    despite_gate: bool = Field(default=False, description="Whatever the gate says; the record tells so.")


@router.get("/releases")
async def releases(
    _: Viewer, twin: Asked, asset: OfAsset = None, after: After = 0, limit: Limit = 100
) -> ReleasePage:
    """Give the versions of parameters, the oldest first."""
    found = await twin.releases(asset)
    return ReleasePage(
        items=[_shape(r) for r in found[after : after + limit]], next=following(after, limit, len(found))
    )


@router.post("/releases")
async def release(person: Engineer, twin: Asked, given: Put) -> ReleasePage:
    """Put a calibration's values, or given ones, in force: a fact, with who and why and what the gate said."""
    assert person.name is not None
    body = await _body(twin, given)
    against = body.get("good_for", {}).get("parameters", body["champion"])
    if against != given.expected:
        raise ConflictError(
            f"it was judged against version {against}, not {given.expected}", code="changed-meanwhile",
            remedy="calibrate against what is in force",
        )  # fmt: skip
    found = await twin.release(given.asset, person.name, body, given.reason, despite_gate=given.despite_gate)
    return ReleasePage(items=[_shape(r) for r in found], next=None)


@router.post("/releases/roll-back")
async def roll_back(person: Engineer, twin: Asked, given: Back) -> ReleasePage:
    """Take back what is in force: the version before is in force again."""
    assert person.name is not None
    found = await twin.roll_back(given.asset, person.name, given.reason, given.kind)
    return ReleasePage(items=[_shape(r) for r in found], next=None)


@router.get("/fidelity")
async def fidelity(
    _: Viewer, twin: Asked, asset: OfAsset = None, after: After = 0, limit: Limit = 100
) -> FidelityPage:
    """Give how faithful the models of assets proved: at each release, at each calibration by itself, and when a version was taken back."""
    versions = await twin.releases(asset)
    scores = [r for r in versions if r.get("fidelity")] + await twin.judgements(asset)
    found = sorted([*scores, *(_back(r) for r in versions if r.get("ended"))], key=lambda r: r["fact"])
    shown = [Fidelity.model_validate(r) for r in found[after : after + limit]]
    return FidelityPage(items=shown, next=following(after, limit, len(found)))


def _back(told: Mapping[str, Any]) -> dict[str, Any]:
    ended = told["ended"]
    words = f"version {told['version']} was taken back by {ended['by']}: {ended['reason']}"
    return {**ended, "asset": told["asset"], "kind": told["kind"], "fidelity": {}, "decision": "rolled_back", "words": words}


async def _body(twin: Twin, given: Put) -> dict[str, Any]:
    if (given.calibration is not None) + bool(given.values) + given.shadow != 1:
        raise RefusedError(
            "say one of calibration, shadow and values", code="release-empty", remedy="see GET /api/v1/calibrations"
        )
    if given.shadow:
        return await _beside(twin, given)
    if given.calibration is None:
        _check(twin.plant, given.asset, given.values)
        return {"values": given.values, "champion": given.expected, "despite_gate": True}
    job = await calibration(twin, given.calibration)
    if job.asked.spec["asset"] != given.asset:
        raise RefusedError(
            f"it is of {job.asked.spec['asset']}", code="release-asset", remedy="name its own asset"
        )
    if job.state != "done" or job.ended is None:
        raise ConflictError(f"the calibration is {job.state}", code="job-not-done", remedy="wait for it")
    return {**proposed(job.ended.result)["release"], "calibration": given.calibration, "despite_gate": given.despite_gate}


async def _beside(twin: Twin, given: Put) -> dict[str, Any]:
    standing = ((await twin.judgement(given.asset)) or {}).get("shadow")
    if standing is None:
        raise RefusedError(
            f"nobody runs beside {given.asset}", code="release-empty", remedy="see GET /api/v1/fidelity"
        )
    return {**put(standing), "despite_gate": given.despite_gate}


def _check(plant: Plant, asset: str, values: Mapping[str, float]) -> None:
    known = {p.name: p for p in plant.template(plant.assets.row(asset)).parameters}
    for name, value in values.items():
        if name not in known:
            raise RefusedError(
                f"{asset} has no parameter {name[:100]!r}", code="release-parameter", remedy=f"it has {', '.join(known) or 'none'}"
            )
        low, high = known[name].low, known[name].high
        if (low is not None and value < low) or (high is not None and value > high):
            raise RefusedError(
                f"{name} = {value:g} is outside of its range", code="release-parameter", remedy="give a value within its range"
            )


def _shape(told: dict[str, Any]) -> Release:
    models = told.get("models") or {}
    return Release.model_validate({**told, "rewritten": any(source(one) != digest for one, digest in models.items())})
