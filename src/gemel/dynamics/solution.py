"""What came of a solve: a trajectory, or how far it went and why not further. Failing is a value, no exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Between = Literal["held", "linear"]
"""How inputs go from one instant to the next."""
NEAR: Final = 1e-9  # of an instant's size: what rounding makes of it

Status = Literal["complete", "stopped", "not-finite", "too-many-steps", "too-small-step", "chattering", "child", "loops"]
"""How a solve ended.

`complete`: all instants were reached; `stopped`: an event that stops came first; `not-finite`: the model gave a number
that is none; `too-many-steps`, `too-small-step`: the solver gave up (a blow-up, or a stiff model with an explicit
solver); `chattering`: resets without end; `child`: a model in a process of its own failed there; `loops`: it went to the end, but
the algebraic loops of a system were not solved at some instants: what is given there is wrong.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """A threshold that a state or an output may cross: a limit switch, an overflow.

    Args:
        name: what it is called in the solution.
        of: the state or output that is watched.
        above: it happens where the value rises through this.
        below: it happens where the value falls through this (give one of the two).
        to: states that are set then, by name; without it the solve stops there.
    """

    name: str
    of: str
    above: float | None = None
    below: float | None = None
    to: Mapping[str, float] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event that happened.

    Args:
        event: its name.
        time: when [s].
    """

    event: str
    time: float


@dataclass(frozen=True, eq=False, slots=True)
class Solution:
    """A trajectory.

    Args:
        times: the instants asked for [n], seconds.
        states: [n, states]; NaN where the solve did not come to.
        outputs: [n, outputs]; NaN there too.
        status: how it ended.
        words: the same in a sentence.
        steps: how many steps the solver took.
        end: the instant up to which it is valid [s].
        happened: the events, in order.
    """

    times: Floats
    states: Floats
    outputs: Floats
    status: Status
    words: str
    steps: int
    end: float
    happened: tuple[Happening, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether it went as far as it should: to the last instant, or to an event that stops."""
        return self.status in {"complete", "stopped"}


@dataclass(frozen=True, eq=False, slots=True)
class Profile:
    """Inputs over time.

    Args:
        times: instants [m], ascending, seconds.
        values: [m, inputs].
        between: ``held`` from an instant to the next, or going there in a straight ``linear`` way.
    """

    times: Any
    values: Any
    between: Between = "held"

    def at(self, t: Any) -> Any:
        """Give the inputs at an instant, over arrays of JAX; the first and last values hold beyond the ends."""
        from gemel.dynamics import maths

        jnp = maths.loaded()
        times, values = jnp.asarray(self.times), jnp.asarray(self.values)
        i = jnp.clip(jnp.searchsorted(times, t, side="right") - 1, 0, times.shape[0] - 1)
        if self.between == "held" or times.shape[0] == 1:
            return values[i]
        i = jnp.minimum(i, times.shape[0] - 2)
        part = jnp.clip((t - times[i]) / (times[i + 1] - times[i]), 0.0, 1.0)
        return values[i] + part[..., None] * (values[i + 1] - values[i])

    def along(self, at: Floats) -> Floats:
        """Give the inputs at some instants [instants, inputs], without JAX; before the first instant, the first."""
        times, values = np.asarray(self.times, np.float64), np.asarray(self.values, np.float64)
        if self.between == "held":
            rows: Floats = values[np.clip(np.searchsorted(times, at + NEAR * np.maximum(1.0, np.abs(at)), "right") - 1, 0, None)]
            return rows
        return np.stack([np.interp(at, times, column) for column in values.T], 1) if values.shape[1] else np.zeros((len(at), 0))
