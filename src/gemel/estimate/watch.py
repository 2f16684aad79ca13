"""Residuals of many machines as they come: each learns its band while all is right, and is told when it leaves and re-enters it.

innovation of an instant (reading less expected, in standard deviations) -> sums of evidence -> left its band, a question: who is wrong
                                                                       -> mean of the last instants -> back in its band

The sums are those of `residuals.raised`, made instant by instant for all machines at once; what is learned is remembered, and
so are the readings that whoever is to blame is weighed by. Weighing takes seconds: when it is done is for who asks to say.
Where a sensor is gone (`missing`), the residuals of the others are watched on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.attribution import Asked, Readings
from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case
from gemel.estimate.long_past import LAST, STEP_S, LongPast
from gemel.estimate.missing import Missing
from gemel.estimate.problem import Problem
from gemel.estimate.questions import Back, Hours, Left, Minutes, Question
from gemel.estimate.residuals import LEFT_OUT, Band, Raised
from gemel.estimate.suspects import Usual
from gemel.estimate.symptoms import symptoms

Vector = npt.NDArray[np.float64]
I64 = npt.NDArray[np.intp]
GOOD: Final = 300  # instants with all readings (but of sensors that are gone) that a band is learned from …
ENOUGH: Final = 100  # … of which so many at least must have one of a sensor, or it has no band
REHEARSED: Final = 60  # instants, after which it is known what usually is, as far as equations depend on it
CALM: Final = 60  # instants that a residual is out for at least
SMOOTH: Final = 20  # instants that the mean reaches back by which it is known to be back
AGAIN: Final = (60, 150)  # instants after which it is weighed again: at first a slow fault looks like another
LATER: Final = (30, 60, 120)  # rows of the long past after which it is weighed again …
OVER: Final = 240  # … and every so many, as long as nobody is surely to blame: it may be no more than the model
WEIGHED: Final = 10  # instants from a question to its answer, at least
LOOKED: Final = 30  # rows of the long past from one look for symptoms to the next
LIMIT: Final = 12.0  # of a sum, at least (see `residuals.band`)
MARGIN: Final = 2.0  # so many times the largest sum of the good time, a sum must be
NEAR: Final = 1.0  # of its own standard deviations: within, that mean is back in its band
LEAST: Final = 1.0  # of what a residual's uncertainty says, a band is wide: a reading as near as it is accurate is no news
_KEPT: Final = ("cursor", "good.u", "good.y", "good.z", "good.x", "u", "y", "sums", "since", "calm", "learned", "seen", "begun", "onset", "shown", "convicted")


class Watch:
    """The residuals of machines of one kind.

    Args:
        problem: of each.
        p: their parameters [machines, parameters], SI.
        read: which outputs are measured [machines, outputs].
        process: parameters that change where the process does, with the change to be expected.
        patience: instants that each sensor may be silent for before it is gone [machines, outputs].
        lasting: whether a long past is kept, and who is wrong is weighed by it once there is one.
    """

    def __init__(
        self, problem: Problem, p: Vector, read: npt.NDArray[np.bool_], process: Mapping[str, float] | None = None,
        patience: npt.NDArray[np.int64] | None = None, *, lasting: bool = True,
    ) -> None:  # fmt: skip
        m, inputs, outputs = len(p), len(problem.model.inputs), len(problem.model.outputs)
        self._problem, self._p, self._read, self._process = problem, p, read, dict(process or {})
        self.missing = Missing(read, patience)
        states = len(problem.model.states)
        self._of: dict[str, npt.NDArray[Any]] = {
            "good.u": np.zeros((m, GOOD, inputs)), "good.y": np.full((m, GOOD, outputs), np.nan),
            "good.z": np.zeros((m, GOOD, outputs)), "good.x": np.zeros((m, GOOD, states)),
            "u": np.zeros((m, GOOD, inputs)), "y": np.full((m, GOOD, outputs), np.nan),
            "sums": np.zeros((m, 3, outputs)), "since": np.zeros((m, 3, outputs), np.int64),
            "calm": np.zeros((m, outputs)), "learned": np.zeros(m, np.int64), "seen": np.zeros(m, np.int64),
            "begun": np.full((m, outputs), -1, np.int64), "onset": np.zeros((m, outputs), np.int64),
            "shown": np.zeros((m, outputs), np.bool_), "convicted": np.zeros(m, np.bool_),
            "cursor": np.zeros(1, np.int64),
        }  # fmt: skip
        self._long = LongPast((m if lasting else 0, inputs, outputs), max(1, round(STEP_S / problem.dt)))
        self._lasting = lasting
        self._again = {*AGAIN, *(self._long.every * k for k in LATER)} if lasting else {*AGAIN}
        self._banded = np.zeros(m, np.bool_)  # whose band stands below
        self._lacks = np.zeros((m, outputs), np.bool_)  # read too seldom in the good time to have a band
        self._mean, self._sd, self._limit = np.zeros((m, outputs)), np.ones((m, outputs)), np.full((m, 3, outputs), np.inf)

    @property
    def out(self) -> npt.NDArray[np.bool_]:
        """Which residuals are out of their band [machines, outputs]."""
        found: npt.NDArray[np.bool_] = self._of["begun"] >= 0
        return found

    def meet(self, at: int, u: Vector, y: Vector, z: Vector, x: Vector) -> list[Left | Back | Question]:
        """Meet an instant: inputs, readings, residuals in standard deviations, states believed; each [machines, ...]."""
        of = self._of
        place = int(of["cursor"][0])
        of["u"][:, place], of["y"][:, place], of["cursor"][0] = u, y, (place + 1) % GOOD
        known = np.isfinite(z)
        of["seen"][self.missing.meet(known)] = 0  # the filter is to find its feet with those that are left
        awaited = self._read & ~self.missing.gone
        there = (known | ~awaited).all(1) & awaited.any(1)
        of["seen"] += there
        settled = there & (of["seen"] > LEFT_OUT)
        learned = of["learned"] >= GOOD
        quiet: npt.NDArray[np.bool_] = np.all(of["begun"] < 0, axis=1)
        row = self._lasting and self._long.meet(at, u, np.where(self._read, y, np.nan), quiet)
        self._learn(np.flatnonzero(settled & ~learned), (u, y, z, x))
        shown = self._symptoms(np.flatnonzero(learned & (np.arange(len(learned)) % LOOKED == self._long.row % LOOKED)), at) if row else []
        return [*shown, *self._judge(np.flatnonzero(settled & learned), at, z)]

    def adopt(self, m: int, p: Vector, at: int) -> list[Back]:
        """Take other parameters of a machine: what its residuals are like is learned anew, and what was out is no more."""
        of = self._of
        self._p = self._p.copy()
        self._p[m] = p
        was = [Back(m, o, at) for o in np.flatnonzero(of["begun"][m] >= 0).tolist()]
        of["begun"][m], of["sums"][m], of["calm"][m], of["convicted"][m] = -1, 0.0, 0.0, False
        of["learned"][m], of["seen"][m], self._banded[m] = 0, 0, False
        return was

    def convict(self, m: int) -> None:
        """Hear that somebody is surely to blame for what is out of a machine: its readings since are no good ones."""
        self._of["convicted"][m] = True

    def question(self, left: Left, recent: Readings, good: Readings | None) -> Question:
        """Give the question who is wrong in a residual that left its band, by the readings until `left.at`.

        Args:
            left: which.
            recent: the last hours, where there is a long good past; else the last instants.
            good: the long good past; None: there is none.
        """
        m, o, every = left.machine, left.output, self._long.every
        begun = int(self._of["begun"][m, o])
        if good is None:
            last = GOOD - 1 - (left.at - begun)
            found = Raised(last, max(last - (begun - left.onset), 0), np.zeros((2, self._read.shape[1])))
            return Question(m, o, left.at, left.onset, Minutes(recent, self._case(m), found), WEIGHED)
        since = max(len(recent.y) - 1 - (left.at // every - left.onset // every), 0)
        asked = Asked(self._problem, self._p[m].copy(), good, recent, self._process)
        return Question(m, o, left.at, left.onset, Hours(asked, every * self._problem.dt, since), max(WEIGHED, every))

    def rehearsal(self) -> Question | None:
        """Give a question of the shapes that those by minutes have, from what is known so far; None while that is too little.

        Who weighs it has compiled what the first real one needs; its answer says nothing.
        """
        known = self._of["learned"]
        m = int(np.argmax(known))
        if known[m] < REHEARSED:
            return None
        case = self._case(m, np.arange(GOOD) % int(known[m]))
        found = Raised(GOOD - 1, GOOD - CALM, np.zeros((2, self._read.shape[1])))
        return Question(m, 0, 0, 0, Minutes(Readings(case.good.u, case.good.y), case, found), WEIGHED)

    def _learn(self, rows: I64, now: tuple[Vector, Vector, Vector, Vector]) -> None:
        k = self._of["learned"][rows]
        for name, values in zip(("good.u", "good.y", "good.z", "good.x"), now, strict=True):
            self._of[name][rows, k] = values[rows]
        self._of["learned"][rows] += 1

    def _judge(self, rows: I64, at: int, z: Vector) -> list[Left | Back | Question]:
        if not self._banded[rows].all():
            self._band(rows[~self._banded[rows]])
        rows = self._anew(rows)
        of, read = self._of, self._read[rows] & np.isfinite(z[rows]) & ~self.missing.gone[rows]
        calm = np.all(of["begun"][rows] < 0, axis=1, keepdims=True)[:, 0]
        off, found = self.missing.shifted(rows, (z[rows] - self._mean[rows]) / self._sd[rows], calm)
        off, read = np.where(read, off, 0.0), read & found[:, None]
        of["calm"][rows] += np.where(read, np.clip(off, -4.0, 4.0) - of["calm"][rows], 0.0) / SMOOTH
        sums = np.where(read[:, None], np.maximum(0.0, of["sums"][rows] + _evidence(off)), 0.0)
        of["since"][rows] = np.where(sums > 0, of["since"][rows], at + 1)
        of["sums"][rows] = sums
        beyond = (sums > self._limit[rows]).any((1, 2))
        turns: list[Left | Back | Question] = []
        for k in np.flatnonzero(beyond | (of["begun"][rows] >= 0).any(1)).tolist():
            turns += self._turned(int(rows[k]), at, sums[k] / self._limit[rows[k]], read[k])
        return turns

    def _anew(self, rows: I64) -> I64:
        """Give the machines whose bands can be judged by; where a sensor is there that has none, all are learned anew."""
        lacking = (self._lacks[rows] & ~self.missing.gone[rows]).any(1) & (self._of["begun"][rows] < 0).all(1)
        self._of["learned"][rows[lacking]], self._banded[rows[lacking]] = 0, False
        return rows[~lacking]

    def _turned(self, m: int, at: int, share: Vector, read: npt.NDArray[np.bool_]) -> list[Left | Back | Question]:
        """Say what residuals of a machine do of which one is beyond its limit (its share of it is over 1), or was."""
        of, turns = self._of, list[Left | Back | Question]()
        begun = of["begun"][m]
        if (begun < 0).all() and (share > 1.0).any():
            kind, o = (int(k) for k in np.unravel_index(int(np.argmax(share)), share.shape))
            begun[o], of["onset"][m, o] = at, of["since"][m, kind, o]
            turns += self._left(m, o, at)
        for o in np.flatnonzero((begun >= 0) & self._due(m, at - begun)).tolist():
            turns.append(self._asked(Left(m, o, at, int(of["onset"][m, o]))))
        calm = (at - begun > CALM) & (np.abs(of["calm"][m]) < NEAR) & ~of["shown"][m]
        for o in np.flatnonzero((begun >= 0) & calm & read).tolist():
            begun[o] = -1
            of["sums"][m], of["seen"][m] = 0.0, 0  # the filter listens again, and is to find its feet
            turns.append(Back(m, o, at))
        if (begun < 0).all():
            if self._lasting and not of["convicted"][m]:
                self._long.trust(m)
            of["convicted"][m] = False
        return turns

    def _left(self, m: int, o: int, at: int) -> list[Left | Back | Question]:
        left = Left(m, o, at, int(self._of["onset"][m, o]))
        if self._lasting:
            self._long.doubt(m, left.onset)
        return [left, self._asked(left)]

    def _due(self, m: int, since: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Tell which residuals of a machine are to be weighed again, by the instants that they are out."""
        over = OVER * self._long.every
        due: npt.NDArray[np.bool_] = np.isin(since, list(self._again))
        return due | ((since > 0) & (since % over == 0)) if self._lasting and not self._of["convicted"][m] else due

    def _asked(self, left: Left) -> Question:
        if self._lasting and (good := self._long.good(left.machine)) is not None:
            recent = self._long.judged(left.machine)
            if (np.isfinite(good.y).any(0) & np.isfinite(recent.y).any(0)).any():  # something is read now that was read then
                return self.question(left, recent, good)
        back = -int(self._of["cursor"][0])
        return self.question(left, Readings(*(np.roll(self._of[name][left.machine], back, 0) for name in ("u", "y"))), None)

    def _symptoms(self, rows: I64, at: int) -> list[Left | Back | Question]:
        """Look for symptoms of machines; a sensor that shows one is out, if it is the first of its machine, until it shows none."""
        of, turns = self._of, list[Left | Back | Question]()
        for m in rows.tolist():
            good = self._long.good(m)
            found = () if good is None else symptoms(self._long.judged(m).y, good.y)
            of["shown"][m] = False
            of["shown"][m, [one.output for one in found]] = True
            if found and (of["begun"][m] < 0).all():
                first, every = found[0], self._long.every
                of["begun"][m, first.output] = at
                of["onset"][m, first.output] = max(at - (LAST - 1 - first.onset) * every, 0)
                turns += self._left(m, first.output, at)
        return turns

    def _case(self, m: int, which: I64 | slice = slice(None)) -> Case:
        of = self._of
        u, y, x = of["good.u"][m][which], of["good.y"][m][which], of["good.x"][m][which]
        usual = Usual(u.mean(0), u.std(0), x.mean(0), x.std(0))
        good = Excerpt(u.copy(), y.copy(), self._p[m].copy(), self._problem.start[0])
        many = np.isfinite(y).sum(0)
        readings = np.where(self._read[m] & (many > 0), np.nansum(np.abs(y), 0) / np.maximum(many, 1), self._problem.model.scales("outputs"))
        return Case(self._problem, usual, readings, good, self._process)

    def _band(self, rows: I64) -> None:
        """Learn the bands of machines, each as `residuals.band` has it, but none narrower than its readings are accurate."""
        z = self._of["good.z"][rows, LEFT_OUT:]
        enough = self._read[rows] & (np.isfinite(z).sum(1) >= ENOUGH)
        z = np.where(enough[:, None], z, np.arange(z.shape[1])[:, None] % 2)  # of what was not read, something harmless
        mean, sd = np.nanmean(z, 1), np.nanstd(z, 1)
        own = (z - mean[:, None]) / sd[:, None]
        pairs = own[:, 1:] * own[:, :-1]
        follows = np.clip(np.nansum(pairs, 1) / np.maximum(np.isfinite(pairs).sum(1), 1), 0.0, 0.9)
        sd = np.maximum(sd * np.sqrt((1 + follows) / (1 - follows)), LEAST)
        sums = largest = np.zeros((len(rows), 3, z.shape[2]))
        for now in np.moveaxis((z - mean[:, None]) / sd[:, None], 1, 0):
            sums = np.maximum(0.0, sums + np.nan_to_num(_evidence(now)))
            largest = np.maximum(largest, sums)
        shift, spread = largest[:, :2].max(1), largest[:, 2]
        self._mean[rows], self._sd[rows], self._banded[rows] = mean, sd, True
        limit = np.maximum(LIMIT, MARGIN * np.stack((shift, shift, spread), 1))
        self._limit[rows], self._lacks[rows] = np.where((enough | ~self._read[rows])[:, None], limit, np.inf), self._read[rows] & ~enough

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name."""
        more = {f"{part}.{k}": v for part, one in (("missing", self.missing), ("long", self._long)) for k, v in one.state().items()}
        return {name: self._of[name].copy() for name in _KEPT} | more

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what `state` gave."""
        self._of = {name: arrays[name].copy() for name in _KEPT}
        self.missing.restore({k.removeprefix("missing."): v for k, v in arrays.items() if k.startswith("missing.")})
        self._long.restore({name.removeprefix("long."): column for name, column in arrays.items() if name.startswith("long.")})
        self._banded[:] = False


def _evidence(off: Vector) -> Vector:
    """Give what an instant adds to the sums up, down and of spread [machines, 3, outputs]; a wild one adds no more than 4."""
    z = np.clip(off, -4.0, 4.0)
    return np.stack((z, -z, (z**2 - 1) / np.sqrt(2.0)), 1) - Band.slack
