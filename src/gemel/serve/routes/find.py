"""Finding assets: the list of all, narrowed by parameters that all must hold."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.assets import WHERE, Condition, find
from gemel.assets import Query as Wanted
from gemel.assets.named import named
from gemel.history.formats import MEDIA
from gemel.samples.batch import I32
from gemel.serve import frames, streams
from gemel.serve.access import Asked, Viewer
from gemel.serve.listing import Listing, Shown
from gemel.serve.paging import MOST, json

Quality = Literal["none", "good", "uncertain", "bad", "stale", "substituted", "simulated", "manual"]
assert Quality.__args__ == frames.WORDS  # type: ignore[attr-defined]
router = APIRouter(tags=["assets"])
MOST_CONDITIONS: Final = 20
FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {m: {"schema": {"type": "string", "format": "binary"}} for m in MEDIA.values()}}
}


class Brief(BaseModel):
    """An asset in a list."""

    path: str
    name: str
    title: str
    type: str
    kind: str
    parent: str
    signals: int
    commands: int
    values: dict[str, float | None] = Field(description="What the conditions looked at, by name.")


class AssetPage(BaseModel):
    """Assets in the order of the plant."""

    items: list[Brief]
    count: int = Field(description="How many there are on all pages.")
    next: int | None


def query(
    type: Annotated[str | None, Query(max_length=100, description="Of this type, or of one that extends it.")] = None,  # noqa: A002 - the plant file's word
    name: Annotated[str | None, Query(max_length=200, description="Words that are all in its path below the site or in its title, in any case.")] = None,
    under: Annotated[str | None, Query(max_length=500, description="Only what stands under this path.")] = None,
    part_of: Annotated[str | None, Query(max_length=500, description="Parts of this asset or level, and their parts.")] = None,
    downstream_of: Annotated[str | None, Query(max_length=500, description="What this asset feeds, over others too.")] = None,
    upstream_of: Annotated[str | None, Query(max_length=500, description="What feeds this asset, over others too.")] = None,
    related_to: Annotated[str | None, Query(max_length=500, description="Reached from this asset along `relation`.")] = None,
    relation: Annotated[str, Query(max_length=100, description="The word of a relation, with `related_to`.")] = "feeds",
    direction: Annotated[Literal["out", "in", "both"], Query(description="From `related_to` on, towards it, or both.")] = "out",
    depth: Annotated[int | None, Query(ge=1, le=1_000_000, description="Most steps along relations and parts; any, if left out.")] = None,
    where: Annotated[list[Annotated[str, Field(max_length=200, pattern=WHERE)]] | None, Query(max_length=MOST_CONDITIONS, description="Conditions such as `wear>0.2`, `head<=3 bar`, `running=stopped`; all must hold.")] = None,
    quality: Annotated[Quality | None, Query( description="One of its properties is good, uncertain, bad, stale, …")] = None,
) -> Wanted:  # fmt: skip
    """Give what is asked for."""
    return Wanted(
        type=type, name=name, under=under, part_of=part_of, downstream_of=downstream_of, upstream_of=upstream_of, related_to=related_to,
        relation=relation, direction=direction, depth=depth, where=[Condition.read(w) for w in where or ()], quality=quality,
    )  # fmt: skip


@router.get("/assets", response_model=AssetPage, responses=FILES)
async def assets(
    request: Request, _: Viewer, twin: Asked, wanted: Annotated[Wanted, Depends(query)],
    alarm: Annotated[bool | None, Query(description="Whether one of its alarms is not normal.")] = None,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="The `next` of the answer before.")] = None,
    limit: Annotated[int | None, Query(ge=1, le=10_000_000, description="Most items: 1,000 in JSON, at most; all in a file, if left out.")] = None,
    format: Annotated[Literal["json", "csv", "parquet", "arrow"] | None, Query(description="As the Accept header says, if left out; else JSON, in pages.")] = None,  # noqa: A002 - the face's own word
) -> Response:  # fmt: skip
    """Find assets."""
    listing: Listing = request.app.state.listing
    if alarm is not None:
        wanted = replace(wanted, among=_alarmed(listing, {a["asset"] for a in await twin.alarms()}, alarm))
    if wanted.name is not None:
        wanted = await asyncio.to_thread(_by_name, listing, wanted)  # a million names: nobody's values wait for it
    shown = Shown(listing, twin.values, heard=twin.link()["up"])
    form = format or streams.wanted(request.headers.get("accept", ""), ("json", *MEDIA))
    most = min(limit or MOST, MOST) if form == "json" else limit
    found = find(listing.plant, wanted, shown, after=after, limit=most)
    if form != "json":
        table = listing.table(found)
        return await streams.response("assets", form, table.schema, streams.one(table))
    return json({"items": list(listing.items(found)), "count": found.count, "next": found.next})


def _by_name(listing: Listing, wanted: Wanted) -> Wanted:
    rows = np.flatnonzero(named(listing.plant.assets, wanted.name or "")).astype(np.int32)
    among = rows if wanted.among is None else np.intersect1d(rows, wanted.among).astype(np.int32)
    return replace(wanted, name=None, among=among)


def _alarmed(listing: Listing, paths: set[str], alarm: bool) -> I32:
    rows = [row for path in paths if (row := listing.plant.assets.find(path)) is not None]
    everything = np.arange(len(listing.plant.assets), dtype=np.int32)
    return np.array(rows, np.int32) if alarm else np.setdiff1d(everything, rows).astype(np.int32)
