"""The same plan by JAX, in float64: slower, but whatever JAX can trace it can run; and what machine code is tested by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np

from gemel.dynamics import Compiled, maths, rodas
from gemel.scenarios.plan import START, Gauge, Members, Plan, Raw

BATCH: Final = 256  # members at once on a processor, whose caches are small
WIDE: Final = 16_384  # on a device that does not tell its memory
SHORTEST: Final = 1024  # steps of a block, filled up: one shape for horizons of minutes and of days
SHARE: Final = 0.25  # of a device's memory, for what is kept of a batch: XLA holds it more than once while it is made


class BatchedEngine:
    """An ensemble by `jax.vmap`, an instant that is kept at a time.

    What is compiled is shared by all plans of the same shape, whatever their horizon, step and halvings.

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
        self._many = _code(plan.model, plan.watch, plan.gauges, (plan.weights, plan.driven, plan.jumping))

    def run(self, members: Members, told: Callable[[float], bool] = lambda done: True) -> Raw:
        """Run all members in batches; raises Cancelled between two instants of one."""
        from gemel.scenarios.engine import Cancelled

        most = BATCH if self._device == "cpu" else wide(self.plan, _memory())
        size, drive, jumps = _size(len(members), most), members.drive_to(self.plan.steps), members.jumps_to(self.plan.steps, len(self.plan.jumping))
        blocks, parts = self._blocks(drive, jumps), []
        for i in range(0, len(members), size):
            rows = np.minimum(np.arange(i, i + size), len(members) - 1)  # one shape: compiled once
            begun = np.tile([START.get(g.reading, 0.0) for g in self.plan.gauges], (size, 1))
            carry: Any = (members.x0[rows], begun, np.zeros_like(begun))
            seen = []
            for at, block in enumerate(blocks):
                carry, look = self._many(carry, members.gain[rows], members.bias[rows], members.limits, *block)
                seen.append(look)
                if not told(min(1.0, (i + size * (at + 1) / len(blocks)) / len(members))):
                    raise Cancelled
            x, gauges, late = carry
            parts.append([np.asarray(a)[: len(members) - i] for a in (gauges, late, np.stack(seen, axis=1), x)])
        gauges, late, kept, end = (np.concatenate([p[j] for p in parts]) for j in range(4))
        return Raw(gauges.T, np.moveaxis(kept, 0, -1), end, late.T)

    def _blocks(self, drive: Any, jumps: Any) -> list[tuple[Any, ...]]:
        """Give what each block is driven by: filled up to one shape, and its first step, steps, length of a step and substeps; the last only looks."""
        plan = self.plan
        long = 1 << (max(plan.every, SHORTEST) - 1).bit_length()
        found: list[tuple[Any, ...]] = []
        for k in range(0, plan.steps + 1, plan.every):
            steps = min(plan.every, plan.steps - k)
            driven = np.pad(drive[k : k + max(steps, 1)], ((0, long - max(steps, 1)), (0, 0)))
            jumping = np.tile(np.array([1.0, 0.0]), (long, len(plan.jumping), 1))
            jumping[:steps] = jumps[k + 1 : k + 1 + steps]
            found.append((driven, jumping, k, steps, plan.dt, plan.substeps))
        return found


@lru_cache(64)
def _code(model: Compiled, watch: tuple[str, ...], gauges: tuple[Gauge, ...], varying: tuple[int, tuple[int, ...], tuple[int, ...]]) -> Any:
    """Give what all plans of the same shape share; compiled for each size of batch when it is first run."""
    import jax

    weights, driven, jumping = varying
    plan = Plan(model, 1.0, 1, 1, 1, watch, gauges, weights, driven, jumping)
    return jax.jit(jax.vmap(partial(_block, plan), in_axes=(0, 0, 0, *(None,) * 7)))


def _size(members: int, most: int) -> int:
    """Give how many members are run at once: few sizes, so that little is compiled.

    >>> [_size(n, 256) for n in (1, 2, 40, 100, 1000)]
    [1, 2, 64, 256, 256]
    """
    return min(most, BATCH if 64 < members <= BATCH else 1 << (members - 1).bit_length())


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


def _block(
    plan: Plan, carry: Any, gain: Any, bias: Any, limits: Any, drive: Any, jumps: Any, first: Any, steps: Any, dt: Any, substeps: Any
) -> tuple[Any, Any]:  # fmt: skip
    """Give what is seen of a member at a block's first step, and what it, its gauges and their memory are after its steps."""
    import jax

    jnp = maths.loaded()
    held = _held(plan, gain, bias, drive[0])
    y = plan.model.observe(first * dt, carry[0], *_split(plan, held))
    seen = jnp.stack([plan.pick(name, carry[0], y, held) for name in plan.watch]) if plan.watch else jnp.zeros(0)

    def one(j: Any, c: Any) -> Any:
        x, *read = _step(plan, c, (first + j, dt, substeps), gain, bias, drive[j], limits)
        return (_jumped(plan, x, jumps[j]), *read)

    return jax.lax.fori_loop(0, steps, one, carry), seen


