"""A what-if as a job: from an asset and what it shows to a model's beginning, and from a spec to its result.

    asset's type ─► its dynamic model        what the asset shows ─► SI ─► inputs and states at the beginning
    plant file   ─► its parameters           question             ─► scenarios.ask ─► result as plain values

What is named alike belongs together: an input, state or parameter takes the value of the asset's signal or parameter
of its name, converted to the model's unit. What the plant does not tell is as the model declares it, and said so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np

from gemel import __version__
from gemel.assets import Plant
from gemel.dynamics import Compiled, Quantity, compile_model, find_model
from gemel.errors import ModelError, NotFoundError
from gemel.samples.units import conversion, fits

SPREAD: Final = 0.05  # of a parameter marked `calibrate`, while nothing better is known of it
KINDS: Final = ("inputs", "states", "parameters", "outputs")
Shown = Mapping[str, tuple[float, str]]
"""What an asset shows: by the name of its property, value and unit; NaN where nothing is known."""


def begin(plant: Plant, asset: str, shown: Shown) -> dict[str, Any]:
    """Give where a fork of an asset begins, for people and for `run`.

    Returns:
        ``asset``, ``model`` and ``quantities``: by kind, each name with its unit, SI value, range, and where the value
        comes from (``signal``, ``plant file`` or ``model``).

    Raises NotFoundError where there is no such asset, or its type has no dynamic model.
    """
    row = plant.assets.find(asset)
    if row is None:
        raise NotFoundError(f"no asset {asset[:200]!r}", remedy="see GET /api/v1/assets")
    template = plant.templates[plant.assets.template[row]]
    if not template.dynamics:
        raise NotFoundError(
            f"the type {template.type} has no dynamic model", code="no-dynamics",
            remedy="say dynamics: package.module:Class in the type, in the plant file",
        )  # fmt: skip
    model = _model(template.dynamics)
    given = {p.name: _parameter(plant, row, p) for p in template.parameters}
    known = {n: (v, "signal") for n, v in shown.items()} | {n: (v, "plant file") for n, v in given.items()}
    quantities = {
        kind: {name: _quantity(q, known.get(name)) for name, q in getattr(model.model, kind).items()}
        for kind in KINDS
    }
    doubted = [p.name for p in template.parameters if p.calibrate and p.name in model.parameters]
    return {"asset": asset, "model": template.dynamics, "quantities": quantities, "calibrated": doubted}


def spec(begun: Mapping[str, Any], question: Mapping[str, Any], at: str, plant: Plant) -> dict[str, Any]:
    """Give all that a result follows from: where it begins, what is asked, and which versions.

    Values of changes in another unit than the model's carry ``unit`` and are converted here. Raises ModelError.
    """
    units = {n: q["unit"] for k in KINDS for n, q in begun["quantities"][k].items()}
    asked = dict(question)
    asked["scenarios"] = [
        {**s, "changes": [_in_si(c, units) for c in s.get("changes", [])]} for s in asked.get("scenarios", [])
    ]
    asked["kpis"] = asked.get("kpis") or _figures(begun)
    if asked.get("uncertain") is None:
        asked["uncertain"] = [{"of": name, "spread": SPREAD} for name in begun["calibrated"]]
    start = {
        k: {n: q["value"] for n, q in begun["quantities"][k].items()}
        for k in ("inputs", "states", "parameters")
    }
    versions = {"gemel": __version__, "plant": plant.digest}
    found = {
        "asset": begun["asset"],
        "model": begun["model"],
        "at": at,
        "start": start,
        "question": asked,
        "versions": versions,
    }
    _asked(found)
    return found


def run(spec: Mapping[str, Any], told: Callable[[float], bool]) -> dict[str, Any]:
    """Answer a what-if: pure but for loading the model; the same spec gives the same result."""
    from gemel.scenarios import Start, ask

    model, question = _model(spec["model"]), _asked(spec)
    kept = spec["start"]
    x, u, p = (
        np.array([float(kept[k][n]) for n in getattr(model, k)]) for k in ("states", "inputs", "parameters")
    )
    answer = ask(model, Start(x, u, p), question, told)
    units = {n: q.unit for k in KINDS for n, q in getattr(model.model, k).items()}
    return {
        "asset": spec["asset"], "at": spec["at"], "seed": question.seed, "members": question.members,
        "engine": answer.engine, "step_s": answer.step_s, "converged": answer.converged, "versions": spec["versions"],
        "quantiles": question.quantiles, "times_s": answer.times.tolist(),
        "watch": [{"name": n, "unit": units.get(n, "")} for n in answer.watch],
        "kpis": [{"name": k.name, "unit": k.unit, "better": k.better} for k in question.kpis],
        "futures": [_future(f) for f in answer.futures],
    }  # fmt: skip


def _future(f: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(
        {"figures": f.figures, "differences": f.differences, "sensitivity": f.sensitivity}
    )
    bands = np.moveaxis(f.bands, 2, 0)  # [watched, quantiles, instants]
    return {"name": f.name, "failed": f.failed, "bands": np.round(bands, 9).tolist(), **told}


def _asked(spec: Mapping[str, Any]) -> Any:
    from gemel.scenarios import Question

    try:
        return msgspec.convert(dict(spec["question"]), Question, strict=False)
    except msgspec.ValidationError as e:
        raise ModelError(
            f"the question cannot be read: {e}", code="bad-scenario", remedy="see docs/whatif.md"
        ) from e


@lru_cache(16)
def _model(reference: str) -> Compiled:
    return compile_model(find_model(reference))


def _parameter(plant: Plant, row: int, declared: Any) -> tuple[float, str]:
    column = plant.assets.parameters.get(declared.name)
    value = float(column[row]) if column is not None else math.nan
    if math.isnan(value) and declared.default is not None:
        value = declared.default
    return value, declared.unit


def _quantity(q: Quantity, known: tuple[tuple[float, str], str] | None) -> dict[str, Any]:
    value, source = q.start, "model"
    if known is not None and not math.isnan(known[0][0]) and fits(known[0][1], q.unit):
        scale, offset = conversion(known[0][1], q.unit)
        value, source = known[0][0] * scale + offset, known[1]
    low, high = (b if math.isfinite(b) else None for b in (q.low, q.high))
    return {
        "unit": q.unit,
        "value": value,
        "source": source,
        "low": low,
        "high": high,
        "description": q.description,
    }


def _in_si(change: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    told = dict(change)
    unit, name = told.pop("unit", None), told.get("of", "")
    if not unit or told.get("how") == "scale":
        return told
    if name not in units:
        raise ModelError(
            f"the model has no {name!r}", code="unknown-quantity", remedy=f"it has: {', '.join(units)}"
        )
    scale, offset = conversion(unit, units[name])
    offset = offset if told.get("how") == "set" else 0.0
    told["value"] = told.get("value", 0.0) * scale + offset
    told["profile"] = [(t, v * scale + offset) for t, v in told.get("profile", ())]
    return told


def _figures(begun: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the figures that are asked for where none is: means of outputs, energy of powers, ends of states."""
    found: list[dict[str, Any]] = []
    for name, q in begun["quantities"]["outputs"].items():
        if q["unit"] == "W":
            found.append({"name": f"{name}, energy", "statistic": "integral", "of": name, "factor": 1 / 3.6e6,
                          "unit": "kWh", "better": "less"})  # fmt: skip
        else:
            found.append({"name": f"{name}, mean", "statistic": "mean", "of": name, "unit": q["unit"]})
    found += [
        {"name": f"{name}, at the end", "statistic": "last", "of": name, "unit": q["unit"]}
        for name, q in begun["quantities"]["states"].items()
    ]
    return found
