"""What was read against what the dynamic models expected of it, and who is wrong where it is out of its band."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from gemel.errors import StorageError
from gemel.operate.estimates_declared import estimated_signals
from gemel.operate.hybrid_now import known, looks_at
from gemel.operate.release import told as release_told
from gemel.operate.residuals_in import CLEARED, HEARD, RAISED, SUBSTITUTED
from gemel.operate.view_calibrations import in_force
from gemel.samples import Batch, Fact
from gemel.serve import times
from gemel.serve.access import Asked, Viewer
from gemel.serve.names import Names
from gemel.serve.paging import After, Limit, following
from gemel.serve.port import Twin
from gemel.serve.routes.releases import OfAsset
from gemel.serve.standing import Moment
from gemel.twin.releases import Releases

router = APIRouter(tags=["residuals"])


class Suspect(BaseModel):
    """Who may be wrong."""

    kind: str = Field(description="sensor, process (a balance that does not close, a parameter that changed) or model.")
    name: str
    probability: float


class Out(BaseModel):
    """A residual that is out of its band: since when, and why it is believed that who is wrong."""

    since: times.Written = Field(description="When the sum of evidence began to grow.")
    at: times.Written = Field(description="When it passed its limit.")
    read: float | None = Field(description="Then.")
    expected: float | None = Field(description="Then.")
    suspects: list[Suspect] = Field(description="Most probable first.")
    how: str = Field(description="In which manner: off, drifting, noisy, stuck, slow, gain, span, influenced (by an input), erratic, changed, unsteady, together (with others), bent or loose.")
    against_nothing_log10: float = Field(description="How many powers of ten better it explains the readings than that nothing is wrong.")
    substituted: bool = Field(description="Whether a sensor was not listened to then, because of it or already; `instead` of each signal says what is so now.")
    missing: list[str] = Field(description="Signals of the same machine or area that read nothing then, so that they could not be asked.")
    fact: int = Field(description="Position in the record.")


class Instead(BaseModel):
    """Why something else is believed than the sensor reads: the estimated lane says what."""

    why: Literal["aside", "blamed", "missing"] = Field(
        description="aside: its error left what is known of it, and the filter listens no more; blamed: it is to blame for a residual that is out; missing: it reads nothing."
    )
    since: times.Written = Field(description="When that began; of one that is missing its last reading.")
    fact: int = Field(description="Position in the record.")


class Learned(BaseModel):
    """What was learned of what the physics keeps missing, in use where the expected value is near to what it was learned from."""

    version: str = Field(description="SHA-256 of the correction.")
    physics_share: float | None = Field(description="How much of the answer's variation was physics, on data that the release was judged by; 1: all.")
    known: float | None = Field(description="How near those data were to what it was trained on, on average; 0: it stayed out.")
    known_now: float | None = Field(
        default=None, description="How near the machine is to what it was trained on at this instant: below 0.1 it is outside, and what is "
        "expected is physics alone. null: not all that it looks at has a signal with a value.",
    )  # fmt: skip


class Residual(BaseModel):
    """A signal that is measured, and that the model of its asset gives."""

    signal: str
    unit: str
    read: float | None
    expected: float | None = Field(description="By the model, all readings until now considered.")
    sigma: float | None = Field(description="Standard uncertainty of what is expected.")
    residual: float | None = Field(description="Read less expected.")
    by: str = Field(description="The dynamic model.")
    parameters: int | None = Field(description="Version of its parameters in force; 0: the plant file's. null: the twin does not answer.")
    hybrid: Learned | None = Field(description="Of the version in force; null: what is expected is physics alone.")
    out: Out | None = Field(description="null: within its band, or still learning what that is.")
    instead: Instead | None = Field(description="null: the sensor is listened to.")


class ResidualPage(BaseModel):
    """Residuals, in the order of the plant."""

    items: list[Residual]
    next: int | None


@router.get("/residuals")
async def residuals(
    request: Request, _: Viewer, twin: Asked, asset: OfAsset = None, after: After = 0, limit: Limit = 100,
    at: Annotated[times.Instant | None, Query(description="What was so then; now, if left out.")] = None,
) -> ResidualPage:  # fmt: skip
    """Give what is read against what is expected, and who is wrong where that is out of its band."""
    names: Names = request.app.state.names
    pairs = _pairs(twin, names, asset)
    moment = Moment.of(twin, at, None)
    facts = await moment.facts("Residual", asset)
    stand = _standing(facts, RAISED, CLEARED), _standing(facts, SUBSTITUTED, HEARD)
    shown = pairs[after : after + limit]
    forces = await _in_force(moment, {_asset_of(names, measured) for measured, _ in shown})
    rows = (await moment.standing(names, np.array(shown, np.int32).ravel(), asset)).rows
    items = [_shape(twin, names, estimated, rows[2 * i : 2 * i + 2], (*stand, forces)) for i, (_, estimated) in enumerate(shown)]
    for item in items:
        if item.hybrid is not None:
            item.hybrid.known_now = await _known_now(moment, names, item.signal, forces or {})
    return ResidualPage(items=items, next=following(after, limit, len(pairs)))


def _pairs(twin: Twin, names: Names, asset: str | None) -> list[tuple[int, int]]:
    """Give the numbers of measured signals and of what is estimated of them."""
    found = []
    for estimated in np.sort(estimated_signals(twin.plant, twin.registry)).tolist():
        path = names.registry.paths[estimated]
        measured = names.registry.lanes_of(path).get("measured")
        if measured is not None and (asset is None or path.startswith(f"{asset}/")):
            found.append((int(measured), int(estimated)))
    return found


def _standing(facts: list[Fact], begins: str, ends: str) -> dict[str, Fact]:
    """Give the facts that something began of which none says that it ended, by signal."""
    found: dict[str, Fact] = {}
    for fact in facts:
        signal = str(fact.body.get("signal", ""))
        if fact.kind == begins:
            found[signal] = fact
        elif fact.kind == ends:
            found.pop(signal, None)
    return found


def _asset_of(names: Names, measured: int) -> str:
    return names.registry.paths[measured].rpartition("/")[0]


async def _in_force(moment: Moment, assets: set[str]) -> dict[str, dict[str, Any]] | None:
    """Give the versions of parameters in force, by asset; None where the twin does not answer just now."""
    under = next(iter(assets)) if len(assets) == 1 else None
    try:
        if moment.live:
            told = await moment.twin.releases(under)
        else:
            stands = Releases().take_all(await moment.released(under))
            told = [release_told(one, stands) for one in stands.all()]
    except StorageError:
        return None
    found = {asset: in_force([one for one in told if one["asset"] == asset]) for asset in {one["asset"] for one in told}}
    return {asset: dict(one) for asset, one in found.items() if one is not None}


def _hybrid(release: dict[str, Any], asset: str, path: str, twin: Twin) -> Learned | None:
    told = _learned(release, asset, path, twin)
    return None if told is None else Learned(version=told["version"], physics_share=told.get("physics_share"), known=told.get("known"))


def _learned(release: dict[str, Any], asset: str, path: str, twin: Twin) -> dict[str, Any] | None:
    """Give what was learned of a signal; a correction is named as the model names its output. Followed with its area, it has none."""
    if any(asset == area or asset.startswith(f"{area}/") for area in twin.plant.estimates):
        return None
    row = twin.plant.assets.find(asset)
    meant = {} if row is None else {named: model for model, named in twin.plant.template(row).names}
    name = path.rpartition("/")[2]
    found: dict[str, Any] | None = (release.get("hybrid") or {}).get(meant.get(name, name))
    return found


async def _known_now(moment: Moment, names: Names, path: str, forces: dict[str, dict[str, Any]]) -> float | None:
    """Give how near to what it was trained on the hybrid of a signal is asked at this moment."""
    twin, asset = moment.twin, path.rpartition("/")[0]
    told, row = _learned(forces.get(asset, {}), asset, path, twin), twin.plant.assets.find(asset)
    looks = None if told is None or row is None else looks_at(twin.plant.template(row), asset, names.registry, told)
    if told is None or looks is None:
        return None
    stood = (await moment.standing(names, np.array([number for number, _, _ in looks], np.int32), asset)).rows.value
    return known(told, looks, dict(zip((number for number, _, _ in looks), stood.tolist(), strict=True)).__getitem__)


def _shape(
    twin: Twin, names: Names, estimated: int, rows: Batch, told: tuple[dict[str, Fact], dict[str, Fact], dict[str, dict[str, Any]] | None]
) -> Residual:
    """Give a residual of two rows, what is read and what is expected, and of what is told of all: who is out, who is not listened to, versions."""
    path, (out, instead, forces) = names.registry.paths[estimated], told
    asset = path.rpartition("/")[0]
    release: dict[str, Any] = (forces or {}).get(asset, {})
    (read, expected), sigma = (_known(v) for v in rows.value), _known(rows.uncertainty()[1])
    fact, aside = out.get(path), instead.get(path)
    return Residual(
        signal=path, unit=names.units[estimated], read=read, expected=expected, sigma=sigma,
        residual=None if read is None or expected is None else read - expected,
        by=names.given_by.get(estimated, ""), parameters=None if forces is None else int(release.get("version", 0)),
        hybrid=_hybrid(release, asset, path, twin), out=None if fact is None else _told(fact),
        instead=None if aside is None else Instead(why=aside.body["why"], since=times.as_text(aside.body["since"]), fact=aside.seq),
    )  # fmt: skip


def _told(fact: Fact) -> Out:
    body: dict[str, Any] = dict(fact.body)
    return Out(
        since=times.as_text(body["since"]), at=times.as_text(fact.at), fact=fact.seq, missing=list(body.get("missing", ())),
        **{k: body[k] for k in ("read", "expected", "suspects", "how", "against_nothing_log10", "substituted")},
    )  # fmt: skip


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
