"""How well a model runs free: from a state found on a short lead-in, then only on the inputs.

What a calibration is worth shows on a record it has not seen, without any reading fed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.dynamics import Compiled
from gemel.estimate.calibrate import box_of
from gemel.estimate.least_squares import minimise
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record
from gemel.samples.batch import F64

LEAD: Final = 10  # readings that the initial state is found on
CANDIDATES: Final = 64


@dataclass(frozen=True, eq=False)
class FreeRun:
    """A free run beside what was measured.

    Args:
        outputs: of the run [steps, outputs].
        residuals: measured minus run; NaN where there is no reading, infinite where there is one and the run blew up.
        x0: the initial state found.
        lead: readings that it was found on; they do not count in `rmse`.
        rmse: root mean square error after the lead-in, by output, in its unit.
        rmse_all: with the lead-in.
        explained: 1 − variance of the error over that of the readings, by output; −∞ where it blew up.
    """

    outputs: F64
    residuals: F64
    x0: F64
    lead: int
    rmse: dict[str, float]
    rmse_all: dict[str, float]
    explained: dict[str, float]


def free_run(
    model: Compiled, p: F64, record: Record, *, lead: int = LEAD, substeps: int = 1, sigma: F64 | None = None
) -> FreeRun:
    """Run a model free over a record it has not seen.

    Args:
        model: compiled.
        p: all its parameters [parameters].
        record: with the inputs.
        lead: readings at the beginning that the initial state is found on.
        substeps: of the solver in one step.
        sigma: noise of each output [outputs], to weigh them against each other in the lead-in.
    """
    noise = model.scales("outputs") if sigma is None else sigma
    x0 = initial_state(model, p, record.part(0, min(max(lead, 1), len(record))), noise, substeps)
    ran = Objective(model, (), [record], p, sigma=noise, substeps=substeps).outputs(np.zeros(0), x0[None])[0]
    return beside(model.outputs, ran, record, x0, lead)


def beside(names: Sequence[str], ran: F64, record: Record, x0: F64, lead: int) -> FreeRun:
    """Hold the outputs of a free run [steps, outputs] against what was measured."""
    left = np.where(record.usable, np.where(np.isfinite(ran), record.outputs - ran, np.inf), np.nan)
    return FreeRun(
        ran, left, x0, lead,
        _rms(names, left[lead:]), _rms(names, left), _explained(names, left[lead:], record.outputs[lead:]),
    )  # fmt: skip


def initial_state(model: Compiled, p: F64, lead: Record, sigma: F64, substeps: int = 1) -> F64:
    """Find the state at the beginning of a short record, from candidates over its range."""
    objective = Objective(model, (), [lead], p, sigma=sigma, substeps=substeps)
    box = box_of(model, ())
    rng = np.random.default_rng(0)
    reach = np.where(np.isfinite(box.x_high - box.x_low), box.x_high - box.x_low, 4 * box.x_scale)
    base = np.where(np.isfinite(box.x_low), box.x_low, model.x0 - 2 * box.x_scale)
    xs = base + rng.random((CANDIDATES, 1, len(model.x0))) * reach
    xs[0, 0] = model.x0
    best = np.argsort(objective.costs(np.zeros((CANDIDATES, 0)), xs))[:3]
    found = [minimise(objective, box, np.zeros(0), xs[i]) for i in best]
    return np.asarray(min(found, key=lambda m: m.cost if np.isfinite(m.cost) else np.inf).x0[0], np.float64)


def _rms(names: Sequence[str], left: F64) -> dict[str, float]:
    with np.errstate(over="ignore"):
        return {name: float(np.sqrt(np.nanmean(left[:, i] ** 2))) for i, name in enumerate(names)}


def _explained(names: Sequence[str], left: F64, measured: F64) -> dict[str, float]:
    told: dict[str, Any] = {}
    for i, name in enumerate(names):
        known = ~np.isnan(left[:, i])
        spread = float(np.var(measured[known, i]))
        with np.errstate(over="ignore"):
            told[name] = 1 - float(np.mean(left[known, i] ** 2)) / spread if spread > 0 else float("nan")
    return told
