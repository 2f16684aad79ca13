"""A fixed-step solve on given instants, with events seen at the end of a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.adaptive import Settings, beyond
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.fixed import advance
from gemel.dynamics.solution import Event, Floats, Happening, Profile, Status

Found = tuple[Floats, Status, str, int, float, tuple[Happening, ...]]


def stepped(
    model: Compiled, x0: Floats, profile: Profile, p: Floats, at: Floats, settings: Settings, events: tuple[Event, ...]
) -> Found:  # fmt: skip
    """Solve by a fixed-step method; see `solve`, whose parts this gives."""
    run = _compiled(model, settings, events, tuple(tuple((e.to or {}).items()) for e in events))
    states, hits = (np.array(a) for a in run(x0, (profile.times, profile.values), p, at))
    steps = (len(at) - 1) * settings.substeps
    happened = tuple(Happening(events[e].name, float(at[i + 1])) for i, e in zip(*np.nonzero(hits), strict=True))
    stops = np.nonzero(hits[:, [i for i, e in enumerate(events) if e.to is None]].any(-1))[0]
    last = int(stops[0]) + 1 if len(stops) else len(at) - 1
    states[last + 1 :] = np.nan
    happened = tuple(h for h in happened if h.time <= at[last])
    good = np.isfinite(states[: last + 1]).all(-1)
    if not good.all():
        first = int(np.argmin(good))
        name = model.states[int(np.argmin(np.isfinite(states[first])))]
        states[first:] = np.nan
        words = f"{name} is no number at {at[first]:g} s; a step of {(at[1] - at[0]) / settings.substeps:g} s may be too long"
        return states, "not-finite", words, steps, float(at[max(first - 1, 0)]), happened
    if len(stops):
        return states, "stopped", f"{happened[-1].event} at {at[last]:g} s", steps, float(at[last]), happened
    return states, "complete", f"{at[-1]:g} s were reached", steps, float(at[-1]), happened


@lru_cache(64)
def _compiled(model: Compiled, settings: Settings, events: tuple[Event, ...], _to: Any) -> Callable[..., Any]:
    jnp = maths.loaded()
    import jax

    def run(x0: Any, u: Any, p: Any, at: Any) -> Any:
        profile = Profile(u[0], u[1], settings.between)

        def step(x: Any, span: Any) -> Any:
            t, after = span
            here = profile.at(t)
            # held inputs change at an instant: the end of the step still sees the old ones
            there = here if settings.between == "held" else profile.at(after)
            late = advance(model, x, (t, here, there), p, after - t, settings.substeps, settings.method)
            gone = [_crossed(model, e, (t, x, here, p), (after, late, there, p)) for e in events]
            for event, hit in zip(events, gone, strict=True):
                for name, value in (event.to or {}).items():
                    late = late.at[model.place("states", name)].set(jnp.where(hit, value, late[model.place("states", name)]))
            return late, (late, jnp.stack(gone) if gone else jnp.zeros(0, bool))

        _, (xs, hits) = jax.lax.scan(step, jnp.asarray(x0), (at[:-1], at[1:]))
        return jnp.concatenate([jnp.asarray(x0)[None], xs]), hits

    return jax.jit(run)


def _crossed(model: Compiled, event: Event, before: Any, after: Any) -> Any:
    return (beyond(model, event, before) < 0) & (beyond(model, event, after) >= 0)
