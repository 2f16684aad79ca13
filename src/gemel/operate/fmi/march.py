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
Go = Callable[[str, float, float, tuple[Floats, Floats]], Named]
Begin = Callable[[str, Floats, Floats, Floats], Named]


class Coupling:
    """What components of a coupled system tell one another; all values by name [members].

    Args:
        of: the system.
    """

    def __init__(self, of: Coupled) -> None:
        self.of = of
        self._order = _order(of)
        self.sources = tuple(dict.fromkeys("/".join(term) for terms in of.given.values() for _, term in terms if isinstance(term, tuple)))

    def everything(self, t: float, given: tuple[Named, Named], x: Floats, shown: Named) -> Named:
        """Give states, outputs and inputs of all at a communication point, of inputs and parameters from outside."""
        (u, p), inner = given, self.of.inner
        seen = {**u, **shown}
        if inner is not None:
            seen |= {name: self._joined(place, seen) for name in inner.inputs if (place := _place(name)) in self.of.given}
            own = columns(inner.inputs, seen, len(x)), columns(inner.parameters, p, len(x))
            seen |= by_name(inner.states, x) | by_name(inner.outputs, np.asarray(_observing(inner)(t, x, *own)))
        for c, fmu in self.of.whole.items():
            seen |= {f"{c}/{n}": self._joined((c, n), seen) for n in fmu.inputs if (c, n) in self.of.given}
        return seen

    def stepped(self, at: tuple[float, float], p: Named, x: Floats, told: tuple[Named, Named], go: Go) -> tuple[Floats, Named]:
        """Have each go to the next point, in their order.

        Args:
            at: the instant, and from there to the next [s].
            p: parameters.
            x: of what is no FMU for co-simulation [members, states].
            told: what is seen of all here, and what was one point before, if anything.
            go: has an FMU go there, with its inputs and parameters, each [members, …]; gives what it shows then.

        Returns:
            The state of what is no FMU, and what the FMUs show.
        """
        (t, dt), after, shown = at, Named(), Named()
        for c in self._order:
            if c in self.of.whole:
                fmu = self.of.whole[c]
                u = self._held([f"{c}/{n}" for n in fmu.inputs], *told, after, len(x))
                found = {f"{c}/{n}": v for n, v in go(c, t, dt, (u, columns([f"{c}/{n}" for n in fmu.parameters], p, len(x)))).items()}
                after, shown = after | found, shown | found
            elif (inner := self.of.inner) is not None:
                u, own = self._held(inner.inputs, *told, after, len(x)), columns(inner.parameters, p, len(x))
                x = np.asarray(_moving(inner)(t, dt, x, u, own))
                after |= by_name(inner.states, x) | by_name(inner.outputs, np.asarray(_observing(inner)(t + dt, x, u, own)))
        return x, shown

    def begun(self, given: tuple[Named, Named, Named], members: int, begin: Begin) -> Named:
        """Begin all FMUs of states, inputs, parameters: with what is joined as it starts, for nothing was told yet; give what they show."""
        (states, u, p), shown = given, Named()
        for c, fmu in self.of.whole.items():
            inputs = {f"{c}/{n}": u.get(f"{c}/{n}", np.full(members, q.start)) for n, q in fmu.inputs.items()}
            x, own = (columns([f"{c}/{n}" for n in names], of, members) for names, of in ((fmu.states, states), (fmu.parameters, p)))
            shown |= {f"{c}/{n}": v for n, v in begin(c, x, columns(list(inputs), inputs, members), own).items()}
        return shown

    def _held(self, names: Any, seen: Named, before: Named, after: Named, members: int) -> Floats:
        """Give what inputs are on the mean over a step: joined ones by what their sources show in the middle of it.

        That is between here and there where a source was there already, else as far beyond here as half of the last step led.
        """

        def middle(name: str) -> Floats:
            if name in after:
                return (seen[name] + after[name]) / 2
            return seen[name] + (seen[name] - before[name]) / 2 if before else seen[name]

        given = self.of.given
        of = {n: self._sum(given[place], middle) if (place := _place(n)) in given else seen[n] for n in names}
        return columns(names, of, members)

    def _joined(self, place: Place, seen: Mapping[str, Floats]) -> Floats:
        return self._sum(self.of.given[place], seen.__getitem__)

    def _sum(self, terms: Sum, value: Callable[[str], Floats]) -> Floats:
        found: Any = 0.0
        for weight, term in terms:
            found = found + weight * (value("/".join(term)) if isinstance(term, tuple) else term)
        return np.asarray(found, np.float64)


class March:
    """Some runs of a coupled system.

    Args:
        of: the system.
        runs: of each its state, profile of inputs, parameters [parameters] or [instants of the profile, parameters].
        at: communication points.
    """

    def __init__(self, of: Coupled, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> None:
        self._of, self._at = of, at
        self._x = by_name(of.states, np.array([x for x, _, _ in runs]))
        inputs = np.array([u.along(at) for _, u, _ in runs])  # [members, points, inputs]
        held = np.array([Profile(u.times, np.broadcast_to(p, (len(u.times), len(of.parameters)))).along(at) for _, u, p in runs])
        self._u = [by_name(of.inputs, inputs[:, k]) for k in range(len(at))]
        self._p = [by_name(of.parameters, held[:, k]) for k in range(len(at))]
        self._fmus = {c: Marching(plain(m), c) for c, m in of.whole.items()}
        self._count, self._coupling = len(runs), Coupling(of)

    def run(self) -> tuple[Floats, Floats]:
        """Give states and outputs [members, points, …]; raises ModelError where a process fails."""
        inner, n, states, outputs = self._of.inner, self._count, [], []
        shown, before = self._coupling.begun((self._x, self._u[0], self._p[0]), n, self._begun), Named()
        x = columns(inner.states, self._x, n) if inner is not None else np.zeros((n, 0))
        for k, t in enumerate(self._at.tolist()):
            seen = self._coupling.everything(t, (self._u[k], self._p[k]), x, shown)
            states.append(columns(self._of.states, seen, n))
            outputs.append(columns(self._of.outputs, seen, n))
            if k + 1 < len(self._at):
                step = t, float(self._at[k + 1] - self._at[k])
                x, shown = self._coupling.stepped(step, self._p[k], x, (seen, before), self._gone)
                before = seen
        return np.stack(states, 1), np.stack(outputs, 1)

    def _begun(self, c: str, x: Floats, u: Floats, p: Floats) -> Named:
        return self._fmus[c].begin(x, u, p)

    def _gone(self, c: str, t: float, dt: float, given: tuple[Floats, Floats]) -> Named:
        return self._fmus[c].step(t - float(self._at[0]), dt, given)


def columns(names: Any, of: Mapping[str, Floats], members: int) -> Floats:
    """Give values by name as columns [members, names], of which there may be none; what is the same for all may be one number."""
    found = [np.broadcast_to(of[name], (members,)) for name in names]
    return np.stack(found, 1) if found else np.zeros((members, 0))


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


def by_name(names: Any, values: Floats) -> Named:
    """Give columns [members, names] by name."""
    return {name: values[:, i] for i, name in enumerate(names)}


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
