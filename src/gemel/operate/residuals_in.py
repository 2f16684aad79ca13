"""What residuals did, and which models are left out, on its way into the record: five kinds of facts of what is estimated, and nothing else."""

from typing import Any, Final

import msgspec

from gemel.assets import Plant
from gemel.errors import RefusedError
from gemel.samples import Draft
from gemel.twin import deviations
from gemel.twin.record import Record

RAISED: Final = deviations.RAISED
CLEARED: Final = deviations.CLEARED
SUBSTITUTED: Final = "ResidualSubstituted"  # a reading is not believed, or there is none: what is estimated stands for it
HEARD: Final = "ResidualHeard"  # it is believed again
LEFT_OUT: Final = "ModelLeftOut"  # what is computed with it never came back: nothing is estimated of it
SUBJECT: Final = "twin.residuals"


async def take_residual(body: dict[str, Any], plant: Plant, record: Record, now: int = 0) -> bytes:
    """Record what a residual did, or who is left out `now` [ns], once; raises RefusedError where it is anything else, StorageError."""
    fact = await record.append(left_out(body, plant, now) if body["kind"] == LEFT_OUT else drafted(body, plant))
    return msgspec.json.encode(None if fact is None else fact.seq)


def drafted(told: dict[str, Any], plant: Plant) -> Draft:
    """Make the fact; raises RefusedError where it is anything else than a residual of an asset that is estimated."""
    asset, kind = str(told["asset"]), str(told["kind"])
    row = plant.assets.find(asset)
    known = row is not None and any(lane.modelled for s in plant.template(row).signals for lane in s.lanes)
    body = msgspec.json.decode(told["body"])
    if kind not in (RAISED, CLEARED, SUBSTITUTED, HEARD) or not known or not str(body.get("signal", "")).startswith(f"{asset}/"):
        raise RefusedError("this is no residual of an asset that is estimated", code="no-estimate",
                           remedy="say dynamics: true of the signals that the model gives, and apply the plant file")  # fmt: skip
    return Draft(id=str(told["id"]), kind=kind, at=int(told["at"]), actor="gemel", subject=asset, body=body)


def left_out(told: dict[str, Any], plant: Plant, now: int) -> Draft:
    """Make the fact that a kind is left out of the estimates; raises RefusedError where the plant names no such kind."""
    types = {f"type {t.type}" for t in plant.templates if t.dynamics}
    what, body = str(told["asset"]), msgspec.json.decode(told["body"])
    if what not in types | {f"area {path}" for path in plant.estimates} and not (plant.balances and what.startswith("balance ")):
        raise RefusedError("this is nothing that is estimated", code="no-estimate", remedy="apply the plant file that names it")
    said = {key: str(body.get(key, ""))[:1000] for key in ("why", "remedy")}
    return Draft(id=str(told["id"]), kind=LEFT_OUT, at=now, actor="gemel", subject=plant.root, body={"what": what, **said})
