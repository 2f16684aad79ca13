"""A plan by a model that is run, not traced: each member as a whole, in the process that the model keeps for itself.

For models from other tools (FMI): what-ifs of some thousand members, where ours take a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.dynamics.solution import Profile, Solution
from gemel.errors import ModelError
from gemel.scenarios.plan import START, Members, Plan, Raw, Reading

Array = npt.NDArray[np.float64]
USUAL: Final = 100  # members, where nobody says how many
MOST: Final = 10_000
BATCH: Final = 10  # between two looks at whether to go on


def is_foreign(model: Compiled) -> bool:
    """Tell whether a model can only be run as a whole."""
    return not getattr(model.model, "traceable", True)


def check_size(members: int) -> None:
    """Refuse more members than can be run one by one; raises ModelError."""
    if members > MOST:
        raise ModelError(
            f"{members} members of a model that runs in a process of its own, one by one", code="bad-scenario",
            remedy=f"ask for at most {MOST}, or write the model for gemel",
        )  # fmt: skip


class ForeignEngine:
    """An ensemble, member by member.

    Args:
        plan: what to run.

    Raises ModelError where a parameter is to change on the way that the model calls fixed.
    """

    name = "member by member, in a process of its own"

    def __init__(self, plan: Plan) -> None:
        self._moving = [plan.held[j] for j in plan.driven if j >= len(plan.model.inputs)]
        tunable: frozenset[str] = getattr(plan.model.model, "tunable", frozenset())
        if fixed := [name for name in self._moving if name not in tunable]:
            raise ModelError(
                f"the parameter {fixed[0]!r} of a model from another tool cannot change on the way: it is not tunable",
                code="bad-scenario", remedy="change it from the beginning to the end, or change an input",
            )  # fmt: skip
        self.plan = plan

    def run(self, members: Members, told: Callable[[float], bool] = lambda done: True) -> Raw:
        """Run all members; raises Cancelled between two batches, ModelError where the model's process fails."""
        from gemel.scenarios.engine import Cancelled

        if (members.jumps_to(self.plan.steps, len(self.plan.jumping)) != [1.0, 0.0]).any():
            raise ModelError(
                "a state of a model from another tool cannot be set on the way", code="bad-scenario", remedy="set it at the beginning"
            )
        found: list[tuple[Array, Array, Array]] = []
        for i in range(0, len(members), BATCH):
            rows = range(i, min(i + BATCH, len(members)))
            found += self._batch(members, rows)
            if not told(len(found) / len(members)):
                raise Cancelled
        gauges, kept, end = (np.stack([f[j] for f in found]) for j in range(3))
        return Raw(gauges.T, np.moveaxis(kept, 0, -1), end)

    def _batch(self, members: Members, rows: range) -> list[tuple[Array, Array, Array]]:
        plan, n = self.plan, len(self.plan.model.inputs)
        held = [self._held(members, row) for row in rows]
        times: Array = np.arange(plan.steps, dtype=np.float64) * plan.dt
        at: Array = np.arange(plan.steps * plan.substeps + 1, dtype=np.float64) * (plan.dt / plan.substeps)
        foreign: Any = plan.model.model
        of = slice(None) if self._moving else 0
        runs = [(members.x0[row], Profile(times, h[:, :n]), h[of, n:]) for row, h in zip(rows, held, strict=True)]
        solved: list[Solution] = foreign.free_runs(runs, at)
        return [self._read(s, h, members) for s, h in zip(solved, held, strict=True)]

    def _held(self, members: Members, row: int) -> Array:
        """Give what is held during each step [steps, inputs + parameters]."""
        drive = np.ones((self.plan.steps, len(self.plan.held)))
        drive[:, list(self.plan.driven)] = members.drive[:, : len(self.plan.driven)]
        made: Array = drive * members.gain[row] + members.bias[row]
        return made

    def _read(self, s: Solution, held: Array, members: Members) -> tuple[Array, Array, Array]:
        if s.status == "child":
            raise ModelError(s.words, code="fmu", remedy="see what the model does: it is run with limits of time and memory")
        plan = self.plan
        fine = np.repeat(held, plan.substeps, axis=0)
        fine = np.vstack([fine, fine[-1:]])
        weights = np.repeat(members.drive[:, len(plan.driven) :], plan.substeps, axis=0)

        def pick(name: str) -> Array:
            return np.asarray(plan.pick(name, s.states, s.outputs, fine), np.float64)

        kept = np.array([pick(n)[:: plan.every * plan.substeps] for n in plan.watch]).reshape(len(plan.watch), -1).T
        gauges = []
        for g, limit in zip(plan.gauges, members.limits, strict=True):
            q = pick(g.of)
            mean = q[:-1] if g.of in plan.held else (q[:-1] + q[1:]) / 2
            mean = mean if g.weight is None else mean * weights[:, g.weight]
            gauges.append(_gauge(g.reading, (q[:-1], mean), s.times, limit))
        return np.array(gauges, np.float64), kept, s.states[-1]


def _gauge(reading: Reading, steps: tuple[Array, Array], at: Array, limit: float) -> float:
    """Read a gauge off what a quantity was at the beginning of each step, and over it on average."""
    before, mean = steps
    if reading in ("min", "max"):
        return float(before.min() if reading == "min" else before.max())
    if reading == "integral":
        return float((mean * np.diff(at)).sum())
    beyond = before > limit if reading.endswith("above") else before < limit
    if reading.startswith("first"):
        return float(at[:-1][beyond][0]) if beyond.any() else START[reading]
    if reading.startswith("times"):
        return float(beyond[0]) + float((beyond[1:] & ~beyond[:-1]).sum())
    return float((np.diff(at) * beyond).sum())
