"""A drifting sensor must not become wear: before a challenger comes in, who is wrong is asked of the readings themselves.

what the champion was fitted to (a time when all was right) ─► noises, band   recent readings ─► residuals leave it? ─► blame

Asked only of a challenger that everything else speaks for: the attribution weighs a hundred explanations and takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case, Verdict, blame
from gemel.estimate.free_run import initial_state
from gemel.estimate.problem import Noise, Problem
from gemel.estimate.record import Record
from gemel.estimate.residuals import Raised, band, fitted, raised, residuals
from gemel.estimate.suspects import Usual
from gemel.estimate.symptoms import noticed
from gemel.operate.machine import Machine
from gemel.samples.batch import F64

INSTANTS: Final = 300  # of each excerpt, at most: the newest
FEWEST: Final = 100  # with less nothing can be said
WARNS: Final = 2.0  # powers of ten by which the blame must explain the readings better than "nothing is wrong", to warn of a release:
# less than the watch asks for (`blame.SURE`), for a person looks at it, and nothing is lost by waiting a night
CHANGES: Final = 0.2  # of its value, a parameter that follows the machine is expected to have changed by
LEAD: Final = 20
OFF: Final = "bias/"  # where a sensor's own equation is struck
FILTERED: Final = 1e-3  # first guess of what the model does not know of a state, of its usual size per root second
SWEEPS: Final = 4


@dataclass(frozen=True)
class Attribution:
    """Who is wrong in the recent readings.

    Args:
        blamed: signals whose sensors are held wrong, each with why.
        told: all of it, for people.
    """

    blamed: tuple[str, ...]
    told: dict[str, Any]


def attribute(
    machine: Machine, good: Sequence[Record], recent: Sequence[Record], free: Sequence[str], substeps: int = 1
) -> Attribution | None:
    """Ask who is wrong in recent readings, held against those of a time when all was right; None where there are too few.

    Args:
        machine: with the parameters in force.
        good: what those were fitted to.
        recent: what a challenger was fitted to and judged on.
        free: parameters that follow the machine: that they changed is no fault.
        substeps: of the solver in one step of the records.
    """
    then, now = newest(good), newest(recent)
    if then is None or now is None:
        return None
    length = min(len(then), len(now))
    case = _case(machine, then.part(len(then) - length), free, substeps)
    record = _excerpt(machine, now.part(len(now) - length), substeps)
    limits = band(residuals(case.problem, case.good).off[0])
    found = noticed(record.y, case.good.y, raised(residuals(case.problem, record).off[0], limits))
    if found.at < 0:
        return Attribution((), {"raised": False, "words": "the residuals stay in their band"})
    return _told(machine, blame(case, record, found), found)


def _told(machine: Machine, verdict: Verdict, found: Raised) -> Attribution:
    paths = dict(zip(machine.model.outputs, (line.path for line in machine.outputs), strict=True))
    kind, name = verdict.first
    sure = verdict.against >= WARNS
    p = verdict.suspects[0][1]
    # off since before the excerpt begins, a sensor is no fault with an onset: its own equation does not hold, all of the time
    at_sensor = kind == "sensor" or (kind == "model" and name.startswith(OFF))
    who = paths.get(name.removeprefix(OFF), name) if at_sensor else f"{kind} {name}"
    words = f"{who} is {verdict.how} ({100 * p:.0f} %, 10^{verdict.against:.0f} times likelier than that nothing is)"
    told = {
        "raised": True, "first": {"kind": kind, "name": name, "probability": p}, "how": verdict.how, "against": verdict.against,
        "suspects": [{"kind": s.kind, "name": s.name, "probability": q} for s, q in verdict.suspects[:5]],
        "words": words if sure else f"nobody clearly; first of all {words}", "since_instant": found.onset,
    }  # fmt: skip
    return Attribution((words,) if at_sensor and sure else (), told)


def newest(records: Sequence[Record]) -> Record | None:
    """Give the end of the record that ends last, of those that are long enough to say something."""
    enough = [r for r in records if len(r) >= FEWEST]
    if not enough:
        return None
    last = max(enough, key=lambda r: r.start + len(r) * r.dt)
    return last.part(max(len(last) - INSTANTS, 0))


def _excerpt(machine: Machine, record: Record, substeps: int) -> Excerpt:
    start = initial_state(machine.model, machine.p, record.part(0, LEAD), machine.model.scales("outputs"), substeps)
    return Excerpt(record.inputs, np.where(record.usable, record.outputs, np.nan), machine.p, start)


def _case(machine: Machine, then: Record, free: Sequence[str], substeps: int) -> Case:
    good = _excerpt(machine, then, substeps)
    problem = _fitted(machine, then, good, substeps)
    states = residuals(problem, good).mean[0, :, : len(machine.model.states)]
    usual = Usual(then.inputs.mean(0), then.inputs.std(0), states.mean(0), states.std(0))
    readings = np.nan_to_num(np.nanmean(np.abs(good.y), axis=0))
    return Case(problem, usual, readings, good, {name: _change(machine, name) for name in free})


def _fitted(machine: Machine, then: Record, good: Excerpt, substeps: int) -> Problem:
    size = machine.model.scales("states")
    noise = Noise(FILTERED * size, np.zeros(0), _noise(then.outputs, machine), 0.05 * size, np.zeros(0))
    return fitted(Problem(machine.model, (), noise, then.dt, substeps), good, SWEEPS)


def _noise(outputs: F64, machine: Machine) -> F64:
    """Guess the noise of each sensor from how its readings jump."""
    jumps = np.abs(np.diff(outputs, axis=0))
    with np.errstate(all="ignore"):
        sd = np.nan_to_num(np.nanmedian(jumps, axis=0)) / 0.6745 / np.sqrt(2)
    return np.asarray(np.maximum(sd, 1e-4 * machine.model.scales("outputs")), np.float64)


def _change(machine: Machine, name: str) -> float:
    place = machine.model.place("parameters", name)
    size = CHANGES * abs(float(machine.p[place]))
    return size or CHANGES * float(machine.model.scales("parameters")[place])
