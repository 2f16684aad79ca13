"""How faults go on in time: a sensor is off, or its gain, or it lags; a balance is open now and then; a law bends with the regime.

A course gives how far a place is struck at each instant, in units of a strike. A filter that is struck a little answers evenly, so its
answers to a strike of each short piece of time (`signatures`), summed up by a course, are the answer to that course: whatever course
is thought of, the filter need not be run again for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, maths
from gemel.estimate.accused import Case
from gemel.estimate.bank import Excerpt, Explanations, explain
from gemel.estimate.residuals import LEFT_OUT, alone
from gemel.estimate.signatures import Strike
from gemel.estimate.suspects import FAULT, zeros

Vector = npt.NDArray[np.float64]
COARSE: Final = 5  # instants that a balance or a parameter is struck for at least; a sensor may be for one
HARDLY: Final = (0.005, 0.995)  # shares of a good time, between which something was seen
LAGS: Final = (3.0, 12.0, 48.0)  # instants that a sensor that has become slow follows with


@dataclass(frozen=True, eq=False)
class Answers:
    """What residuals do where a place is struck for a piece of time.

    Args:
        instants: of the record.
        starts: of the pieces, by place; the last ends with the record.
        pieces: what a strike of each does to white or other residuals, one after the other [pieces, residuals].
    """

    instants: int
    starts: Mapping[str, npt.NDArray[np.intp]]
    pieces: Mapping[str, Vector]

    def to(self, place: str, course: Vector) -> Vector:
        """Give the answer to a course [instants]; a piece is struck as much as the course is in its mean."""
        starts = self.starts[place]
        long = np.diff(np.append(starts, self.instants))
        found: Vector = np.add.reduceat(course, starts) / long @ self.pieces[place]
        return found


def strikes(place: str, instants: int, every: int) -> list[Strike]:
    """Give the strikes that `answers` needs of a place: from each piece of time on; the lead is one."""
    piece = every if place.startswith("bias/") else max(COARSE, every)
    return [Strike(place, FAULT, k) for k in (0, *range(LEFT_OUT, instants, piece))]


def answers(those: Mapping[Strike, Vector], places: list[str], instants: int, every: int) -> Answers:
    """Take the answers to pieces from the signatures of `strikes` [residuals]."""
    starts, pieces = dict[str, npt.NDArray[np.intp]](), dict[str, Vector]()
    for place in places:
        of = strikes(place, instants, every)
        since = np.stack([those[one] for one in of])
        starts[place] = np.array([one.since for one in of], np.intp)
        pieces[place] = since - np.vstack((since[1:], np.zeros((1, since.shape[1]))))
    return Answers(instants, starts, pieces)


# ---- courses [instants]


def since(instants: int, k: int) -> Vector:
    """Give what is so from an instant on."""
    return (np.arange(instants) >= k).astype(float)


def growing(instants: int, k: int, over: int) -> Vector:
    """Give what grows evenly from an instant on, over so many."""
    return np.clip((np.arange(instants) - k + 1) / over, 0.0, 1.0)


def during(instants: int, k: int, long: int) -> Vector:
    """Give what is so from an instant on, for so many."""
    return since(instants, k) - since(instants, k + long)


@dataclass(frozen=True, eq=False)
class Should:
    """What the sensors should show where nothing is suspected.

    Args:
        shown: above the zero of their unit [instants, outputs]; NaN of outputs that were not asked for.
        usual: mean of the readings above it, of each output; NaN where it was not read.
    """

    shown: Vector
    usual: Vector

    @classmethod
    def of(cls, case: Case, record: Excerpt, known: Sequence[int]) -> Should:
        """Give it of outputs, each by a filter that does not hear it, or what is wrong with it were in what it should show."""
        model, zero = case.problem.model, zeros(case.problem.model, "outputs")
        deaf = Explanations(*(np.repeat(part, len(known), 0) for part in alone(case.problem, record.p)))
        deaf.seen[np.arange(len(known)), known] = False
        met = explain(case.problem, deaf, record).mean[:, :, : len(model.states)]
        shown = np.full(record.y.shape, np.nan)
        for output, mean in zip(known, met, strict=True):
            shown[:, output] = np.asarray(_observed(model)(mean, record.u, record.p))[:, output] - zero[output]
        above = np.abs(record.y - zero)
        many = np.isfinite(above).sum(0)
        return cls(shown, np.divide(np.nansum(above, 0), many, out=np.full(len(many), np.nan), where=many > 0))

    def gain(self, output: int) -> Vector:
        """Give the course of a gain: in proportion to what the sensor should show, 1 in the mean."""
        found: Vector = self.shown[:, output] / self.usual[output]
        return found

    def moved(self, output: int) -> Vector:
        """Give how far the sensor should move about its mean: the course of one whose span is another, in the output's unit."""
        found: Vector = self.shown[:, output] - self.shown[LEFT_OUT:, output].mean()
        return found

    def behind(self, output: int, lag: float) -> Vector:
        """Give how far a sensor of the first order is behind what it should show, in the output's unit."""
        from scipy.signal import lfilter

        begin, keep = self.shown[0, output], 1.0 - 1.0 / lag
        followed = lfilter([1.0 - keep], [1.0, -keep], self.shown[:, output], zi=[keep * begin])[0]
        return np.asarray(followed, np.float64) - self.shown[:, output]


@lru_cache(32)
def _observed(model: Compiled) -> Any:
    import jax

    maths.loaded()
    return jax.jit(jax.vmap(lambda x, u, p: model.observe(0.0, x, u, p), (0, 0, None)))


@dataclass(frozen=True, eq=False)
class Way:
    """How far a state or an input is from the usual, in usual spreads [instants].

    Args:
        seen: as far as it was in the good time.
        beyond: how much farther, where it is; 0 elsewhere.
    """

    seen: Vector
    beyond: Vector

    @classmethod
    def of(cls, name: str, case: Case, record: Excerpt, mean: Vector) -> Way:
        """Give it of a state or an input, by the states that a filter found [instants, states].

        Where a machine is run is what its inputs say: a state is where it never was because of what is wrong, and counts as seen.
        """
        model, usual, good = case.problem.model, case.usual, case.day or case.good
        many = len(model.states)
        at = (*model.states, *model.inputs).index(name)
        middle, spread = (np.concatenate(part)[at] for part in ((usual.states, usual.inputs), (usual.states_spread, usual.inputs_spread)))
        low, high = (-np.inf, np.inf) if at < many else (np.nanquantile(good.u[:, at - many], HARDLY) - middle) / spread
        away = (np.hstack((mean, record.u))[:, at] - middle) / spread
        seen: Vector = np.clip(away, low, high)
        return cls(seen, away - seen)

    @property
    def squared(self) -> Vector:
        """What bends with the square of it, in the same unit (`suspects.ways`), as far as it was seen."""
        found: Vector = (self.seen**2 - 1.0) / math.sqrt(2.0)
        return found

    @property
    def squared_beyond(self) -> Vector:
        """How much more the square is where it is farther."""
        found: Vector = self.beyond * (2.0 * self.seen + self.beyond) / math.sqrt(2.0)
        return found
