"""Residuals of a model that is run by its own tool, and how they move: by central differences over whole runs.

An FMU for co-simulation has no equations at a point, and to ask those of one for model exchange step by step is many requests
to another process. Each parameter and each initial state is moved a little either way and
the record run again, all runs of a linearisation in few requests. The functions are those of `gemel.estimate.objective`.
Differences: Nocedal and Wright, Numerical Optimization, 2nd ed. 2006, section 8.1, eq. 8.7; what a run of another tool's
solver errs by is larger than rounding, and so is the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from gemel.dynamics import Compiled, fixed
from gemel.dynamics.solution import Profile, Solution
from gemel.errors import ModelError
from gemel.samples.batch import F64

MOVED: Final = 1e-4  # of a number's size
BATCH: Final = 20  # runs in one request, each of which has a limit of time
Run = tuple[F64, F64, F64]
"""Initial state [states], inputs [steps, inputs], parameters [parameters]."""


def runs_whole(model: Compiled) -> bool:
    """Tell whether a model is run by its own tool: whole runs are fewer requests than steps, and meet its events."""
    return not getattr(model.model, "traceable", True)


def trajectory(model: Compiled, x0: F64, u: F64, p: F64, dt: float, substeps: int = 1) -> tuple[F64, F64]:
    """Give states [steps, states] and outputs [steps, outputs] of a free run, as `gemel.dynamics.fixed.trajectory`: of any model.

    Raises ModelError (`fmu`) where the process of one that is run by its own tool fails.
    """
    if not runs_whole(model):
        x, y = fixed.trajectory(model, x0, u, p, dt, substeps)
        return np.asarray(x), np.asarray(y)
    (found,) = _Runner(model, dt, substeps).solved([(x0, u, p)])
    return found.states[::substeps][: len(u)], found.outputs[::substeps][: len(u)]


def whole_runs(model: Compiled, places: Any, dt: float, substeps: int) -> dict[str, Callable[..., Any]]:
    """Give what a fit asks of a model, as `gemel.estimate.objective` compiles it of others; they raise ModelError."""
    runner = _Runner(model, dt, substeps)

    def full(p: F64, fixed: F64) -> F64:
        found = np.array(fixed, np.float64)
        found[places] = p
        return found

    def outputs(p: F64, x0: F64, fixed: F64, u: F64) -> F64:
        return runner.outputs([(x, held, full(p, fixed)) for x, held in zip(x0, u, strict=True)])

    def costs(ps: F64, xs: F64, fixed: F64, u: F64, y: F64, w: F64) -> F64:
        runs = [(x, held, full(p, fixed)) for p, x0 in zip(ps, xs, strict=True) for x, held in zip(x0, u, strict=True)]
        found = runner.outputs(runs).reshape(len(ps), *y.shape)
        return np.asarray((((found - y) * w) ** 2).sum((1, 2, 3)) / 2, np.float64)

    def sensitivities(p: F64, x0: F64, fixed: F64, u: F64, y: F64, w: F64) -> tuple[F64, F64]:
        m, k = len(p), x0.shape[1]
        steps = [*_steps(p, model.scales("parameters")[places])], [_steps(x, model.scales("states")) for x in x0]
        runs = [(x, held, full(p, fixed)) for x, held in zip(x0, u, strict=True)]
        for j in range(m + k):
            for way in (1.0, -1.0):
                moved = p + way * steps[0][j] * np.eye(m)[j] if j < m else p
                states = x0 if j < m else x0 + way * np.stack([s[j - m] * np.eye(k)[j - m] for s in steps[1]])
                runs += [(x, held, full(moved, fixed)) for x, held in zip(states, u, strict=True)]
        found = runner.outputs(runs).reshape(1 + 2 * (m + k), *y.shape)
        width = np.array([[steps[0][j] if j < m else s[j - m] for j in range(m + k)] for s in steps[1]])  # [records, m + k]
        slopes = (found[1::2] - found[2::2]) / (2 * width.T[:, :, None, None]) * w
        return ((found[0] - y) * w).reshape(len(x0), -1), np.moveaxis(slopes, 0, -1).reshape(len(x0), -1, m + k)

    def normal(p: F64, x0: F64, fixed: F64, u: F64, y: F64, w: F64) -> tuple[Any, ...]:
        r, jac = sensitivities(p, x0, fixed, u, y, w)
        jp, jx = jac[..., : len(p)], jac[..., len(p) :]
        blocks = (np.einsum("snp,snq->pq", jp, jp), np.einsum("snp,snk->spk", jp, jx), np.einsum("snk,snl->skl", jx, jx))
        return (r**2).sum() / 2, *blocks, np.einsum("snp,sn->p", jp, r), np.einsum("snk,sn->sk", jx, r)

    return {"normal": normal, "costs": costs, "outputs": outputs, "sensitivities": sensitivities}


class _Runner:
    """Runs a model over the instants of a record, with steps in between."""

    def __init__(self, model: Compiled, dt: float, substeps: int) -> None:
        self._model, self._dt, self._substeps = model, dt, substeps

    def outputs(self, runs: Sequence[Run]) -> F64:
        """Give the outputs of each run [runs, steps, outputs]; NaN where it came to no number. Raises ModelError."""
        return np.stack([one.outputs[:: self._substeps][: len(runs[0][1])] for one in self.solved(runs)])

    def solved(self, runs: Sequence[Run]) -> Iterator[Solution]:
        """Give each run at all steps in between, too; raises ModelError."""
        foreign: Any = self._model.model
        steps = len(runs[0][1])
        at = np.arange(max(steps - 1, 1) * self._substeps + 1) * (self._dt / self._substeps)
        begins = np.arange(steps) * self._dt
        for i in range(0, len(runs), BATCH):
            asked = [(x, Profile(begins, held), p) for x, held, p in runs[i : i + BATCH]]
            solved: list[Solution] = foreign.free_runs(asked, at)
            for one in solved:
                if one.status == "child":
                    raise ModelError(one.words, code="fmu", remedy="see what the model does: it is run with limits of time and memory")
                yield one


def _steps(values: F64, sizes: F64) -> F64:
    return np.asarray(MOVED * np.maximum(np.abs(values), sizes), np.float64)
