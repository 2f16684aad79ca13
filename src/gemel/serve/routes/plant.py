"""The plant file: which one is in force, what a changed one would do, and applying it while the twin runs."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gemel.serve.access import Asked, Engineer, Viewer

router = APIRouter(tags=["plant"])
MOST_BYTES: Final = 100 << 20  # of an FMU
FileName = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.(yaml|csv)$")]


class InForce(BaseModel):
    """The version that is in force."""

    digest: str = Field(description="SHA-256 of what the plant file says.")
    registry: str = Field(description="SHA-256 of the numbers of its signals.")
    applied_by: str


class Files(BaseModel):
    """A plant file: `plant.yaml`, and what lies beside it."""

    files: Annotated[
        dict[FileName, str],
        Field(min_length=1, max_length=100, json_schema_extra={"additionalProperties": False}),  # no other names
    ]


class Change(Files):
    """A plant file that is to be applied."""

    accept_loss: bool = Field(default=False, description="Apply also what loses something.")
    reason: Annotated[str, Field(max_length=1000)] = ""


class Step(BaseModel):
    """One change."""

    kind: str = Field(
        description="added, renamed, moved, reunited, removed, changed, version, or impossible."
    )
    words: str
    loss: str = Field(description="What would be lost; empty where nothing is.")
    count: int


class Planned(BaseModel):
    """What applying the file does."""

    digest: str
    changes: bool
    applied: bool
    steps: list[Step]
    losses: int
    impossible: int


class Fmu(BaseModel):
    """An FMU that is kept, for plant files to name."""

    digest: str = Field(description="SHA-256: `fmus.csv` beside plant.yaml says which name means it.")
    kind: Literal["CoSimulation", "ModelExchange"]
    size: int
    states: list[str]
    inputs: list[str]
    outputs: list[str]
    parameters: list[str]


BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/plant")
async def in_force(_: Viewer, twin: Asked) -> InForce:
    """Give which plant file is in force."""
    return InForce.model_validate(await twin.plant_version())


@router.post("/plant/fmus", status_code=201, openapi_extra=BODY, max_body_size=MOST_BYTES)
async def keep_fmu(request: Request, _: Engineer, twin: Asked) -> Fmu:
    """Keep an FMU that a plant file is to name; one that cannot be read is refused. Applying names it by its digest."""
    return Fmu.model_validate(await twin.plant_fmu(await request.body()))


@router.post("/plant/plan")
async def plan(_: Engineer, twin: Asked, given: Files) -> Planned:
    """Say what a changed plant file would do, and what would be lost; nothing is done."""
    return Planned.model_validate(await twin.plant_plan(given.files))


@router.post("/plant/apply")
async def apply(person: Engineer, twin: Asked, given: Change) -> Planned:
    """Apply a changed plant file while the twin runs; answers once it is in force."""
    assert person.name is not None
    found = await twin.plant_apply(
        given.files, person.name, accept_loss=given.accept_loss, reason=given.reason
    )
    return Planned.model_validate(found)
