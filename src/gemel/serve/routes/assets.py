"""What exists: the tree, assets with all that may be said of them, signals."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.assets import AssetView
from gemel.samples.select import select
from gemel.serve import conditional
from gemel.serve.access import Asked, Viewer
from gemel.serve.names import Names
from gemel.serve.paging import MOST, After, Limit, following, json
from gemel.serve.shapes import asset_shape

router = APIRouter(tags=["assets"])
Number = float | None
WHOLE: Final = 100_000  # nodes of a tree that is given as a whole to who asks without parameters
DEEPEST: Final = 64  # levels


class Node(BaseModel):
    """A place in the ISA-95 hierarchy."""

    path: str
    name: str
    title: str | None = None
    kind: str
    children: "list[Node]" = []
    count: int | None = Field(None, description="How many stand directly below; told where the tree comes in pieces.")
    assets: int | None = Field(None, description="How many assets stand at and below it, at any depth; told likewise.")
    next: int | None = Field(None, description="Where children are left out: `after`, with `under` this path.")


class Limits(BaseModel):
    """Alarm limits; null where there is no such level."""

    high: Number = None
    high_high: Number = None
    low: Number = None
    low_low: Number = None


class SignalShape(BaseModel):
    """A signal and its context."""

    path: str
    name: str
    unit: str
    kind: Literal["analog", "total", "state"]
    states: list[str]
    range: tuple[Number, Number] | None
    normal: tuple[Number, Number] | None
    interval_s: Number
    stale_after_s: Number
    description: str
    prognosis: str | None = Field(description="What it foretells the life of: a name that `GET /life` has; else null.")
    alarm: Limits | None


class CommandShape(BaseModel):
    """What an asset can be told."""

    name: str
    unit: str
    low: Number
    high: Number
    max_rate_per_s: Number
    approval: str | None
    sets: str | None
    read_back: str | None
    tolerance: Number
    timeout_s: Number
    rests_on: list[str]
    wired: bool
    description: str


class ParameterShape(BaseModel):
    """A parameter's value."""

    value: float | str | None
    unit: str


class Relation(BaseModel):
    """How two assets belong together."""

    model_config = {"populate_by_name": True}
    from_: str = Field(alias="from")
    kind: str
    to: str


class AssetShape(BaseModel):
    """All that may be said of an asset."""

    path: str
    name: str
    title: str
    type: str
    at: str
    parent: str
    description: str
    parameters: dict[str, ParameterShape]
    relations: list[Relation]
    signals: list[SignalShape]
    commands: list[CommandShape]


class SignalBrief(BaseModel):
    """A signal in a list."""

    path: str
    asset: str
    name: str
    unit: str
    kind: str
    states: list[str]
    lane: str


class SignalPage(BaseModel):
    """Signals in the order of the registry."""

    items: list[SignalBrief]
    next: int | None


@router.get("/tree", response_model=Node)
async def tree(
    request: Request, _: Viewer, twin: Asked,
    under: Annotated[str, Query(max_length=500, description="Path of an asset or a level; the enterprise, if left out.")] = "",
    depth: Annotated[int | None, Query(ge=1, le=DEEPEST, description="How many levels below it; one, if left out.")] = None,
    after: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="The `next` of the node `under` in the answer before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most nodes below it in one answer.")] = MOST,
) -> Response:  # fmt: skip
    """Give the hierarchy, or a piece of it; without parameters all of it where it is small."""
    branches = twin.plant.branches
    if not request.query_params:
        small = branches.nodes <= WHOLE
        return json(twin.plant.tree() if small else branches.piece(depth=DEEPEST))
    return json(branches.piece(under, depth=depth or 1, after=after, limit=limit))


@router.get("/assets/{path:path}", response_model=AssetShape, responses={304: {"description": "It is what was seen."}})
async def asset(
    path: Annotated[str, Path(description="Path of an asset.")], _: Viewer, twin: Asked,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:  # fmt: skip
    """Give an asset."""
    view: AssetView = twin.plant.asset(path)
    told = json(asset_shape(view))
    return conditional.unless_known(told, if_none_match)


@router.get("/signals", response_model=SignalPage)
async def signals(
    request: Request, _: Viewer, after: After = 0, limit: Limit = 1000,
    asset: Annotated[str | None, Query(max_length=500, description="Only the signals of this asset.")] = None,
    signal: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]] | None, Query(max_length=1000, description="Only these: paths, their last parts, or patterns with `*`.")] = None,
    lane: Annotated[Literal["override", "measured", "estimated", "simulated"] | None, Query(description="With `signal`.")] = None,
) -> Response:  # fmt: skip
    """Give the signals."""
    names: Names = request.app.state.names
    wanted: Sequence[int] = names.signals if asset is None else names.of_asset(asset)
    if signal is not None:
        wanted = [s.signal for s in select(names.registry, signal, lane) if asset is None or s.signal in wanted]
    items = [_signal(names, s) for s in wanted[after : after + limit]]
    return json({"items": items, "next": following(after, limit, len(wanted))})


def _signal(names: Names, signal: int) -> dict[str, Any]:
    path = names.registry.paths[signal]
    asset_path, _, name = path.rpartition("/")
    return {
        "path": path, "asset": asset_path, "name": name, "unit": names.units[signal], "kind": names.kinds[signal],
        "states": names.states[signal], "lane": names.lanes[signal],
    }  # fmt: skip
