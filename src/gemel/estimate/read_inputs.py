"""Inputs that are read by instruments too: a filter that takes them as they are, takes their noise for the machine's doing.

Such an input becomes a state that walks and an output that is read (errors in variables; Söderström, T. (2007),
Errors-in-variables methods in system identification, sec. 2), so that its noise is weighed like any other sensor's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Quantity, Values, compile_model
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.declare import Array
from gemel.estimate.problem import Noise, Problem

Vector = npt.NDArray[np.float64]
PREFIX: Final = "read/"


@dataclass(frozen=True)
class Reading:
    """How an input behaves.

    Args:
        noise: standard deviation of a reading of it.
        walk: how far it goes of itself, per square root of a second.
    """

    noise: float
    walk: float


def reading(values: Vector, dt: float) -> Reading:
    """Read noise and walk of an input off its own readings, evenly spaced by `dt` [s].

    Noise is what second differences show if a walk is beneath: with q = walk² dt, first differences have the variance
    2 noise² + q, second ones 6 noise² + 2 q (Harvey, A. C. (1989), Forecasting, structural time series models and the
    Kalman filter, sec. 2.4, the local level model).
    """
    first, second = (float(np.nanmean(np.diff(values, n) ** 2)) for n in (1, 2))
    noise = max((second - 2.0 * first) / 2.0, 1e-3 * first)
    return Reading(float(np.sqrt(noise)), float(np.sqrt(max(first - 2.0 * noise, 1e-3 * first) / dt)))


class ReadInputs:
    """A model, some of whose inputs are states that walk, and outputs."""

    def __init__(self, base: Compiled, names: tuple[str, ...]) -> None:
        self._base, self._names, model = base, names, base.model
        self.states: Mapping[str, Quantity] = {**model.states, **{PREFIX + n: model.inputs[n] for n in names}}
        self.inputs: Mapping[str, Quantity] = {n: q for n, q in model.inputs.items() if n not in names}
        self.outputs: Mapping[str, Quantity] = {**model.outputs, **{n: model.inputs[n] for n in names}}
        self.parameters = model.parameters

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rates; of itself an input stays."""
        found = self._base.model.derivative(t, x, self._all(x, u), p)
        return {**found, **{PREFIX + name: 0.0 * x[PREFIX + name] for name in self._names}}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the outputs, and the inputs that are read."""
        found = self._base.model.output(t, x, self._all(x, u), p)
        return {**found, **{name: x[PREFIX + name] for name in self._names}}

    def _all(self, x: Values, u: Values) -> Any:
        return _Inputs(u, x, self._names)


class _Inputs:
    """Inputs, some of them taken from the states."""

    def __init__(self, u: Values, x: Values, names: tuple[str, ...]) -> None:
        self._u, self._x, self._names = u, x, names

    def __getattr__(self, name: str) -> Any:
        return self._x[PREFIX + name] if name in self._names else self._u[name]

    __getitem__ = __getattr__


def with_read(problem: Problem, inputs: Mapping[str, Reading]) -> Problem:
    """Give the problem with these inputs read: they are outputs then, and no longer given."""
    noise, names = problem.noise, tuple(inputs)
    model = compile_model(ReadInputs(problem.model, names))
    walk, sensor = (np.array([getattr(inputs[n], what) for n in names]) for what in ("walk", "noise"))
    start = np.array([model.model.states[PREFIX + n].scale for n in names])
    left = None if noise.input is None else noise.input[[n not in names for n in problem.model.inputs]]
    more = Noise(np.concatenate((noise.state, walk)), noise.parameter, np.concatenate((noise.sensor, sensor)),
                 np.concatenate((noise.state_start, start)), noise.parameter_start, left)  # fmt: skip
    return replace(problem, model=model, noise=more)
