"""What is to be run and what is to be read off it while it runs: the same for machine code and for JAX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.errors import ModelError

Reading = Literal["integral", "min", "max", "time_above", "time_below", "times_above", "times_below", "first_above", "first_below"]
COUNTING: Final = ("times_above", "times_below")
START: Final[Mapping[str, float]] = {
    "min": np.inf,
    "max": -np.inf,
    "first_above": np.inf,
    "first_below": np.inf,
}


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something read off a run as it goes.

    Args:
        reading: ``integral`` over time [unit·s], by the same Runge–Kutta weights as the states; ``min``, ``max`` at
            the solver's steps; ``time_above`` and ``time_below`` a limit [s]; ``times_above``, ``times_below``: how
            often it was passed that way, counting once where a run begins beyond it; ``first_above``,
            ``first_below``: when it was first passed [s], ∞ where it was not.
        of: a state, output, input or parameter.
        weight: which of the given weights multiplies it at each instant, or none.
    """

    reading: Reading
    of: str
    weight: int | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """A run of many members.

    Args:
        model: compiled.
        dt: from step to step [s].
        steps: how many; a multiple of `every`.
        every: steps between the instants at which `watch` is kept.
        substeps: of the solver in one step.
        watch: states, outputs or inputs kept at instants.
        gauges: read off on the way.
        weights: how many weights vary over time.
        driven: which of the held values (inputs, then parameters) vary over time.
        jumping: which of the states are set at instants.
    """

    model: Compiled
    dt: float
    steps: int
    every: int
    substeps: int
    watch: tuple[str, ...]
    gauges: tuple[Gauge, ...]
    weights: int
    driven: tuple[int, ...]
    jumping: tuple[int, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """The names of what is held during a step: inputs, then parameters."""
        return (*self.model.inputs, *self.model.parameters)

    @property
    def points(self) -> int:
        """How many instants are kept, the beginning and the end included."""
        return self.steps // self.every + 1

    def pick(self, name: str, x: Any, y: Any, held: Any) -> Any:
        """Give a quantity by its name from the last axis of states, outputs and held values; of a state that is an output, what is read off."""
        m = self.model
        for names, values in ((m.outputs, y), (m.states, x), (self.held, held)):
            if name in names:
                return values[..., names.index(name)]
        raise ModelError(
            f"the model has no {name!r}", code="unknown-quantity",
            remedy=f"it has: {', '.join((*m.states, *m.outputs, *self.held))}",
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Members:
    """Everything in which the members of an ensemble differ, and what drives all of them.

    Args:
        x0: state at the beginning [members, states].
        gain, bias: of what is held [members, inputs + parameters]: it is ``drive·gain + bias``.
        drive: [steps, driven + weights], or a row more: at the last instant; what is not driven has a drive of one.
        limits: of the gauges [gauges]; ignored where there is none.
        jumps: scale and amount of what jumps at the beginning of each step [steps or more, jumping, 2], alike in all members;
            the first is in `x0` already. None: nothing does.
    """

    x0: npt.NDArray[np.float64]
    gain: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    drive: npt.NDArray[np.float64]
    limits: npt.NDArray[np.float64]
    jumps: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.x0)

    def drive_to(self, steps: int) -> npt.NDArray[np.float64]:
        """Give the drive at each step and at the last instant [steps + 1, driven + weights]; where it is not given, as before it."""
        return self.drive if len(self.drive) == steps + 1 else np.vstack([self.drive, self.drive[-1:]])

    def jumps_to(self, steps: int, jumping: int) -> npt.NDArray[np.float64]:
        """Give the jumps at the end of the step before each [steps + 1, jumping, 2]; at the beginning and the end there are none."""
        found = np.tile(np.array([1.0, 0.0]), (steps + 1, jumping, 1))
        if self.jumps is not None:
            found[1:steps] = self.jumps[1:steps]
        return found


@dataclass(frozen=True, eq=False)
class Raw:
    """What a run gave, before anything is made of it.

    Args:
        gauges: [gauges, members].
        kept: [instants, watched, members].
        end: states at the end [members, states].
        late: of the gauges that count, whether the limit was passed at the last step (1 or 0) [gauges, members]; of
            others meaningless; None where an engine does not say.
    """

    gauges: npt.NDArray[np.floating]
    kept: npt.NDArray[np.floating]
    end: npt.NDArray[np.floating]
    late: npt.NDArray[np.floating] | None = None

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Which members did not stay finite [members]."""
        bad: npt.NDArray[np.bool_] = ~(np.isfinite(self.end).all(1) & np.isfinite(self.kept).all((0, 1)))
        return bad
