"""Where a shown value comes from: its lane and all others, its uncertainty, the frame or the fact behind it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from gemel.samples import LANES
from gemel.samples import status as statuses
from gemel.serve import frames, times
from gemel.serve.names import Names
from gemel.serve.standing import Moment, Standing
from gemel.twin.properties import OVERRIDE, Shown


class LaneShape(BaseModel):
    """What one lane of a property says on its own."""

    value: float | None
    quality: str
    status: int
    status_name: str
    time: times.Written | None
    received: times.Written | None
    sigma: float | None


class Origin(BaseModel):
    """What a shown value came from: a frame of the log, or a fact of the record."""

    frame: str | None = Field(default=None, description="Position in the log, such as samples.0:1234.")
    producer: str | None = Field(default=None, description="Which process, or the plant file's expressions.")
    version: str | None = Field(
        default=None, description="Of the producer; of expressions, the plant file's digest."
    )
    by: str | None = Field(
        default=None, description="The dynamic model or learner that gives the lane, as declared."
    )
    fact: int | None = Field(default=None, description="Position in the record.")
    override: str | None = None
    owner: str | None = None
    reason: str | None = None
    until: times.Written | None = None


class Provenance(BaseModel):
    """All that is known of where a property's value comes from."""

    uid: str = Field(description="Permanent name of the lane's signal.")
    sigma: float | None = Field(
        description="Standard uncertainty of the value in its unit: its own where it came with one, else as declared; null: unknown."
    )
    origin: Origin
    lanes: dict[str, LaneShape]


async def of_properties(
    names: Names, moment: Moment, stands: Standing, asset: str
) -> dict[str, dict[str, Any]]:
    """Give the provenance of what the properties of an asset show, by name."""
    paths, shown = stands.shown(names)
    origins = await _origins(names, moment, shown)
    if (shown.lane == OVERRIDE).any():
        for override in await _overrides(names, moment, asset):
            if override["path"] in paths and shown.lane[row := paths.index(override["path"])] == OVERRIDE:
                origins[row] = _of_override(override)
    lanes = _lanes(names, stands)
    told = _uncertainty(names, stands)
    return {
        path.rpartition("/")[2]: {
            "uid": names.registry.uid(int(shown.signal[row])), "sigma": _sigma(told, shown, row),
            "origin": origins[row], "lanes": lanes[path],
        }
        for row, path in enumerate(paths)
    }  # fmt: skip


def uncertainties(names: Names, stands: Standing) -> dict[str, tuple[float, str]]:
    """Give the standard uncertainty of what each property shows, by path, and from where one knows it; NaN where nobody does."""
    paths, shown = stands.shown(names)
    told = _uncertainty(names, stands)
    known = [_sigma(told, shown, row) for row in range(len(paths))]
    sources = ["estimated" if lane == frames.ESTIMATED else "accuracy of its signal" for lane in shown.lane]
    return {path: (np.nan if sigma is None else sigma, source) for path, sigma, source in zip(paths, known, sources, strict=True)}


def _uncertainty(names: Names, stands: Standing) -> dict[int, float | None]:
    """Give the standard uncertainty by signal: what a value came with, else what is declared."""
    signals = stands.rows.signal
    own, declared = stands.rows.uncertainty().astype(np.float64), names.accuracy[signals]
    sigma = np.where(np.isnan(own), declared, own)
    return {int(s): _known(value) for s, value in zip(signals, sigma, strict=True)}


def _sigma(told: Mapping[int, float | None], shown: Shown, row: int) -> float | None:
    return None if shown.lane[row] == OVERRIDE else told.get(int(shown.signal[row]))


async def _origins(names: Names, moment: Moment, shown: Shown) -> list[dict[str, Any]]:
    """Give the frame behind each: of the live state only, for the lake does not keep it."""
    told = await moment.twin.origins(shown.signal.tolist()) if moment.live else [{}] * len(shown)
    return [
        {**(given if shown.seen[row] else {}), "by": names.given_by.get(int(shown.signal[row]))}
        for row, given in enumerate(told)
    ]


async def _overrides(names: Names, moment: Moment, asset: str) -> list[dict[str, Any]]:
    if moment.live:
        return [o for o in await moment.twin.override_list() if o["in_force"]]
    return [asdict(o) for o in await moment.overrides(names, asset)]


def _of_override(override: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fact": override["fact"], "override": override["id"], "owner": override["owner"],
        "reason": override["reason"], "until": times.as_text(override["until"]),
    }  # fmt: skip


def _lanes(names: Names, stands: Standing) -> dict[str, dict[str, Any]]:
    """Give each lane of each property, by path."""
    rows = stands.rows
    lane = names.properties.lane_of(rows.signal)
    codes = frames.code_of(rows.status, stands.stale, lane >= frames.ESTIMATED)
    sigma = _uncertainty(names, stands)
    found: dict[str, dict[str, Any]] = {}
    for i, signal in enumerate(rows.signal.tolist()):
        seen = rows.time[i] != times.NEVER
        status = int(rows.status[i]) if seen else statuses.BAD_WAITING_FOR_INITIAL_DATA
        found.setdefault(names.registry.paths[signal], {})[LANES[lane[i]]] = {
            "value": _known(rows.value[i]), "quality": frames.WORDS[codes[i] if seen else frames.NONE], "status": status,
            "status_name": statuses.name(status), "time": times.text(int(rows.time[i])),
            "received": times.text(int(rows.received[i])), "sigma": sigma[signal],
        }  # fmt: skip
    return found


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
