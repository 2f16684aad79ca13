"""Many assets at a time, now or past; and what became different between two times."""

from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.assets import Query as Wanted
from gemel.assets import find
from gemel.assets.problem import no_asset
from gemel.serve import differences, times
from gemel.serve.access import Asked, Viewer
from gemel.serve.listing import Listing, Shown
from gemel.serve.names import Names
from gemel.serve.paging import json
from gemel.serve.port import Twin
from gemel.serve.routes.facts import FactShape, shape
from gemel.serve.routes.state import Property, State, properties
from gemel.serve.standing import Moment, of_asset

router = APIRouter(tags=["state"])
MOST_ASSETS: Final = 200  # in one answer
MOST_FACTS: Final = 1000
At = Annotated[times.Instant | None, Query(description="What was so then; now, if left out.")]
Known = Annotated[
    times.Instant | None, Query(description="What had been received by then; all, if left out.")
]


class States(BaseModel):
    """Assets at a time, in the order of the plant."""

    at: times.Written
    items: list[State]
    next: int | None


class Changed(BaseModel):
    """A property at both times."""

    property: str
    before: Property
    after: Property
    delta: float | None = Field(description="After less before; null where one of them has no number.")
    changed: list[str] = Field(description="What differs: value, quality, status or lane.")


class AlarmChange(BaseModel):
    """An alarm whose state differs."""

    id: str
    before: str
    after: str


class Difference(BaseModel):
    """What became different between two times, and the facts between them."""

    model_config = {"populate_by_name": True}
    asset: str
    from_: times.Written = Field(alias="from")
    to: times.Written
    properties: list[Changed] = Field(description="All of them; `changed` is empty where nothing differs.")
    alarms: list[AlarmChange]
    facts: list[FactShape] = Field(description="The first thousand.")
    more_facts: bool


@router.get("/state", response_model=States)
async def states(
    request: Request, _: Viewer, twin: Asked, at: At = None, known: Known = None,
    asset: Annotated[list[str] | None, Query(max_length=MOST_ASSETS, description="Paths of assets.")] = None,
    under: Annotated[str | None, Query(max_length=500, description="All assets under this path, in pages.")] = None,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="The `next` of the answer before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ASSETS)] = MOST_ASSETS,
) -> Response:  # fmt: skip
    """Give the states of many assets at one moment."""
    names: Names = request.app.state.names
    page, more = (
        _page(twin, request.app.state.listing, under, after, limit) if asset is None else (asset, None)
    )
    page = [a for a in dict.fromkeys(page) if names.of_asset(a)]
    moment = Moment.of(twin, at, known)
    signals = np.array([s for a in page for s in names.of_asset(a)], np.int32)
    stands = await moment.standing(names, signals)
    items, start = [], 0
    for one in page:
        part = slice(start, start + len(names.of_asset(one)))
        start = part.stop
        shown = properties(names, stands[part], moment.at)
        items.append({"asset": one, "at": times.text(moment.at), "properties": shown})
    return json({"at": times.text(moment.at), "items": items, "next": more})


def _page(
    twin: Twin, listing: Listing, under: str | None, after: int | None, limit: int
) -> tuple[list[str], int | None]:
    plant = listing.plant
    shown = Shown(listing, twin.values, heard=False)
    found = find(plant, Wanted(under=under), shown, after=after, limit=limit)
    return [plant.assets.paths[row] for row in found.rows.tolist()], found.next


@router.get("/state/{asset:path}/diff", response_model=Difference)
async def diff(
    request: Request, _: Viewer, twin: Asked,
    asset: Annotated[str, Path(description="Path of an asset.")],
    from_: Annotated[times.Instant, Query(alias="from", description="The earlier time.")],
    to: Annotated[times.Instant | None, Query(description="The later time; now, if left out.")] = None,
) -> Response:  # fmt: skip
    """Tell what became different between two times: values, qualities, alarms, and the facts between."""
    names: Names = request.app.state.names
    if not names.of_asset(asset):
        raise no_asset(asset)
    before, after = Moment.of(twin, from_, None), Moment.of(twin, to, None)
    first, then = await _stood(names, before, asset), await _stood(names, after, asset)
    facts = [f for f in await after.facts(under=asset) if f.at > before.at]
    return json(
        {"asset": asset, "from": times.text(before.at), "to": times.text(after.at), **differences.between(first, then),
         "facts": [shape(f) for f in facts[:MOST_FACTS]], "more_facts": len(facts) > MOST_FACTS}
    )  # fmt: skip


async def _stood(names: Names, moment: Moment, asset: str) -> dict[str, Any]:
    signals = np.array(names.of_asset(asset), np.int32)
    shown = properties(names, await moment.standing(names, signals, asset), moment.at)
    return {"properties": shown, **await of_asset(moment, asset, {"alarms"})}
