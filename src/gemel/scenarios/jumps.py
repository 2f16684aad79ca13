"""States that are set at an instant: a fault that comes, a repair that takes it away. In between the model moves them.

changes of states ─► of each step, what becomes of a state at its beginning: x ← scale·x + add, within its range
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.errors import ModelError
from gemel.scenarios.scenario import Change, Question, Scenario

Array = npt.NDArray[np.float64]
EARLY: Final = 1e-6  # of a step: an instant so little after one is at it


def check(change: Change, model: Compiled, horizon_s: float) -> None:
    """Refuse what a state cannot do: be held for a while, follow a ramp, leave its range; raises ModelError."""
    if change.profile and change.shape == "linear":
        _refuse(f"the state {change.of!r} cannot follow a ramp: the model moves it", "hold the profile: it is set at each instant of it")
    if not change.profile and change.end_s <= horizon_s:
        _refuse(f"the state {change.of!r} cannot be held: it is set at an instant, then the model moves it", "leave out the end")
    low, high = (b[model.states.index(change.of)] for b in model.bounds("states"))
    values = [v for _, v in change.profile] or [change.value]
    if change.how == "set" and not all(low <= v <= high for v in values):
        _refuse(f"the state {change.of!r} lies from {low:g} to {high:g}", "set it to a value in its range, in the model's unit or with its own")


def jumping(model: Compiled, question: Question) -> tuple[int, ...]:
    """Give the places of the states that any scenario sets."""
    named = {c.of for s in question.scenarios for c in s.changes}
    return tuple(i for i, name in enumerate(model.states) if name in named)


def jumps(scenario: Scenario, names: Sequence[str], first: int, steps: int, dt: float) -> Array:
    """Give scale and amount of some states at the beginning of each of some steps [steps, names, 2].

    Args:
        scenario: what it changes.
        names: of the states.
        first: number of the first step, counted from now.
        steps: how many.
        dt: of a step [s].
    """
    found = np.tile(np.array([1.0, 0.0]), (steps, len(names), 1))
    number = first + np.arange(steps)
    for change in scenario.changes:
        if change.of not in names:
            continue
        column = found[:, names.index(change.of)]
        for at, value in _instants(change):
            here = _met(change, at, number, dt)
            scale, amount = {"set": (0.0, value), "scale": (value, 0.0), "add": (1.0, value)}[change.how]
            column[here] = column[here] * scale + [0.0, amount]
    return found


def applied(jumps: Array, x: Array, places: Sequence[int], bounds: tuple[Array, Array]) -> Array:
    """Give what becomes of states x [members, states] by scale and amount [names, 2]."""
    found = x.copy()
    for j, i in enumerate(places):
        scale, amount = jumps[j]
        if (scale, amount) != (1.0, 0.0):
            found[:, i] = np.clip(x[:, i] * scale + amount, bounds[0][i], bounds[1][i])
    return found


def _instants(change: Change) -> Iterator[tuple[float, float]]:
    yield from change.profile or ((change.start_s, change.value),)


def _met(change: Change, at: float, number: npt.NDArray[np.int64], dt: float) -> npt.NDArray[np.bool_]:
    """Tell at which steps an instant lies: the first that begins with it or after it; what lies before now, now."""
    every = change.repeat_s if change.profile else 0.0
    turn = np.floor((number * dt - at) / every + EARLY * dt / every).clip(0) if every else 0.0
    instant = at + turn * every
    within = (instant >= change.start_s) & (instant < change.end_s) if change.profile else True
    met: npt.NDArray[np.bool_] = (np.ceil(instant / dt - EARLY).clip(0) == number) & within
    return met


def _refuse(message: str, remedy: str) -> None:
    raise ModelError(message, code="bad-scenario", remedy=remedy)
