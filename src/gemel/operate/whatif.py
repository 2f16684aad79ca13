"""A what-if as a job: from an asset and what it shows to a model's beginning, and from a spec to its result.

    asset's type ─► its dynamic model        what the asset shows ─► SI ─► inputs and states at the beginning
    plant file   ─► its parameters           question             ─► scenarios.ask ─► result as plain values

What belongs together says `gemel.operate.binding`; what the plant does not tell is as the model declares it, and said so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from gemel import __version__
from gemel.assets import Plant
from gemel.assets.fmus import is_fmu
from gemel.assets.problem import few
from gemel.errors import ModelError
from gemel.operate import kpis, whatif_doubt, whatif_hybrid, whatif_together
from gemel.operate.binding import KINDS, Bound
from gemel.operate.joining import bind_any
from gemel.operate.models import Reference
from gemel.operate.models_source import named, same
from gemel.operate.whatif_names import meant
from gemel.samples.units import after, conversion
from gemel.twin.releases import Releases

MEMBERS: Final = 1000  # of an ensemble, where nothing is said
Shown = Mapping[str, tuple[float, str] | tuple[float, str, float, str]]
"""What assets show: by the path of a property, or by its name alone, value and unit; NaN where nothing is known.

Perhaps with its standard uncertainty in that unit, and from where one knows that.
"""


def begin(
    plant: Plant, asset: str, shown: Shown, releases: Releases | None = None, at: int | None = None,
    estimated: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """Give where a fork of an asset begins, for people and for `run`; nothing of a foreign model is run here.

    Args:
        plant: as applied.
        asset: path of one; several divided by ``+``; an area or asset in which there are some.
        shown: what they show.
        releases: versions of parameters; None: what the plant file says is in force.
        at: plant time of the state [ns], for the versions in force then; None: now.
        estimated: how what is estimated goes together, where that is known (`estimates_together`).

    Returns:
        ``asset``, ``model``, ``versions`` (of the parameters in force, by asset), ``hybrids`` (released with those), ``kpis`` (figures that can be asked for by name) and ``quantities``: by kind, each name
        with its unit, SI value and range, where the value comes from (``signal``, ``release``, ``plant file`` or
        ``model``), and the unit the plant shows it in: SI = value * scale + offset. ``uncertain`` and ``together`` are what
        is not known exactly of it, as a question has them.

    Raises NotFoundError where there is no such asset, or its type has no dynamic model; ModelError where that is wrong.
    """
    bound = bind_any(plant, asset, releases, at)
    quantities = {kind: {b.name: _quantity(b, shown) for b in bound.of(kind)} for kind in KINDS}
    doubted = [b.name for b in bound.parameters if b.calibrate]
    sigma = {b.name: told for b in (*bound.states, *bound.parameters) if (told := _sigma(b, shown)) is not None}
    uncertain, together = whatif_doubt.doubts(plant, bound, sigma, releases, at)
    together = [*together, *whatif_together.of_estimates(bound, uncertain, estimated)]
    return {
        "uncertain": uncertain, "together": together,
        "asset": asset, "model": bound.reference, "quantities": quantities, "calibrated": doubted,
        "versions": dict(bound.versions), "hybrids": whatif_hybrid.in_force(plant, asset, releases, at),
        "kpis": kpis.offered(plant, asset, quantities),
    }  # fmt: skip


def spec(begun: Mapping[str, Any], question: Mapping[str, Any], at: str, plant: Plant) -> dict[str, Any]:
    """Give all that a result follows from: where it begins, what is asked, and which versions.

    Values of changes in another unit than the model's carry ``unit`` and are converted here; figures are names, lines as
    ``peak={max: power}`` or whole. Raises ModelError.
    """
    units = {n: q["unit"] for k in KINDS for n, q in begun["quantities"][k].items()}
    asked = dict(question)
    asked["scenarios"] = [
        {**s, "changes": [_in_si(_named(c, begun), units) for c in s.get("changes", [])]} for s in asked.get("scenarios", [])
    ]
    asked["members"] = _members(begun["model"], asked.get("members"))
    asked["kpis"] = kpis.asked(begun, asked.get("kpis"), at, plant.timezone, float(asked.get("horizon_s") or kpis.DAY_S))
    if asked.get("uncertain") is None:
        asked["uncertain"], asked["together"] = begun["uncertain"], begun["together"]
    else:
        asked["uncertain"] = [_named(one, begun) for one in asked["uncertain"]]
    if asked.get("watch"):
        asked["watch"] = [meant(name, begun["quantities"], KINDS) for name in asked["watch"]]
    start = {
        k: {n: q["value"] for n, q in begun["quantities"][k].items()}
        for k in ("inputs", "states", "parameters")
    }
    versions = {"gemel": __version__, "plant": plant.digest, "parameters": dict(begun.get("versions", {})), **named(begun["model"])}
    found = {
        "asset": begun["asset"],
        "model": begun["model"],
        "at": at,
        "start": start,
        "question": asked,
        "versions": versions,
    }
    found["assumed"] = [n for n, q in begun["quantities"]["states"].items() if q["source"] == "model"]
    if begun.get("hybrids"):
        found["hybrids"] = begun["hybrids"]
    _asked(found)
    return found


def _members(model: Reference, wanted: int | None) -> int:
    """Give how large the ensemble is; an FMU is run member by member, or asked at every step: fewer are usual."""
    if not one_by_one(model):
        return wanted or MEMBERS
    from gemel.scenarios.foreign import USUAL, check_size

    check_size(wanted or USUAL)
    return wanted or USUAL


def one_by_one(model: Reference) -> bool:
    """Tell whether a model is run member by member: it is an FMU, or has one among its components."""
    return any(map(is_fmu, [model] if isinstance(model, str) else model["components"].values()))


def run(spec: Mapping[str, Any], told: Callable[[float], bool]) -> dict[str, Any]:
    """Answer a what-if: pure but for loading the model; the same spec gives the same result."""
    from gemel.scenarios import Start, ask, indices

    (model, learned), asked = whatif_hybrid.model_of(spec), _asked(spec)
    same(spec["versions"].get("models", {}))
    question = whatif_hybrid.looking(asked, model, learned)
    kept = spec["start"]
    x, u, p = (
        np.array([float(kept[k][n]) for n in getattr(model, k)]) for k in ("states", "inputs", "parameters")
    )
    start, whole = Start(x, u, p), bool(spec["question"].get("indices"))
    answer = ask(model, start, question, _part(told, 0.0, 0.3) if whole else told)
    shares: dict[str, Any] = {}
    for i, future in enumerate(answer.futures if whole and question.uncertain else ()):
        part = _part(told, 0.3 + 0.7 * i / len(answer.futures), 0.7 / len(answer.futures))
        shares[future.name] = indices(model, start, question, future.name, part)
    units = {n: q.unit for k in KINDS for n, q in getattr(model.model, k).items()}
    drawn = [d | {"unit": units.get(d["of"], "")} for d in whatif_doubt.described(spec)]
    return {
        "uncertain": drawn, "words": [*whatif_doubt.sentences(drawn, spec.get("assumed", ())), *whatif_doubt.company(spec["question"]), *_at_instants(asked, kept), *_stiff(model, start, answer), *_beyond(answer, units)],
        "asset": spec["asset"], "at": spec["at"], "seed": question.seed, "members": question.members,
        "engine": answer.engine, "step_s": answer.step_s, "converged": answer.converged, "leaps": _leaps(answer.leaps, asked), "versions": spec["versions"],
        "hybrids": whatif_hybrid.told(spec, learned, answer.futures),
        "quantiles": question.quantiles, "times_s": answer.times.tolist(),
        "watch": [{"name": n, "unit": units.get(n, "")} for n in answer.watch],
        "kpis": [{"name": k.name, "unit": k.unit, "better": k.better, "statistic": k.statistic} for k in asked.kpis],
        "futures": [_future(f, asked) | ({"indices": shares[f.name]} if f.name in shares else {}) for f in answer.futures],
    }  # fmt: skip


def _at_instants(asked: Any, start: Mapping[str, Any]) -> list[str]:
    """Say which changed quantities are states, which nothing holds, and what could be held instead."""
    changed = (change.of for scenario in asked.scenarios for change in scenario.changes)
    states = [of for of in dict.fromkeys(changed) if of in start["states"]]
    if not states:
        return []
    components = {of.rpartition("/")[0] for of in states}
    held = [name for name in start["inputs"] if name.rpartition("/")[0] in components]
    instead = f"; what is held is an input: {few(held)}" if held else ""
    return [f"a state, changed at an instant and moved on by the model from there: {', '.join(states)}{instead}"]


def _stiff(model: Any, start: Any, answer: Any) -> list[str]:
    """Say why members did not stay finite, or the step was never short enough, where that is what the model is too stiff for."""
    if answer.converged and not any(f.failed for f in answer.futures):
        return []
    from gemel.dynamics.stiffness import too_stiff

    said = too_stiff(model, start.x, start.u, start.p, answer.step_s)
    return [said] if said else []


def _beyond(answer: Any, units: Mapping[str, str]) -> list[str]:
    """Say of each future which inputs and states left the range that the model declares."""
    return [
        f"{f.name}: {b.of} comes to {b.furthest:.5g}{after(units.get(b.of, ''))}, beyond {b.end:.5g}, where its declared range ends, in {b.share:.0%} of the members, "
        f"at {b.times:.0%} of the instants shown: there the model was never said to hold"
        for f in answer.futures for b in f.beyond
    ]  # fmt: skip


def _leaps(leaps: Any, asked: Any) -> dict[str, Any] | None:
    """Give how a long horizon was solved; an error without bound (an event that comes or does not) as None."""
    if leaps is None:
        return None
    told: dict[str, Any] = msgspec.to_builtins(leaps)
    wanted = {k.name for k in asked.kpis}
    errors = {n: e for n, e in told["errors"].items() if n in wanted}
    known = {k: {n: e if math.isfinite(e) else None for n, e in some.items()} for k, some in (("errors", errors), ("bands", told["bands"]))}
    return {**told, **known}


def _part(told: Callable[[float], bool], begun: float, share: float) -> Callable[[float], bool]:
    return lambda done: told(begun + share * done)


def _future(f: Any, asked: Any) -> dict[str, Any]:
    wanted = {k.name for k in asked.kpis}
    told: dict[str, Any] = {
        kind: {n: _finite(msgspec.to_builtins(v)) for n, v in getattr(f, kind).items() if n in wanted}
        for kind in ("figures", "differences", "sensitivity")
    }
    bands = np.moveaxis(f.bands, 2, 0)  # [watched, quantiles, instants]
    return {"name": f.name, "failed": f.failed, "unsolved": f.unsolved, "bands": np.round(bands, 9).tolist(), **told}


def _finite(told: Any) -> Any:
    """Give plain values with None for what is no number (JSON has no ∞): a time that never comes, a mean that there is not."""
    if isinstance(told, Mapping):
        return {k: _finite(v) for k, v in told.items()}
    if isinstance(told, list | tuple):
        return [_finite(v) for v in told]
    return None if isinstance(told, float) and not math.isfinite(told) else told


def _asked(spec: Mapping[str, Any]) -> Any:
    from gemel.scenarios import Question

    try:
        return msgspec.convert(dict(spec["question"]), Question, strict=False)
    except msgspec.ValidationError as e:
        raise ModelError(
            f"the question cannot be read: {e}", code="bad-scenario", remedy="see docs/whatif.md"
        ) from e


def _shown(b: Bound, shown: Shown) -> tuple[float, str, float, str]:
    value, unit, *sure = shown.get(b.path, shown.get(b.path.rpartition("/")[2], (math.nan, b.unit)))
    sigma, source = sure or (math.nan, "")
    return value, unit, float(sigma), str(source)  # type: ignore[arg-type]


def _sigma(b: Bound, shown: Shown) -> tuple[float, str] | None:
    """Give the standard uncertainty of what a signal gives [SI], and from where one knows it."""
    value, unit, sigma, source = _shown(b, shown)
    if b.source != "signal" or math.isnan(value) or not sigma > 0 or math.isinf(sigma):
        return None
    return sigma * abs(conversion(unit, b.quantity.unit)[0]), source


def _quantity(b: Bound, shown: Shown) -> dict[str, Any]:
    value, source = b.value, b.source
    told, unit, *_ = _shown(b, shown)
    if source == "signal":
        scale, offset = conversion(unit, b.quantity.unit)
        value, source = (b.value, "model") if math.isnan(told) else (told * scale + offset, "signal")
    low, high = (limit if math.isfinite(limit) else None for limit in (b.low, b.high))
    return {
        "unit": b.quantity.unit, "value": value, "source": source, "low": low, "high": high,
        "description": b.quantity.description or (b.signal.description if b.signal else ""),
        "property": b.path, "shown_unit": b.unit, "scale": b.scale, "offset": b.offset,
    }  # fmt: skip


def _named(one: Mapping[str, Any], begun: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "of": meant(str(one.get("of", "")), begun["quantities"])}


def _in_si(change: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    told = dict(change)
    unit = told.pop("unit", None)
    if not unit or told.get("how") == "scale":
        return told
    scale, offset = conversion(unit, units[told["of"]])
    offset = offset if told.get("how") == "set" else 0.0
    told["value"] = told.get("value", 0.0) * scale + offset
    told["profile"] = [(t, v * scale + offset) for t, v in told.get("profile", ())]
    return told
