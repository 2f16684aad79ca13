"""Finding discontinuities by looking: along straight ways through the ranges of a model, ever closer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled

PARTS: Final = 64
CLOSER: Final = 4  # times a part is cut again: to 6e-8 of the way
REMAINS: Final = 0.2  # of the first difference, where a steep slope would have lost all


def jumps(compiled: Compiled, points: Any) -> Iterator[tuple[str, str, float, Any]]:
    """Give (rate or output, of which name, how large a jump, near which point), each once.

    Args:
        compiled: the model.
        points: an even number of points (states, inputs, parameters in a row) [n, all]; ways lead between pairs.
    """
    evaluate = _along(compiled)
    begins, ends = points[0::2], points[1::2]
    names = [*(("rate", s) for s in compiled.states), *(("output", o) for o in compiled.outputs)]
    values = np.asarray(evaluate(begins, ends))
    steps = np.abs(np.diff(values, axis=1))  # [ways, parts, quantities]
    typical = np.median(steps, axis=1, keepdims=True) + 1e-12 * (1e-9 + np.abs(values).max(axis=1, keepdims=True))
    for q, name in enumerate(names):
        way, part = np.unravel_index(np.nan_to_num(steps[..., q] / typical[..., q]).argmax(), steps.shape[:2])
        first = steps[way, part, q]
        if not first > 3 * typical[way, 0, q]:
            continue
        begin, end = begins[way], ends[way]
        low, high = (begin + (end - begin) * (part + k) / PARTS for k in (0, 1))
        left = first
        for _ in range(CLOSER):
            cut = np.abs(np.diff(np.asarray(evaluate(low[None], high[None]))[0, :, q]))
            at = int(np.nan_to_num(cut).argmax())
            left = float(cut[at])
            low, high = (low + (high - low) * (at + k) / PARTS for k in (0, 1))
        if left > REMAINS * first and left > 1e-9 * np.abs(values[way, :, q]).max():
            yield *name, left, low


def _along(compiled: Compiled) -> Any:
    jnp = maths.loaded()
    import jax

    n = (len(compiled.states), len(compiled.inputs))
    parts = jnp.linspace(0.0, 1.0, PARTS + 1)[:, None]

    def one(z: Any) -> Any:
        x, u, p = z[: n[0]], z[n[0] : sum(n)], z[sum(n) :]
        return jnp.concatenate([compiled.rate(0.0, x, u, p), compiled.observe(0.0, x, u, p)])

    return jax.jit(jax.vmap(lambda a, b: jax.vmap(one)(a + parts * (b - a))))
