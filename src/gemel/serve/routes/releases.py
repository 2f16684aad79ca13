"""Versions of parameters: what is in force, what was, how faithful each proved, and taking one back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gemel.serve import times
from gemel.serve.access import Asked, Engineer, Viewer
from gemel.serve.paging import After, Limit, following

router = APIRouter(tags=["releases"])
OfAsset = Annotated[str | None, Query(max_length=500, description="Only of this asset.")]


class Release(BaseModel):
    """A version of an asset's parameters."""

    asset: str
    version: int = Field(description="From 1; version 0 is what the plant file says.")
    state: Literal["in_force", "superseded", "rolled_back"]
    values: dict[str, float] = Field(description="In the units of the plant file.")
    intervals: dict[str, list[float]] = Field(default={}, description="95 %: lowest and highest.")
    units: dict[str, str] = {}
    at: times.Written
    by: str
    champion: int = Field(default=0, description="The version it took the place of.")
    digest: str = ""
    fact: int = Field(description="Position in the record.")


class ReleasePage(BaseModel):
    """Versions, in the order of the record."""

    items: list[Release]
    next: int | None


class Fidelity(BaseModel):
    """How well the model ran free beside the machine, on data that it was not fitted to, when a version was released."""

    asset: str
    version: int
    at: times.Written
    fidelity: dict[str, float] = Field(
        description="By output: the explained part of the readings' variation, at most 1."
    )
    state: Literal["in_force", "superseded", "rolled_back"]


class FidelityPage(BaseModel):
    """Scores over time."""

    items: list[Fidelity]
    next: int | None


class Back(BaseModel):
    """What is to be taken back, and why."""

    asset: Annotated[str, Field(min_length=1, max_length=500)]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


@router.get("/releases")
async def releases(
    _: Viewer, twin: Asked, asset: OfAsset = None, after: After = 0, limit: Limit = 100
) -> ReleasePage:
    """Give the versions of parameters, the oldest first."""
    found = await twin.releases(asset)
    return ReleasePage(
        items=[_shape(r) for r in found[after : after + limit]], next=following(after, limit, len(found))
    )


@router.post("/releases/roll-back")
async def roll_back(person: Engineer, twin: Asked, given: Back) -> ReleasePage:
    """Take back what is in force: the version before is in force again."""
    assert person.name is not None
    found = await twin.roll_back(given.asset, person.name, given.reason)
    return ReleasePage(items=[_shape(r) for r in found], next=None)


@router.get("/fidelity")
async def fidelity(
    _: Viewer, twin: Asked, asset: OfAsset = None, after: After = 0, limit: Limit = 100
) -> FidelityPage:
    """Give how faithful the models of assets proved, release by release."""
    found = [r for r in await twin.releases(asset) if r.get("fidelity")]
    shown = [Fidelity.model_validate(r) for r in found[after : after + limit]]
    return FidelityPage(items=shown, next=following(after, limit, len(found)))


def _shape(told: dict[str, Any]) -> Release:
    return Release.model_validate(told)
