"""Integration that watches its own error, by diffrax: one piece of a solve, up to the end or to an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.solution import Between, Event, Profile

SOLVERS: Final = {
    "tsit5": "Tsit5",  # explicit, order 5: Tsitouras (2011)
    "dopri5": "Dopri5",  # explicit, order 5: Dormand and Prince (1980)
    "dopri8": "Dopri8",  # explicit, order 8: Prince and Dormand (1981)
    "kvaerno3": "Kvaerno3",  # stiff, order 3: Kværnø (2004)
    "kvaerno5": "Kvaerno5",  # stiff, order 5: Kværnø (2004)
}
STIFF: Final = ("kvaerno3", "kvaerno5")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a solve is done; whatever changes here compiles anew.

    Args:
        method: an adaptive one (`tsit5`, `dopri5`, `dopri8`; stiff: `kvaerno3`, `kvaerno5`) or a fixed-step one
            (`gemel.dynamics.methods`).
        rtol: relative tolerance of the adaptive ones.
        atol: absolute tolerance, in parts of each state's usual magnitude.
        max_steps: after so many a piece of the solve gives up; it bounds the time a solve can take.
        step_s: a fixed step for an adaptive method [s]; None lets it choose.
        substeps: steps of a fixed-step method from one instant to the next.
        between: how inputs given at the instants go from one to the next.
        max_events: after so many resets it is chattering.
    """

    method: str = "tsit5"
    rtol: float = 1e-6
    atol: float = 1e-9
    max_steps: int = 100_000
    step_s: float | None = None
    substeps: int = 1
    between: Between = "held"
    max_events: int = 1_000


def piece(model: Compiled, settings: Settings, events: tuple[Event, ...]) -> Callable[..., Any]:
    """Give the compiled function (t0, x0, profile, p, times) → (states, last time, last state, result, steps, ended, event, real)."""
    fixed = settings.step_s is not None
    found = _compiled(
        model, replace(settings, step_s=1.0 if fixed else None), events,
        tuple(tuple((e.to or {}).items()) for e in events),
    )  # fmt: skip
    return lambda *given: found(*given, settings.step_s)


@lru_cache(64)
def _compiled(model: Compiled, settings: Settings, events: tuple[Event, ...], _to: Any) -> Callable[..., Any]:
    jnp = maths.loaded()
    import diffrax
    import jax

    solver = _solver(settings)
    scales = jnp.asarray(model.scales("states"))

    def run(t0: Any, x0: Any, u: Any, p: Any, times: Any, step: Any) -> Any:
        profile = Profile(u[0], u[1], settings.between)

        def rate(t: Any, z: Any, _args: Any) -> Any:
            return model.rate(t, z * scales, profile.at(t), p) / scales

        scaled = x0 / scales
        if events:
            armed, nearness = _watch(model, events, (t0, x0, profile.at(t0), p))

        def near(t: Any, y: Any, args: Any, **_kwargs: Any) -> Any:  # diffrax calls these by name
            return nearness(t, y * scales, profile.at(t)).max()

        subs = [
            diffrax.SubSaveAt(ts=jnp.clip(times, t0, times[-1])),
            diffrax.SubSaveAt(t1=True),
        ]
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(rate), solver, t0, times[-1], step, scaled,
            saveat=diffrax.SaveAt(subs=subs), stepsize_controller=_controller(settings, u[0], times),
            event=_event(near, bool(events)), max_steps=settings.max_steps, throw=False,
        )  # fmt: skip
        (zs, last), (_, end) = found.ys, found.ts
        which, real = jnp.asarray(0), jnp.asarray(False)
        if events:
            which = nearness(end[0], last[0] * scales, profile.at(end[0])).argmax()
            real = armed[which]
        hit = (found.event_mask if events else jnp.asarray(False), which, real)
        return zs * scales, end[0], last[0] * scales, found.result._value, found.stats["num_steps"], *hit

    return jax.jit(run)


def _solver(settings: Settings) -> Any:
    import diffrax
    import optimistix

    made = getattr(diffrax, SOLVERS[settings.method])
    if settings.step_s is None or settings.method not in STIFF:
        return made()
    return made(root_finder=diffrax.VeryChord(settings.rtol, settings.atol, norm=optimistix.max_norm))


def _controller(settings: Settings, instants: Any, saved: Any) -> Any:
    import diffrax

    if settings.step_s is not None:
        return diffrax.ConstantStepSize()
    jnp = maths.loaded()
    pid = diffrax.PIDController(rtol=settings.rtol, atol=settings.atol, dtmin=1e-14, force_dtmin=False)
    # between the steps of a stiff method the interpolation is far less exact than the steps: land on what is saved
    stops = [saved] if settings.method in STIFF else []
    held = settings.between == "held"
    if instants.shape[0] > 1 and not held:
        stops.append(instants)
    jumps = instants if instants.shape[0] > 1 and held else None
    return diffrax.ClipStepSizeController(pid, jnp.concatenate(stops) if stops else None, jumps)


def _event(condition: Callable[..., Any], wanted: bool) -> Any:
    import diffrax
    import optimistix

    if not wanted:
        return None
    bisection: Any = optimistix.Bisection  # its declared signature has an argument that the real one has not
    return diffrax.Event(condition, bisection(1e-12, 1e-12), direction=True)


def _watch(model: Compiled, events: tuple[Event, ...], start: tuple[Any, Any, Any, Any]) -> tuple[Any, Callable[..., Any]]:
    """Give which events may happen from a start on, and how near each is: rising through zero, it has happened.

    One that is beyond its threshold already must come back before it can happen again: of it the way back is watched.
    """
    import jax

    jnp = maths.loaded()
    t, x, u, p = start

    def gaps(t: Any, x: Any, u: Any) -> Any:
        return jnp.stack([beyond(model, e, (t, x, u, p)) for e in events])

    leaving = jax.jvp(lambda x: gaps(t, x, u), (x,), (model.rate(t, x, u, p),))[1] < 0
    now = gaps(t, x, u)
    armed = (now < 0) | ((now <= 1e-9) & leaving)
    way = jnp.where(armed, 1.0, -1.0)
    # at the start all are strictly below zero, or a search for the root between start and end would find none
    offset = jnp.maximum(way * now, 0.0) + 1e-12
    return armed, lambda t, x, u: way * gaps(t, x, u) - offset


def beyond(model: Compiled, event: Event, point: tuple[Any, Any, Any, Any]) -> Any:
    """Give how far the value watched is beyond the event's threshold at a point (t, x, u, p); negative before it."""
    t, x, u, p = point
    if event.of in model.states:
        value = x[..., model.place("states", event.of)]
    else:
        value = model.observe(t, x, u, p)[..., model.place("outputs", event.of)]
    return value - event.above if event.above is not None else event.below - value
