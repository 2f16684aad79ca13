"""What a watch tells of a residual, and what it asks: who is wrong, by minutes or by hours of readings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gemel.estimate.attribution import Asked, Readings, attributed, slower
from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case, Verdict, blame
from gemel.estimate.residuals import Raised


@dataclass(frozen=True, eq=False)
class Left:
    """A residual that left its band.

    Args:
        machine, output: whose, by place.
        at, onset: numbers of the instant at which the sum of evidence passed its limit, and at which it began to grow.
        verdict: who is wrong; None: that is not weighed yet.
    """

    machine: int
    output: int
    at: int
    onset: int
    verdict: Verdict | None = None


@dataclass(frozen=True, eq=False)
class Back:
    """A residual that is back in its band."""

    machine: int
    output: int
    at: int


@dataclass(frozen=True, eq=False)
class Question:
    """Who is wrong in a residual that is out, by the readings until then.

    Args:
        machine, output, at, onset: as of `Left`.
        seen: by what.
        wait: instants until it is to be answered, at least.
    """

    machine: int
    output: int
    at: int
    onset: int
    seen: Minutes | Hours
    wait: int

    def weighed(self) -> Verdict:
        """Weigh it: pure, and slow."""
        return self.seen.weighed()


@dataclass(frozen=True, eq=False)
class Minutes:
    """What is seen of a machine of which no long past is known: the last instants, and as many of a good time.

    Args:
        recent: inputs and readings of the last instants, the newest last.
        case: what is known of the time when all was right.
        found: where in those instants a residual left its band.
    """

    recent: Readings
    case: Case
    found: Raised

    def weighed(self) -> Verdict:
        """Weigh every explanation by a filter."""
        good = self.case.good
        return blame(self.case, Excerpt(*self.recent, good.p, good.mean), self.found)


@dataclass(frozen=True, eq=False)
class Hours:
    """What is seen of a machine whose long past is known (`long_past`).

    Args:
        asked: with the last hours; with steps of the filter that runs, not yet with those of the long past.
        dt: of the long past [s].
        since: row of the last hours in which the residual began to leave its band.
    """

    asked: Asked
    dt: float
    since: int

    @property
    def recent(self) -> Readings:
        """The last hours."""
        return self.asked.recent

    def weighed(self) -> Verdict:
        """Weigh every explanation by its signature."""
        slow = slower(self.asked.problem, self.asked.p, self.dt)
        verdict = attributed(replace(self.asked, problem=slow), self.since)
        assert verdict is not None  # it was seen to be out
        return verdict
