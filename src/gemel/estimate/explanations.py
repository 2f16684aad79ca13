"""What is tried where somebody is wrong: who, in which manner, since when, and the courses in time that this may have.

- a sensor: off, drifting, another gain or span, slow, influenced by an input, erratic;
- a balance, a parameter: changed, changed and back, drifting, unsteady; all parameters together;
- the model: it bends with a state or an input, in a balance, a sensor, or all of them; or only where the machine never was.

The first two from moments on that are spread evenly, and those at which a residual leaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.estimate.accused import Suspect
from gemel.estimate.courses import LAGS, Answers, Should, Way, during, growing, since
from gemel.estimate.evidence import Evidence, Explanation, Weight
from gemel.estimate.residuals import LEFT_OUT

Vector = npt.NDArray[np.float64]
BEND: Final = 0.5
"""A wrong model is expected to be wrong by this share of a fault where the machine is unusually far out."""
LEVEL: Final = 12.0  # strikes of an instant each: so much more there is of what sums up, where the machine is farthest out
CURVED: Final = 0.3  # of a bend, its square
OUT: Final = 0.5  # spreads beyond what was seen, from which on a law may be another only there
BEYOND: Final = (1.0, 5.0)  # of a fault, how far it is another where the machine is farthest out
DRIFTED: Final = 2.0  # of a fault, how far it has drifted evenly in the end
WALK: Final = 0.2  # of a fault, how far it walks from moment to moment
RESTLESS: Final = 0.7  # of a fault, how far what is erratic or unsteady is off for a while
WHILE: Final = 6  # instants that it is so
BRIEF: Final = 2  # a sensor may be: no machine turns so quickly
WHILES: Final = 5  # fewer are not told from a walk
FOLLOWS: Final = 0.2  # of its lag, what a slow sensor is behind by more or less than one of the first order
MOMENTS: Final = 12  # from which on faults are tried, beside those where the evidence began


class Sign(NamedTuple):
    """Who is wrong, how, where, since which instant, and what that would do to the residuals."""

    suspect: Suspect
    how: str
    place: str
    onset: int
    signs: Explanation


class Explanations:
    """What is tried.

    Args:
        answers: to what strikes a place for a while.
        moments: from which on sensors, balances and parameters may be wrong; among them `even(instants)`.
        process: parameters that change where the process does.
    """

    def __init__(self, answers: Answers, moments: Sequence[int], process: Iterable[str]) -> None:
        self._answers, self._moments, self._process = answers, moments, tuple(process)
        self._columns, self._places = list[Vector](), list[str]()
        self._steps: dict[tuple[str, int], int] = {}
        self._after: dict[int, list[Explanation]] = {}
        self._bent: dict[tuple[str, int], list[Explanation]] = {}
        self.tries = list[Sign]()

    @property
    def signatures(self) -> Vector:
        """What the tries are made of [residuals, signatures]."""
        return np.stack(self._columns, 1)

    def named(self, one: Sign, weight: Weight, evidence: Evidence) -> Sign:
        """Name what changed together by what did most of it."""
        if one.suspect != Suspect("process", ""):
            return one
        told = dict[str, float]()
        for i, size in zip(one.signs.places, weight.mean, strict=True):
            told[self._places[i]] = told.get(self._places[i], 0.0) + float(size) ** 2 * evidence.square(i)
        return one._replace(suspect=Suspect("process", max(told, key=lambda place: told[place])), how="together")

    # ---- who

    def place(self, place: str) -> None:
        """Try that a sensor, a balance or a parameter is wrong, in any manner that any of them may be."""
        many, sensor = self._answers.instants, place.startswith("bias/")
        suspect = Suspect("sensor", place.removeprefix("bias/")) if sensor else Suspect("process", place)
        moments = even(many)
        apart = moments[1] - moments[0] if len(moments) > 1 else 1
        steps = {k: self._step(place, k) for k in self._moments}
        grows = {k: self._signed(place, growing(many, k, apart)) for k in moments if apart > 1}
        whiles = [{k: self._signed(place, during(many, k, long)) for k in range(LEFT_OUT, many, long)} for long in ((WHILE, BRIEF) if sensor else (WHILE,))]
        for k in moments[:-1]:
            self._try(suspect, "drifting", place, k, [self._signed(place, growing(many, k, many - k))], [DRIFTED])
        for k, step in steps.items():
            self._try(suspect, "off" if sensor else "changed", place, k, [step], [1.0])
            after = [i for begun, i in grows.items() if begun + apart > k]
            walk = Explanation([step, *after], [1.0, *[WALK] * len(after)])
            self._try(suspect, "drifting", place, k, *walk)
            if place.startswith("source/"):  # it befell the machine, and is over
                for end in (i for later, i in steps.items() if later > k):
                    self._try(suspect, "changed", place, k, [step, end], [1.0, 1.0])
            if place in self._process:
                self._after.setdefault(k, []).append(walk)
            for some in ([i for begun, i in each.items() if begun >= k] for each in whiles if k in moments):
                if len(some) >= WHILES:
                    self._try(suspect, "erratic" if sensor else "unsteady", place, k, [step, *some], [1.0, *[RESTLESS] * len(some)])

    def sensor(self, place: str, output: int, should: Should, strike: float, lags: Sequence[float] = LAGS) -> None:
        """Try that a sensor's gain is another, or its zero and its span, or that it has become slow; `strike` is one of it."""
        many, suspect = self._answers.instants, Suspect("sensor", place.removeprefix("bias/"))
        gain, moved = should.gain(output), should.moved(output) / strike
        behind = [should.behind(output, lag) / strike for lag in lags]
        for k in self._moments:
            on = since(many, k)
            self._try(suspect, "gain", place, k, [self._signed(place, gain * on)], [1.0])
            both = [self._step(place, k), self._signed(place, moved * on)]
            self._try(suspect, "span", place, k, both, [1.0, 1.0])
            for course in behind:
                self._try(suspect, "slow", place, k, [self._signed(place, course * on)], [FOLLOWS], 1.0)  # it is behind by all of its lag

    def together(self) -> None:
        """Try that all parameters of the process changed at once."""
        for k, those in sorted(self._after.items()):
            if len(those) > 1:
                self._try(Suspect("process", ""), "changed", "", k, *_joined(those))

    def bend(self, place: str, name: str, way: Way, struck: Sequence[Vector] = ()) -> None:
        """Try that the model bends with a state or an input, and always did; of a sensor, too, that it does since those instants that are judged.

        Args:
            place: where.
            name: of the state or the input.
            way: how far it is.
            struck: what such a bend, its square and what is beyond do to a filter that is struck so, where it was; else by the course.
        """
        always = [self._column(place, one) for one in struck] or self._many(place, (way.seen, way.squared, way.beyond))
        self._bend(place, name, always, (BEND, BEND * CURVED, BEND))
        if place.startswith("bias/"):
            on = since(self._answers.instants, LEFT_OUT)
            columns = [self._step(place, LEFT_OUT), *self._many(place, (way.seen * on, way.squared * on, way.beyond * on))]
            self._bend(place, name, columns, (1.0, 1.0, CURVED, 1.0), LEFT_OUT)

    def beyond(self, place: str, name: str, way: Way, others: Iterable[Vector]) -> None:
        """Try that the law is another only where the machine never was, by more or less as other states and inputs are."""
        far = float(np.abs(way.beyond).max())
        if far <= OUT:
            return
        out = way.beyond / far
        curved = out * np.abs(out)
        columns = self._many(place, (out, curved, *(out * other for other in others)))
        for size in BEYOND:
            self._bend(place, f"{name} beyond, {size}", columns, [size, *[size * CURVED] * (len(columns) - 1)])
        if place.startswith("source/"):  # as if there were more of what sums up, and less again where the machine comes back
            columns = self._many(place, (LEVEL * np.diff(course, prepend=0.0) for course in (out, curved)))
            self._bend(place, f"{name} beyond, level", columns, (1.0, CURVED))

    def influenced(self, place: str, way: Way) -> None:
        """Try that a sensor's zero goes with an input (as with the air around it: IEC 61298-3) since a moment within those that are judged."""
        for k in even(self._answers.instants)[1:]:
            columns = [self._step(place, k), self._signed(place, (way.seen + way.beyond) * since(self._answers.instants, k))]
            self._try(Suspect("sensor", place.removeprefix("bias/")), "influenced", place, k, columns, [1.0, 1.0])

    def all_bend(self) -> None:
        """Try that all sensors show that the model bends in one way."""
        for (_, onset), some in self._bent.items():
            self._try(Suspect("model", "dynamics"), "bent", "", onset, *_joined(some))

    # ---- what it is made of

    def _bend(self, place: str, way: str, columns: Sequence[int], sizes: Sequence[float], onset: int = 0) -> None:
        signs = Explanation(columns, sizes)
        self._try(Suspect("model", place), "bent", place, onset, *signs)
        if place.startswith("bias/"):
            self._bent.setdefault((way, onset), []).append(signs)

    def _try(self, suspect: Suspect, how: str, place: str, onset: int, places: Sequence[int], sizes: Sequence[float], mean: float = 0.0) -> None:
        self.tries.append(Sign(suspect, how, place, onset, Explanation(places, sizes, mean)))

    def _step(self, place: str, k: int) -> int:
        if (place, k) not in self._steps:
            self._steps[place, k] = self._signed(place, since(self._answers.instants, k))
        return self._steps[place, k]

    def _many(self, place: str, courses: Iterable[Vector]) -> list[int]:
        return [self._signed(place, course) for course in courses]

    def _signed(self, place: str, course: Vector) -> int:
        return self._column(place, self._answers.to(place, course))

    def _column(self, place: str, column: Vector) -> int:
        self._columns.append(column)
        self._places.append(place)
        return len(self._columns) - 1


def even(instants: int) -> range:
    """Give moments spread evenly over those instants that are judged."""
    return range(LEFT_OUT, instants, max((instants - LEFT_OUT) // MOMENTS, 1))


def _joined(those: Sequence[Explanation]) -> Explanation:
    return Explanation([i for one in those for i in one.places], [size for one in those for size in one.sizes])
