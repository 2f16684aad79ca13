"""A plan by a model that is run, not traced: each member as a whole, in the process that the model keeps for itself.

For models from other tools (FMI): what-ifs of some thousand members, where ours take a hundred thousand. Nobody may move a
state of one while it runs. Where a scenario sets some on the way, it ends there, and begins anew from its states with
those set (FMI lets what a run begins with be set): as good as going on where its states are all that it remembers, which is tried out first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.dynamics.solution import Profile, Solution
from gemel.errors import ModelError
from gemel.scenarios.jumps import applied
from gemel.scenarios.plan import START, Members, Plan, Raw, Reading

Array = npt.NDArray[np.float64]
USUAL: Final = 100  # members, where nobody says how many
MOST: Final = 10_000
BATCH: Final = 10  # between two looks at whether to go on
SAME: Final = 1e-3  # of how far a quantity moves, between a run and the same run begun anew on the way …
ROUNDED: Final = 1e-6  # … and of its magnitude
NOTHING: Final = np.array([1.0, 0.0])  # scale and amount of a state that is not set
Run = tuple[Array, Profile, Array]
Ran = tuple[Solution, Solution]
"""A run as it goes on from each instant, and as it came there: they differ where states are set."""


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

        jumps = members.jumps_to(self.plan.steps, len(self.plan.jumping))
        sets = np.flatnonzero((jumps != NOTHING).any((1, 2))).tolist()
        if sets:
            self._try_anew(members, sets)
        found: list[tuple[Array, Array, Array]] = []
        for i in range(0, len(members), BATCH):
            rows = range(i, min(i + BATCH, len(members)))
            held = [self._held(members, row) for row in rows]
            ran = self._ran(members.x0[rows.start : rows.stop], held, sets, jumps)
            found += [self._read(s, h, members) for s, h in zip(ran, held, strict=True)]
            if not told(len(found) / len(members)):
                raise Cancelled
        gauges, kept, end = (np.stack([f[j] for f in found]) for j in range(3))
        return Raw(gauges.T, np.moveaxis(kept, 0, -1), end)

    def _ran(self, x0: Array, held: Sequence[Array], sets: Sequence[int], jumps: Array | None = None) -> list[Ran]:
        """Run some members, begun anew at some steps; there by jumps, where some are given."""
        plan = self.plan
        parts: list[list[Solution]] = []
        x = x0
        for begin, end in pairwise([0, *sets, plan.steps]):
            if begin:
                came = np.stack([s.states[-1] for s in parts[-1]])
                x = came if jumps is None else applied(jumps[begin], came, plan.jumping, plan.model.bounds("states"))
            parts.append(self._solved(x, held, begin, end))
        return [_joined(some) for some in zip(*parts, strict=True)]

    def _solved(self, x0: Array, held: Sequence[Array], begin: int, end: int) -> list[Solution]:
        """Run some members from step to step; raises ModelError where their process fails."""
        plan, n = self.plan, len(self.plan.model.inputs)
        times: Array = np.arange(begin, end, dtype=np.float64) * plan.dt
        at: Array = np.arange(begin * plan.substeps, end * plan.substeps + 1, dtype=np.float64) * (plan.dt / plan.substeps)
        foreign: Any = plan.model.model
        of = slice(None) if self._moving else 0
        runs: list[Run] = [(x, Profile(times, h[begin:end, :n]), h[begin:end][of, n:]) for x, h in zip(x0, held, strict=True)]
        solved: list[Solution] = list(foreign.free_runs(runs, at))
        for one in solved:
            if one.status == "child":
                raise ModelError(one.words, code="fmu", remedy="see what the model does: it is run with limits of time and memory")
        return solved

    def _try_anew(self, members: Members, sets: Sequence[int]) -> None:
        """Run the first member as it is, and begun anew where states will be set; raises ModelError where that comes to something else."""
        held = [self._held(members, 0)]
        (whole, _), (anew, _) = (self._ran(members.x0[:1], held, some)[0] for some in ([], sets))
        if not (alike(whole.states, anew.states) and alike(whole.outputs, anew.outputs)):
            raise ModelError(
                "this model from another tool remembers more than its states: none of them can be set on the way", code="bad-scenario",
                remedy="set it at the beginning, or have all that it remembers be among the states that it tells",
            )  # fmt: skip

    def _held(self, members: Members, row: int) -> Array:
        """Give what is held during each step [steps, inputs + parameters]."""
        drive = np.ones((self.plan.steps, len(self.plan.held)))
        drive[:, list(self.plan.driven)] = members.drive[:, : len(self.plan.driven)]
        made: Array = drive * members.gain[row] + members.bias[row]
        return made

    def _read(self, ran: Ran, held: Array, members: Members) -> tuple[Array, Array, Array]:
        plan, (s, came) = self.plan, ran
        fine = np.repeat(held, plan.substeps, axis=0)
        fine = np.vstack([fine, fine[-1:]])
        weights = np.repeat(members.drive[:, len(plan.driven) :], plan.substeps, axis=0)

        def pick(name: str, of: Solution) -> Array:
            return np.asarray(plan.pick(name, of.states, of.outputs, fine), np.float64)

        kept = np.array([pick(n, s)[:: plan.every * plan.substeps] for n in plan.watch]).reshape(len(plan.watch), -1).T
        gauges = []
        for g, limit in zip(plan.gauges, members.limits, strict=True):
            before = pick(g.of, s)[:-1]
            mean = before if g.of in plan.held else (before + pick(g.of, came)[1:]) / 2
            mean = mean if g.weight is None else mean * weights[:, g.weight]
            gauges.append(_gauge(g.reading, (before, mean), s.times, limit))
        return np.array(gauges, np.float64), kept, s.states[-1]


def alike(a: Array, b: Array) -> bool:
    """Tell whether two runs [instants, columns] are the same, as far as a solver that begins anew can be."""
    off = SAME * np.ptp(a, 0) + ROUNDED * np.abs(a).max(0, initial=0.0)
    return bool((np.abs(a - b) <= off).all())


def _joined(parts: Sequence[Solution]) -> Ran:
    """Give runs, one after the other, as one that goes on from each instant, and as one that comes to it."""

    def along(kind: str, rows: Iterator[slice]) -> Array:
        return np.concatenate([getattr(s, kind)[row] for s, row in zip(parts, rows, strict=True)])

    last, kinds = len(parts) - 1, ("times", "states", "outputs")
    on = [along(k, (slice(None, -1 if i < last else None) for i in range(last + 1))) for k in kinds]
    came = [along(k, (slice(1 if i else None, None) for i in range(last + 1))) for k in kinds]
    return _run(on, parts[-1]), _run(came, parts[-1])


def _run(columns: Sequence[Array], like: Solution) -> Solution:
    times, states, outputs = columns
    return replace(like, times=times, states=states, outputs=outputs)


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
