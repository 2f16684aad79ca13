"""The bootstrap particle filter: members that only a model itself can move, weighed by the readings and copied by their weight.

    members before an instant ─► weights by its readings ─► few count? copied ─► estimate ─► each one step of the model, inputs drawn

For a model that gives no rates and lets nobody set its states, but saves and brings back what it remembers: a belief is then
members' memories. What the model does not know comes in by what may be set: each member's inputs are drawn around those
measured, and its followed parameters walk. Gordon, N. J., Salmond, D. J., Smith, A. F. M. (1993), Novel approach to
nonlinear/non-Gaussian Bayesian state estimation, IEE Proceedings F 140, section 3; copies by systematic resampling, Kitagawa,
G. (1996), Monte Carlo filter and smoother, J. Comput. Graph. Stat. 5, appendix. Copies of followed parameters are drawn a little
apart, their mean and variance kept: Liu, J., West, M. (2001), Combined parameter and state estimation in simulation-based filtering,
section 10.3.2, in Doucet, de Freitas, Gordon, Sequential Monte Carlo Methods in Practice. Readings that would leave a handful of
members are believed in part, by a power of their likelihood, and what is left of them comes by the next: Musso, C., Oudjane, N.,
Le Gland, F. (2001), Improving regularised particle filters, section 12.4, in the same book. Draws come of the seed, the machine and
the instant, so that a record filtered again gives the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gemel.estimate.corrected import Corrected
from gemel.estimate.innovation import Innovation
from gemel.estimate.problem import Instant, Problem, Robust
from gemel.estimate.track import Estimate
from gemel.estimate.weights import counted, drawn_apart, moments, normalised, tempered

Floats = npt.NDArray[np.float64]
Memory = npt.NDArray[np.uint8]
BEGUN: Final = 2**62  # the instant of whose draws the first members are


class Stepper(Protocol):
    """What moves members; their memory is its own affair, bytes of the same length for all."""

    tunable: tuple[str, ...]
    movable: tuple[str, ...]
    """Parameters that may change on the way, and states that may be moved."""

    def begin(self, x: Floats, u: Floats, p: Floats) -> tuple[Memory, Floats]:
        """Give what members remember [members, bytes], and show: states, then outputs [members, states + outputs]."""
        ...

    def step(self, memory: Memory, times: Floats, dt: float, given: tuple[Floats, Floats], moved: Floats) -> tuple[Memory, Floats]:
        """Give what they remember and show `dt` after their times, with inputs and parameters held.

        What is then added to those states that may be moved is `moved` [members, movable].
        """
        ...


    def show(self, memory: Memory, given: tuple[Floats, Floats], shown: Floats) -> Floats:
        """Give what they show now, with inputs and parameters that are perhaps others than those that they came here with."""
        ...


@dataclass(frozen=True, eq=False)
class Whole(Corrected):
    """What is estimated of machines that are run as a whole, and by what; `back`: instants that can be gone back, all members kept of each."""

    method: Particles | None = None
    back: int = 10


class Swarm(NamedTuple):
    """The belief about machines side by side.

    Args:
        memory: what members remember [machines, members, bytes].
        shown: their states, then outputs [machines, members, …].
        parameter: those that are followed [machines, members, estimated].
        weight: logarithms [machines, members].
        age: since each machine's members began [machines], s.
        fixed: the parameters that they began with [machines, parameters]; followed and tunable ones aside.
    """

    memory: Memory
    shown: Floats
    parameter: Floats
    weight: Floats
    age: Floats
    fixed: Floats


@dataclass(frozen=True)
class Particles:
    """The method, for machines side by side.

    Args:
        stepper: moves members.
        inputs: standard deviation of each input as each member is given it, drawn at each instant [inputs].
        members: how many of each machine.
        seed: of all draws.
        robust: None trusts every reading.
        few: copied where the effective number of members is below this part of them.
        least: readings leave so many of them to count, or are believed in part.
        apart: how far copies of a followed parameter are drawn apart, of its standard deviation over members.
    """

    stepper: Stepper = field(repr=False)
    inputs: tuple[float, ...]
    members: int = 128
    seed: int = 0
    robust: Robust | None = field(default_factory=Robust)
    few: float = 0.5
    least: float = 8.0
    apart: float = 0.1

    def begin(self, problem: Problem, means: Floats, u: Floats, p: Floats) -> Swarm:
        """Give members drawn around means [machines, states + estimated], with inputs and parameters of each machine."""
        sd, states = problem.start[1], len(problem.model.states)
        drawn = np.stack([self._draw(m, BEGUN).standard_normal((self.members, problem.size)) for m in range(len(means))])
        z = np.clip(means[:, None] + sd * drawn, *problem.bounds)
        own = self._parameters(problem, p, z[..., states:])
        inputs = np.repeat(u[:, None], self.members, 1)
        memory, shown = self.stepper.begin(_rows(z[..., :states]), _rows(inputs), _rows(own))
        return Swarm(
            memory.reshape(len(means), self.members, -1), shown.reshape(len(means), self.members, -1), z[..., states:],
            np.full((len(means), self.members), -math.log(self.members)), np.zeros(len(means)), self._fixed(problem, p),
        )  # fmt: skip

    def step(self, problem: Problem, swarm: Swarm, now: Instant) -> tuple[Swarm, Estimate]:
        """Meet all machines' beliefs before an instant with its readings; give those before the next, and the estimates.

        Of `now`, all but the number of the instant is a row a machine. A machine whose fixed parameters changed begins
        anew with them, around what is believed.
        """
        swarm = self._begun_anew(problem, swarm, now)
        swarm = self._shown(problem, swarm, now)
        outputs = _outputs(problem, swarm, now)
        weight, innovation = self._weighed(problem, swarm, outputs, np.asarray(now.y, np.float64))
        estimate = self._estimate(problem, swarm, weight, (outputs, innovation))
        return self._moved(problem, self._copied(problem, swarm, weight, int(now.at)), now), estimate

    def _shown(self, problem: Problem, swarm: Swarm, now: Instant) -> Swarm:
        own = self._parameters(problem, np.asarray(now.p), swarm.parameter)
        u = np.repeat(np.asarray(now.u)[:, None], self.members, 1)
        shown = self.stepper.show(_rows(swarm.memory), (_rows(u), _rows(own)), _rows(swarm.shown))
        return swarm._replace(shown=shown.reshape(swarm.shown.shape))

    def _weighed(self, problem: Problem, swarm: Swarm, outputs: Floats, y: Floats) -> tuple[Floats, Innovation]:
        """Give the weights after the readings, and what was expected of those."""
        alive = np.isfinite(swarm.shown).all(-1)
        before, _ = normalised(np.where(alive, swarm.weight, -np.inf))
        expected, spread = moments(outputs, np.exp(before))
        sensor = np.asarray(problem.noise.sensor)
        sd = np.sqrt(spread**2 + sensor**2)
        off = y - expected
        there = np.isfinite(off)
        far = np.abs(np.where(there, off, 0.0)) / sd
        used = there.astype(np.float64)
        if self.robust is not None:
            used *= np.minimum(1.0, self.robust.knee / np.maximum(far, 1e-9)) * (far <= self.robust.gate)
        width = np.where(used > 0, sensor / np.where(used > 0, used, 1.0), np.inf)
        miss = np.where(used[:, None] > 0, y[:, None] - outputs, 0.0) / width[:, None]
        fit = -0.5 * (np.where(np.isfinite(miss), miss, np.inf) ** 2).sum(-1)
        fit = np.where(alive, fit, -np.inf)
        _, likelihood = normalised(before + fit)
        weight = tempered(before, fit, self.least)
        likelihood = likelihood - np.where(used > 0, np.log(np.where(used > 0, width, 1.0) * math.sqrt(2 * math.pi)), 0.0).sum(-1)
        nis = (np.where(used > 0, far, 0.0) ** 2).sum(-1)
        return weight, Innovation(expected, sd, off, used, nis, likelihood)

    def _estimate(self, problem: Problem, swarm: Swarm, weight: Floats, read: tuple[Floats, Innovation]) -> Estimate:
        states, part = len(problem.model.states), np.exp(weight)
        mean, sd = moments(np.concatenate((swarm.shown[..., :states], swarm.parameter), -1), part)
        return Estimate(mean, sd, *moments(read[0], part), read[1])

    def _copied(self, problem: Problem, swarm: Swarm, weight: Floats, at: int) -> Swarm:
        """Copy members by their weight where few of a machine's count."""
        chosen = np.tile(np.arange(self.members), (len(weight), 1))
        (_, wide), weight, parameter = moments(swarm.parameter, np.exp(weight)), weight.copy(), swarm.parameter.copy()
        low, high = (b[len(problem.model.states) :] for b in problem.bounds)
        for m in np.flatnonzero(counted(weight) < self.few * self.members).tolist():
            draw = self._draw(m, at)
            combs = (np.arange(self.members) + draw.random()) / self.members
            chosen[m] = np.searchsorted(np.cumsum(np.exp(weight[m])), combs).clip(max=self.members - 1)
            weight[m] = -math.log(self.members)
            fresh = draw.standard_normal(parameter[m].shape)
            parameter[m] = np.clip(drawn_apart(swarm.parameter[m], (chosen[m], wide[m]), fresh, self.apart), low, high)
        columns: list[Any] = [np.take_along_axis(a, chosen[..., None], 1) for a in (swarm.memory, swarm.shown)]
        memory, shown = columns
        return swarm._replace(memory=memory, shown=shown, parameter=parameter, weight=weight)

    def _moved(self, problem: Problem, swarm: Swarm, now: Instant) -> Swarm:
        machines, states = len(swarm.age), len(problem.model.states)
        u, parameter = np.empty((machines, self.members, len(self.inputs))), swarm.parameter.copy()
        low, high = (b[states:] for b in problem.bounds)
        walk = np.asarray(problem.noise.parameter) * math.sqrt(problem.dt)
        within = problem.model.bounds("inputs")
        for m in range(machines):
            draw = self._draw(m, int(now.at), 1)
            u[m] = np.clip(now.u[m] + np.array(self.inputs) * draw.standard_normal((self.members, len(self.inputs))), *within)
            parameter[m] = np.clip(parameter[m] + walk * draw.standard_normal(parameter[m].shape), low, high)
        own = self._parameters(problem, np.asarray(now.p), parameter)
        pushed = np.asarray(problem.noise.state)[[problem.model.states.index(n) for n in self.stepper.movable]] * math.sqrt(problem.dt)
        moved = np.stack([pushed * self._draw(m, int(now.at), 2).standard_normal((self.members, len(pushed))) for m in range(machines)])
        memory, shown = self.stepper.step(
            _rows(swarm.memory), np.repeat(swarm.age, self.members), problem.dt, (_rows(u), _rows(own)), _rows(moved)
        )  # fmt: skip
        return swarm._replace(
            memory=memory.reshape(swarm.memory.shape), shown=shown.reshape(swarm.shown.shape), parameter=parameter, age=swarm.age + problem.dt,
        )  # fmt: skip

    def _begun_anew(self, problem: Problem, swarm: Swarm, now: Instant) -> Swarm:
        p = np.asarray(now.p)
        rows = np.flatnonzero((self._fixed(problem, p) != swarm.fixed).any(1))
        if not len(rows):
            return swarm
        states = len(problem.model.states)
        believed, _ = moments(np.concatenate((swarm.shown[..., :states], swarm.parameter), -1), np.exp(swarm.weight))
        fresh = self.begin(problem, believed, np.asarray(now.u), p)
        columns: list[Any] = [a.copy() for a in swarm]
        for column, other in zip(columns, fresh, strict=True):
            column[rows] = np.asarray(other)[rows]
        return Swarm(*columns)

    def _parameters(self, problem: Problem, p: Floats, followed: Floats) -> Floats:
        """Give the parameters of each member [machines, members, parameters]."""
        found: Floats = np.repeat(_own(problem, p)[:, None], self.members, 1)
        for i, name in enumerate(problem.estimated):
            found[..., problem.model.place("parameters", name)] = followed[..., i]
        return found

    def _fixed(self, problem: Problem, p: Floats) -> Floats:
        found = _own(problem, p).copy()
        for name in {*self.stepper.tunable, *problem.estimated}:
            found[:, problem.model.place("parameters", name)] = 0.0
        return found

    def _draw(self, machine: int, at: int, what: int = 0) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=self.seed, counter=[0, what, machine, at]))


def _own(problem: Problem, p: Any) -> Floats:
    """Give the model's parameters [machines, parameters], without what was learned besides."""
    found: Floats = np.asarray(p, np.float64)[:, : len(problem.model.parameters)]
    return found


def _outputs(problem: Problem, swarm: Swarm, now: Instant) -> Floats:
    """Give what members' machines would read [machines, members, outputs]: what they show, with what was learned of it."""
    x, y = np.split(swarm.shown, [len(problem.model.states)], axis=-1)
    if not isinstance(problem, Corrected) or not problem.corrected:
        return y
    return np.stack([problem.read_off(*of) for of in zip(y, x, np.asarray(now.u), np.asarray(now.p), strict=True)])


def _rows(of: npt.NDArray[Any]) -> Any:
    """Give members of all machines one behind the other [machines · members, columns], of which there may be none."""
    return of.reshape(of.shape[0] * of.shape[1], of.shape[2])
