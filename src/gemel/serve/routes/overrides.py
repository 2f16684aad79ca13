"""Overrides: a value that a person puts in the place of what is measured, with a reason and an end."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from gemel.errors import RefusedError
from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.conditional import TOLD, Expected, ExpectedVersion, IfMatch
from gemel.serve.names import Names
from gemel.serve.paging import After, Limit, following

router = APIRouter(tags=["overrides"])
LONGEST_S: Final = 30 * 86_400
SHIFT_S: Final = 8 * 3600.0  # of who set it; whoever comes next decides anew


class Wished(BaseModel):
    """What is to be shown, why, and until when."""

    path: Annotated[str, Field(max_length=500, description="Path of a property.")]
    value: Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=200)] = Field(
        description="In the declared unit; of a state, its word or its code."
    )
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    seconds: Annotated[float, Field(gt=0, le=LONGEST_S)] = Field(
        default=SHIFT_S, description="How long it holds."
    )
    until: times.Instant | None = Field(default=None, description="Or when it ends, instead of `seconds`.")
    replaces: Annotated[str, Field(max_length=100)] = Field(
        default="",
        description="Id of the override that it takes the place of; without it, there must be none.",
    )
    expected_version: ExpectedVersion = None


class Override(BaseModel):
    """An override."""

    id: str
    path: str
    value: float
    text: str | None = Field(default=None, description="The word of a state.")
    unit: str
    owner: str
    reason: str
    at: times.Written
    until: times.Written
    in_force: bool = Field(description="It takes effect at the plant's next tick, a tenth of a second later.")
    fact: int = Field(description="Position in the record.")


class OverridePage(BaseModel):
    """Overrides, the newest first."""

    items: list[Override]
    next: int | None


def _shape(told: dict[str, Any]) -> Override:
    states, value = told["states"], told["value"]
    text = states[int(value)] if states and 0 <= value < len(states) else None
    return Override.model_validate({**told, "text": text})


def _value(names: Names, given: Wished) -> float:
    if not isinstance(given.value, str):
        return given.value
    states = names.states[names.number(given.path)]
    if given.value not in states:
        raise RefusedError(
            f"{given.value!r} is no state of {given.path}", code="override-value",
            remedy=f"one of {', '.join(states)}" if states else "give a number in its unit",
        )  # fmt: skip
    return float(states.index(given.value))


@router.post("/overrides", status_code=201, responses=TOLD)
async def override(
    request: Request, person: Operator, twin: Asked, given: Wished, response: Response, if_match: IfMatch = None
) -> Override:
    """Override a property. What is measured goes on being stored and watched: no alarm is hidden by it."""
    assert person.name is not None
    wish = given.model_dump(exclude={"value", "expected_version"})
    wish["value"] = _value(request.app.state.names, given)
    with Expected.of(if_match, given.expected_version) as expected:
        made = _shape(await twin.override(person.name, wish | {"expected": expected}))
    response.headers["Location"] = f"/api/v1/overrides/{made.id}"
    return made


@router.get("/overrides")
async def overrides(
    _: Viewer, twin: Asked, after: After = 0, limit: Limit = 100,
    under: Annotated[str | None, Query(max_length=500, description="Only what is under this path.")] = None,
) -> OverridePage:  # fmt: skip
    """Give the overrides that are not over, the newest first."""
    head = "" if under is None else under.rstrip("/") + "/"
    found = [o for o in await twin.override_list() if f"{o['path']}/".startswith(head)]
    return OverridePage(
        items=[_shape(o) for o in found[after : after + limit]], next=following(after, limit, len(found))
    )


@router.get("/overrides/{id}")
async def one(id: str, _: Viewer, twin: Asked) -> Override:  # noqa: A002 - the face's own word
    """Give an override."""
    return _shape(await twin.override_get(id))


@router.delete("/overrides/{id}")
async def clear(
    id: str, person: Operator, twin: Asked, reason: Annotated[str, Query(max_length=1000)] = "",  # noqa: A002
) -> Override:  # fmt: skip
    """End an override before its time; any operator may."""
    assert person.name is not None
    return _shape(await twin.override_clear(id, person.name, reason))
