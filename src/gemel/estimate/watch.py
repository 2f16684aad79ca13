"""Residuals of many machines as they come: each learns its band while all is right, and is told when it leaves and re-enters it.

innovation of an instant (reading less expected, in standard deviations) -> sums of evidence -> left its band -> who is wrong
                                                                       -> mean of the last instants -> back in its band

The sums are those of `residuals.raised`, made instant by instant; what is learned is remembered, and so are the readings
that whoever is to blame is weighed by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case, Verdict, blame
from gemel.estimate.problem import Problem
from gemel.estimate.residuals import LEFT_OUT, Band, Raised, band
from gemel.estimate.suspects import Usual

Vector = npt.NDArray[np.float64]
GOOD: Final = 300  # instants with all readings that a band is learned from
CALM: Final = 60  # instants that a residual is out for at least
SMOOTH: Final = 20  # instants that the mean reaches back by which it is known to be back
AGAIN: Final = (60, 150)  # instants after which it is weighed again: at first a slow fault looks like another
NEAR: Final = 1.0  # of its own standard deviations: within, that mean is back in its band
_KEPT: Final = ("good.u", "good.y", "good.z", "good.x", "u", "y", "sums", "since", "calm", "learned", "seen", "begun", "onset")


@dataclass(frozen=True, eq=False)
class Left:
    """A residual that left its band.

    Args:
        machine, output: whose, by place.
        at, onset: numbers of the instant at which the sum of evidence passed its limit, and at which it began to grow.
        verdict: who is wrong.
    """

    machine: int
    output: int
    at: int
    onset: int
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Back:
    """A residual that is back in its band."""

    machine: int
    output: int
    at: int


class Watch:
    """The residuals of machines of one kind.

    Args:
        problem: of each.
        p: their parameters [machines, parameters], SI.
        read: which outputs are measured [machines, outputs].
        process: parameters that change where the process does, with the change to be expected.
    """

    def __init__(
        self, problem: Problem, p: Vector, read: npt.NDArray[np.bool_], process: Mapping[str, float] | None = None
    ) -> None:
        m, inputs, outputs = len(p), len(problem.model.inputs), len(problem.model.outputs)
        self._problem, self._p, self._read, self._process = problem, p, read, dict(process or {})
        states = len(problem.model.states)
        self._of: dict[str, npt.NDArray[Any]] = {
            "good.u": np.zeros((m, GOOD, inputs)), "good.y": np.full((m, GOOD, outputs), np.nan),
            "good.z": np.zeros((m, GOOD, outputs)), "good.x": np.zeros((m, GOOD, states)),
            "u": np.zeros((m, GOOD, inputs)), "y": np.full((m, GOOD, outputs), np.nan),
            "sums": np.zeros((m, 3, outputs)), "since": np.zeros((m, 3, outputs), np.int64),
            "calm": np.zeros((m, outputs)), "learned": np.zeros(m, np.int64), "seen": np.zeros(m, np.int64),
            "begun": np.full((m, outputs), -1, np.int64), "onset": np.zeros((m, outputs), np.int64),
        }  # fmt: skip
        self._bands: dict[int, Band] = {}

    @property
    def out(self) -> npt.NDArray[np.bool_]:
        """Which residuals are out of their band [machines, outputs]."""
        found: npt.NDArray[np.bool_] = self._of["begun"] >= 0
        return found

    def meet(self, at: int, u: Vector, y: Vector, z: Vector, x: Vector) -> list[Left | Back]:
        """Meet an instant: inputs, readings, residuals in standard deviations, states believed; each [machines, ...]."""
        of, turns = self._of, list[Left | Back]()
        of["u"] = np.concatenate((of["u"][:, 1:], u[:, None]), 1)
        of["y"] = np.concatenate((of["y"][:, 1:], y[:, None]), 1)
        there = (np.isfinite(z) | ~self._read).all(1) & self._read.any(1)
        of["seen"] += there
        for m in np.flatnonzero(there & (of["learned"] < GOOD) & (of["seen"] > LEFT_OUT)).tolist():
            self._learn(m, u, y, z, x)
        for m in np.flatnonzero(there & (of["learned"] >= GOOD) & (of["seen"] > LEFT_OUT)).tolist():
            turns += self._judge(m, at, z[m])
        return turns

    def adopt(self, m: int, p: Vector, at: int) -> list[Back]:
        """Take other parameters of a machine: what its residuals are like is learned anew, and what was out is no more."""
        of = self._of
        self._p = self._p.copy()
        self._p[m] = p
        was = [Back(m, o, at) for o in np.flatnonzero(of["begun"][m] >= 0).tolist()]
        of["begun"][m], of["sums"][m], of["calm"][m] = -1, 0.0, 0.0
        of["learned"][m], of["seen"][m] = 0, 0
        self._bands.pop(m, None)
        return was

    def _learn(self, m: int, u: Vector, y: Vector, z: Vector, x: Vector) -> None:
        k = int(self._of["learned"][m])
        for name, row in (("good.u", u), ("good.y", y), ("good.z", z), ("good.x", x)):
            self._of[name][m, k] = row[m]
        self._of["learned"][m] += 1

    def _judge(self, m: int, at: int, z: Vector) -> list[Left | Back]:
        of, limits, read = self._of, self._band(m), self._read[m]
        off = np.where(read, (np.nan_to_num(z) - limits.mean) / limits.sd, 0.0)
        wild = np.clip(off, -4.0, 4.0)
        of["calm"][m] += (wild - of["calm"][m]) / SMOOTH
        moved = np.stack((wild, -wild, (wild**2 - 1) / np.sqrt(2.0))) - limits.slack
        sums = np.where(read, np.maximum(0.0, of["sums"][m] + moved), 0.0)
        of["since"][m] = np.where(sums > 0, of["since"][m], at + 1)
        of["sums"][m] = sums
        limit = np.stack((limits.limit[0], limits.limit[0], limits.limit[1]))
        begun = of["begun"][m]
        turns: list[Left | Back] = []
        if (begun < 0).all() and (sums > limit).any():
            turns.append(self._left(m, at, sums / limit))
        turns += [self._weighed(m, o, at) for o in np.flatnonzero(begun >= 0).tolist() if at - begun[o] in AGAIN]
        for o in np.flatnonzero((begun >= 0) & (at - begun > CALM) & (np.abs(of["calm"][m]) < NEAR)).tolist():
            begun[o] = -1
            of["sums"][m], of["seen"][m] = 0.0, 0  # the filter listens again, and is to find its feet
            turns.append(Back(m, o, at))
        return turns

    def _left(self, m: int, at: int, share: Vector) -> Left:
        of = self._of
        kind, o = np.unravel_index(int(np.argmax(share)), share.shape)
        of["begun"][m, o], of["onset"][m, o] = at, of["since"][m, kind, o]
        return self._weighed(m, int(o), at)

    def _weighed(self, m: int, o: int, at: int) -> Left:
        """Weigh who is wrong, by the readings until now."""
        onset, begun = int(self._of["onset"][m, o]), int(self._of["begun"][m, o])
        last = GOOD - 1 - (at - begun)
        found = Raised(last, max(last - (begun - onset), 0), np.zeros((2, self._read.shape[1])))
        return Left(m, o, at, onset, blame(self._case(m), self._record(m), found))

    def _record(self, m: int) -> Excerpt:
        return Excerpt(self._of["u"][m], self._of["y"][m], self._p[m], self._problem.start[0])

    def _case(self, m: int) -> Case:
        of = self._of
        u, y, x = of["good.u"][m], of["good.y"][m], of["good.x"][m]
        usual = Usual(u.mean(0), u.std(0), x.mean(0), x.std(0))
        good = Excerpt(u, y, self._p[m], self._problem.start[0])
        readings = np.where(self._read[m], np.nan_to_num(np.abs(y)).mean(0), self._problem.model.scales("outputs"))
        return Case(self._problem, usual, readings, good, self._process)

    def _band(self, m: int) -> Band:
        if m not in self._bands:
            z, read = self._of["good.z"][m], self._read[m]
            learned = band(np.where(read, z, np.arange(len(z))[:, None] % 2))  # of what is not read, something harmless
            self._bands[m] = learned
        return self._bands[m]

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name."""
        return {name: self._of[name].copy() for name in _KEPT}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what `state` gave."""
        self._of, self._bands = {name: arrays[name].copy() for name in _KEPT}, {}
