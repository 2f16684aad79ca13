"""Calibration of one machine: records in, parameters with intervals out, tried on what the fit has not seen.

records of a machine -> fit -> free run on other records -> what is told, in the units of the plant file
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import numpy as np

from gemel.dynamics.stiffness import too_stiff
from gemel.estimate.calibrate import PLAIN, Estimate, Fit, Settings, fit
from gemel.estimate.free_run import LEAD, FreeRun, free_run
from gemel.estimate.gate import Verdict, judge
from gemel.estimate.record import Record, good_share, side_by_side
from gemel.estimate.substeps import substeps_for
from gemel.operate import hybrids
from gemel.operate.hybrids import Hybrid
from gemel.operate.machine import Machine, parameters_from
from gemel.operate.models_source import named
from gemel.samples.batch import F64

LONGEST: Final = (
    4096  # steps that a model runs free over in one fit; a longer history is cut and fitted side by side
)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a calibration of a machine found.

    Args:
        machine: whose.
        fit: of its parameters.
        records: what it was fitted to.
        validations: free runs on records that it has not seen.
        before: the same, with the parameters before.
        lead: readings that each of those found its initial state on.
        blamed: signals that the attribution of residuals holds wrong, each with why.
        changed: how quarters of the data tell parameters differently, in words.
        unseen: what the free runs went over.
        hybrids: what was learned of what the fit left over, by output, where that was asked for.
        offered: share of all readings that it was chosen from that were Good; by default of those fitted and unseen.
        stands: corrections in force with the parameters before, by output, as their release has them.
    """

    machine: Machine
    fit: Fit
    records: tuple[Record, ...]
    validations: tuple[FreeRun, ...] = ()
    before: tuple[FreeRun, ...] = ()
    lead: int = LEAD
    blamed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unseen: tuple[Record, ...] = ()
    hybrids: tuple[Hybrid, ...] = ()
    offered: float | None = None
    stands: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def answers(self) -> tuple[FreeRun, ...]:
        """What it answers on the unseen records: the free runs with what was learned and helps."""
        runs = list(zip(self.unseen, self.validations, strict=True))
        return hybrids.answers(self.machine, self.fit.vector, runs, hybrids.released(self.machine, self.hybrids), self.fit.settings.substeps)

    @cached_property
    def answers_before(self) -> tuple[FreeRun, ...]:
        """What is in force answers there: parameters and hybrid."""
        runs = list(zip(self.unseen, self.before, strict=True))
        return hybrids.answers(self.machine, self.machine.p, runs, self.stands, self.fit.settings.substeps)

    @property
    def usable(self) -> float:
        """Share of the readings offered that were Good."""
        return good_share((*self.records, *self.unseen)) if self.offered is None else self.offered

    @property
    def verdict(self) -> Verdict:
        """What the gate says of putting it in force: each with its hybrid."""
        return judge(self.fit, self.answers, self.answers_before, usable=self.usable, blamed=self.blamed, changed=self.changed)

    @property
    def _stiff(self) -> str:
        """Say that the model is too stiff for the steps that it was run with, where it is."""
        record, found = self.records[0], self.fit
        return too_stiff(self.machine.model, self.machine.model.x0, record.inputs.mean(0), found.vector, record.dt / found.settings.substeps)

    def told(self) -> dict[str, Any]:
        """Give it as plain JSON, in the units of the plant file."""
        found = self.fit
        return {
            "asset": self.machine.asset, "dynamics": self.machine.reference,
            "parameters": {name: _estimate(self.machine, name, e) for name, e in found.parameters.items()},
            "rmse": _by_output(self.machine, found.rms),
            "readings": found.identifiability.readings,
            "span_s": sum(float(r.usable.any(axis=1).sum()) * r.dt for r in self.records),
            "converged": found.converged, "why": found.why, "linearisations": found.iterations,
            "starts": found.settings.starts, "starts_agreeing": found.agreeing, "interval_widening": found.inflation,
            "identifiability": {
                "told": list(found.identifiability.told), "not_told": list(found.identifiability.confused),
                "collinearity": _finite(found.identifiability.collinearity),
                "sensitivity": dict(zip(found.identifiability.names, map(float, found.identifiability.sensitivity), strict=True)),
                "words": found.identifiability.sentences(),
            },
            "words": [said] if (said := self._stiff) else [],
            "residuals": [_residuals(self.machine, d) for d in found.diagnoses],
            "validation": _validation(self) if self.validations else None,
            "gate": gate_told(self.verdict), "hybrid": hybrids.told(self.machine, self.hybrids) if self.hybrids else None,
        }  # fmt: skip


