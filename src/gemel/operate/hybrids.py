"""The hybrid of a machine: what a fit left over, learned, judged on what neither has seen, and used as it was released.

fit ─► free runs over what was fitted ─► correction of each output ─► free runs over the unseen, with and without ─► kept where it helps
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gemel.estimate.free_run import FreeRun, beside
from gemel.estimate.hybrid import Corrected, Correction, correct, learn
from gemel.estimate.hybrid_kept import again, kept
from gemel.estimate.record import Record
from gemel.estimate.whole_runs import trajectory
from gemel.operate.machine import Machine
from gemel.samples.batch import F64

Runs = Sequence[tuple[Record, F64]]
"""Records with the initial state of the free run over each, SI."""


@dataclass(frozen=True, eq=False)
class Hybrid:
    """What was learned of one output, and how it did on what neither has seen; root mean square errors in the output's unit.

    Args:
        correction: of it.
        physics, hybrid: errors on the unseen records, without and with it.
        physics_share: of the answer's variation there.
        known: 0 … 1, how near the unseen points are to what it was trained on, on average; 0: it stayed out.
    """

    correction: Correction
    physics: float
    hybrid: float
    physics_share: float
    known: float

    @property
    def helps(self) -> bool:
        """Whether it is in use: where it was trained it helps, and on the unseen too."""
        return self.correction.helps and self.hybrid < self.physics


def learned(machine: Machine, p: F64, fitted: Runs, unseen: Runs, *, lead: int, substeps: int) -> list[Hybrid]:
    """Learn a correction of each output and judge it.

    Args:
        machine: with its model.
        p: all parameters as fitted [parameters].
        fitted: what it may learn from.
        unseen: what it is judged on.
        lead: readings of each unseen record that do not count.
        substeps: of the solver in one step.
    """
    seen, rest = ([_ran(machine, p, r, x0, substeps) for r, x0 in runs] for runs in (fitted, unseen))
    found = []
    for at, name in enumerate(machine.model.outputs):
        x, u, y, read = (np.concatenate([run[i] if i < 2 else run[i][:, at] for run in seen]) for i in range(4))
        found.append(_judged(learn(name, x, u, y, read), [(r[0], r[1], r[2][:, at], r[3][:, at]) for r in rest], lead))
    return found


def told(machine: Machine, found: Sequence[Hybrid]) -> dict[str, Any]:
    """Give what was learned as plain JSON, in the units of the plant file."""
    lines = dict(zip(machine.model.outputs, machine.outputs, strict=True))
    return {
        h.correction.output: {
            "helps": h.helps, "physics_rmse": h.physics / abs(lines[h.correction.output].scale),
            "hybrid_rmse": h.hybrid / abs(lines[h.correction.output].scale), "unit": lines[h.correction.output].spec.unit,
            "physics_share": h.physics_share, "known": h.known, "version": h.correction.version,
        }
        for h in found
    }  # fmt: skip


def released(machine: Machine, found: Sequence[Hybrid]) -> dict[str, Any]:
    """Give what a version's body tells of the corrections that help, SI: how much of the answer was physics on the unseen, and what each looks at."""
    model = machine.model.model
    units = {n: q.unit for n, q in (*model.states.items(), *model.inputs.items())}
    looks = {"states": list(machine.model.states), "inputs": list(machine.model.inputs), "units": units}
    return {h.correction.output: kept(h.correction) | {"physics_share": h.physics_share, "known": h.known} | looks for h in found if h.helps}


def looked_at(told: Mapping[str, Any], states: Sequence[str], inputs: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the states and inputs that a released correction looks at; of one that does not say so, all of them."""
    return tuple(told.get("states", states)), tuple(told.get("inputs", inputs))


def corrected(body: Mapping[str, Any], machine: Machine, states: F64, inputs: F64, outputs: F64) -> dict[str, Corrected]:
    """Correct a free run by the hybrid of a version in force; outputs without one are not named.

    Args:
        body: of the release.
        machine: whose.
        states: of the physics' own free run [steps, states], SI.
        inputs: held over each step [steps, inputs], SI.
        outputs: of that run [steps, outputs], SI.

    Returns:
        By output: the value, how far it is known there (0: outside of what was trained on, physics alone), and how much is physics.
    """
    names = machine.model.outputs
    return {
        name: correct(again(c), states, inputs, outputs[:, names.index(name)])
        for name, c in body.get("hybrid", {}).items()
        if name in names
    }


def answers(
    machine: Machine, p: F64, runs: Sequence[tuple[Record, FreeRun]], told: Mapping[str, Any], substeps: int
) -> tuple[FreeRun, ...]:
    """Give what a machine's model answers with a hybrid: free runs of the physics, corrected.

    Args:
        machine: whose.
        p: all parameters that the runs were made with [parameters].
        runs: records with the physics' free run over each.
        told: corrections by output, as a release's body has them; those that do not fit the model (any more) stay out.
        substeps: of the solver in one step.
    """
    body = {"hybrid": {name: c for name, c in told.items() if _fits(machine, c)}}
    return tuple(_answer(machine, p, record, run, body, substeps) for record, run in runs) if body["hybrid"] else tuple(run for _, run in runs)


def _answer(machine: Machine, p: F64, record: Record, run: FreeRun, body: Mapping[str, Any], substeps: int) -> FreeRun:
    states, _ = trajectory(machine.model, run.x0, record.inputs, p, record.dt, substeps)
    outputs, names = run.outputs.copy(), machine.model.outputs
    if np.isfinite(states).all():  # what blew up is no better with a correction
        for name, one in corrected(body, machine, states, record.inputs, run.outputs).items():
            outputs[:, names.index(name)] = one.value
    return beside(names, outputs, record, run.x0, run.lead)


def _fits(machine: Machine, told: Mapping[str, Any]) -> bool:
    mine = tuple(machine.model.states), tuple(machine.model.inputs)
    looks = len(mine[0]) + (len(mine[1]) if told["with_inputs"] else 0)
    return len(told["centre"]) == looks and looked_at(told, *mine) == mine


def _ran(machine: Machine, p: F64, record: Record, x0: F64, substeps: int) -> tuple[F64, F64, F64, F64]:
    states, y = trajectory(machine.model, x0, record.inputs, p, record.dt, substeps)
    return states, record.inputs, y, np.where(record.usable, record.outputs, np.nan)


def _judged(correction: Correction, rest: Sequence[tuple[F64, F64, F64, F64]], lead: int) -> Hybrid:
    answers = [correct(correction, x, u, y) for x, u, y, _ in rest]
    plain = [read[lead:] - y[lead:] for _, _, y, read in rest]
    mixed = [read[lead:] - a.value[lead:] for (_, _, _, read), a in zip(rest, answers, strict=True)]
    known = float(np.mean(np.concatenate([a.known for a in answers]))) if answers else 0.0
    share = float(np.mean([a.physics_share for a in answers])) if answers else 1.0
    return Hybrid(correction, _rms(plain), _rms(mixed), share, known)


def _rms(parts: Sequence[F64]) -> float:
    left = np.concatenate(parts) if parts else np.zeros(0)
    left = left[np.isfinite(left)]
    return float(np.sqrt(np.mean(left**2))) if len(left) else float("nan")
