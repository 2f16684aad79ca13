"""Whether parts of a window tell parameters differently in the same regime, too: how a model bends is told apart from what changed.

parts, run free at the fit of all ─► what they leave over ─► a function of the regime, one for all, and parameters of each part's own ─► these, and how sure

A model that is wrong in its structure fits otherwise wherever its machine is run otherwise; a machine that changed is another one at the same
point. So what is left over is taken for a function of states and inputs and a change of parameters: the discrepancy of Kennedy, M. C. and O'Hagan, A.
(2001), Bayesian calibration of computer models, J. R. Stat. Soc. B 63(3), equation 5, a Gaussian process, here that of `gemel.estimate.hybrid`, linearised at the fit.
The function has a prior and the parameters have none: of regimes that do not overlap the parameters get the difference, or their intervals widen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gemel.dynamics import Compiled
from gemel.estimate.calibrate import Fit, box_of
from gemel.estimate.hybrid import Correction, learn, near, prior
from gemel.estimate.intervals import long_run, wider
from gemel.estimate.least_squares import Minimum, minimise
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record
from gemel.estimate.whole_runs import trajectory
from gemel.samples.batch import F64

SINGULAR: Final = 1e12  # condition of the information, each parameter by its own size, beyond which it says nothing
STILL: Final = 1e-9  # of a prior variance: points of a process that coincide


@dataclass(frozen=True, eq=False)
class _Piece:
    """A piece of a part, run at the fit: states [steps, states], run and weight [steps, outputs], what is left over and its slopes, weighted."""

    part: int
    record: Record
    states: F64
    run: F64
    weight: F64
    left: F64
    jacobian: F64


@dataclass(frozen=True, eq=False)
class Own:
    """Parameters of each part's own, as differences from those of the fit, what hangs on the regime taken out.

    Args:
        values: [parts, m], SI.
        covariance: of all of them [parts · m, parts · m].
    """

    values: F64
    covariance: F64

    def apart(self, parameter: int, a: int, b: int) -> tuple[float, float]:
        """Give how far apart two parts tell a parameter, and the standard deviation of that."""
        m = self.values.shape[1]
        pair = np.zeros(self.values.size)
        pair[a * m + parameter], pair[b * m + parameter] = 1.0, -1.0
        return float(self.values[a, parameter] - self.values[b, parameter]), max(float(pair @ self.covariance @ pair), 0.0) ** 0.5


def own(
    model: Compiled, found: Fit, parts: Sequence[Sequence[Record]], near_x0: Sequence[F64], on_step: Callable[[], None] | None = None
) -> Own | None:
    """Give the parameters of each part's own beside what hangs on the regime alone.

    Args:
        model: compiled.
        found: the fit of all parts.
        parts: of each its pieces, of equal length and step, that have an initial state each.
        near_x0: of each about these [pieces, states].
        on_step: called at each linearisation; what it raises ends the search.

    Returns:
        None where no correction by the regime helps on blocks left out, a part does not tell a parameter, or the run of one blows up.
    """
    laid = _Laid(len(parts), len(found.parameters))
    sigma, box = np.array([max(found.rms[name], 1e-12) for name in model.outputs]), box_of(model, tuple(found.parameters))
    for at, (pieces, near_by) in enumerate(zip(parts, near_x0, strict=True)):
        objective = Objective(model, tuple(found.parameters), pieces, found.vector, sigma=sigma, substeps=found.settings.substeps, on_step=on_step)
        p = found.vector[objective.places]
        laid.take(at, objective, minimise(objective, replace(box, p_low=p, p_high=p), p, near_by))
    return _solved(laid) if laid.learn(model.outputs) else None


class _Laid:
    """The linear equations of what is left over, piece by piece: own parameters of each part, weights of the corrections, right-hand side."""

    def __init__(self, parts: int, m: int) -> None:
        self.parts, self.m, self.own = parts, m, parts * m
        self.pieces: list[_Piece] = []
        self.learned: list[Correction] = []

    def take(self, part: int, objective: Objective, at: Minimum) -> None:
        """Add a part's pieces, run at a point."""
        left, jacobian = objective.sensitivities(at.p, at.x0)
        run = objective.outputs(at.p, at.x0)
        for i, record in enumerate(objective.records):
            states, _ = trajectory(objective.model, at.x0[i], record.inputs, objective.fixed, record.dt, objective.substeps)
            self.pieces.append(_Piece(part, record, states, run[i], objective.weight[i], -left[i], jacobian[i]))

    def learn(self, outputs: Sequence[str]) -> bool:
        """Learn of each output what hangs on the regime; tell whether there is something."""
        states, inputs, run = (np.concatenate(c) for c in zip(*((p.states, p.record.inputs, p.run) for p in self.pieces), strict=True))
        read = np.concatenate([np.where(p.record.usable, p.record.outputs, np.nan) for p in self.pieces])
        if not np.isfinite(run).all():
            return False
        self.learned = [learn(name, states, inputs, run[:, i], read[:, i]) for i, name in enumerate(outputs)]
        return any(one.helps for one in self.learned)

    @property
    def freedom(self) -> int:
        """How many readings there are more than initial states."""
        return sum(int(p.record.usable.sum()) - p.states.shape[1] for p in self.pieces)

    def rows(self, of: _Piece) -> F64:
        """Give those of a piece [steps · outputs, own + weights + 1], what its initial state can undo taken out."""
        many, first = len(of.left), of.part * self.m
        mine = np.zeros((many, self.own))
        mine[:, first : first + self.m] = of.jacobian[:, : self.m]
        blocks = [mine]
        for place, one in enumerate(self.learned):
            block = np.zeros((*of.weight.shape, len(one.points)))
            block[:, place] = near(one, of.states, of.record.inputs) * of.weight[:, place, None]
            blocks.append(block.reshape(many, len(one.points)))
        all_, undo = np.concatenate([*blocks, of.left[:, None]], axis=1), of.jacobian[:, self.m :]
        return np.asarray(all_ - undo @ (np.linalg.pinv(undo) @ all_), np.float64)