def _jumped(plan: Plan, x: Any, jumps: Any) -> Any:
    """Give the states as they are once those that are set at the end of a step have been; jumps [jumping, 2]."""
    jnp, (low, high) = maths.loaded(), plan.model.bounds("states")
    for j, i in enumerate(plan.jumping):
        scale, amount = jumps[j]
        made = jnp.clip(scale * x[i] + amount, low[i], high[i])
        x = x.at[i].set(jnp.where((scale == 1.0) & (amount == 0.0), x[i], made))
    return x


def _step(plan: Plan, carry: Any, step: tuple[Any, Any, Any], gain: Any, bias: Any, row: Any, limits: Any) -> Any:
    """Solve a step: its number, its length and the solver's substeps."""
    import jax

    held = _held(plan, gain, bias, row)
    k, dt, substeps = step
    h, solved = dt / substeps, _stiff if plan.model.stiff else _explicit

    def sub(s: Any, carry: Any) -> Any:
        x, acc, late = carry
        t = k * dt + s * h
        x, seen, sums = solved(plan, x, (t, h), held)
        weights = row[len(plan.driven) :]
        parts = [
            _gauge(g, (acc[i], late[i]), (seen[i], sums[i]), (t, h), limits[i], weights)
            for i, g in enumerate(plan.gauges)
        ]
        both = (maths.stack(some) for some in zip(*parts, strict=True)) if parts else (acc, late)
        return (x, *both)

    return jax.lax.fori_loop(0, substeps, sub, carry)


def _explicit(plan: Plan, x: Any, step: tuple[Any, Any], held: Any) -> tuple[Any, list[Any], list[Any]]:
    """Give the states after a step (its time and length), what gauges see at its beginning, and its integral over it."""
    m, (t, h), (u, p) = plan.model, step, _split(plan, held)
    xs, ks = [x], []
    for at, by in ((t, h / 2), (t + h / 2, h / 2), (t + h / 2, h), (t + h, None)):
        ks.append(m.rate(at, xs[-1], u, p))
        if by is not None:
            xs.append(x + by * ks[-1])
    times = (t, t + h / 2, t + h / 2, t + h)
    ys = [m.observe(at, z, u, p) for at, z in zip(times, xs, strict=True)]
    seen = [[plan.pick(g.of, z, y, held) for z, y in zip(xs, ys, strict=True)] for g in plan.gauges]
    return x + h / 6 * _weighted(ks), [q[0] for q in seen], [h / 6 * _weighted(q) for q in seen]


def _stiff(plan: Plan, x: Any, step: tuple[Any, Any], held: Any) -> tuple[Any, list[Any], list[Any]]:
    """Give the same of a stiff model: what is summed up is solved along with the states, so that it is right where they leap."""
    jnp = maths.loaded()
    m, (t, h), (u, p), n = plan.model, step, _split(plan, held), len(x)
    summed = [i for i, g in enumerate(plan.gauges) if g.reading == "integral"]

    def seen(at: Any, x: Any, some: Iterable[int]) -> list[Any]:
        y = m.observe(at, x, u, p)
        return [plan.pick(plan.gauges[i].of, x, y, held) for i in some]

    def rate(at: Any, z: Any) -> Any:
        return jnp.concatenate([m.rate(at, z[:n], u, p), *(jnp.atleast_1d(q) for q in seen(at, z[:n], summed))])

    scales = np.concatenate([m.scales("states"), np.full(len(summed), np.inf)])
    after = rodas.across(rate, t, jnp.concatenate([x, jnp.zeros(len(summed))]), h, scales)
    sums = dict(zip(summed, after[n:], strict=True))
    return after[:n], seen(t, x, range(len(plan.gauges))), [sums.get(i, 0.0) for i in range(len(plan.gauges))]


def _gauge(g: Gauge, so_far: tuple[Any, Any], q: tuple[Any, Any], step: tuple[Any, Any], limit: Any, weights: Any) -> tuple[Any, Any]:
    """Give what a gauge reads after a step (its time and length; what it saw at the beginning, and its integral), and of one that counts whether the limit is passed now."""
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
    more = q[1] if g.reading == "integral" else jnp.where(beyond, h, 0.0)
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
