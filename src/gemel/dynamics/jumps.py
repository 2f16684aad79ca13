"""Finding discontinuities by looking: along straight ways through the ranges of a model, and through time, ever closer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled

PARTS: Final = 64
CLOSER: Final = 4  # times a part is cut again: to 6e-8 of the way
LATER: Final = 10.0 ** np.arange(1, 7)  # s: ways through time lead so far, to eleven days
MUCH_CLOSER: Final = 6  # of these: to 15 µs of the longest
REMAINS: Final = 0.2  # of the first difference, where a steep slope would have lost all


def jumps(compiled: Compiled, points: Any) -> Iterator[tuple[str, str, float, Any]]:
    """Give (rate or output, of which name, how large a jump, near which point), each once; a point ends with the time [s].

    Args:
        compiled: the model.
        points: an even number of points (states, inputs, parameters in a row) [n, all]; ways lead between pairs at time 0, and at
            the first and the last from there on.
    """
    evaluate = _along(compiled)
    names = [*(("rate", s) for s in compiled.states), *(("output", o) for o in compiled.outputs)]
    still = np.column_stack([points, np.zeros(len(points))])
    wait = np.repeat(still[[0, -1]], len(LATER), axis=0)
    later = np.column_stack([wait[:, :-1], np.tile(LATER, 2)])
    told: set[tuple[str, str]] = set()
    for begins, ends, closer in ((still[0::2], still[1::2], CLOSER), (wait, later, MUCH_CLOSER)):
        for q, left, point in _found(evaluate, begins, ends, closer):
            if names[q] not in told:
                told.add(names[q])
                yield *names[q], left, point


def _found(evaluate: Any, begins: Any, ends: Any, closer: int) -> Iterator[tuple[int, float, Any]]:
    """Give which quantities jump along some ways, by how much, and near which point."""
    values = np.asarray(evaluate(begins, ends))
    steps = np.abs(np.diff(values, axis=1))  # [ways, parts, quantities]
    typical = np.median(steps, axis=1, keepdims=True) + 1e-12 * (1e-9 + np.abs(values).max(axis=1, keepdims=True))
    for q in range(values.shape[-1]):
        way, part = np.unravel_index(np.nan_to_num(steps[..., q] / typical[..., q]).argmax(), steps.shape[:2])
        first = steps[way, part, q]
        if not first > 3 * typical[way, 0, q]:
            continue
        begin, end = begins[way], ends[way]
        low, high = (begin + (end - begin) * (part + k) / PARTS for k in (0, 1))
        left = first
        for _ in range(closer):
            cut = np.abs(np.diff(np.asarray(evaluate(low[None], high[None]))[0, :, q]))
            at = int(np.nan_to_num(cut).argmax())
            left = float(cut[at])
            low, high = (low + (high - low) * (at + k) / PARTS for k in (0, 1))
        if left > REMAINS * first and left > 1e-9 * np.abs(values[way, :, q]).max():
            yield q, left, low


def _along(compiled: Compiled) -> Any:
    jnp = maths.loaded()
    import jax

    n = (len(compiled.states), len(compiled.inputs))
    parts = jnp.linspace(0.0, 1.0, PARTS + 1)[:, None]

    def one(z: Any) -> Any:
        x, u, p, t = z[: n[0]], z[n[0] : sum(n)], z[sum(n) : -1], z[-1]
        return jnp.concatenate([compiled.rate(t, x, u, p), compiled.observe(t, x, u, p)])

    return jax.jit(jax.vmap(lambda a, b: jax.vmap(one)(a + parts * (b - a))))
