"""The Levenberg–Marquardt method with bounds, for parameters shared by records that each have a state of their own.

Marquardt, D. W. (1963), An algorithm for least-squares estimation of nonlinear parameters, SIAM J. Appl. Math. 11(2);
damping after Nielsen, H. B. (1999), Damping parameter in Marquardt's method, IMM-REP-1999-05; bounds by projection
with an active set (Bertsekas, D. P. (1982), Projected Newton methods, SIAM J. Control Optim. 20(2)). The blocks of the
initial states are eliminated first (Schur complement), so that a thousand records cost what one does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gemel.estimate.objective import Normal, Objective
from gemel.samples.batch import F64

COST_TOLERANCE = 1e-9  # relative fall of the cost below which two steps in a row end the search
STEP_TOLERANCE = 1e-9  # relative to the scale of each unknown
ALIKE = 1e-6  # costs that differ by less, relative, are those of one end
FIRST_DAMPING = 1e-3
LARGEST_DAMPING = 1e12


@dataclass(frozen=True, eq=False)
class Box:
    """Where the search may go, and the usual size of each unknown.

    Args:
        p_low, p_high, p_scale: of the free parameters [m].
        x_low, x_high, x_scale: of the initial states [states].
    """

    p_low: F64
    p_high: F64
    p_scale: F64
    x_low: F64
    x_high: F64
    x_scale: F64


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a search ended.

    Args:
        p, x0: free parameters [m], initial states [records, states].
        normal: the normal equations there.
        converged: whether it ended because nothing falls any more.
        why: in words.
        iterations: linearisations that were computed.
    """

    p: F64
    x0: F64
    normal: Normal
    converged: bool
    why: str
    iterations: int

    @property
    def cost(self) -> float:
        """Half the sum of squared weighted residuals."""
        return self.normal.cost


def minimise(objective: Objective, box: Box, p: F64, x0: F64, most: int = 60) -> Minimum:
    """Search from a start; never raises for what the numbers do: a start that blows up is a result that says so."""
    p, x0 = np.clip(p, box.p_low, box.p_high), np.clip(x0, box.x_low, box.x_high)
    here = objective.normal(p, x0)
    if not np.isfinite(here.cost):
        return Minimum(p, x0, here, False, "the free run blows up at the start", 1)
    damping, growth, small, sizes = FIRST_DAMPING, 2.0, 0, _sizes(here, box)
    for iteration in range(2, most + 1):
        dp, dx = _step(here, box, (p, x0), damping, sizes)
        new_p, new_x = np.clip(p + dp, box.p_low, box.p_high), np.clip(x0 + dx, box.x_low, box.x_high)
        moved = max(_largest((new_p - p) / box.p_scale), _largest((new_x - x0) / box.x_scale))
        there = objective.normal(new_p, new_x)
        expected = _expected_fall(here, new_p - p, new_x - x0)
        fell = here.cost - there.cost
        if np.isfinite(there.cost) and fell > 0 and np.isfinite(there.pp).all():
            small = small + 1 if fell <= COST_TOLERANCE * here.cost or moved < STEP_TOLERANCE else 0
            damping *= max(1 / 3, 1 - (2 * min(fell / max(expected, 1e-300), 2.0) - 1) ** 3)
            p, x0, here, growth = new_p, new_x, there, 2.0
            sizes = (np.maximum(sizes[0], _sizes(here, box)[0]), np.maximum(sizes[1], _sizes(here, box)[1]))
            if small >= 2 or here.cost == 0:
                return Minimum(p, x0, here, True, "the cost falls no more", iteration)
            continue
        if moved < STEP_TOLERANCE or expected <= 1e-14 * here.cost:
            return Minimum(p, x0, here, True, "no step makes it better", iteration)
        damping, growth = damping * growth, growth * 2
        if damping > LARGEST_DAMPING:
            return Minimum(p, x0, here, False, "no step makes it better, however small", iteration)
    return Minimum(p, x0, here, False, f"not at its end after {most} linearisations", most)


def ranked(found: Iterable[Minimum]) -> list[Minimum]:
    """Give where searches ended, the least cost first; of those that are alike with the first, who came to its end is first."""
    those = sorted(found, key=lambda m: m.cost if np.isfinite(m.cost) else np.inf)
    ended = (m for m in those if m.converged and m.cost <= those[0].cost * (1 + ALIKE))
    first = next(ended, those[0])
    return [first, *(m for m in those if m is not first)]


def _largest(values: F64) -> float:
    return float(np.abs(values).max()) if values.size else 0.0


def _sizes(normal: Normal, box: Box) -> tuple[F64, F64]:
    """Give Marquardt's scaling: the curvature along each unknown, never less than a trifle of its own scale."""
    floor = 1e-10 * max(normal.cost, 1e-30)
    own_p = np.maximum(np.diagonal(normal.pp), floor / box.p_scale**2)
    return own_p, np.maximum(np.diagonal(normal.xx, axis1=1, axis2=2), floor / box.x_scale**2)


def _step(
    at: Normal, box: Box, here: tuple[F64, F64], damping: float, sizes: tuple[F64, F64]
) -> tuple[F64, F64]:
    """Solve the damped equations for what is not held at a bound by its gradient."""
    p, x0 = here
    held_p = ((p <= box.p_low) & (at.p > 0)) | ((p >= box.p_high) & (at.p < 0)) | (box.p_low >= box.p_high)
    held_x = ((x0 <= box.x_low) & (at.x > 0)) | ((x0 >= box.x_high) & (at.x < 0)) | (box.x_low >= box.x_high)
    free_p, free_x = ~held_p, ~held_x
    xx = at.xx * free_x[:, :, None] * free_x[:, None, :]
    xx = xx + np.eye(xx.shape[1]) * (damping * sizes[1] + held_x)[:, None, :]
    px = at.px * free_p[None, :, None] * free_x[:, None, :]
    pp = at.pp * np.outer(free_p, free_p) + np.diag(damping * sizes[0] + held_p)
    gx, gp = at.x * free_x, at.p * free_p
    inverse = np.linalg.inv(xx)
    eliminated = np.einsum("spk,skl->spl", px, inverse)
    left = pp - np.einsum("spl,sql->pq", eliminated, px)
    dp = np.linalg.solve(left, np.einsum("spl,sl->p", eliminated, gx) - gp) if len(p) else np.zeros(0)
    dx = -np.einsum("skl,sl->sk", inverse, gx + np.einsum("spk,p->sk", px, dp))
    return dp, dx


def _expected_fall(at: Normal, dp: F64, dx: F64) -> float:
    linear = at.p @ dp + (at.x * dx).sum()
    cross = np.einsum("p,spk,sk->", dp, at.px, dx)
    return -float(linear + (dp @ at.pp @ dp + np.einsum("sk,skl,sl->", dx, at.xx, dx)) / 2 + cross)


def reduced(normal: Normal) -> F64:
    """Give the information on the parameters alone [m, m]: what is left when the initial states are free too."""
    inverse = np.linalg.pinv(normal.xx, hermitian=True)
    left = normal.pp - np.einsum("spk,skl,sql->pq", normal.px, inverse, normal.px)
    return np.asarray((left + left.T) / 2, np.float64)
