"""A system with FMUs for co-simulation among its components: each runs by its own solver, and tells the others at communication points.

    all at t ─► one after the other: joined inputs, held at what they are in the middle of the step ─► by itself ─► all at t + h

Of second order in the step (`march`), which a what-if halves until it no longer matters. What is not an FMU for co-simulation is
one system as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, compile_model
from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.joints import quantity, read_joints
from gemel.dynamics.solution import Floats, Profile, Solution
from gemel.dynamics.system import System
from gemel.errors import ModelError
from gemel.operate.fmi.march import March


def joined(components: Mapping[str, DynamicModel], joints: Iterable[tuple[str, str]] = ()) -> DynamicModel:
    """Give components joined: a `System` or, where some are FMUs for co-simulation, `Coupled`; raises ModelError."""
    made: Any = Coupled if any(map(as_a_whole, components.values())) else System
    found: DynamicModel = made(components, joints)
    return found


def as_a_whole(model: DynamicModel) -> bool:
    """Tell whether a model is run as a whole, and has no equations at a point."""
    return not getattr(model, "traceable", True) and not getattr(model, "exchanged", False)


class Coupled:
    """Components of which some are FMUs for co-simulation; names and joints are those of a `System`.

    Raises ModelError (`system-joint`) where joints do not fit.
    """

    traceable = False
    exchanged = False

    def __init__(self, components: Mapping[str, DynamicModel], joints: Iterable[tuple[str, str]] = ()) -> None:
        self.components, self.joints = dict(components), tuple(joints)
        self.whole = {c: m for c, m in self.components.items() if as_a_whole(m)}
        told = read_joints(self.components, self.joints)
        self.given = told.given
        away = {*told.given, *told.unknown}
        self.states, self.parameters = self._named("states"), self._named("parameters")
        self.inputs = {k: q for k, q in self._named("inputs").items() if tuple(k.rsplit("/", 1)) not in away}
        self.outputs = {"/".join(place): quantity(self.components, place) for place in away} | self._named("outputs")
        self._rest = {c: m for c, m in self.components.items() if c not in self.whole}
        inside = [j for j in self.joints if all(end.rpartition("/")[0] in self._rest for end in j)]
        self.inner_model = System(self._rest, inside) if self._rest else None
        self.tunable = frozenset(f"{c}/{n}" for c, m in self.components.items() for n in _tunable(m))

    @cached_property
    def inner(self) -> Compiled | None:
        """What is no FMU for co-simulation, as one system."""
        return None if self.inner_model is None else compile_model(cast(DynamicModel, self.inner_model))

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> NoReturn:
        """Refuse: FMUs among the components have no equations at a point."""
        raise self._foreign()

    def output(self, t: Array, x: Values, u: Values, p: Values) -> NoReturn:
        """Refuse, as `derivative`."""
        raise self._foreign()

    def free_run(self, x0: Floats, profile: Profile, p: Floats, at: Floats) -> Solution:
        """Run it from the first instant to the last, which are its communication points."""
        return self.free_runs([(x0, profile, p)], at)[0]

    def free_runs(self, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> list[Solution]:
        """Run it several times side by side, each from a state, by a profile, with parameters that may have rows of their own."""
        try:
            states, outputs = March(self, runs, at).run()
        except ModelError as e:
            x, y = (np.full((len(at), n), np.nan) for n in (len(self.states), len(self.outputs)))
            return [Solution(at, x, y, "child", e.message, 0, float(at[0])) for _ in runs]
        return [self._solution(at, x, y) for x, y in zip(states, outputs, strict=True)]

    def _solution(self, at: Floats, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Solution:
        good = bool(np.isfinite(x).all() and np.isfinite(y).all())
        words = f"{at[-1]:g} s were reached" if good else "a component gave no number at some instants"
        return Solution(at, x, y, "complete" if good else "not-finite", words, len(at), float(at[-1]))

    def _named(self, kind: str) -> dict[str, Quantity]:
        return {f"{c}/{n}": q for c, m in self.components.items() for n, q in getattr(m, kind).items()}

    def _foreign(self) -> ModelError:
        return ModelError(
            f"{', '.join(self.whole)} are run as a whole, and have no equations at a point", code="model-foreign",
            remedy="export them for model exchange; what-ifs and fits of whole runs take them as they are",
        )  # fmt: skip


def _tunable(model: DynamicModel) -> Iterable[str]:
    """Give the parameters that may change on the way: of what is no FMU all."""
    return getattr(model, "tunable", frozenset()) if as_a_whole(model) else model.parameters
