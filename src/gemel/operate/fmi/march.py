"""The master of a coupled system: from one communication point to the next, one component after the other, all members side by side.

Gauss–Seidel: who is told by others goes after them, and is told what they are in the middle of the step; in a loop the first is
told where half of the last step led. Either way it is of second order in the step, as the rules behind it are: the midpoint rule and
that of Adams and Bashforth of two steps (Hairer, Nørsett, Wanner, Solving Ordinary Differential Equations I, II.1 and III.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gemel.dynamics import Compiled, maths
from gemel.dynamics.fixed import advance
from gemel.dynamics.joints import Place, Sum
from gemel.dynamics.solution import Floats, Profile
from gemel.operate.fmi.marching import Marching
from gemel.operate.fmi.model import plain

if TYPE_CHECKING:
    from gemel.operate.fmi.coupled import Coupled

SUBSTEPS: Final = 4  # of the solver of what is no FMU for co-simulation, between two communication points
Named = dict[str, Floats]  # [members] each


class March:
    """Some runs of a coupled system.

    Args:
        of: the system.
        runs: of each its state, profile of inputs, parameters [parameters] or [instants of the profile, parameters].
        at: communication points.
    """

    def __init__(self, of: Coupled, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> None:
        self._of, self._at = of, at
        self._x = _by_name(of.states, np.array([x for x, _, _ in runs]))
        inputs = np.array([u.along(at) for _, u, _ in runs])  # [members, points, inputs]
        held = np.array([Profile(u.times, np.broadcast_to(p, (len(u.times), len(of.parameters)))).along(at) for _, u, p in runs])
        self._u = [_by_name(of.inputs, inputs[:, k]) for k in range(len(at))]
        self._p = [_by_name(of.parameters, held[:, k]) for k in range(len(at))]
        self._fmus = {c: Marching(plain(m), c) for c, m in of.whole.items()}
        self._count = len(runs)
        self._order = _order(of)

    def run(self) -> tuple[Floats, Floats]:
        """Give states and outputs [members, points, …]; raises ModelError where a process fails."""
        inner, states, outputs = self._of.inner, [], []
        shown, before = self._begun(), Named()
        x = self._columns(inner.states, self._x) if inner is not None else np.zeros((self._count, 0))
        for k, t in enumerate(self._at.tolist()):
            seen = self._everything(k, t, x, shown)
            states.append(self._columns(self._of.states, seen))
            outputs.append(self._columns(self._of.outputs, seen))
            if k + 1 < len(self._at):
                x = self._stepped(k, x, shown, (seen, before))
                before = seen
        return np.stack(states, 1), np.stack(outputs, 1)

    def _stepped(self, k: int, x: Floats, shown: Named, told: tuple[Named, Named]) -> Floats:
        """Have each go to the next point, in their order; give the state of what is no FMU, and put down what the FMUs show."""
        t, dt, after = float(self._at[k]), float(self._at[k + 1] - self._at[k]), Named()
        for c in self._order:
            if c in self._fmus:
                fmu = self._fmus[c]
                u = self._held([f"{c}/{n}" for n in fmu.model.inputs], *told, after)
                p = self._columns([f"{c}/{n}" for n in fmu.model.parameters], self._p[k])
                after |= {f"{c}/{n}": v for n, v in fmu.step(t - float(self._at[0]), dt, (u, p)).items()}
                shown |= {name: after[name] for name in shown if name.rpartition("/")[0] == c}
            elif (inner := self._of.inner) is not None:
                u, p = self._held(inner.inputs, *told, after), self._columns(inner.parameters, self._p[k])
                x = np.asarray(_moving(inner)(t, dt, x, u, p))
                after |= _by_name(inner.states, x) | _by_name(inner.outputs, np.asarray(_observing(inner)(t + dt, x, u, p)))
        return x

    def _held(self, names: Any, seen: Named, before: Named, after: Named) -> Floats:
        """Give what inputs are on the mean over a step: joined ones by what their sources show in the middle of it.

        That is between here and there where a source was there already, else as far beyond here as half of the last step led.
        """

        def middle(name: str) -> Floats:
            if name in after:
                return (seen[name] + after[name]) / 2
            return seen[name] + (seen[name] - before[name]) / 2 if before else seen[name]

        given = self._of.given
        columns = {n: self._sum(given[place], middle) if (place := _place(n)) in given else seen[n] for n in names}
        return self._columns(names, columns)

    def _begun(self) -> Named:
        """Begin all FMUs: with the inputs given, and what is joined as it starts, for nothing was told yet."""
        shown: Named = {}
        for c, fmu in self._fmus.items():
            given = {f"{c}/{n}": self._u[0].get(f"{c}/{n}", np.full(self._count, q.start)) for n, q in fmu.model.inputs.items()}
            x, p = (self._columns([f"{c}/{n}" for n in names], of) for names, of in ((fmu.model.states, self._x), (fmu.model.parameters, self._p[0])))
            shown |= {f"{c}/{n}": v for n, v in fmu.begin(x, self._columns(list(given), given), p).items()}
        return shown

    def _everything(self, k: int, t: float, x: Floats, shown: Named) -> Named:
        """Give states, outputs and inputs of all, by name, at a communication point."""
        seen, inner = {**self._u[k], **shown}, self._of.inner
        if inner is not None:
            seen |= {name: self._joined(place, seen) for name in inner.inputs if (place := _place(name)) in self._of.given}
            u, p = self._columns(inner.inputs, seen), self._columns(inner.parameters, self._p[k])
            seen |= _by_name(inner.states, x) | _by_name(inner.outputs, np.asarray(_observing(inner)(t, x, u, p)))
        for c, fmu in self._fmus.items():
            seen |= {f"{c}/{n}": self._joined((c, n), seen) for n in fmu.model.inputs if (c, n) in self._of.given}
        return seen

    def _joined(self, place: Place, seen: Mapping[str, Floats]) -> Floats:
        return self._sum(self._of.given[place], seen.__getitem__)

    def _sum(self, terms: Sum, value: Callable[[str], Floats]) -> Floats:
        found = np.zeros(self._count)
        for weight, term in terms:
            found = found + weight * (value("/".join(term)) if isinstance(term, tuple) else term)
        return found

    def _columns(self, names: Any, of: Mapping[str, Floats]) -> Floats:
        columns = [of[name] for name in names]
        return np.stack(columns, 1) if columns else np.zeros((self._count, 0))


def _order(of: Coupled) -> tuple[str, ...]:
    """Give who goes first: whoever is told by others goes after them, as far as there is no loop; "" is what is no FMU."""
    nodes = [*of.whole, *([""] if of.inner_model is not None else [])]
    node = {c: c if c in of.whole else "" for c in of.components}
    tells = {(node[term[0]], node[place[0]]) for place, terms in of.given.items() for _, term in terms if isinstance(term, tuple)}
    found: list[str] = []
    while left := [n for n in nodes if n not in found]:
        free = [n for n in left if not any(a in left and a != n for a, b in tells if b == n)]
        found.append((free or left)[0])
    return tuple(found)


def _by_name(names: Any, columns: Floats) -> Named:
    return {name: columns[:, i] for i, name in enumerate(names)}


def _place(name: str) -> Place:
    component, _, own = name.rpartition("/")
    return component, own


@lru_cache(16)
def _moving(inner: Compiled) -> Any:
    maths.loaded()
    import jax

    return jax.jit(jax.vmap(lambda t, dt, x, u, p: advance(inner, x, (t, u, u), p, dt, SUBSTEPS), (None, None, 0, 0, 0)))


@lru_cache(16)
def _observing(inner: Compiled) -> Any:
    maths.loaded()
    import jax

    return jax.jit(jax.vmap(inner.observe, (None, 0, 0, 0)))
