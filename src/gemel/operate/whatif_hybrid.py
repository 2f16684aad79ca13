"""The hybrid that a what-if simulates with: what was released with the parameters in force, on the outputs that it corrects.

release in force ─► part `hybrids` of a spec ─► HybridModel ─► figures, and how much of them is physics
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from gemel.assets import Plant
from gemel.dynamics import Compiled, compile_model
from gemel.errors import GemelError
from gemel.estimate.hybrid_kept import again
from gemel.estimate.hybrid_model import CORRECTION, KNOWN, PHYSICS, HybridModel, Learned, beside
from gemel.operate.hybrids import looked_at
from gemel.operate.machine import machine_of
from gemel.operate.models import Reference, compiled
from gemel.operate.whatif_doubt import prefixes
from gemel.twin.releases import Releases

if TYPE_CHECKING:
    from gemel.scenarios import Question

OUTSIDE: Final = 0.1  # known less than that, it was asked outside of what it was trained on


def in_force(plant: Plant, asset: str, releases: Releases | None, at: int | None) -> list[dict[str, Any]]:
    """Give what was learned and released of the outputs of an asset, or of several as one system, by a time [ns].

    Returns:
        For each output: its name in the model, ``states`` and ``inputs`` that the correction looks at, and the ``correction``.
    """
    if releases is None:
        return []
    found: list[dict[str, Any]] = []
    for path, prefix in prefixes(plant, asset).items():
        if hybrid := releases.hybrid(path, at):
            found += _of(plant, path, hybrid, prefix)
    return found


def _of(plant: Plant, asset: str, hybrid: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    try:
        model = machine_of(plant, asset, computing=False).model
    except GemelError:  # the plant measures something else by now: what was learned is of no use
        return []
    found = []
    for name, c in hybrid.items():
        states, inputs = looked_at(c, model.states, model.inputs)
        found.append({"output": prefix + name, "states": [prefix + n for n in states], "inputs": [prefix + n for n in inputs], "correction": c})
    return found


def model_of(spec: Mapping[str, Any]) -> tuple[Compiled, tuple[Learned, ...]]:
    """Give the model of a spec with what corrects it; what does not fit its model (any more) is left out."""
    hybrids = spec.get("hybrids", [])
    if not hybrids:
        return compiled(spec["model"]), ()
    return _hybrid(json.dumps(spec["model"]), json.dumps(hybrids, sort_keys=True))


@lru_cache(8)
def _hybrid(reference: str, hybrids: str) -> tuple[Compiled, tuple[Learned, ...]]:
    made: Reference = json.loads(reference)
    model = compiled(made)
    all_ = (Learned(h["output"], tuple(h["states"]), tuple(h["inputs"]), again(h["correction"])) for h in json.loads(hybrids))
    learned = tuple(one for one in all_ if _fits(model, one))
    return (compile_model(HybridModel(model.model, learned)), learned) if learned else (model, ())


def _fits(model: Compiled, one: Learned) -> bool:
    given = {*model.inputs, *model.outputs}
    known = set(one.states) <= set(model.states) and set(one.inputs) <= given
    return one.output in model.outputs and one.fits and known and one.correction.helps


def looking(asked: Question, model: Compiled, learned: Sequence[Learned]) -> Question:
    """Give a question that also asks of each corrected output how much of it is physics, and how far that is known."""
    from gemel.scenarios import Kpi

    if not learned:
        return asked
    aside = {beside(one.output, what) for one in learned for what in (PHYSICS, CORRECTION, KNOWN)}
    looks = tuple(Kpi(_of_mean(one.output, what), "mean", beside(one.output, what)) for one in learned for what in (PHYSICS, CORRECTION, KNOWN))
    least = tuple(Kpi(_of_least(one.output), "min", beside(one.output, KNOWN)) for one in learned)
    watch = asked.watch or tuple(n for n in (*model.outputs, *model.states) if n not in aside)
    return replace(asked, watch=watch, kpis=(*asked.kpis, *looks, *least))


def _of_mean(output: str, what: str) -> str:
    return f"mean of {beside(output, what)}"


def _of_least(output: str) -> str:
    return f"least of {beside(output, KNOWN)}"


def told(spec: Mapping[str, Any], learned: Sequence[Learned], futures: Sequence[Any]) -> list[dict[str, Any]]:
    """Say of each hybrid whether it was used, how much of each future is physics, and whether it was asked outside its range.

    Returns:
        For each: ``output``, ``version``, ``used``, and by the name of the future the means over the horizon of ``physics``
        and ``correction`` (SI), ``physics_share``: physics over both, ``known`` (0 … 1; 0: physics alone), the ``least_known``
        and whether it was ``outside`` somewhere.
    """
    used = {one.output for one in learned}
    return [
        {
            "output": h["output"], "version": h["correction"]["version"], "used": h["output"] in used,
            "futures": {f.name: _share(h["output"], f.figures) for f in futures if h["output"] in used and f.figures},
        }
        for h in spec.get("hybrids", [])
    ]  # fmt: skip


def _share(output: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    physics, correction, known = (figures[_of_mean(output, what)].mean for what in (PHYSICS, CORRECTION, KNOWN))
    least = figures[_of_least(output)].quantiles[0]
    size = abs(physics) + abs(correction)
    return {
        "physics": physics, "correction": correction, "physics_share": abs(physics) / size if size else 1.0,
        "known": known, "least_known": least, "outside": bool(least < OUTSIDE),
    }  # fmt: skip