def released_body(found: Calibration, sources: Sequence[str]) -> dict[str, Any]:
    """Give what the record is told of a version: values and intervals in the plant file's units, data, gate, fidelity."""
    told = found.told()
    values = {name: e["value"] for name, e in told["parameters"].items()}
    data = b"".join(r.inputs.tobytes() + r.outputs.tobytes() + r.weights.tobytes() for r in found.records)
    starts = [r.start for r in found.records]
    ends = [r.start + len(r) * r.dt for r in found.records]
    seen = scored(found.machine, found.answers)
    return {
        "values": values, "intervals": {name: [e["low"], e["high"]] for name, e in told["parameters"].items()},
        "correlation": _correlation(found.fit), "units": {name: e["unit"] for name, e in told["parameters"].items()}, "dynamics": told["dynamics"],
        "digest": sha256(data + repr(sorted(values.items())).encode()).hexdigest(),
        "data": {"sources": list(sources), "from_s": min(starts), "to_s": max(ends), "readings": told["readings"]},
        "gate": told["gate"], "rmse": seen["rmse"] or None, "fidelity": seen["fidelity"] or None, **named(found.machine.reference),
        **({"hybrid": learned} if (learned := hybrids.released(found.machine, found.hybrids)) else {}),
    }  # fmt: skip


def _correlation(found: Fit) -> dict[str, Any] | None:
    """Give how the estimates of parameters go together, of those that the fit is sure of to some degree."""
    sd = np.sqrt(np.maximum(np.diagonal(found.covariance), 0.0))
    some = np.flatnonzero(np.isfinite(sd) & (sd > 0))
    names = [name for i, name in enumerate(found.parameters) if i in some]
    matrix = found.covariance[np.ix_(some, some)] / np.outer(sd[some], sd[some])
    return {"names": names, "matrix": np.round(matrix, 6).tolist()} if len(some) > 1 else None


def calibrate(
    machine: Machine, free: Sequence[str], records: Sequence[Record], unseen: Sequence[Record] = (), *,
    settings: Settings = PLAIN, lead: int = LEAD, blamed: Sequence[str] = (), on_step: Callable[[], None] | None = None,
) -> Calibration:  # fmt: skip
    """Fit a machine's parameters to records, and try them on records not seen.

    Args:
        machine: from the plant file.
        free: parameters to fit.
        records: of any length; a long one is cut into pieces that each have a state of their own.
        unseen: for the free run; nothing of them is used for the fit.
        settings: how to search; `substeps` 0: as many as the model needs.
        lead: readings of each unseen record that its initial state is found on.
        blamed: what the gate is told of sensors that are held wrong.
        on_step: called at each linearisation; what it raises ends the search.
    """
    if not settings.substeps:
        settings = replace(settings, substeps=substeps_for(machine.model, machine.p, max(records, key=len)))
    pieces = side_by_side(list(records), LONGEST)
    found = fit(
        machine.model, free, pieces, start=machine.p, ranges=(machine.low, machine.high), settings=settings,
        finest=_finest(machine), on_step=on_step,
    )  # fmt: skip
    runs, before = (
        tuple(free_run(machine.model, p, r, lead=lead, substeps=settings.substeps, sigma=left_over(found)) for r in unseen)
        for p in (found.vector, machine.p)
    )
    return Calibration(machine, found, tuple(records), runs, before, lead, tuple(blamed), unseen=tuple(unseen))


def _finest(machine: Machine) -> F64:
    """Give the accuracy that the plant file declares of each output's signal [outputs], SI; NaN where it declares none."""
    return np.array([np.nan if line.spec.accuracy is None else abs(line.spec.accuracy * line.scale) for line in machine.outputs])