def _solved(laid: _Laid) -> Own | None:
    """Solve them, a ridge on the weights of the corrections alone; the information on the parameters is what these leave of it."""
    from scipy.linalg import block_diag

    own = laid.own
    both: F64 = np.sum([rows.T @ rows for rows in map(laid.rows, laid.pieces)], axis=0)
    ridge = block_diag(*(one.noise * prior(one) + STILL * np.eye(len(one.points)) for one in laid.learned if one.helps))
    bends = np.linalg.solve(both[own:-1, own:-1] + ridge, both[own:-1])  # weights, by one of each parameter, of each weight, and of what is left
    information = both[:own, :own] - both[:own, own:-1] @ bends[:, :own]
    size = np.sqrt(np.diagonal(both)[:own])
    if not (size > 0).all() or np.linalg.cond(information / np.outer(size, size)) > SINGULAR:
        return None
    inverse = np.linalg.inv(information)
    values = inverse @ (both[:own, -1] - both[:own, own:-1] @ bends[:, -1])
    freedom = max(laid.freedom - own - float(np.trace(bends[:, own:-1])), 1.0)
    rest = np.concatenate([-values, bends[:, :own] @ values - bends[:, -1], [1.0]])
    cleared = np.concatenate([np.eye(own), -bends[:, :own], np.zeros((1, own))])
    cost, robust = 0.0, np.zeros((own, own))
    for piece in laid.pieces:
        rows = laid.rows(piece)
        left = rows @ rest
        cost += float(left @ left)
        robust += long_run((rows @ cleared * left[:, None]).reshape(1, *piece.weight.shape, own).sum(axis=2))
    robust = inverse @ robust @ inverse * (laid.freedom / freedom)
    return Own(values.reshape(laid.parts, -1), wider(np.asarray(inverse * (cost / freedom), np.float64), np.asarray(robust, np.float64)).covariance)
