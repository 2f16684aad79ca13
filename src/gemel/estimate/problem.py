"""What a filter estimates: the states of a dynamic model and, joined to them, those parameters that walk.

The joint vector z is [states, estimated parameters]: a parameter that follows the machine is a state that stays
as it is but for a random walk (Jazwinski, A. H. (1970), Stochastic Processes and Filtering Theory, ch. 8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, maths
from gemel.dynamics.declare import Array
from gemel.dynamics.fixed import advance
from gemel.errors import ModelError

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Noise:
    """How uncertain things are, as standard deviations.

    Args:
        state: what the model does not know of each state, per square root of a second [states].
        parameter: how far each estimated parameter walks, per square root of a second [estimated].
        sensor: of one reading of each output [outputs]; where no sensor is, any positive number.
        state_start, parameter_start: of the beginning [states], [estimated].
        input: of one reading of each input [inputs], 0 where it is known exactly; None: all are.
    """

    state: Vector
    parameter: Vector
    sensor: Vector
    state_start: Vector
    parameter_start: Vector
    input: Vector | None = None


@dataclass(frozen=True)
class Robust:
    """How readings that do not fit are held back.

    Args:
        knee: innovations beyond so many standard deviations weigh less, as Huber, P. J. (1964) has it: their pull
            stays what it is at the knee.
        gate: beyond so many a reading is not used at all.
    """

    knee: float = 3.0
    gate: float = 12.0


class Instant(NamedTuple):
    """What is met at an instant.

    Args:
        at: its number; the model's time is `at * dt`.
        u: inputs [inputs], held until the next instant.
        y: readings [outputs], NaN where there is none.
        p: parameters [parameters]; those estimated are taken from the belief instead.
    """

    at: Array
    u: Array
    y: Array
    p: Array


@dataclass(frozen=True, eq=False)
class Problem:
    """A model, which of its parameters are estimated, how uncertain all is, and the time from instant to instant.

    Args:
        model: any compiled one.
        estimated: names of parameters.
        noise: in the units of the model.
        dt: from instant to instant [s].
        substeps: of the solver in one `dt`.
    """

    model: Compiled
    estimated: tuple[str, ...]
    noise: Noise
    dt: float
    substeps: int = 1

    def __post_init__(self) -> None:
        states, walking, outputs = len(self.model.states), len(self.estimated), len(self.model.outputs)
        n = self.noise
        inputs = len(self.model.inputs)
        given = np.zeros(inputs) if n.input is None else n.input
        shapes = (("state", n.state, states), ("input", given, inputs), ("parameter", n.parameter, walking), ("sensor", n.sensor, outputs),
                  ("state_start", n.state_start, states), ("parameter_start", n.parameter_start, walking))  # fmt: skip
        for name, given, wanted in shapes:
            lowest = np.nextafter(0, 1) if name == "sensor" else 0.0
            if np.shape(given) != (wanted,) or (isinstance(given, np.ndarray) and not _sane(given, lowest)):
                raise ModelError(
                    f"the noise {name!r} is not {wanted} numbers of at least 0, or that of a sensor is 0",
                    code="filter-noise",
                    remedy="give a standard deviation for each state, estimated parameter or output, and for each input or none",
                )
        assert self._places is not None

    @property
    def size(self) -> int:
        """How many numbers the joint vector has."""
        return len(self.model.states) + len(self.estimated)

    @property
    def names(self) -> tuple[str, ...]:
        """States, then estimated parameters."""
        return self.model.states + self.estimated

    @cached_property
    def _places(self) -> npt.NDArray[np.intp]:
        return np.array([self.model.place("parameters", n) for n in self.estimated], np.intp)

    @cached_property
    def bounds(self) -> tuple[Vector, Vector]:
        """The lowest and highest values possible of the joint vector."""
        (low, high), (plow, phigh) = self.model.bounds("states"), self.model.bounds("parameters")
        return np.concatenate((low, plow[self._places])), np.concatenate((high, phigh[self._places]))

    @property
    def start(self) -> tuple[Vector, Vector]:
        """Mean and standard deviation of the joint vector as declared."""
        mean = np.concatenate((self.model.x0, self.model.p0[self._places]))
        return mean, np.concatenate((self.noise.state_start, self.noise.parameter_start))

    @property
    def walk(self) -> Array:
        """Standard deviation of what happens to the joint vector in one `dt`."""
        state, parameter = self.noise.state, self.noise.parameter
        joined = (
            np if isinstance(state, np.ndarray) else maths.loaded()
        )  # a bank of filters traces its noises
        return joined.concatenate((state, parameter)) * math.sqrt(self.dt)

    def advance(self, now: Instant, z: Array) -> Array:
        """Give z one `dt` later, the inputs held."""
        states, p = len(self.model.states), self._parameters(z, now.p)
        moved = advance(self.model, z[:states], (now.at * self.dt, now.u, now.u), p, self.dt, self.substeps)
        return maths.loaded().concatenate((moved, z[states:]))

    def seen(self, now: Instant, z: Array) -> Array:
        """Give the outputs at z."""
        x = z[: len(self.model.states)]
        return self.model.observe(now.at * self.dt, x, now.u, self._parameters(z, now.p))

    def shaken(self, now: Instant, z: Array) -> Array:
        """Give how far the noise of each input's gauge moves the outputs at z [outputs, inputs that have any]."""
        jnp, sd = maths.loaded(), self.noise.input
        if sd is None or not np.any(sd):
            return jnp.zeros((len(self.model.outputs), 0))
        steps = np.diag(sd)[np.flatnonzero(sd)]
        return jnp.stack([self.seen(now._replace(u=now.u + s), z) - self.seen(now._replace(u=now.u - s), z) for s in steps], 1) / 2.0

    def possible(self, z: Array) -> Array:
        """Give z held within the declared ranges."""
        return maths.loaded().clip(z, *self.bounds)

    def _parameters(self, z: Array, p: Array) -> Array:
        if not self.estimated:
            return p
        return maths.loaded().asarray(p).at[self._places].set(z[len(self.model.states) :])


def _sane(given: Vector, lowest: float) -> bool:
    return bool(np.all(np.isfinite(given)) and np.all(given >= lowest))
