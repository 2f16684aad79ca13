"""A model with everything that could be wrong with it written in: what is zero while all is right.

Three kinds of places can be struck: ``bias/<output>``, a sensor that is off; ``source/<state>``, a balance that does not
close (a leak, an unknown inflow); and parameters of the process (wear, a blockage). What strikes them is

    fault + Σ bend/<way> · (how far that state or input is from where the machine usually works)

times ``strike/<place>``, a magnitude in the unit of the place. A fault has an onset. A bend has none: the discrepancy of
Kennedy, M. C., O'Hagan, A. (2001), Bayesian calibration of computer models, here of second order (Hermite polynomials);
a wrong model was always wrong, there where it is wrong. An explanation says which places are struck, and which of these numbers may move, from when on;
all explanations are one small filter with other parameters and noises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, Quantity, Values, compile_model, maths
from gemel.dynamics.declare import Array

Vector = npt.NDArray[np.float64]
FAULT: Final = "fault"
FREEZES: Final = 273.15  # K


@dataclass(frozen=True, eq=False)
class Usual:
    """Where a machine usually works: means and spreads of its inputs and states, of a time when all was right."""

    inputs: Vector
    inputs_spread: Vector
    states: Vector
    states_spread: Vector


def ways(base: Compiled) -> tuple[str, ...]:
    """Give the names of the bends: of each state and input, and of its square."""
    named = (*base.states, *base.inputs)
    return (*(f"bend/{name}" for name in named), *(f"bend/{name} squared" for name in named))


def places(base: Compiled, process: tuple[str, ...]) -> tuple[str, ...]:
    """Give what can be struck."""
    biases, sources = (f"bias/{n}" for n in base.outputs), (f"source/{n}" for n in base.states)
    return (*biases, *sources, *process)


class Suspected:
    """A model with what could be wrong among its parameters."""

    def __init__(self, base: Compiled, process: tuple[str, ...]) -> None:
        self._base, self._process, model = base, process, base.model
        self.states, self.inputs, self.outputs, self.stiff = model.states, model.inputs, model.outputs, base.stiff
        named = (FAULT, *ways(base), *(f"strike/{place}" for place in places(base, process)), *_usuals(base))
        self.parameters: Mapping[str, Quantity] = {
            **model.parameters,
            **{name: Quantity("1") for name in named},
        }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rates, with what the balances lack."""
        struck = self._struck(x, u, p)
        found = self._base.model.derivative(t, x, u, self._moved(p, struck))
        return {name: rate + struck * p[f"strike/source/{name}"] for name, rate in found.items()}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the outputs, with what is off."""
        struck = self._struck(x, u, p)
        found = self._base.model.output(t, x, u, self._moved(p, struck))
        return {name: value + struck * p[f"strike/bias/{name}"] for name, value in found.items()}

    def _struck(self, x: Values, u: Values, p: Values) -> Any:
        now = {**{name: x[name] for name in self.states}, **{name: u[name] for name in self.inputs}}
        away = [(value - p[f"usual/{name}"]) * p[f"unit/{name}"] for name, value in now.items()]
        far = (*away, *((a**2 - 1) / math.sqrt(2.0) for a in away))
        return p[FAULT] + sum(p[way] * value for way, value in zip(ways(self._base), far, strict=True))

    def _moved(self, p: Values, struck: Any) -> Any:
        range_of = self._base.model.parameters
        clip = maths.loaded().clip
        return _Moved(p, {
            name: clip(p[name] + struck * p[f"strike/{name}"], range_of[name].low, range_of[name].high)
            for name in self._process
        })  # fmt: skip


class _Moved:
    """Parameters, some of them moved."""

    def __init__(self, values: Values, moved: Mapping[str, Any]) -> None:
        self._values, self._moved = values, moved

    def __getattr__(self, name: str) -> Any:
        return self._moved[name] if name in self._moved else self._values[name]

    __getitem__ = __getattr__


def zeros(base: Compiled, kind: str) -> Vector:
    """Give where states or outputs have their zero: of a temperature it is where water freezes, or a tenth of it were 30 K."""
    declared: Mapping[str, Quantity] = getattr(base.model, kind)
    return np.array([FREEZES if declared[name].unit == "K" else 0.0 for name in getattr(base, kind)])


def _usuals(base: Compiled) -> tuple[str, ...]:
    """Give the names of what says where a machine usually works: parameters too, so that machines share what is compiled."""
    named = (*base.states, *base.inputs)
    return (*(f"usual/{name}" for name in named), *(f"unit/{name}" for name in named))


def placed(base: Compiled, usual: Usual, p: Vector, process: tuple[str, ...]) -> Vector:
    """Give the parameters of the model with what could be wrong, nothing of it being so: those of the base, then the rest."""
    spread = np.concatenate((usual.states_spread, usual.inputs_spread))
    units = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)  # what never moved cannot bend anything
    nothing = np.zeros(1 + len(ways(base)) + len(places(base, process)))
    return np.concatenate((p, nothing, usual.states, usual.inputs, units))


@lru_cache(32)
def suspected(base: Compiled, process: tuple[str, ...] = ()) -> Compiled:
    """Give the model with what could be wrong among its parameters."""
    return compile_model(Suspected(base, process))
