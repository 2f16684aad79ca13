"""Who may be wrong, what is known where somebody is, and how large a fault of each is expected to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import maths
from gemel.estimate.bank import Excerpt
from gemel.estimate.problem import Problem
from gemel.estimate.suspects import Usual, zeros

Vector = npt.NDArray[np.float64]
SHARE: Final = 0.1
"""A fault is expected to be of this share of what it strikes."""
HOUR_S: Final = 3600.0
SLOW: Final = 0.1  # of its usual size an hour, a state changes by itself that only sums up over days
MOVES: Final = frozenset({"off", "drifting", "changed"})


class Suspect(NamedTuple):
    """Who may be wrong: the kind (`sensor`, `process`, `model`) and which one."""

    kind: str
    name: str


@dataclass(frozen=True, eq=False)
class Case:
    """What is known where somebody may be wrong.

    Args:
        problem: with noises fitted to a time when all was right.
        usual: where the machine worked then.
        readings: means of the outputs then [outputs].
        good: a record of that time, as long as those to be judged: what explains it too explains nothing.
        process: parameters that change where the process does (leak, wear), with the change to be expected.
        day: a long record of such a time, where there is one: how wrong the model usually is, is then learned from it.
    """

    problem: Problem
    usual: Usual
    readings: Vector
    good: Excerpt
    process: Mapping[str, float] = field(default_factory=dict)
    day: Excerpt | None = None


class Try(NamedTuple):
    """An explanation: who is wrong, in which manner, what is struck (or ""), and since which instant."""

    suspect: Suspect
    how: str
    place: str
    onset: int


class Told(NamedTuple):
    """What was tried, how much better each explains a record than that nothing is wrong (natural logarithm), and the size of each fault."""

    tries: list[Try]
    scores: Vector
    sizes: list[tuple[float, float]]


def strikes_of(case: Case, p: Vector) -> dict[str, float]:
    """Give the magnitude that is expected of a fault of each place, in the unit of the place."""
    model, sensor = case.problem.model, case.problem.noise.sensor
    biases = zip(model.outputs, np.abs(case.readings - zeros(model, "outputs")), sensor, strict=True)
    sources = zip(model.states, throughput(case, p), strict=True)
    return {
        **{f"bias/{name}": float(SHARE * scale + 4 * noise) for name, scale, noise in biases},
        **{f"source/{name}": float(SHARE * scale) for name, scale in sources},
        **case.process,
    }


def throughput(case: Case, p: Vector) -> Any:
    """Give how much goes through each balance per second where the machine usually works [states]."""
    import jax

    maths.loaded()
    model, usual = case.problem.model, case.usual
    by_x, by_u = jax.jacfwd(lambda x, u: model.rate(0.0, x, u, p), (0, 1))(usual.states, usual.inputs)
    through = np.abs(by_x) @ np.abs(usual.states) + np.abs(by_u) @ np.abs(usual.inputs)
    # where large terms cancel, what the state itself lets through
    own = np.abs(np.diagonal(by_x)) * np.abs(usual.states - zeros(model, "states"))
    # what only sums up, over days (wear, damage), lets hardly anything through: befallen, it changes by its usual size within an hour
    hourly = model.scales("states") / HOUR_S
    kept = np.where((np.diagonal(by_x) == 0) & (through < SLOW * hourly), hourly / SHARE, 0.0)
    return np.maximum(np.maximum(np.where(own > 0, np.minimum(own, through), through), kept), case.problem.noise.state)
