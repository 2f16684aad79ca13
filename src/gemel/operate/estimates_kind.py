"""Machines of one kind, side by side, as one compiled filter follows them, and what of them changes with a released version.

plant file ─► Kind ─ versions in force ─► Kind with other parameters, and with what was learned besides; its state is the same
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gemel.errors import ModelError
from gemel.estimate import Method, Problem, Robust, Unscented
from gemel.estimate.corrected import Corrected, behind, corrected
from gemel.estimate.discrepancy import Discrepancy, discrepant
from gemel.estimate.hybrid import Correction
from gemel.estimate.hybrid_kept import again
from gemel.operate.binding import Binding
from gemel.operate.estimating import Wires
from gemel.operate.hybrids import looked_at
from gemel.samples.batch import F64
from gemel.twin.releases import Releases

_Named = tuple[str, tuple[str, ...], tuple[str, ...]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Kind:
    """Machines of one template, followed by one compiled filter.

    Args:
        type: name of their type.
        assets: their paths.
        problem: what is estimated, by the physics.
        wires: their signals, by number of the registry.
        p: their parameters [machines, parameters], SI.
        begin: the mean each begins with [machines, joint vector], SI.
        held: what each input is until it is read [machines, inputs], SI.
        version: of what gives the values: model, its code, noises, parameters.
        bound: gives a machine bound under versions of parameters, by its path.
        said: a digest of all that the version is of but the parameters.
        predicts: the problem that the filters predict with: physics, or with what was learned besides.
        behind: what was learned of each machine [machines, …], to stand behind its parameters.
        members: of machines that are systems, the paths of the assets that each is made of.
        method: the filter.
        changes: parameters that are no states and change where the process does, with the change to be expected.
        errors: slow errors of sensors and model, by output: the filters predict with them.
    """

    type: str
    assets: tuple[str, ...]
    problem: Problem
    wires: Wires
    p: F64
    begin: F64
    held: F64
    version: str
    bound: Callable[[str, Releases], Binding]
    said: str
    predicts: Problem
    behind: F64
    members: tuple[tuple[str, ...], ...] = ()
    method: Method = field(default_factory=lambda: Unscented(Robust()))
    changes: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, Discrepancy] = field(default_factory=dict)

    @property
    def given(self) -> F64:
        """What the filters are given as parameters [machines, …]."""
        return np.hstack((self.p, self.behind))

    def concerned(self, changed: Collection[str]) -> list[str]:
        """Give the paths of the machines that a change of some assets concerns."""
        parts = self.members or tuple((asset,) for asset in self.assets)  # a system or a balance may be called like an asset
        return [asset for asset, own in zip(self.assets, parts, strict=True) if any(a in changed for a in own)]

    def under(self, releases: Releases, assets: Sequence[str]) -> Kind:
        """Give these machines with the versions in force of some of them; the others keep theirs."""
        p, begin = self.p.copy(), self.begin.copy()
        model, walking = self.problem.model, self.problem.estimated
        for asset in assets:
            m = self.assets.index(asset)
            p[m] = self.bound(asset, releases).p
            begin[m, len(self.predicts.model.states) :] = p[m, [model.place("parameters", n) for n in walking]]
        predicts, learned = self._learned(releases)
        named = version(self.version.partition("@")[0], self.said, np.hstack((p, learned)))
        return replace(self, p=p, begin=begin, version=named, predicts=predicts, behind=learned)

    def _learned(self, releases: Releases) -> tuple[Problem, F64]:
        """Give what the filters predict with, and what was learned of each machine."""
        many = [_corrections(releases, asset, self.problem) for asset in self.assets]
        predicts = discrepant(corrected(self.problem, many), self.errors)
        if (shape := _shape(predicts)) == _shape(self.predicts):
            predicts = self.predicts  # nothing is compiled anew
        if not shape:
            return predicts, np.zeros((len(self.assets), 0))
        bound = [self.bound(asset, releases) for asset in self.assets]
        return predicts, np.array([_behind(predicts, one, _named(releases, b)) for one, b in zip(many, bound, strict=True)])


def _corrections(releases: Releases, asset: str, problem: Problem) -> dict[str, Correction]:
    return {name: again(c) for name, c in releases.hybrid(asset).items() if name in problem.model.outputs}


def _named(releases: Releases, bound: Binding) -> _Named:
    """Give the asset, and what its hybrid looks at: states and inputs."""
    fed = [b.name for b in bound.inputs if b.signal is not None and not b.signal.modelled]
    told: Mapping[str, Any] = next(iter(releases.hybrid(bound.asset).values()), {})
    return bound.asset, *looked_at(told, [b.name for b in bound.states], fed)


def _behind(problem: Problem, corrections: Mapping[str, Correction], named: _Named) -> F64:
    try:
        return behind(problem, corrections, named[1:])
    except ModelError as e:  # the model changed since it was learned
        log.warning("%s is estimated by physics alone: %s (%s)", named[0], e.message, e.remedy)
        return behind(problem, {}, ([], []))


def _shape(problem: Problem) -> tuple[Any, ...]:
    return (problem.corrected, problem.points) if isinstance(problem, Corrected) and problem.corrected else ()


def version(reference: str, said: str, p: F64) -> str:
    """Name what gives the values: the model, and a digest of all that it was told."""
    digest = hashlib.sha256(said.encode() + np.ascontiguousarray(p, np.float64).tobytes())
    return f"{reference}@{digest.hexdigest()[:12]}"