def left_over(found: Fit) -> F64:
    """Give what a fit leaves over of each output, SI: so much the readings that a free run finds its start on are worth against each other."""
    return np.array([rms if np.isfinite(rms) and rms > 0 else 1e-12 for rms in found.rms.values()])


def with_hybrid(found: Calibration) -> Calibration:
    """Learn what the fit left over, and judge that on the unseen records; asks for at least one of these."""
    pieces, how = side_by_side(list(found.records), LONGEST), found.fit.settings
    fitted = list(zip(pieces, found.fit.x0, strict=True))
    unseen = [(r, run.x0) for r, run in zip(found.unseen, found.validations, strict=True)]
    learned = hybrids.learned(found.machine, found.fit.vector, fitted, unseen, lead=found.lead, substeps=how.substeps)
    return replace(found, hybrids=tuple(learned))


def _estimate(machine: Machine, name: str, e: Estimate) -> dict[str, Any]:
    known = machine.parameters[machine.model.place("parameters", name)]

    def plain(value: float) -> float:
        return (value - known.offset) / known.scale

    low, high = sorted((plain(e.low), plain(e.high)))
    return {
        "value": plain(e.value), "sd": e.sd / abs(known.scale), "low": low, "high": high, "unit": known.unit,
        "before": parameters_from(machine, machine.p)[name], "at_bound": e.at_bound, "told": e.told,
    }  # fmt: skip


def _by_output(machine: Machine, values: dict[str, float] | Any) -> dict[str, Any]:
    """Give values in the units of the plant file; None of a run that blew up."""
    lines = dict(zip(machine.model.outputs, machine.outputs, strict=True))
    return {
        name: {"value": _finite(float(v) / abs(lines[name].scale)), "unit": lines[name].spec.unit}
        for name, v in values.items()
    }


def _residuals(machine: Machine, d: Any) -> dict[str, Any]:
    scale = machine.outputs[machine.model.outputs.index(d.output)].scale
    return {
        "output": d.output, "rms": d.rms / abs(scale), "bias": d.bias / scale, "first_correlation": d.first_correlation,
        "whiteness_p": d.whiteness_p, "normality_p": d.normality_p, "worst_input": d.worst_input,
        "input_correlation": d.input_correlation, "input_bound": d.input_bound, "words": d.sentences(),
    }  # fmt: skip


def _validation(found: Calibration) -> dict[str, Any]:
    machine, runs = found.machine, found.validations
    return {
        "rmse": _by_output(machine, _pooled(machine, runs)), "rmse_before": _by_output(machine, _pooled(machine, found.before)),
        "explained": scored(machine, runs)["fidelity"],
        "readings": int(sum((~np.isnan(r.residuals)).sum() for r in runs)), "lead": found.lead,
    }  # fmt: skip


def scored(machine: Machine, runs: Sequence[FreeRun]) -> dict[str, Any]:
    """Give how well free runs went: the explained part of the readings' variation and the error, by output; none: nothing."""
    if not runs:
        return {"fidelity": {}, "rmse": {}}
    explained = {name: float(np.mean([r.explained[name] for r in runs])) for name in machine.model.outputs}
    known = {name: value for name, value in explained.items() if np.isfinite(value)}
    return {"fidelity": known, "rmse": _by_output(machine, _pooled(machine, runs))}


def _pooled(machine: Machine, runs: Sequence[FreeRun]) -> dict[str, float]:
    left: F64 = np.concatenate([r.residuals[r.lead :] for r in runs])
    with np.errstate(over="ignore"):
        return {name: float(np.sqrt(np.nanmean(left[:, i] ** 2))) for i, name in enumerate(machine.model.outputs)}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def gate_told(verdict: Verdict) -> dict[str, Any]:
    """Give what the gate says as plain JSON."""
    checks = [{"name": c.name, "passed": c.passed, "words": c.words} for c in verdict.checks]
    return {"passed": verdict.passed, "against": list(verdict.against), "checks": checks, "p": verdict.p}
