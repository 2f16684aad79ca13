"""A hybrid alone: where no other parameters are better, what those in force leave over may still be learned.

parameters in force ─► free runs over what a fit may learn from ─► corrections ─► with them, against what is in force with its own, on the unseen ─► gate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from gemel.estimate.free_run import free_run
from gemel.estimate.gate import judge_learned
from gemel.estimate.record import side_by_side
from gemel.operate import hybrids
from gemel.operate.calibrating import LONGEST, Calibration, gate_told, left_over, scored
from gemel.twin.releases import HYBRID, PARAMETERS

UNKNOWN: Final = "no time is known when all was right: what was learned may be a sensor's doing"


def alone(
    found: Calibration, champion: Mapping[str, Any] | None, sources: Sequence[str], *, blamed: Sequence[str] = (), known: bool = True
) -> dict[str, Any] | None:
    """Learn what the parameters in force leave over, and judge it; None where nothing can be learned.

    Args:
        found: a calibration with unseen records, whose own parameters do not come in.
        champion: what is in force: its ``version``, and ``hybrid_version``.
        sources: of the data.
        blamed: signals held wrong.
        known: whether a time is known when all was right; else a person must say so.

    Returns:
        ``hybrid``: what was learned, by output. ``gate``: what it says. ``release``: the body of the release.
    """
    machine, how, p = found.machine, found.fit.settings, found.machine.p
    pieces = side_by_side(list(found.records), LONGEST)
    fitted = [(r, free_run(machine.model, p, r, lead=found.lead, substeps=how.substeps, sigma=left_over(found.fit)).x0) for r in pieces]
    unseen = [(r, run.x0) for r, run in zip(found.unseen, found.before, strict=True)]
    learned = hybrids.learned(machine, p, fitted, unseen, lead=found.lead, substeps=how.substeps)
    if not (body := hybrids.released(machine, learned)):
        return None
    runs = hybrids.answers(machine, p, list(zip(found.unseen, found.before, strict=True)), body, how.substeps)
    verdict = judge_learned(runs, found.answers_before, usable=found.usable, blamed=(*found.blamed, *blamed))
    score = scored(machine, runs)
    return {
        "hybrid": hybrids.told(machine, learned), "gate": gate_told(verdict),
        "release": {
            "kind": HYBRID, "digest": sha256("".join(sorted(c["version"] for c in body.values())).encode()).hexdigest(), "hybrid": body,
            "good_for": {PARAMETERS: (champion or {}).get("version", 0), "dynamics": machine.reference, "outputs": sorted(body)},
            "champion": (champion or {}).get("hybrid_version", 0), "gate": gate_told(verdict), "unconfirmed": [] if known else [UNKNOWN],
            "rmse": score["rmse"], "fidelity": score["fidelity"],
            "data": {"sources": list(sources), "from_s": min(r.start for r in found.records),
                     "to_s": max(r.start + len(r) * r.dt for r in found.records), "readings": int(sum(r.usable.sum() for r in found.records))},
        },
    }  # fmt: skip
