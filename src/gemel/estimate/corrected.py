"""A filter that predicts with the hybrid: an output of the physics plus what was learned of it, bounded, physics alone far away.

The corrections of `hybrid` lie behind the parameters of a machine, so that one compiled step serves machines with other
corrections and with none. Near to what a correction was trained on, an output is the hybrid's; where the predictive variance
of its process returns to the prior, it is the physics' own, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.errors import ModelError
from gemel.estimate.answer import Laid, answer, laid
from gemel.estimate.hybrid import Correction
from gemel.estimate.problem import Instant, Problem
from gemel.samples.batch import F64


@dataclass(frozen=True, eq=False)
class Corrected(Problem):
    """A problem some of whose outputs are corrected.

    Args:
        corrected: their names.
        points: that a correction may have, at most.
    """

    corrected: tuple[str, ...] = ()
    points: int = 0

    def seen(self, now: Instant, z: Array) -> Array:
        """Give the outputs at z: physics, and what was learned of it."""
        jnp = maths.loaded()
        own = len(self.model.parameters)
        y = super().seen(now._replace(p=now.p[:own]), z)
        features = jnp.concatenate((z[: len(self.model.states)], now.u))
        for block, name in enumerate(self.corrected):
            at = own + block * _size(len(features), self.points)
            y = y.at[self.model.place("outputs", name)].add(self._added(now.p, at, features))
        return y

    def advance(self, now: Instant, z: Array) -> Array:
        """Give z one `dt` later: the physics' own."""
        return super().advance(now._replace(p=now.p[: len(self.model.parameters)]), z)

    def read_off(self, y: F64, x: F64, u: F64, p: F64) -> F64:
        """Give outputs [members, outputs] corrected, of states [members, states], and of inputs and parameters of their machine."""
        if not self.corrected:
            return y
        found, features = y.copy(), np.concatenate((x, np.broadcast_to(u, (len(x), len(u)))), 1)
        for block, name in enumerate(self.corrected):
            at = len(self.model.parameters) + block * _size(features.shape[1], self.points)
            found[:, self.model.place("outputs", name)] += np.asarray(self._added(p, at, features))
        return found

    def _added(self, p: Array, at: int, features: Array) -> Any:
        parts = []
        for shape in _shapes(features.shape[-1], self.points):
            size = int(np.prod(shape))
            parts.append(p[at : at + size].reshape(shape))
            at += size
        return answer(features, Laid(*parts))[0]


def corrected(problem: Problem, machines: Sequence[Mapping[str, Correction]]) -> Problem:
    """Give the problem for machines some of which have corrections, by output; the same one where none has any."""
    known = [name for name in problem.model.outputs if any(name in one for one in machines)]
    if not known:
        return problem
    points = max(len(c.points) for one in machines for c in one.values())
    if isinstance(problem, Corrected):
        return replace(problem, corrected=tuple(known), points=points)
    parts = {f.name: getattr(problem, f.name) for f in fields(Problem)}
    return Corrected(**parts, corrected=tuple(known), points=points)


def behind(problem: Problem, corrections: Mapping[str, Correction], named: tuple[Sequence[str], Sequence[str]]) -> F64:
    """Give what stands behind the parameters of a machine.

    Args:
        problem: as `corrected` gave it.
        corrections: of the machine, by output.
        named: names of the states, and of the inputs, that they were learned from, in their order.

    Raises ModelError where a correction was learned from other quantities than the model's (`hybrid-quantity`).
    """
    if not isinstance(problem, Corrected) or not problem.corrected:
        return np.zeros(0)
    blocks = [_laid(problem, corrections.get(name), named) for name in problem.corrected]
    return np.concatenate(blocks)


def _shapes(features: int, points: int) -> tuple[tuple[int, ...], ...]:
    return (features,), (features,), (points, features), (points,), (points, points), (2,)


def _size(features: int, points: int) -> int:
    return sum(int(np.prod(shape)) for shape in _shapes(features, points))


def _laid(problem: Corrected, c: Correction | None, named: tuple[Sequence[str], Sequence[str]]) -> F64:
    model, k = problem.model, problem.points
    every = (*model.states, *model.inputs)
    parts = Laid(*(np.zeros(shape) for shape in _shapes(len(every), k)))
    parts.ends[:] = 1.0, 0.0
    if c is not None and c.helps:
        mine = (*named[0], *named[1]) if c.with_inputs else tuple(named[0])
        if len(mine) != len(c.centre) or not set(mine) <= set(every):
            raise ModelError(
                f"the hybrid of {c.output} was learned from other quantities than the model's", code="hybrid-quantity",
                remedy="calibrate anew with hybrid: true, or roll the version back",
            )  # fmt: skip
        own, at = laid(c), [every.index(n) for n in mine]
        many, few = own.root.shape
        parts.centre[at], parts.pace[at], parts.ends[:] = own.centre, own.pace, own.ends
        parts.points[:many, at], parts.weights[:many], parts.root[:many, :few] = own.points, own.weights, own.root
    return np.concatenate([part.ravel() for part in parts])
