"""`solve`: a model over time by any method; whatever happens, it ends and says how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.adaptive import SOLVERS, Settings, piece
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.methods import METHODS
from gemel.dynamics.solution import Event, Floats, Happening, Profile, Solution, Status
from gemel.dynamics.stepped import stepped
from gemel.errors import ModelError

USUAL: Final = Settings()
UNSOLVED: Final = 1e-6  # of a loop's size: what is left above this is no solution


def solve(
    model: Compiled, x0: Any, u: Any, p: Any, times: Any,
    *, method: str | None = None, settings: Settings = USUAL, events: Sequence[Event] = (),
) -> Solution:  # fmt: skip
    """Integrate a model from the first of some instants to the last.

    Never raises for what the model computes: a blow-up, a NaN, a step that gets ever smaller are a `Solution` that
    says so, with NaN where it did not come to. It never runs for ever: see `Settings.max_steps`.

    Args:
        model: any compiled one.
        x0: state at the first instant [states].
        u: inputs, one row for all the time [inputs], or one for each instant [n, inputs], or a `Profile`.
        p: parameters [parameters].
        times: instants [n], ascending, seconds; the first is the beginning.
        method: shorthand for that of `settings`; `kvaerno5` where neither is given and the model says that it is stiff.
        settings: method, tolerances, limits.
        events: thresholds at which it stops or resets. Fixed-step methods see them at the end of a step only.

    Raises:
        ModelError: what was asked makes no sense: an unknown method or quantity, times that do not ascend.
    """
    method = method or ("kvaerno5" if settings is USUAL and model.stiff else settings.method)
    settings = replace(settings, method=method)
    at = np.asarray(times, np.float64)
    profile = _checked(model, at, u, settings, events)
    settings = replace(settings, between=profile.between)
    x0, p = np.asarray(x0, np.float64), np.asarray(p, np.float64)
    if not getattr(model.model, "traceable", True):
        foreign: Any = model.model
        found: Solution = foreign.free_run(x0, profile, p, at)
        return found
    if settings.method in METHODS:
        states, status, words, steps, end, happened = stepped(model, x0, profile, p, at, settings, tuple(events))
    else:
        states, status, words, steps, end, happened = _adaptive(model, x0, profile, p, at, settings, tuple(events))
    given = (profile.times, profile.values)
    outputs = np.asarray(_observing(model, profile.between)(at, states, given, p))
    if status in {"complete", "stopped"} and hasattr(model.model, "imbalance"):
        left = np.asarray(_balancing(model, profile.between)(at, states, given, p))
        status, words = _unsolved(at, left, end) or (status, words)
    return Solution(at, states, outputs, status, words, steps, end, happened)


def _checked(model: Compiled, at: Floats, u: Any, settings: Settings, events: Sequence[Event]) -> Profile:
    if settings.method not in METHODS and settings.method not in SOLVERS:
        raise ModelError(
            f"no method {settings.method!r}", code="solver-method",
            remedy=f"adaptive: {', '.join(SOLVERS)}; fixed-step: {', '.join(METHODS)}",
        )  # fmt: skip
    if at.ndim != 1 or len(at) < 2 or not np.all(np.diff(at) > 0):
        raise ModelError(
            "the instants of a solve must ascend, two at least", code="solver-times", remedy="sort them, drop repeated ones"
        )  # fmt: skip
    for event in events:
        kind = "states" if event.of in model.states else "outputs"
        model.place(kind, event.of)
        if (event.above is None) == (event.below is None):
            raise ModelError(
                f"event {event.name!r}: give one of above and below", code="solver-event", remedy="two events for two limits"
            )  # fmt: skip
        for name in event.to or {}:
            model.place("states", name)
    return _profile(model, at, u, settings)


def _profile(model: Compiled, at: Floats, u: Any, settings: Settings) -> Profile:
    if not isinstance(u, Profile):
        values = np.asarray(u, np.float64)
        between = settings.between
        u = Profile(at[:1], values[None], "held") if values.ndim == 1 else Profile(at, values, between)
    times, values = np.asarray(u.times, np.float64), np.asarray(u.values, np.float64)
    if values.shape != (len(times), len(model.inputs)):
        raise ModelError(
            f"inputs of shape {values.shape} where {(len(times), len(model.inputs))} was expected",
            code="solver-shape", remedy="give [inputs], [instants, inputs] or a Profile",
        )  # fmt: skip
    return Profile(times, values, u.between)


@lru_cache(64)
def _observing(model: Compiled, between: Any) -> Any:
    maths.loaded()
    import jax

    def observe(at: Any, states: Any, u: Any, p: Any) -> Any:
        return jax.vmap(lambda t, x: model.observe(t, x, Profile(u[0], u[1], between).at(t), p))(at, states)

    return jax.jit(observe)


@lru_cache(64)
def _balancing(model: Compiled, between: Any) -> Any:
    import jax

    system: Any = model.model

    def left(at: Any, states: Any, u: Any, p: Any) -> Any:
        return jax.vmap(lambda t, x: system.imbalance(t, *model.named(x, Profile(u[0], u[1], between).at(t), p)))(at, states)

    return jax.jit(left)


def _unsolved(at: Floats, left: Floats, end: float) -> tuple[Status, str] | None:
    """Say where the loops of a system were not solved; instants that were not reached do not count."""
    bad = np.nonzero((at <= end) & ~(left <= UNSOLVED))[0]
    if not len(bad):
        return None
    worst, first = np.nanmax(left[bad], initial=0.0), float(at[bad[0]])
    words = f"its algebraic loops are not solved at {len(bad)} of {len(at)} instants, first at {first:g} s: {worst:.1e} of their size is left"
    return "loops", words


def _adaptive(
    model: Compiled, x0: Floats, profile: Profile, p: Floats, at: Floats, settings: Settings, events: tuple[Event, ...]
) -> tuple[Floats, Status, str, int, float, tuple[Happening, ...]]:  # fmt: skip
    run, given = piece(model, settings, events), (profile.times, profile.values)
    states = np.full((len(at), len(x0)), np.nan)
    now, x, total = float(at[0]), x0, 0
    happened: list[Happening] = []
    while True:
        found, end, last, result, steps, hit, which, real = (np.asarray(a) for a in run(now, x, given, p, at))
        reached = (at >= now) & (at <= float(end)) & np.isfinite(found).all(-1)
        states[reached] = found[reached]
        total, now, x = total + int(steps), float(end), last
        if not hit:
            status, words = _ended(model, int(result), now, (x, profile, p), at[-1])
            return states, status, words, total, now, tuple(happened)
        if not real:
            continue  # it came back below a threshold: it may happen again from here on
        event = events[int(which)]
        happened.append(Happening(event.name, now))
        if event.to is None:
            return states, "stopped", f"{event.name} at {now:g} s", total, now, tuple(happened)
        if len(happened) >= settings.max_events:
            words = f"{event.name} happened {len(happened)} times up to {now:g} s: it resets without end"
            return states, "chattering", words, total, now, tuple(happened)
        x = x.copy()
        for name, value in event.to.items():
            x[model.place("states", name)] = value


def _ended(model: Compiled, result: int, now: float, point: tuple[Any, Profile, Any], until: float) -> tuple[Status, str]:
    x, profile, p = point
    if result == 0 and np.isfinite(x).all():
        return "complete", f"{until:g} s were reached"
    rate = np.asarray(model.rate(now, x, profile.at(np.float64(now)), p))
    for values, what in ((x, ""), (rate, "the rate of ")):
        for name, value in zip(model.states, values, strict=True):
            if not np.isfinite(value):
                return "not-finite", f"{what}{name} is no number at {now:g} s"
    i = int(np.argmax(np.abs(x) / model.scales("states")))
    fast = f"{model.states[i]} is {x[i]:g} there and changes by {rate[i]:g} a second"
    if result == _number("max_steps_reached"):
        return "too-many-steps", f"the steps did not suffice, it came to {now:g} s: {fast}"
    return "too-small-step", f"no step was small enough at {now:g} s: {fast}"


def _number(name: str) -> int:
    import diffrax

    return int(getattr(diffrax.RESULTS, name)._value)
