"""Whether a challenger may take the champion's place: judged on data that neither has seen.

free runs of both on the same unseen records + how the fit went -> every check with its reason -> yes or no

Better counts only where it is significant: the squared errors of the two runs are compared pairwise (Diebold, F. X. and
Mariano, R. S. (1995), Comparing predictive accuracy, J. Bus. Econ. Stat. 13(3), equation 4), with the variance of their
difference summed over its correlation (Newey and West 1987). An instant counts once, with all that was read then: one output after the other would
make a series of levels, whose correlation hides what any of them tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, isfinite, sqrt

import numpy as np

from gemel.estimate.calibrate import Fit
from gemel.estimate.free_run import FreeRun
from gemel.samples.batch import F64


@dataclass(frozen=True)
class Rules:
    """What a challenger must reach.

    Args:
        readings: usable ones that neither has seen, at least.
        margin: relative fall of the mean squared error, at least.
        level: at which it must be significant.
        suspect: share of readings that may be not Good, at most.
    """

    readings: int = 100
    margin: float = 0.05
    level: float = 0.05
    suspect: float = 0.2


PLAIN = Rules()


@dataclass(frozen=True)
class Check:
    """One question of the gate: its name, whether it passed, and why, in words."""

    name: str
    passed: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Args:
        checks: all of them.
        champion, challenger: root mean square errors on the unseen data, relative to each output's spread.
        p: of the hypothesis that the challenger is not better.
    """

    checks: tuple[Check, ...]
    champion: float
    challenger: float
    p: float

    @property
    def passed(self) -> bool:
        """Whether the challenger may take the champion's place."""
        return all(c.passed for c in self.checks)

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against it, in words."""
        return tuple(c.words for c in self.checks if not c.passed)


def judge(
    found: Fit, challenger: Sequence[FreeRun], champion: Sequence[FreeRun], *,
    usable: float = 1.0, blamed: Sequence[str] = (), changed: Sequence[str] = (), rules: Rules = PLAIN,
) -> Verdict:  # fmt: skip
    """Judge a challenger.

    Args:
        found: the fit that it comes from.
        challenger: its free runs on records that nobody was fitted to.
        champion: those of the parameters in force, on the same records.
        usable: share of all readings, fitted and unseen, that were Good.
        blamed: signals that the attribution of residuals holds wrong: nothing is learned from what they say.
        changed: how quarters of the data tell parameters differently: a mean of two machines is neither.
        rules: what it must reach.
    """
    better = compare(challenger, champion, rules)
    unseen, sane, gain, significant = better.checks
    good, sensors = _data(usable, blamed, rules)
    ends = [name for name, e in found.parameters.items() if e.at_bound]
    lost = [name for name, e in found.parameters.items() if not e.told]
    checks = (
        unseen, good, sensors,
        Check("one machine", not changed, f"these data are not of one machine: {'; '.join(changed)}" if changed else "no quarter of the data denies another"),
        Check("search", found.converged, f"the search: {found.why}"),
        Check("identifiable", not lost, f"these data cannot tell {', '.join(lost) or 'nothing that was fitted'}"),
        Check("range", not ends, f"at the end of its range: {', '.join(ends) or 'none'}"),
        sane, gain, significant,
    )  # fmt: skip
    return Verdict(checks, better.champion, better.challenger, better.p)


def judge_learned(
    challenger: Sequence[FreeRun], champion: Sequence[FreeRun], *,
    usable: float = 1.0, blamed: Sequence[str] = (), rules: Rules = PLAIN,
) -> Verdict:  # fmt: skip
    """Judge what was learned beside parameters that stay: free runs with it against those of what is in force; else as `judge`."""
    better = compare(challenger, champion, rules)
    unseen, sane, gain, significant = better.checks
    return Verdict((unseen, *_data(usable, blamed, rules), sane, gain, significant), better.champion, better.challenger, better.p)


def _data(usable: float, blamed: Sequence[str], rules: Rules) -> tuple[Check, Check]:
    return (
        Check("good data", usable >= 1 - rules.suspect, f"{100 * (1 - usable):.0f} % of the readings are not Good, {100 * rules.suspect:.0f} % may be"),
        Check("sensors", not blamed, f"the residuals blame {', '.join(blamed) or 'no sensor'}"),
    )


def compare(challenger: Sequence[FreeRun], champion: Sequence[FreeRun], rules: Rules = PLAIN) -> Verdict:
    """Compare two by their free runs on the same unseen records, whatever they come from: enough, sane, better, and no chance."""
    theirs, ours = _errors(challenger, champion)
    there = (~np.isnan(ours)).any(axis=1)
    theirs_then, ours_then = (np.nansum(e[there], axis=1) for e in (theirs, ours))
    p, blown = not_better(theirs_then, ours_then), _blown(challenger)
    theirs, ours = theirs[~np.isnan(ours)], ours[~np.isnan(ours)]
    gain = _gain(theirs, ours)
    went = f"falls by {100 * gain:.1f}" if not gain < 0 else f"rises by {-100 * gain:.1f}"
    falls = f"the mean squared error {went} %, a fall by {100 * rules.margin:.0f} % is needed"
    checks = (
        Check("readings", len(ours) >= rules.readings, f"{len(ours)} unseen readings, {rules.readings} are needed"),
        Check("sane", not blown, f"{blown} free runs blow up"),
        Check("better", isfinite(gain) and gain >= rules.margin, "the champion blows up" if _blown(champion) else falls),
        Check("significant", p <= rules.level, f"p = {p:.2g} that it is not better, {rules.level:g} may be"),
    )  # fmt: skip
    return Verdict(checks, _root(theirs), _root(ours), p)


def _blown(runs: Sequence[FreeRun]) -> int:
    return sum(not np.isfinite(run.outputs).all() for run in runs)


def _gain(theirs: F64, ours: F64) -> float:
    """Give by how much the mean squared error falls, of 1; a champion that is no number any more is infinitely wrong."""
    if not len(ours) or not np.isfinite(ours).all():
        return float("nan")
    before = float(np.mean(theirs))
    return 1 - float(np.mean(ours)) / before if before > 0 else float("nan")


def not_better(theirs: F64, ours: F64) -> float:
    """Give the p-value that squared errors `ours` are not smaller than `theirs`, of the same instants in the order of time.

    Where `theirs` are infinite and `ours` are not, that is no chance: 0.
    """
    n = len(ours)
    if n < 8 or not np.isfinite(ours).all():
        return 1.0
    if not np.isfinite(theirs).all():
        return 0.0
    apart = theirs - ours
    rest = apart - apart.mean()
    variance = float(rest @ rest)
    if variance <= 0:
        return 0.0 if apart.mean() > 0 else 1.0
    lags = min(_correlated(rest), n // 4)
    weighed = [(1 - lag / (lags + 1)) * float(rest[lag:] @ rest[:-lag]) for lag in range(1, lags + 1)]
    long_run = max(variance + 2 * sum(weighed), variance)
    return 0.5 * erfc(float(apart.mean()) / sqrt(long_run / n**2) / sqrt(2))


def _correlated(rest: F64) -> int:
    rho = min(max(float(rest[1:] @ rest[:-1]) / float(rest @ rest), 0.0), 0.97)
    return int(
        np.ceil(1.1447 * (4 * rho**2 / (1 - rho**2) ** 2 * len(rest)) ** (1 / 3))
    )  # Andrews 1991, Bartlett


def _errors(challenger: Sequence[FreeRun], champion: Sequence[FreeRun]) -> tuple[F64, F64]:
    """Give squared errors [instants, outputs] of champion and challenger after the lead-ins, each output over the spread of its readings."""
    spread = _spread(challenger)
    theirs, ours = (_squares(runs, spread) for runs in (champion, challenger))
    return theirs, ours


def _squares(runs: Sequence[FreeRun], spread: F64) -> F64:
    left = [run.residuals[run.lead :] for run in runs]
    with np.errstate(over="ignore"):  # what grows beyond all numbers is infinitely wrong
        return np.asarray((np.concatenate(left) / spread) ** 2 if left else np.zeros((0, 1)), np.float64)


def _spread(runs: Sequence[FreeRun]) -> F64:
    with np.errstate(invalid="ignore"):  # a run that blew up does not tell what was read
        sums = [(run.outputs + run.residuals)[run.lead :] for run in runs]
    columns = (c[np.isfinite(c)] for c in np.concatenate(sums).T) if sums else ()
    sizes = np.array([c.std() if len(c) else 0.0 for c in columns])
    return np.asarray(np.where(sizes > 0, sizes, 1.0), np.float64)


def _root(squares: F64) -> float:
    return float(np.sqrt(np.mean(squares))) if len(squares) else float("nan")
