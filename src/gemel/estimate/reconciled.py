"""Reconciliation of readings with balances that always hold: each instant by itself, without a dynamic model.

    readings, their uncertainties ─► the flows that close every balance and fit the readings best ─► reconciled values
                                  ─► each reading against what all the others say of it ─► residual, who is wrong

Weighted least squares under linear balances (Kuehn, D. R., Davidson, H. (1961), Computer control II). The unknowns are as many
flows as the balances leave free, measured or not; the others follow from them, which is the projection of Crowe, C. M., Garcia
Campos, Y. A., Hrymak, A. (1983), Reconciliation of process flow rates by matrix projection I, done the other way round:
what nothing measures and no balance gives comes out as uncertain as it is. As a method of a filter it forgets all between instants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Quantity, Values, maths
from gemel.dynamics.declare import Array
from gemel.errors import ModelError
from gemel.estimate.innovation import Innovation
from gemel.estimate.problem import Instant, Problem
from gemel.estimate.unscented import Belief, Unscented

LOSS: Final = "loss/"
WIDE: Final = 100.0  # usual sizes: so uncertain is a flow before anything is read
Matrix = npt.NDArray[np.float64]


class Balanced:
    """Flows that close balances, as a model without motion: its states are the flows that the balances leave free.

    Args:
        flows: all that stand in the balances, SI.
        balances: by name, the factor of each flow; their sum is the loss, zero while all is right.

    Raises ModelError where a balance says nothing that the others do not (`balance`).
    """

    def __init__(self, flows: Mapping[str, Quantity], balances: Mapping[str, Mapping[str, float]]) -> None:
        whole = np.array([[terms.get(name, 0.0) for name in flows] for terms in balances.values()])
        free, self._given = _solved(whole, list(flows), list(balances))
        self.states: Mapping[str, Quantity] = {name: flows[name] for name in free}
        self.inputs: Mapping[str, Quantity] = {}
        self.outputs: Mapping[str, Quantity] = dict(flows)
        self.parameters: Mapping[str, Quantity] = {f"{LOSS}{name}": Quantity(_unit(flows, terms), 0.0) for name, terms in balances.items()}

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give no motion."""
        return {name: 0.0 * x[name] for name in self.states}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give every flow."""
        return {name: self._flow(name, x, p) for name in self.outputs}

    def _flow(self, name: str, x: Values, p: Values) -> Any:
        if name in self.states:
            return x[name]
        of_free, of_loss = self._given[name]
        flows = sum(float(c) * x[n] for c, n in zip(of_free, self.states, strict=True) if c)
        return flows + sum(float(c) * p[n] for c, n in zip(of_loss, self.parameters, strict=True) if c)


def _unit(flows: Mapping[str, Quantity], terms: Mapping[str, float]) -> str:
    return flows[next(iter(terms))].unit


def _solved(whole: Matrix, flows: list[str], names: list[str]) -> tuple[list[str], dict[str, tuple[Matrix, Matrix]]]:
    """Solve balances [balances, flows] for as many flows: names of the others, and each by them and by the losses."""
    rows, pivots = np.hstack((whole, -np.eye(len(whole)))), list[int]()
    for at, name in enumerate(names):
        column = int(np.argmax(np.abs(rows[at, : len(flows)])))
        if abs(rows[at, column]) < 1e-9:
            raise ModelError(f"the balance {name!r} follows from the others", code="balance", remedy="leave it out")
        rows[at] /= rows[at, column]
        others = np.arange(len(rows)) != at
        rows[others] -= rows[others, column, None] * rows[at]
        pivots.append(column)
    free = [i for i in range(len(flows)) if i not in pivots]
    given = {flows[column]: (-rows[at, free], -rows[at, len(flows) :]) for at, column in enumerate(pivots)}
    return [flows[i] for i in free], given


@dataclass(frozen=True)
class Reconciling:
    """The method: an instant's readings and the balances, nothing from before; innovations are against all *other* readings.

    A reading less what the others say of it, in its standard deviation, is the measurement test of Mah, R. S. H., Tamhane, A. C.
    (1982), Detection of gross errors in process data: of one wrong reading, its own is the largest. Where the others
    say nothing of a reading (it is not redundant), its standard deviation is as wide as what is known before.
    """

    exact: Unscented = field(default_factory=Unscented)

    def start(self, problem: Problem, mean: Array, sd: Array) -> Belief:
        """Give the belief of independent normal values."""
        return self.exact.start(problem, mean, sd)

    def predict(self, problem: Problem, belief: Belief, now: Instant) -> Belief:
        """Give the belief before the next instant: as far as the last one was, and as uncertain as at the beginning."""
        return Belief(belief.mean, maths.loaded().diag(maths.loaded().asarray(problem.start[1])))

    def update(self, problem: Problem, belief: Belief, now: Instant) -> tuple[Belief, Innovation]:
        """Give the belief after the readings of the instant."""
        jnp = maths.loaded()
        after, met = self.exact.update(problem, belief, now)
        mean, sd = self.exact.outputs(problem, after, now)
        own, used = jnp.asarray(problem.noise.sensor) ** 2, met.weight > 0
        left = jnp.maximum(own - sd**2, 1e-9 * own)  # variance of reading less reconciled
        off = jnp.where(used, (now.y - mean) * own / left, now.y - mean)
        apart = jnp.where(used, own / jnp.sqrt(left), jnp.sqrt(own + sd**2))
        return after, met._replace(expected=jnp.where(used, now.y - off, mean), sd=apart, off=off)

    def moments(self, problem: Problem, belief: Belief) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        return self.exact.moments(problem, belief)

    def outputs(self, problem: Problem, belief: Belief, now: Instant) -> tuple[Array, Array]:
        """Give the reconciled flows, with their standard deviations."""
        return self.exact.outputs(problem, belief, now)
