"""Desired and reported, as the API shows them: now as the twin has it, in the past as the facts tell."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from gemel.samples.status import is_bad
from gemel.serve import times
from gemel.serve.names import Names
from gemel.serve.standing import Moment, Standing
from gemel.twin.desired import Wishes


class DesiredShape(BaseModel):
    """What a property shall be, by the last approved command, and what the plant reports."""

    target: str = Field(description="Path of what is set.")
    command: str = Field(description="Id of the command.")
    name: str
    value: float
    unit: str
    by: str
    at: times.Written = Field(description="When it was approved.")
    read_back: str = Field(description="Path of the property in which it is reported; may be empty.")
    tolerance: float
    reported: float | None = Field(description="Newest usable reading from after the approval.")
    reported_at: times.Written | None
    in_sync: bool | None = Field(
        description="Whether it is within the tolerance; null where nothing is reported."
    )
    since: times.Written | None = Field(description="Since when that is so.")


async def desired_of(moment: Moment, asset: str, names: Names, stands: Standing) -> list[dict[str, Any]]:
    """Give what the properties of an asset shall be."""
    if moment.live:
        return [_shape(d) for d in await moment.twin.desired(asset)]
    wishes = Wishes()
    for fact in await moment.facts("Command", asset):
        wishes.on_fact(fact)
    wishes.on_tick(moment.at, lambda path: _reported(names, stands, path))
    return [_shape({**asdict(d), "since": None}) for d in wishes.of(asset)]  # only the live state remembers


def _reported(names: Names, stands: Standing, path: str) -> tuple[float, int] | None:
    signal = names.registry.find(path, None)
    row = next((i for i, s in enumerate(stands.rows.signal.tolist()) if s == signal), None)
    if row is None or stands.rows.time[row] == times.NEVER or is_bad(stands.rows.status[row : row + 1])[0]:
        return None
    return float(stands.rows.value[row]), int(stands.rows.time[row])


def _shape(told: dict[str, Any]) -> dict[str, Any]:
    return {
        **told,
        **{key: times.text(told[key]) if told[key] else None for key in ("at", "reported_at", "since")},
    }
