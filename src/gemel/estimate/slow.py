"""Months of wear in seconds: slow states move by the mean of a duty while the fast ones are where they settle.

    members (slow states, parameters) + Duty + model -> march -> slow states over time -> remaining -> Life

A bearing's temperature settles in an hour, its damage takes years. At each step of days, for each load of the duty,
Newton's method puts the fast states where their rates vanish; the slow ones then move by the mean of their rates over
the duty, by Heun's method (the averaging principle: Sanders, Verhulst, Murdock, Averaging Methods in Nonlinear
Dynamical Systems, 2nd ed. 2007, chapter 2). Load, speed, duty and maintenance are what one changes to ask what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled
from gemel.errors import ModelError
from gemel.estimate.life import LEVELS, Life

Array = npt.NDArray[np.float64]

NEWTON: Final = 12  # iterations; quadratic near the end, so that a thermal network needs five
AT_REST: Final = 1e-6  # of a state's size: the last of Newton's steps, where it has settled
LASTING_S: Final = 30 * 86_400.0  # what does not come to rest by itself within that is slow


@dataclass(frozen=True, slots=True)
class Duty:
    """What is asked of a machine over and over.

    Args:
        inputs: of the model, at each load [loads, inputs], SI.
        share: of the time at each load [loads]; they add up to 1.
    """

    inputs: Array
    share: Array

    def __post_init__(self) -> None:
        if (
            len(self.share) != len(self.inputs)
            or np.any(self.share < 0)
            or abs(self.share.sum() - 1.0) > 1e-6
        ):
            raise ModelError(
                f"the shares of a duty are {self.share.tolist()} for {len(self.inputs)} loads",
                code="model-duty", remedy="give each load a share of the time, none negative, 1 in all",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scales:
    """Which states of a model are slow (they wear), and which are only counted (energy), so that nothing rests on them."""

    slow: tuple[str, ...]
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class March:
    """Slow states over time: `time` [steps + 1] in seconds, `slow` [members, steps + 1, slow states]."""

    time: Array
    slow: Array
    names: tuple[str, ...]


def march(
    model: Compiled, scales: Scales, members: tuple[Array, Array], duty: Duty, keep: Array, dt: float
) -> March:
    """Run slow states of an ensemble on.

    Args:
        model: any compiled model.
        scales: which of its states are slow.
        members: slow states [members, slow] and parameters [members, parameters] of each member.
        duty: what will be asked of it.
        keep: what maintenance leaves of each slow state at the beginning of each step [steps, slow]: 1 for nothing done,
            0 for as new.
        dt: length of a step [s], days rather than seconds.
    """
    run = _runner(model, scales)
    found = run(*members, duty.inputs, duty.share, keep, dt)
    return March(np.arange(len(keep) + 1, dtype=np.float64) * dt, np.asarray(found), scales.slow)


@lru_cache(16)
def _runner(model: Compiled, scales: Scales) -> Any:
    """Compile the march of a model once; the second asking is quick."""
    jnp = maths.loaded()
    import jax

    slow = np.array([model.place("states", name) for name in scales.slow])
    settle = _settling(model, scales)

    def mean_rate(x: Any, p: Any, inputs: Any, share: Any) -> Any:
        def at(u: Any) -> Any:
            return model.rate(0.0, settle(x, u, p)[0], u, p)[slow]

        return share @ jax.vmap(at)(inputs)

    def one(start: Any, p: Any, inputs: Any, share: Any, keep: Any, dt: Any) -> Any:
        x0 = jnp.asarray(model.x0)

        def step(now: Any, kept: Any) -> Any:
            now = now * kept

            def stage(
                rate: Any, _: Any
            ) -> Any:  # Heun's two stages as a loop, so that they are compiled once
                found = mean_rate(x0.at[slow].set(now + dt * rate), p, inputs, share)
                return found, found

            _, rates = jax.lax.scan(stage, jnp.zeros_like(now), None, length=2)
            after = now + dt * rates.mean(axis=0)
            return after, after

        _, after = jax.lax.scan(step, start, keep)
        return jnp.concatenate([start[None], after])

    return jax.jit(jax.vmap(one, in_axes=(0, 0, None, None, None, None)))


def rates(model: Compiled, scales: Scales, at: Array, loads: Array, p: Array) -> Array:
    """Give how fast the slow states move at each of some states under each of some loads [states, loads, slow], SI.

    Args:
        model: any compiled model.
        scales: which of its states are slow.
        at: states [n, states]: the slow and counted ones as they are, the others to begin Newton's method from.
        loads: inputs [loads, inputs].
        p: parameters.

    NaN where the fast states do not settle.
    """
    return np.asarray(_rates(model, scales)(at, loads, p), np.float64)


def restless(model: Compiled, x: Array, u: Array, p: Array) -> tuple[str, ...]:
    """Name the states that do not come to rest by themselves within a month: what wears, and what is only counted.

    By the diagonal of the Jacobian there: what rests only through others (a controller's integral) is named too.
    """
    maths.loaded()
    import jax

    own = np.diagonal(np.asarray(jax.jacfwd(lambda z: model.rate(0.0, z, u, p))(x)))
    return tuple(n for n, d in zip(model.states, own, strict=True) if not d < -1.0 / LASTING_S)


@lru_cache(16)
def _rates(model: Compiled, scales: Scales) -> Any:
    jnp = maths.loaded()
    import jax

    slow = np.array([model.place("states", name) for name in scales.slow])
    settle = _settling(model, scales)

    def one(x: Any, u: Any, p: Any) -> Any:
        rested, step = settle(x, u, p)
        return jnp.where(step <= AT_REST, model.rate(0.0, rested, u, p)[slow], jnp.nan)

    over_loads = jax.vmap(one, in_axes=(None, 0, None))
    return jax.jit(jax.vmap(over_loads, in_axes=(0, None, None)))


def _settling(model: Compiled, scales: Scales) -> Any:
    """Give what puts the fast states where their rates vanish, and tells Newton's last step, relative to their sizes."""
    jnp = maths.loaded()
    import jax

    held = {*scales.slow, *scales.counted}
    resting = np.array([i for i, n in enumerate(model.states) if n not in held], int)
    size = model.scales("states")[resting]

    def settle(x: Any, u: Any, p: Any) -> Any:
        if not len(resting):
            return x, 0.0

        def fast(z: Any) -> Any:
            return model.rate(0.0, x.at[resting].set(z * size), u, p)[resting] / size

        def newton(z: Any, _: Any) -> Any:
            step = jnp.linalg.solve(jax.jacfwd(fast)(z), fast(z))
            return z - step, jnp.abs(step).max()

        z, steps = jax.lax.scan(newton, x[resting] / size, None, length=NEWTON)
        return x.at[resting].set(z * size), steps[-1]

    return settle


def remaining(found: March, name: str, threshold: float) -> Life:
    """Give when a slow state passes a threshold from below, by line between steps; times in seconds from now.

    Members whose run failed (a value that is not finite) are not counted as living on: they make it no estimate.
    """
    values = found.slow[:, :, found.names.index(name)]
    above = values >= threshold
    first = np.where(above.any(axis=1), above.argmax(axis=1), -1)
    before, row = np.maximum(first - 1, 0), np.arange(len(values))
    low, high = values[row, before], values[row, np.maximum(first, 0)]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(first > 0, (threshold - low) / (high - low), 0.0)
    dt = found.time[1] - found.time[0]
    event = np.where(first < 0, np.inf, found.time[before] + part * dt)
    fan = np.quantile(values, LEVELS, axis=0)
    return Life(event, fan, threshold, _reason(values, event, found.time[-1]))


def _reason(values: Array, event: Array, horizon: float) -> str:
    failed = int((~np.isfinite(values)).any(axis=1).sum())
    if failed:
        return f"{failed} of {len(values)} members did not settle: the model has no rest at this duty"
    part = float(np.isfinite(event).mean())
    if part < 0.5:
        return f"no end in sight: {part:.0%} of the members pass the threshold within {horizon / 86_400.0:.0f} days"
    return ""
