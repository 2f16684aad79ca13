"""What is so now, and what was so, or was believed to be so, at a time."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gemel.assets.problem import no_asset
from gemel.samples import LANES
from gemel.samples import status as statuses
from gemel.samples.clock import SECOND
from gemel.serve import conditional, frames, standing, times
from gemel.serve.access import Asked, Viewer
from gemel.serve.desired import DesiredShape, desired_of
from gemel.serve.names import Names
from gemel.serve.paging import json
from gemel.serve.provenance import Provenance, of_properties
from gemel.serve.routes.alarms import Alarm
from gemel.serve.routes.commands import Command
from gemel.serve.standing import Moment, Standing
from gemel.twin.properties import Shown

router = APIRouter(tags=["state"])


class Property(BaseModel):
    """What is shown of a property: the value of its first lane that may be believed."""

    value: float | None
    text: str | None = Field(description="The word of a state.")
    unit: str
    quality: str = Field(description="good, uncertain, bad, stale, substituted, simulated, manual or none.")
    status: int = Field(description="OPC UA StatusCode.")
    status_name: str
    lane: str
    time: times.Written | None
    received: times.Written | None
    age_s: float | None
    provenance: Provenance | None = Field(default=None, description="Where it comes from, where asked for.")


class State(BaseModel):
    """An asset's state at a time."""

    asset: str
    at: times.Written
    properties: dict[str, Property]
    alarms: list[Alarm] | None = Field(default=None, description="Those that were not normal, where asked for.")
    commands: list[Command] | None = Field(default=None, description="As far as they had come, where asked for.")
    desired: list[DesiredShape] | None = Field(default=None, description="What its properties shall be, where asked for.")
    version: int | None = Field(default=None, description="Of the decisions about it; of the live state only. The ETag says the same.")
    plant: standing.InForce | None = Field(default=None, description="The plant file in force, where asked for.")


@router.get("/state/{asset:path}", response_model=State)
async def state(
    request: Request, _: Viewer, twin: Asked,
    asset: Annotated[str, Path(description="Path of an asset.")],
    at: Annotated[times.Instant | None, Query(description="What was so then; now, if left out.")] = None,
    known: Annotated[times.Instant | None, Query(description="What had been received by then; all, if left out.")] = None,
    include: Annotated[list[Literal["alarms", "commands", "desired", "plant", "provenance"]], Query(description="What else stood then.")] = [],  # noqa: B006 - read only
) -> Response:  # fmt: skip
    """Give an asset's state."""
    names: Names = request.app.state.names
    signals = np.array(names.of_asset(asset), np.int32)
    if not len(signals):
        raise no_asset(asset)
    moment = Moment.of(twin, at, known)
    stands = await moment.standing(names, signals, asset)
    shown = properties(names, stands, moment.at)
    if "provenance" in include:
        for name, told in (await of_properties(names, moment, stands, asset)).items():
            shown[name]["provenance"] = told
    stood = await standing.of_asset(moment, asset, set(include))
    if "desired" in include:
        stood["desired"] = await desired_of(moment, asset, names, stands)
    told = {"asset": asset, "at": times.text(moment.at), "properties": shown, **stood}
    if not moment.live or not twin.link()["up"]:
        return json(told)
    version = await twin.version(asset)
    answer = json(told | {"version": version})
    answer.headers["ETag"] = conditional.tag(version)
    return answer


def properties(names: Names, stands: Standing, now: int) -> dict[str, Any]:
    """Give what each property showed at a time [ns], by name."""
    paths, shown = stands.shown(names)
    codes = frames.qualities(shown, heard=True)
    return {
        path.rpartition("/")[2]: _shown(names, shown, row, now, frames.WORDS[codes[row]])
        if shown.seen[row]
        else _unseen(names, shown, row)
        for row, path in enumerate(paths)
    }


def _unseen(names: Names, shown: Shown, row: int) -> dict[str, Any]:
    status = statuses.BAD_WAITING_FOR_INITIAL_DATA
    return {
        "value": None, "text": None, "unit": names.units[int(shown.signal[row])], "quality": frames.WORDS[frames.NONE],
        "status": status, "status_name": statuses.name(status), "lane": LANES[shown.lane[row]], "time": None,
        "received": None, "age_s": None,
    }  # fmt: skip


def _shown(names: Names, shown: Shown, row: int, now: int, quality: str) -> dict[str, Any]:
    signal, value, status = int(shown.signal[row]), float(shown.value[row]), int(shown.status[row])
    return {
        "value": value if np.isfinite(value) else None, "text": word(names.states[signal], value), "unit": names.units[signal],
        "quality": quality, "status": status, "status_name": statuses.name(status), "lane": LANES[shown.lane[row]],
        "time": times.text(int(shown.time[row])), "received": times.text(int(shown.received[row])),
        "age_s": round(max(now - int(shown.time[row]), 0) / SECOND, 3),
    }  # fmt: skip


def word(states: list[str], value: float) -> str | None:
    """Give the word of a state's code, or none.

    >>> word(["stopped", "running"], 1.0)
    'running'
    """
    if not states or not np.isfinite(value) or value != int(value):
        return None
    return states[int(value)] if 0 <= value < len(states) else None
