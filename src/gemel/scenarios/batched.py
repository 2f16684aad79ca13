"""The same plan by JAX, in float64: slower, but whatever JAX can trace it can run; and what machine code is tested by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.scenarios.plan import START, Gauge, Members, Plan, Raw

BATCH: Final = 256  # members at once on a processor, whose caches are small
WIDE: Final = 16_384  # on a device that does not tell its memory
SHARE: Final = 0.25  # of a device's memory, for what is kept of a batch: XLA holds it more than once while it is made


class BatchedEngine:
    """An ensemble by `jax.vmap` of `jax.lax.scan`.

    Args:
        plan: what to run.
        why: why not as machine code, in a word.
    """

    def __init__(self, plan: Plan, why: str = "") -> None:
        import jax

        maths.loaded()
        self.plan, self.why = plan, why
        self._device = jax.default_backend()
        self.name = "JAX, float64" if self._device == "cpu" else f"JAX on {self._device}, float64"
        one = partial(_run, plan)
        self._many = jax.jit(jax.vmap(one, in_axes=(0, 0, 0, None, None, None)))

    def run(self, members: Members, told: Callable[[float], bool] = lambda done: True) -> Raw:
        """Run all members in batches; raises Cancelled between two of them."""
        from gemel.scenarios.engine import Cancelled

        jumps = members.jumps_to(self.plan.steps, len(self.plan.jumping))
        parts, size = [], min(BATCH if self._device == "cpu" else wide(self.plan, _memory()), len(members))
        for i in range(0, len(members), size):
            rows = np.minimum(np.arange(i, i + size), len(members) - 1)  # one shape: compiled once
            given = (members.x0[rows], members.gain[rows], members.bias[rows])
            found = self._many(*given, members.drive_to(self.plan.steps), members.limits, jumps)
            parts.append([np.asarray(a)[: len(members) - i] for a in found])
            if not told(min(1.0, (i + size) / len(members))):
                raise Cancelled
        gauges, late, kept, end = (np.concatenate([p[j] for p in parts]) for j in range(4))
        return Raw(gauges.T, np.moveaxis(kept, 0, -1), end, late.T)


def wide(plan: Plan, memory: int | None) -> int:
    """Give how many members a device holds at once: as many as what is kept of them takes of its `memory` [bytes]."""
    if memory is None:
        return WIDE
    numbers = plan.points * len(plan.watch) + 2 * (len(plan.model.states) + len(plan.held) + len(plan.gauges))
    return max(BATCH, int(SHARE * memory) // (8 * numbers))


def _memory() -> int | None:
    """Give the memory of the device that computes [bytes], None where it does not tell."""
    import jax

    limit = (jax.devices()[0].memory_stats() or {}).get("bytes_limit")
    return None if limit is None else int(limit)


def _run(plan: Plan, x0: Any, gain: Any, bias: Any, drive: Any, limits: Any, jumps: Any) -> Any:
    import jax

    jnp = maths.loaded()
    start = jnp.array([START.get(g.reading, 0.0) for g in plan.gauges])

    def look(k: Any, x: Any, row: Any) -> Any:
        held = _held(plan, gain, bias, row)
        y = plan.model.observe(k * plan.dt, x, *_split(plan, held))
        return jnp.stack([plan.pick(name, x, y, held) for name in plan.watch]) if plan.watch else jnp.zeros(0)

    def block(carry: Any, i: Any) -> Any:
        seen = look(i * plan.every, carry[0], drive[i * plan.every])

        def one(c: Any, j: Any) -> Any:
            k = i * plan.every + j
            x, *read = _step(plan, c, k, gain, bias, drive[k], limits)
            return (_jumped(plan, x, jumps[k + 1]), *read), None

        carry, _ = jax.lax.scan(one, carry, jnp.arange(plan.every))
        return carry, seen

    (x, acc, late), kept = jax.lax.scan(block, (x0, start, jnp.zeros_like(start)), jnp.arange(plan.points - 1))
    return acc, late, jnp.concatenate([kept, look(plan.steps, x, drive[-1])[None]]), x


def _jumped(plan: Plan, x: Any, jumps: Any) -> Any:
    """Give the states as they are once those that are set at the end of a step have been; jumps [jumping, 2]."""
    jnp, (low, high) = maths.loaded(), plan.model.bounds("states")
    for j, i in enumerate(plan.jumping):
        scale, amount = jumps[j]
        made = jnp.clip(scale * x[i] + amount, low[i], high[i])
        x = x.at[i].set(jnp.where((scale == 1.0) & (amount == 0.0), x[i], made))
    return x


def _step(plan: Plan, carry: Any, k: Any, gain: Any, bias: Any, row: Any, limits: Any) -> Any:
    import jax

    held = _held(plan, gain, bias, row)
    u, p = _split(plan, held)
    h, m = plan.dt / plan.substeps, plan.model

    def sub(s: Any, carry: Any) -> Any:
        x, acc, late = carry
        t = k * plan.dt + s * h
        xs, ks = [x], []
        for at, by in ((t, h / 2), (t + h / 2, h / 2), (t + h / 2, h), (t + h, None)):
            ks.append(m.rate(at, xs[-1], u, p))
            if by is not None:
                xs.append(x + by * ks[-1])
        times = (t, t + h / 2, t + h / 2, t + h)
        ys = [m.observe(at, z, u, p) for at, z in zip(times, xs, strict=True)]
        seen = [[plan.pick(g.of, z, y, held) for z, y in zip(xs, ys, strict=True)] for g in plan.gauges]
        weights = row[len(plan.driven) :]
        parts = [
            _gauge(g, (acc[i], late[i]), q, (t, h), limits[i], weights)
            for i, (g, q) in enumerate(zip(plan.gauges, seen, strict=True))
        ]
        both = (maths.stack(some) for some in zip(*parts, strict=True)) if parts else (acc, late)
        return (x + h / 6 * _weighted(ks), *both)

    return jax.lax.fori_loop(0, plan.substeps, sub, carry)


def _gauge(g: Gauge, so_far: tuple[Any, Any], q: list[Any], step: tuple[Any, float], limit: Any, weights: Any) -> tuple[Any, Any]:
    """Give what a gauge reads after a step (its time and length), and of one that counts whether the limit is passed now."""
    jnp, (total, late), (t, h) = maths.loaded(), so_far, step
    if g.reading == "min":
        return jnp.minimum(total, q[0]), late
    if g.reading == "max":
        return jnp.maximum(total, q[0]), late
    beyond = q[0] > limit if g.reading.endswith("above") else q[0] < limit
    if g.reading.startswith("first"):
        return jnp.minimum(total, jnp.where(beyond, t, jnp.inf)), late
    if g.reading.startswith("times"):
        now = jnp.where(beyond, 1.0, 0.0)
        return total + jnp.maximum(now - late, 0.0), now
    more = h / 6 * _weighted(q) if g.reading == "integral" else jnp.where(beyond, h, 0.0)
    return total + more * (1.0 if g.weight is None else weights[g.weight]), late


def _weighted(k: list[Any]) -> Any:
    return k[0] + 2 * (k[1] + k[2]) + k[3]


def _held(plan: Plan, gain: Any, bias: Any, row: Any) -> Any:
    jnp = maths.loaded()
    drive = jnp.ones(len(plan.held))
    if plan.driven:
        drive = drive.at[np.array(plan.driven)].set(row[: len(plan.driven)])
    return drive * gain + bias


def _split(plan: Plan, held: Any) -> tuple[Any, Any]:
    n = len(plan.model.inputs)
    return held[:n], held[n:]
