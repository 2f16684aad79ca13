"""A system: components joined by their ports, itself a dynamic model.

Its states, inputs, outputs and parameters are those of its components as ``component/name``; an input that is joined
is no longer an input but an output, so that it can be seen. What is not joined stays an input: a port left open is a
boundary whose potential (or flow) is given from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from gemel.dynamics import maths, newton
from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.dependence import Parts, dependence
from gemel.dynamics.joints import Joined, Place, Sum, quantity, read_joints
from gemel.dynamics.loops import Block, Order, ordered
from gemel.dynamics.ports import check_ports
from gemel.errors import ModelError

STEPS = 14
"""Newton steps per loop: near the solution each doubles the figures that are right; before, one that leads away is halved."""
TOGETHER = 8
"""Steps at most where several unknowns are solved for together, which cost more."""
FIRST_STEPS, MOST_STEPS = 4, 100
"""Newton steps to the solution at the declared starts, once: so many at a time, and times."""


class System:
    """Components joined together; see `gemel.dynamics.ports` for how a port is written.

    Args:
        components: dynamic models by name.
        joints: pairs of ``component/port``, or of ``component/output`` and ``component/input``.
        steps: Newton steps in each algebraic loop.

    Raises:
        ModelError: joints that do not fit (`system-joint`), a loop without a solution (`system-loop`).
    """

    def __init__(
        self, components: Mapping[str, DynamicModel], joints: Iterable[tuple[str, str]] = (), steps: int = STEPS
    ) -> None:
        for name, model in components.items():
            check_ports(model, name)
            if not getattr(model, "traceable", True) and not getattr(model, "exchanged", False):
                raise ModelError(
                    f"{name} cannot be joined: it runs in a process of its own, as a whole", code="system-joint",
                    remedy="run it by itself, export it for model exchange, or write it as a model of two functions",
                )  # fmt: skip
        self.components, self.steps, self.joints = dict(components), steps, tuple(joints)
        self.joined: Joined = read_joints(components, self.joints)
        away = {*self.joined.given, *self.joined.unknown}
        self.states = self._named("states")
        self.parameters = self._named("parameters")
        self.inputs = {k: q for k, q in self._named("inputs").items() if tuple(k.rsplit("/", 1)) not in away}
        seen = {"/".join(place): quantity(components, place) for place in away}
        self.outputs = seen | self._named("outputs")
        self.stiff = any(getattr(m, "stiff", False) for m in components.values())
        switched = any(getattr(m, "jumps", ()) for m in components.values())
        self.jumps = (*self.states, *self.outputs) if switched else ()  # whatever is joined to what jumps

    def _named(self, kind: str) -> dict[str, Quantity]:
        return {f"{c}/{n}": q for c, m in self.components.items() for n, q in getattr(m, kind).items()}

    @cached_property
    def order(self) -> Order:
        """In which order joined inputs are computed; raises ModelError where there is none."""
        depends = {
            (c, n): frozenset((c, i) for i in inputs)
            for c, model in self.components.items()
            for n, inputs in dependence(model, c).items()
        }
        stateful = {(c, n): frozenset[Place]() for c, m in self.components.items() for n in m.states}
        return ordered(self.joined, stateful | depends)

    @cached_property
    def depends(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """The inputs that each output of each component depends on directly."""
        return {c: dependence(m, c) for c, m in self.components.items()}

    @cached_property
    def guess(self) -> Mapping[Place, float]:
        """The unknowns at the declared starts: where every solve begins.

        Raises:
            ModelError: no solution is found there.
        """
        found = {place: self._start(place) for block in self.order.blocks for place in block.unknown}
        kinds: Any = (self.states, self.inputs, self.parameters)
        point = [Parts({n: np.float64(q.start) for n, q in kind.items()}) for kind in kinds]
        import jax

        with jax.ensure_compile_time_eval():  # also where it is first asked for inside of something compiled
            for block in self.order.blocks:
                found |= self._found(block, point, found)
        return found

    def _found(self, block: Block, point: Any, known: Mapping[Place, float]) -> Mapping[Place, float]:
        import jax

        jnp = maths.loaded()
        known = {p: v for p, v in known.items() if p not in block.unknown}

        def residual(z: Any) -> list[Array]:
            at = _Evaluation(self, 0.0, point, known | dict(zip(block.unknown, z, strict=True)), 0)
            return [at.sum(s) for s in block.conditions]

        scales = [quantity(self.components, p).scale for p in block.unknown]
        step = jax.jit(lambda z: (newton.roots(residual, residual, z, scales, FIRST_STEPS), residual(z)))
        z = [jnp.asarray(self._start(p)) for p in block.unknown]
        sizes = [self._size(s) for s in block.conditions]
        for _ in range(MOST_STEPS):
            z, left = step(z)
            if all(abs(float(r)) < 1e-10 * size for r, size in zip(left, sizes, strict=True)):
                return {p: float(v) for p, v in zip(block.unknown, z, strict=True)}
        raise ModelError(
            f"no solution at the declared starts: {block.words}", code="system-loop",
            remedy="declare starts at which the machine can run, or put a resistance between",
        )  # fmt: skip

    def _start(self, place: Place) -> float:
        declared = quantity(self.components, place)
        return declared.start or declared.nominal

    def _size(self, value: Sum) -> float:
        """Give a usual magnitude of a sum."""
        return max((quantity(self.components, p).scale for _, p in value if not isinstance(p, float)), default=1.0)

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rate of each state, per second."""
        at = _Evaluation(self, t, (x, u, p), self.guess, self.steps)
        return {f"{c}/{n}": v for c in self.components for n, v in at.rates(c).items()}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the outputs of all components, and their joined inputs."""
        at = _Evaluation(self, t, (x, u, p), self.guess, self.steps)
        found = {f"{c}/{n}": v for c in self.components for n, v in at.outputs(c).items()}
        return {name: found[name] if name in found else at.input(_split(name)) for name in self.outputs}

    def imbalance(self, t: Array, x: Values, u: Values, p: Values) -> Array:
        """Give the largest relative error that is left in the algebraic loops: above 1e-6 they are not solved."""
        jnp = maths.loaded()
        at = _Evaluation(self, t, (x, u, p), self.guess, self.steps)
        left = [jnp.abs(at.sum(s)) / self._size(s) for block in self.order.blocks for s in block.conditions]
        return jnp.stack(jnp.broadcast_arrays(*left)).max(0) if left else jnp.zeros(())


def _split(name: str) -> Place:
    component, _, rest = name.rpartition("/")
    return component, rest


class _Evaluation:
    """The quantities of a system at one point, each computed when first asked for."""

    def __init__(self, system: System, t: Array, point: Any, guess: Mapping[Place, float], steps: int) -> None:
        self.system, self.t, self.point, self.guess, self.steps = system, t, point, guess, steps
        self.inputs: dict[Place, Array] = {}
        self.calls: dict[tuple[str, frozenset[str]], Mapping[str, Array]] = {}
        if not steps:  # the guess is taken as it is
            self.inputs |= guess

    def input(self, place: Place) -> Array:
        if place not in self.inputs:
            order = self.system.order
            if place in order.given:
                self.inputs[place] = self.sum(order.given[place])
            else:
                block = next((b for b in order.blocks if place in b.unknown), None)
                if block is None:
                    return self.point[1]["/".join(place)]
                self.inputs |= dict(zip(block.unknown, self.block(block), strict=True))
        return self.inputs[place]

    def sum(self, value: Sum) -> Array:
        parts = [
            c * place if isinstance(place, float) else self.value(place) if c == 1.0 else c * self.value(place)
            for c, place in value
        ]
        return sum(parts[1:], parts[0])

    def value(self, place: Place) -> Array:
        c, name = place
        model = self.system.components[c]
        if name in model.inputs and name not in model.outputs:
            return self.input(place)
        if name in model.states and name not in model.outputs:
            return self.point[0]["/".join(place)]
        return self.called(c, self.system.depends[c][name])[name]

    def called(self, c: str, needed: frozenset[str]) -> Mapping[str, Array]:
        """Give the outputs of a component, of which only those count that need no other inputs than these."""
        if (c, needed) not in self.calls:
            model = self.system.components[c]
            u = {n: self.input((c, n)) if n in needed else q.start for n, q in model.inputs.items()}
            self.calls[c, needed] = model.output(self.t, *self.parts(c, u))
        return self.calls[c, needed]

    def parts(self, c: str, u: Mapping[str, Array]) -> Any:
        model = self.system.components[c]
        x, _, p = self.point
        return Parts({n: x[f"{c}/{n}"] for n in model.states}), Parts(u), Parts({n: p[f"{c}/{n}"] for n in model.parameters})

    def outputs(self, c: str) -> Mapping[str, Array]:
        return self.called(c, frozenset(self.system.components[c].inputs))

    def rates(self, c: str) -> Mapping[str, Array]:
        model = self.system.components[c]
        return model.derivative(self.t, *self.parts(c, {n: self.input((c, n)) for n in model.inputs}))

    def block(self, block: Block) -> list[Array]:
        import jax

        jnp = maths.loaded()
        for earlier in self.system.order.blocks:  # not inside the iteration
            if earlier is block:
                break
            self.input(earlier.unknown[0])
        values = [kind[n] for kind in self.point for n in kind]
        shape, dtype = jnp.broadcast_shapes(*map(jnp.shape, values)), jnp.result_type(float, *values)
        guess = [jnp.broadcast_to(jnp.asarray(self.guess[p], dtype), shape) for p in block.unknown]
        scales = [quantity(self.system.components, p).scale for p in block.unknown]
        still = _Evaluation(self.system, self.t, None, self.guess, self.steps)
        still.point = [Parts({n: jax.lax.stop_gradient(jnp.asarray(kind[n])) for n in kind}) for kind in self.point]
        still.inputs = {p: jax.lax.stop_gradient(v) for p, v in self.inputs.items()}
        steps = self.steps if len(block.unknown) == 1 else min(self.steps, TOGETHER)
        return newton.roots(self.residual(block), still.residual(block), guess, scales, steps, self.system.stiff)

    def residual(self, block: Block) -> Callable[..., Any]:
        """Give what the conditions of a block come to; what is known already does not depend on its unknowns."""

        def of(z: Any) -> list[Array]:
            inner = _Evaluation(self.system, self.t, self.point, self.guess, self.steps)
            inner.inputs = self.inputs | dict(zip(block.unknown, z, strict=True))
            inner.calls = dict(self.calls)
            return [inner.sum(s) for s in block.conditions]

        return of
