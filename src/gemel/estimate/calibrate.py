"""Calibration: the parameters of a machine's model from a record of the machine.

records -> which start (many tried side by side) -> minimise -> noise of each output -> minimise again
        -> what could be told at all -> intervals -> what is left over
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.dynamics.stiffness import too_stiff
from gemel.errors import ModelError
from gemel.estimate.diagnostics import Diagnosis, diagnose
from gemel.estimate.identifiability import Identifiability, identifiability
from gemel.estimate.intervals import spread
from gemel.estimate.least_squares import Box, Minimum, minimise, ranked, reduced
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record
from gemel.samples.batch import F64

NORMAL_95: Final = 1.96  # two-sided 95 % quantile of the normal distribution
AT_BOUND: Final = 1e-6  # of the range
FINEST: Final = 1e-4  # of an output's usual size: no gauge of a plant is known to be better, however still its readings stand


@dataclass(frozen=True)
class Settings:
    """How to search.

    Args:
        starts: how many of the candidates that were tried side by side are followed to their end.
        candidates: how many are tried.
        substeps: of the solver in one step of the record.
        most: linearisations of one search.
        seed: of the candidates.
        hold: keep parameters that the data cannot tell where they are, rather than search them.
    """

    starts: int = 3
    candidates: int = 64
    substeps: int = 1
    most: int = 60
    seed: int = 0
    hold: bool = False


PLAIN: Final = Settings()


@dataclass(frozen=True)
class Estimate:
    """One parameter after a fit, in SI.

    Args:
        value, sd: and its standard deviation.
        low, high: 95 % interval, within the range of the parameter.
        at_bound: it wants to leave its range.
        told: whether the data can tell it.
    """

    value: float
    sd: float
    low: float
    high: float
    at_bound: bool = False
    told: bool = True


@dataclass(frozen=True, eq=False)
class Fit:
    """What a calibration found.

    Args:
        parameters: by name, those that were searched.
        vector: all parameters of the model [parameters].
        x0: initial state of each record [records, states].
        rms: of what is left over, by output, in its unit.
        covariance: of the searched parameters [m, m], in SI.
        inflation: by how much intervals are wider than for white noise.
        identifiability: at the fit.
        residuals: measured minus free run [records, steps, outputs].
        diagnoses: one per output.
        converged, why: of the search.
        iterations: linearisations, all starts together.
        agreeing: how many of the starts ended at the same minimum.
    """

    parameters: Mapping[str, Estimate]
    vector: F64
    x0: F64
    rms: Mapping[str, float]
    covariance: F64
    inflation: float
    identifiability: Identifiability
    residuals: F64
    diagnoses: tuple[Diagnosis, ...]
    converged: bool
    why: str
    iterations: int
    agreeing: int
    settings: Settings = PLAIN

    @property
    def values(self) -> dict[str, float]:
        """The values found, by name."""
        return {name: e.value for name, e in self.parameters.items()}


def fit(
    model: Compiled, free: Sequence[str], records: Sequence[Record], *,
    start: F64 | None = None, ranges: tuple[F64, F64] | None = None, sigma: F64 | None = None, settings: Settings = PLAIN,
    finest: F64 | None = None, on_step: Callable[[], None] | None = None,
) -> Fit:  # fmt: skip
    """Fit parameters to records by free run: no reading is fed back.

    Args:
        model: compiled.
        free: names of the parameters to search, each within the range that the model declares.
        records: of equal length and step; each has an initial state of its own.
        start: all parameters [parameters], also the values of those not searched; by default as declared.
        ranges: lowest and highest values of all parameters [parameters]; by default as the model declares.
        sigma: noise of each output [outputs], if it is known; else it is found.
        settings: how to search.
        finest: noise of each output [outputs] that is taken where less is left over; NaN, and by default, `FINEST` of its usual size.
        on_step: called at each linearisation; what it raises ends the search.

    Returns:
        A result also where the search did not end well: `converged` and `why` say so.

    Raises:
        ModelError: no run stays finite (`model-not-finite`), or an output has no reading (`no-readings`).
    """
    fixed = model.p0 if start is None else np.asarray(start, np.float64)
    box = box_of(model, free, ranges)
    noise = _first_noise(model, records) if sigma is None else np.asarray(sigma, np.float64)
    found, objective = _searched(Objective(model, free, records, fixed, sigma=noise, substeps=settings.substeps, on_step=on_step),
                                 fixed, box, settings)  # fmt: skip
    if not np.isfinite(found[0].cost):
        said = too_stiff(model, model.x0, records[0].inputs.mean(0), fixed, records[0].dt / settings.substeps)
        raise ModelError(f"the model stays finite with none of the parameters tried{said and f': {said}'}", code="model-not-finite",
                         remedy="look at what it does by a what-if, and where it starts; gemel check --models looks at it too")  # fmt: skip
    if sigma is None and len(model.outputs) > 1:
        noise = _noise_of(objective, found[0])
        objective = Objective(model, free, records, fixed, sigma=noise, substeps=settings.substeps, on_step=on_step)
        again = minimise(objective, box, found[0].p, found[0].x0, settings.most)
        found = [again, *found[1:]]
    return _told(model, objective, box, found, settings, finest=finest)


def box_of(model: Compiled, free: Sequence[str], ranges: tuple[F64, F64] | None = None) -> Box:
    """Give where a search may go: the ranges of the parameters, by default those that the model declares."""
    low, high = model.bounds("parameters") if ranges is None else ranges
    places = [model.place("parameters", name) for name in free]
    x_low, x_high = model.bounds("states")
    scale = model.scales("parameters")[places]
    return Box(low[places], high[places], scale, x_low, x_high, model.scales("states"))


def _first_noise(model: Compiled, records: Sequence[Record]) -> F64:
    measured = np.concatenate([np.where(r.usable, r.outputs, np.nan) for r in records])
    if not np.isfinite(measured).any(axis=0).all():
        raise ModelError(
            "an output has no usable reading: nothing can be fitted to it",
            code="no-readings",
            remedy="give records with readings of every output",
        )
    spread_of = np.nanstd(measured, axis=0)
    return np.where(spread_of > 0, spread_of, model.scales("outputs"))


def _noise_of(objective: Objective, found: Minimum) -> F64:
    left = objective.residuals(found.p, found.x0)
    return np.asarray(np.maximum(np.sqrt(np.nanmean(left**2, axis=(0, 1))), 1e-12), np.float64)


def _searched(objective: Objective, fixed: F64, box: Box, settings: Settings) -> tuple[list[Minimum], Objective]:
    starts = _starts(objective, box, fixed[objective.places], settings)
    return ranked(minimise(objective, box, p, x, settings.most) for p, x in starts), objective


def _starts(objective: Objective, box: Box, p: F64, settings: Settings) -> list[tuple[F64, F64]]:
    """Try candidates side by side, and give the best: the values before, and a Latin hypercube around them."""
    rng = np.random.default_rng(settings.seed)
    n, records = settings.candidates, len(objective.records)
    ps, xs = _around(p, box, n, rng), _states(objective, box, n, rng)
    ps[0] = p
    costs = objective.costs(ps, xs)
    if not np.isfinite(costs[0]):  # near to what blows up there may be nothing else
        ps[1:] = _all_over(ps[1:], box, rng)
        costs = objective.costs(ps, xs)
    chosen = [0, *(i for i in np.argsort(costs).tolist() if i)][: max(settings.starts, 1)]
    chosen = chosen if np.isfinite(costs[0]) or len(chosen) > 1 else [int(np.argmin(costs))]
    assert xs.shape == (n, records, len(box.x_low))
    return [(ps[i], xs[i]) for i in chosen]


def _around(p: F64, box: Box, n: int, rng: np.random.Generator) -> F64:
    """Spread candidates by a factor of up to e either way, or over half a scale where a value may have any sign."""
    levels = (
        rng.permuted(np.tile(np.arange(n), (len(p), 1)), axis=1).T + rng.random((n, len(p)))
    ) / n * 2 - 1
    grown = np.where((p > 0) & (box.p_low >= 0), p * np.exp(levels), p + levels * box.p_scale / 2)
    return np.clip(grown, box.p_low, box.p_high)


def _all_over(near: F64, box: Box, rng: np.random.Generator) -> F64:
    """Spread candidates over the whole ranges; a parameter without a range stays near."""
    n, size = near.shape
    levels = (rng.permuted(np.tile(np.arange(n), (size, 1)), axis=1).T + rng.random((n, size))) / n
    with np.errstate(invalid="ignore"):
        wide = box.p_low + levels * (box.p_high - box.p_low)
    return np.asarray(np.where(np.isfinite(wide), wide, near), np.float64)


def _states(objective: Objective, box: Box, n: int, rng: np.random.Generator) -> F64:
    """Spread the initial states: one that is measured starts at its reading, the others within their usual size."""
    model, records = objective.model, objective.records
    guess = np.tile(model.x0, (len(records), 1))
    spread_of = np.full(len(model.x0), 0.9)
    for place, name in enumerate(model.states):
        if name in model.outputs:
            guess[:, place] = [_first_reading(r, model.outputs.index(name), model.x0[place]) for r in records]
            spread_of[place] = 0.0
    levels = rng.random((n, 1, len(model.x0))) * 2 - 1
    levels[0] = 0
    return np.asarray(np.clip(guess + levels * spread_of * box.x_scale, box.x_low, box.x_high), np.float64)


def _first_reading(record: Record, output: int, otherwise: float) -> float:
    known = np.flatnonzero(record.usable[:, output])
    return float(record.outputs[known[0], output]) if len(known) else float(otherwise)


def _honest(model: Compiled, objective: Objective, best: Minimum, finest: F64 | None) -> tuple[Objective, Minimum, float]:
    """Weigh by what a gauge can tell, where less is left over; give the least variance of the weighted residuals, too."""
    usual = FINEST * model.scales("outputs")
    floor = usual if finest is None else np.where(finest > 0, finest, usual)
    left = _noise_of(objective, best)
    if not (np.isfinite(left).all() and (left < floor).any()):
        return objective, best, 0.0
    weighed = Objective(model, objective.free, objective.records, objective.fixed, sigma=np.maximum(left, floor), substeps=objective.substeps)
    return weighed, replace(best, normal=weighed.normal(best.p, best.x0)), 1.0


def _told(
    model: Compiled, objective: Objective, box: Box, found: list[Minimum], settings: Settings, *, finest: F64 | None
) -> Fit:  # fmt: skip
    agreeing = sum(m.cost <= found[0].cost * (1 + 1e-3) for m in found)
    objective, best, least = _honest(model, objective, found[0], finest)
    left = objective.residuals(best.p, best.x0)
    readings, unknowns = int(np.isfinite(left).sum()), len(best.p) + best.x0.size
    noise = max(2 * best.cost / max(readings - unknowns, 1), least, 1e-300)
    reach = np.minimum(box.p_high - box.p_low, box.p_scale)
    at_bound = (best.p - box.p_low <= AT_BOUND * reach) | (box.p_high - best.p <= AT_BOUND * reach)
    sure = spread(objective, best, at_bound, least)
    told = identifiability(
        reduced(best.normal) / (noise * sure.inflation**2), objective.free, box.p_scale, readings,
        distinct=sum(r.distinct for r in objective.records), unknowns=unknowns,
    )  # fmt: skip
    vector = objective.fixed.copy()
    vector[objective.places] = best.p
    inputs = np.concatenate([r.inputs for r in objective.records])
    return Fit(
        _estimates(objective.free, best.p, sure.sd, box, at_bound, told), vector, best.x0,
        {o: float(np.sqrt(np.nanmean(left[..., i] ** 2))) for i, o in enumerate(model.outputs)},
        sure.covariance, sure.inflation, told, left,
        tuple(diagnose(o, left[..., i].reshape(-1), inputs, model.inputs) for i, o in enumerate(model.outputs)),
        best.converged, best.why, sum(m.iterations for m in found),
        agreeing, settings,
    )  # fmt: skip


def _estimates(
    names: Sequence[str], p: F64, sd: F64, box: Box, at_bound: npt.NDArray[np.bool_], told: Identifiability
) -> dict[str, Estimate]:
    low, high = np.maximum(p - NORMAL_95 * sd, box.p_low), np.minimum(p + NORMAL_95 * sd, box.p_high)
    return {
        name: Estimate(float(p[i]), float(sd[i]), float(low[i]), float(high[i]), bool(at_bound[i]), name in told.told)
        for i, name in enumerate(names)
    }  # fmt: skip
