"""What is said where a residual leaves its band and where it is back: a fact, with who is wrong and why.

watch (who is wrong) -> `Turn` -> the twin takes it into the record, and nothing else of who estimates
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from gemel.estimate.blame import SURE
from gemel.estimate.questions import Back, Left
from gemel.operate.estimates_kind import Kind
from gemel.operate.residuals_in import CLEARED, RAISED
from gemel.samples import Registry

MOST: Final = 5  # suspects that are named
GUILTY: Final = 0.5  # of a sensor's guilt, from which on it is not listened to


@dataclass(frozen=True)
class Turn:
    """A fact to be: how it is known, what kind, when, about which asset, and the rest."""

    id: str
    kind: str
    at: int
    asset: str
    body: dict[str, Any]


def turn(
    kind: Kind, found: Left | Back, at_ns: int, life: str, shown: tuple[float, float, float], registry: Registry, *,
    aside: bool = False, gone: npt.NDArray[np.bool_] | None = None,
) -> Turn:  # fmt: skip
    """Say what a residual did.

    Args:
        kind: whose.
        found: what the watch found.
        at_ns: plant time of the instant [ns].
        life: of who estimates.
        shown: reading, what was expected of it, and the standard deviation of their difference, SI.
        registry: numbers the signals.
        aside: whether the filter itself had put the sensor aside.
        gone: which of the machine's sensors read nothing [outputs], so that nobody could ask them.
    """
    number = int(kind.wires.outputs[found.machine, found.output])
    path, (scale, offset) = registry.paths[number], (kind.wires.scale[number], kind.wires.offset[number])
    read, expected, sd = shown
    body: dict[str, Any] = {
        "signal": path, "read": _plain(read, scale, offset), "expected": _plain(expected, scale, offset),
        "sigma": _plain(sd, abs(scale), 0.0), "unit": registry.row(number)["unit"], "by": kind.version,
    }  # fmt: skip
    word = RAISED if isinstance(found, Left) else CLEARED
    if isinstance(found, Left):
        body |= _verdict(kind, found, at_ns, np.zeros(len(kind.problem.model.outputs), np.bool_) if gone is None else gone)
        body["substituted"] = body["substituted"] or aside
        if gone is not None and gone.any():
            body["missing"] = [registry.paths[n] for n in kind.wires.outputs[found.machine][gone].tolist()]
    return Turn(f"residual-{life}-{number}-{found.at}-{word}", word, at_ns, path.rpartition("/")[0], body)


def ended(word: str, path: str, at_ns: int, life: str) -> Turn:
    """End what a life before this one left open of a signal, with the `word` for it: what is usual is learned anew."""
    return Turn(f"residual-{life}-{path}-anew-{word}", word, at_ns, path.rpartition("/")[0], {"signal": path, "anew": True})


def _verdict(kind: Kind, found: Left, at_ns: int, gone: npt.NDArray[np.bool_]) -> dict[str, Any]:
    verdict = found.verdict
    since = at_ns - round((found.at - found.onset) * kind.problem.dt * 1e9)
    if verdict is None:  # told at once; who is wrong follows
        return {"suspects": [], "how": "", "since": since, "against_nothing_log10": 0.0, "fired": 0, "substituted": False}
    suspects = [{"kind": s.kind, "name": s.name, "probability": round(p, 4)} for s, p in verdict.suspects[:MOST]]
    return {"suspects": suspects, "how": verdict.how, "since": since, "against_nothing_log10": round(verdict.against, 2),
            "fired": int(verdict.fired.fired.sum()), "substituted": blamed(kind, found, gone) >= 0}  # fmt: skip


def blamed(kind: Kind, found: Left, gone: npt.NDArray[np.bool_]) -> int:
    """Give the place of the sensor that is not listened to any more; -1 where none is, or no other would be left of those not `gone`."""
    if found.verdict is None:
        return -1
    suspect, probability = found.verdict.suspects[0]
    if suspect.kind != "sensor" or probability < GUILTY or found.verdict.against < SURE:
        return -1
    left = (kind.wires.outputs[found.machine] >= 0) & ~gone
    return place if np.delete(left, place := kind.problem.model.outputs.index(suspect.name)).any() else -1


def _plain(si: float, scale: float, offset: float) -> float | None:
    value = (si - offset) / scale
    return float(value) if np.isfinite(value) else None


def packed(one: Turn) -> dict[str, Any]:
    """Give it as it crosses the bus."""
    return {"id": one.id, "kind": one.kind, "at": one.at, "asset": one.asset, "body": msgspec.json.encode(one.body)}

