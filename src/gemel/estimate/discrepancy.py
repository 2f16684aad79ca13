"""What a model always gets a little wrong: a slow error of each output beside the noise of its sensor.

A model of other equations than the machine's leaves residuals that follow their predecessors. A filter that takes them
for white noise believes itself far too well, above all in what it knows from many readings together (wear). So each
output is given an error of its own, one more state (shaping filter: Bryson, A. E., Johansen, D. E. (1965), Linear
filtering for time-varying systems using measurements containing colored noise; the discrepancy of Kennedy, M. C., O'Hagan,
A. (2001), Bayesian calibration of computer models)::

    y = h(x) + off + noise,    d off = - off / time_s dt + sd √(2 / time_s) dW
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, Quantity, Values, compile_model, maths
from gemel.dynamics.declare import Array
from gemel.estimate.problem import Noise, Problem
from gemel.estimate.track import Estimate

Vector = npt.NDArray[np.float64]
PREFIX: Final = "off/"


@dataclass(frozen=True)
class Discrepancy:
    """The slow error of one output.

    Args:
        sd: its standard deviation, in the unit of the output.
        time_s: how long it lasts: after so long e⁻¹ of it is left.
        noise: standard deviation of what changes from reading to reading.
    """

    sd: float
    time_s: float
    noise: float


class Discrepant:
    """A model whose outputs have slow errors of their own, as further states ``off/<output>``."""

    def __init__(self, base: Compiled, times: Mapping[str, float]) -> None:
        self._base, self._times, model = base, dict(times), base.model
        self.states: Mapping[str, Quantity] = {
            **model.states,
            **{PREFIX + name: Quantity(model.outputs[name].unit, nominal=model.outputs[name].scale) for name in times},
        }
        self.inputs, self.outputs, self.parameters, self.stiff = model.inputs, model.outputs, model.parameters, base.stiff

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rates; errors fade."""
        found = self._base.model.derivative(t, x, u, p)
        return {**found, **{PREFIX + name: -x[PREFIX + name] / time_s for name, time_s in self._times.items()}}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Any]:
        """Give the outputs with their errors: what a perfect sensor would show."""
        found = self._base.model.output(t, x, u, p)
        return {**found, **{name: found[name] + x[PREFIX + name] for name in self._times}}


def discrepant(problem: Problem, errors: Mapping[str, Discrepancy]) -> Problem:
    """Give the problem with slow errors of the outputs named; their sensors' noise is taken from there."""
    if not errors:
        return problem
    base, noise = problem.model, problem.noise
    size = np.array([errors[name].sd for name in errors])
    pace = np.sqrt(2.0 / np.array([errors[name].time_s for name in errors]))
    sensor = noise.sensor.copy()
    for name, error in errors.items():
        sensor[base.place("outputs", name)] = error.noise
    noise = Noise(np.concatenate((noise.state, size * pace)), noise.parameter, sensor,
                  np.concatenate((noise.state_start, size)), noise.parameter_start, noise.input)  # fmt: skip
    model = compile_model(Discrepant(base, {name: error.time_s for name, error in errors.items()}))
    return replace(problem, model=model, noise=noise)


def places(problem: Problem) -> tuple[Any, Any]:
    """Give where slow errors are among the states, and of which outputs they are."""
    model = problem.model
    names = [n for n in model.states if n.startswith(PREFIX)]
    of_state = np.array([model.place("states", n) for n in names], np.intp)
    return of_state, np.array([model.place("outputs", n.removeprefix(PREFIX)) for n in names], np.intp)


def by_model(problem: Problem, estimate: Estimate, before: Array) -> Estimate:
    """Give an estimate whose innovation is the reading less what the model alone expected, without the slow errors.

    Its standard deviation is that of such an error and a reading's scatter together: what a sensor says is news
    when it is further from the model than the two are known to be, however slowly it went there.

    Args:
        problem: with slow errors.
        estimate: of an instant.
        before: mean of the joint vector before its readings [n].
    """
    jnp, (of_state, of_output) = maths.loaded(), places(problem)
    if not len(of_state):
        return estimate
    told = estimate.innovation
    expected = told.expected.at[of_output].add(-before[of_state])
    known = jnp.hypot(jnp.asarray(problem.noise.state_start)[of_state], jnp.asarray(problem.noise.sensor)[of_output])
    sd = told.sd.at[of_output].max(known)
    return estimate._replace(innovation=told._replace(expected=expected, sd=sd, off=told.off + told.expected - expected))
