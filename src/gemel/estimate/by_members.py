"""Who is wrong where nobody has the equations: members of each explanation, moved by the model itself, weighed by the readings.

    nothing is wrong ─► members at each moment tried ─► each explanation goes on from there: its likelihood against that of nothing

As the bank of filters (`by_bank`; Magill, D. T. (1965)), with particle filters in place of Kalman's, whose likelihoods are those of
Gordon, Salmond, Smith (1993). What a sensor is off is a Gaussian of each member's own, never drawn (Doucet, A., de Freitas, N.,
Murphy, K., Russell, S. (2000), Rao-Blackwellised particle filtering for dynamic Bayesian networks). What may be set from
outside is what can be struck besides: inputs (``input/<name>``: what comes in is not what is read of it), followed parameters, and
states that may be moved. All explanations meet the same draws, so that they differ by what they say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.estimate.accused import MOVES, SHARE, Case, Suspect, Told, Try
from gemel.estimate.bank import Excerpt
from gemel.estimate.particles import Particles, Whole
from gemel.estimate.weights import counted, drawn_apart, moments, tempered

Floats = npt.NDArray[np.float64]
MEMBERS: Final = 64  # of each explanation, at most
TOGETHER: Final = 100_000_000  # bytes that members of explanations that are run side by side remember
EVERY: Final = 2  # of the moments to be tried, sensors at every second one: each takes as many runs of the model, and what a sensor is off adapts
LOUD: Final = 5.0
APART: Final = 0.6  # of their width, how far copies are drawn apart: few members search for a number that does not change
FAR: Final = 6.0  # standard deviations
STILL: Final = 0.02  # a stuck sensor moves by no more than this share of its noise


class _Own(NamedTuple):
    """Members of explanations side by side [explanations, members, …].

    Args:
        memory, shown, parameter, weight: as of a `Swarm`.
        strike: what of each place is struck [.., places].
        off, spread: mean and variance of what each sensor is off [.., outputs].
    """

    memory: Any
    shown: Floats
    parameter: Floats
    weight: Floats
    strike: Floats
    off: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class _Allowed:
    """What each explanation lets be: standard deviations at its moment, and per square root of a second from then on.

    Args:
        jump, walk: of places that the model is struck at [explanations, places].
        off, drift: of sensors [explanations, outputs].
        loud: how many times as loud each sensor is [explanations, outputs].
        seen: which are listened to [explanations, outputs].
        wild: how many times as far inputs and followed parameters are drawn [explanations].
    """

    jump: Floats
    walk: Floats
    off: Floats
    drift: Floats
    loud: Floats
    seen: npt.NDArray[np.bool_]
    wild: Floats


def weighed(case: Case, record: Excerpt, onsets: list[int]) -> Told:
    """Weigh every explanation of a record; the problem is that of a model that is run as a whole (`Whole`)."""
    tries, scores, sizes = _weighed(case, record, onsets)
    _, usual, _ = _weighed(case, case.good, onsets)
    return Told(tries, scores - np.maximum(usual, 0.0), sizes)


def _weighed(case: Case, record: Excerpt, onsets: Sequence[int]) -> tuple[list[Try], Floats, list[tuple[float, float]]]:
    """Give what is tried, how much better than nothing each explains a record, and the size of each fault."""
    bank = _Bank(case, record)
    nothing, kept = bank.run(bank.begun(), 0, bank.allowed([Try(Suspect("nothing", ""), "nothing", "", 0)]), {0, *onsets})
    tries, scores, sizes = list[Try](), list[float](), list[tuple[float, float]]()
    for i, onset in enumerate((0, *onsets)):
        outputs = case.problem.model.outputs if i % EVERY else ()
        every = _tries(bank.places, outputs, onset)
        tries += every
        for some in _parts(every, kept[onset].memory.nbytes):
            after, states = bank.run(bank.forked(kept[onset], some), onset, bank.allowed(some), set())
            scores += [float(np.nansum(mine)) - float(np.nansum(nothing[0, onset:])) + bank.still(one) for one, mine in zip(some, after, strict=True)]
            sizes += [bank.size(one, k, states[-1]) for k, one in enumerate(some)]
    return tries, np.array(scores), sizes


def _parts(every: list[Try], each: int) -> list[list[Try]]:
    """Give explanations in parts that are run side by side: as many as what they remember, so many bytes each, leaves room for."""
    many = max(TOGETHER // max(each, 1), 1)
    return [every[i : i + many] for i in range(0, len(every), many)]


def _tries(places: Mapping[str, float], outputs: Sequence[str], onset: int) -> list[Try]:
    if not onset:
        return [Try(Suspect("model", "dynamics"), "loose", "", 0)]
    sensors = [Try(Suspect("sensor", n), how, f"bias/{n}", onset) for n in outputs for how in ("off", "drifting", "noisy", "stuck")]
    return sensors + [Try(Suspect("process", place), how, place, onset) for place in places for how in ("changed", "drifting")]


class _Bank:
    """The explanations of one record."""

    def __init__(self, case: Case, record: Excerpt) -> None:
        assert isinstance(case.problem, Whole)
        assert case.problem.method is not None
        self.case, self.record, self.problem = case, record, case.problem
        self.members = min(MEMBERS, case.problem.method.members)
        self.method: Particles = replace(case.problem.method, members=self.members)
        self.biases = SHARE * np.abs(case.readings) + 4 * np.asarray(self.problem.noise.sensor)
        self.places = _places(case, self.method)
        self._span_s = len(record.y) * self.problem.dt

    def allowed(self, tries: Sequence[Try]) -> _Allowed:
        """Give what some explanations let be."""
        e, outputs, names = len(tries), self.problem.model.outputs, list(self.places)
        sizes, slow = np.array(list(self.places.values())), 1 / math.sqrt(2 * self._span_s)
        jump, walk, off, drift = (np.zeros((e, n)) for n in (len(names), len(names), len(outputs), len(outputs)))
        found = _Allowed(jump, walk, off, drift, np.ones((e, len(outputs))), np.ones((e, len(outputs)), np.bool_), np.ones(e))
        for i, one in enumerate(tries):
            if one.how == "loose":
                found.wild[i] = LOUD
            elif one.suspect.kind == "sensor":
                o = outputs.index(one.suspect.name)
                found.off[i, o], found.drift[i, o] = ((one.how == "off") * self.biases[o], (one.how == "drifting") * self.biases[o] * slow)
                found.loud[i, o], found.seen[i, o] = LOUD if one.how == "noisy" else 1.0, one.how != "stuck"
            elif one.place:
                k = names.index(one.place)
                found.jump[i, k], found.walk[i, k] = ((one.how == "changed") * sizes[k], (one.how == "drifting") * sizes[k] * slow)
        return found

    def begun(self) -> _Own:
        """Give members where the record begins: what is read where a state is, what is usual of those that nobody sees."""
        problem, model, usual = self.problem, self.problem.model, self.case.usual
        mean, sd = usual.states.copy(), np.maximum(usual.states_spread, 1e-9)
        for i, name in enumerate(model.states):
            if name in model.outputs and np.isfinite(read := self.record.y[0, model.outputs.index(name)]):
                mean[i], sd[i] = read, problem.noise.sensor[model.outputs.index(name)]
        walking = self.record.p[[model.place("parameters", n) for n in problem.estimated]]
        near = replace(problem, noise=replace(problem.noise, state_start=sd))
        swarm = self.method.begin(near, np.concatenate((mean, walking))[None], self.record.u[:1], self.record.p[None])
        nothing = np.zeros((1, self.members, len(model.outputs)))
        return _Own(swarm.memory, swarm.shown, swarm.parameter, swarm.weight, np.zeros((1, self.members, len(self.places))), nothing, nothing)

    def forked(self, at: _Own, tries: Sequence[Try]) -> _Own:
        """Give the members of some explanations, struck, of those of nothing."""
        allowed, e = self.allowed(tries), len(tries)
        many = _Own(*(np.repeat(column, e, 0) for column in at))
        even = np.random.Generator(np.random.Philox(key=self.method.seed)).permutation(self.members)
        strike = allowed.jump[:, None] * _normal((even + 0.5) / self.members)[None, :, None]
        return many._replace(strike=strike, spread=np.repeat((allowed.off**2)[:, None], self.members, 1))

    def run(self, own: _Own, begin: int, allowed: _Allowed, keep: set[int]) -> tuple[Floats, dict[int, _Own]]:
        """Give the likelihood of each instant's readings [explanations, instants] from one on, and the members at some, and at the end (-1)."""
        found, kept = [], dict[int, _Own]()
        for k in range(begin, len(self.record.y)):
            if k in keep:
                kept[k] = own
            own, likelihood = self._met(self._shown(own, k), k, allowed)
            found.append(likelihood)
            own = self._moved(own, k, allowed)
        return np.stack(found, 1), {**kept, -1: own}

    def _met(self, own: _Own, k: int, allowed: _Allowed) -> tuple[_Own, Floats]:
        states, y = len(self.problem.model.states), self.record.y[k]
        variance = (np.asarray(self.problem.noise.sensor) * allowed.loud)[:, None] ** 2 + own.spread
        there = np.isfinite(y) & allowed.seen[:, None]
        miss = np.where(there, np.nan_to_num(y) - own.shown[..., states:] - own.off, 0.0)
        fit = np.where(there, -0.5 * (miss**2 / variance + np.log(2 * math.pi * variance)), 0.0).sum(-1)
        fit = np.where(np.isfinite(fit), fit, -np.inf)
        likelihood = _likelihood(np.exp(own.weight), miss, variance, there)
        share = np.where(there, own.spread / variance, 0.0)
        own = own._replace(weight=tempered(own.weight, fit, self.method.least), off=own.off + share * miss, spread=(1 - share) * own.spread)
        return self._copied(own, k, allowed), likelihood

    def _copied(self, own: _Own, k: int, allowed: _Allowed) -> _Own:
        copied = _Own(*(np.array(column) for column in own))
        walking, (low, high) = own.parameter.shape[-1], self._bounds()
        moving = np.concatenate((own.parameter, own.strike), -1)
        _, wide = moments(moving, np.exp(own.weight))
        draw = self._draw(k)
        comb, fresh = draw.random(), draw.standard_normal(moving.shape[1:])
        for e in np.flatnonzero(counted(own.weight) < self.method.few * self.members).tolist():
            chosen = np.searchsorted(np.cumsum(np.exp(own.weight[e])), (np.arange(self.members) + comb) / self.members).clip(max=self.members - 1)
            for column in copied:
                column[e] = column[e][chosen]
            copied.weight[e] = -math.log(self.members)
            apart = drawn_apart(moving[e], (chosen, wide[e]), fresh, APART)
            copied.parameter[e], copied.strike[e] = np.clip(apart[:, :walking], low, high), apart[:, walking:]
        return copied

    def _moved(self, own: _Own, k: int, allowed: _Allowed) -> _Own:
        problem, e = self.problem, len(own.weight)
        draw, dt = self._draw(k, 1), problem.dt
        wild = allowed.wild[:, None, None]
        u = self.record.u[k] + wild * np.array(self.method.inputs) * draw.standard_normal((self.members, len(problem.model.inputs)))
        walked = math.sqrt(dt) * np.asarray(problem.noise.parameter) * draw.standard_normal((self.members, len(problem.estimated)))
        parameter = np.clip(own.parameter + wild * walked, *self._bounds())
        strike = own.strike + math.sqrt(dt) * allowed.walk[:, None] * draw.standard_normal((self.members, len(self.places)))
        given = self._struck(u, parameter, strike)
        times = np.full(e * self.members, k * dt)
        memory, shown = self.method.stepper.step(_rows(own.memory), times, dt, given, self._sources(strike))
        spread = own.spread + dt * (allowed.drift**2)[:, None]
        return own._replace(memory=memory.reshape(own.memory.shape), shown=shown.reshape(own.shown.shape), parameter=parameter, strike=strike, spread=spread)

    def _struck(self, u: Floats, parameter: Floats, strike: Floats) -> tuple[Floats, Floats]:
        """Give inputs and parameters of members [explanations · members, …], struck."""
        problem, model = self.problem, self.problem.model
        p = np.tile(self.record.p, (len(parameter), self.members, 1))
        for i, name in enumerate(problem.estimated):
            p[..., model.place("parameters", name)] = parameter[..., i]
        for i, place in enumerate(self.places):
            kind, _, name = place.partition("/")
            if kind == "input" and name in model.inputs:
                u[..., model.inputs.index(name)] += strike[..., i]
            elif place in model.parameters:
                p[..., model.place("parameters", place)] += strike[..., i]
        return _rows(np.clip(u, *model.bounds("inputs"))), _rows(np.clip(p, *model.bounds("parameters")))

    def _shown(self, own: _Own, k: int) -> _Own:
        u = np.tile(self.record.u[k], (len(own.weight), self.members, 1))
        shown = self.method.stepper.show(_rows(own.memory), self._struck(u, own.parameter, own.strike), _rows(own.shown))
        return own._replace(shown=shown.reshape(own.shown.shape))

    def _sources(self, strike: Floats) -> Floats:
        """Give what balances of states that may be moved lack in one step [explanations · members, states that may be moved]."""
        at = {place: i for i, place in enumerate(self.places)}
        columns = [strike[..., at[f"source/{n}"]].ravel() * self.problem.dt for n in self.method.stepper.movable]
        return np.stack(columns, 1) if columns else np.zeros((strike.shape[0] * self.members, 0))

    def _bounds(self) -> tuple[Floats, Floats]:
        states = len(self.problem.model.states)
        low, high = self.problem.bounds
        return low[states:], high[states:]

    def still(self, one: Try) -> float:
        """Give the logarithm of the density of readings that repeat the one before, where a sensor is stuck; else nothing."""
        if one.how != "stuck":
            return 0.0
        place = self.problem.model.outputs.index(one.suspect.name)
        moved, width = np.diff(self.record.y[max(one.onset - 1, 0) :, place]), STILL * float(self.problem.noise.sensor[place])
        moved = moved[np.isfinite(moved)]
        return float(np.sum(-0.5 * (moved / width) ** 2) - len(moved) * math.log(width * math.sqrt(2 * math.pi)))

    def size(self, one: Try, i: int, end: _Own) -> tuple[float, float]:
        """Give the size of a fault at the end and its standard deviation; NaN where it has none."""
        if one.how not in MOVES:
            return math.nan, math.nan
        part = np.exp(end.weight[i : i + 1])
        if one.suspect.kind == "sensor":
            o = self.problem.model.outputs.index(one.suspect.name)
            mean, sd = moments(end.off[i : i + 1, :, o : o + 1], part)
            return float(mean[0, 0]), math.sqrt(float(sd[0, 0]) ** 2 + float((part[0] * end.spread[i, :, o]).sum()))
        k = list(self.places).index(one.place)
        mean, sd = moments(end.strike[i : i + 1, :, k : k + 1], part)
        return float(mean[0, 0]), float(sd[0, 0])

    def _draw(self, at: int, what: int = 0) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=self.method.seed, counter=[0, what, 0, at]))


def _places(case: Case, method: Particles) -> dict[str, float]:
    """Give what may be struck but sensors, with the magnitude that is expected of it."""
    model, usual = case.problem.model, case.usual
    drawn = [(n, float(max(usual.inputs_spread[i], 4 * method.inputs[i]))) for i, n in enumerate(model.inputs)]
    span = len(case.good.y) * case.problem.dt
    sources = {f"source/{n}": float(max(usual.states_spread[model.states.index(n)], 1e-9)) / math.sqrt(span) for n in method.stepper.movable}
    tunable = {*method.stepper.tunable}
    return {f"input/{n}": size for n, size in drawn if size > 0} | {n: s for n, s in case.process.items() if n in tunable} | sources


def _likelihood(part: Floats, miss: Floats, variance: Floats, there: npt.NDArray[np.bool_]) -> Floats:
    """Give the logarithm of the density of an instant's readings by the mean and covariance of what members expect [explanations].

    Not by the sum over members: of a machine that went where none of them is, that says which is nearest by chance. And no instant
    says more than one `FAR` off: a moment that is tried a few instants beside the true one would be impossible else.
    """
    part = np.where(np.isfinite(miss).all(-1), part, 0.0)
    part = part / np.maximum(part.sum(1, keepdims=True), 1e-300)
    there, miss = there[:, 0], np.nan_to_num(miss)
    mean = (part[..., None] * miss).sum(1)
    apart = (miss - mean[:, None]) * there[:, None]
    left = np.maximum(1.0 - (part**2).sum(1), 1e-12)
    own = np.where(there, (part[..., None] * variance).sum(1), 1.0 / (2 * math.pi))
    covariance = np.einsum("em,emi,emj->eij", part, apart, apart) / left[:, None, None] + own[:, :, None] * np.eye(own.shape[1])
    mean = mean * there
    distance = np.einsum("ei,ei->e", mean, np.linalg.solve(covariance, mean[..., None])[..., 0])
    found: Floats = -0.5 * (np.minimum(distance, FAR**2) + np.linalg.slogdet(2 * math.pi * covariance)[1])
    return found


def _rows(of: npt.NDArray[Any]) -> Any:
    return of.reshape(of.shape[0] * of.shape[1], of.shape[2])


def _normal(part: Floats) -> Floats:
    from scipy.special import ndtri

    found: Floats = ndtri(part)
    return found


