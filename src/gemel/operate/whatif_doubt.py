"""What is not known exactly of where a what-if begins, how much of it, and from where one knows that.

what is shown, with its uncertainty ─► states ─┐
intervals of the release in force ─► parameters ├─► `uncertain` and `together` of a question ─► sentences beside the result
`accuracy` in the plant file ─► parameters      │
marked `calibrate`, nothing better known ─► 5 % ┘
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gemel.assets import Plant
from gemel.operate import whatif_together
from gemel.operate.binding import Binding, Bound
from gemel.operate.joining import members, parts_of
from gemel.twin.releases import Release, Releases

SPREAD: Final = 0.05  # of a parameter marked `calibrate`, while nothing better is known of it
NORMAL_95: Final = 1.959964
RELEASED, DECLARED, ASKED = "released interval", "declared", "asked for"
DEFAULT: Final = "5 % by default"
Doubt = dict[str, Any]
"""An uncertain quantity as plain values: ``of``, ``spread``, ``relative``, ``law``, and ``source``: from where one knows."""


def prefixes(plant: Plant, asset: str) -> dict[str, str]:
    """Give what the names of each asset's quantities begin with, by its path: nothing where there is but one."""
    paths = members(plant, asset)
    if len(paths) == 1:
        return {paths[0]: ""}
    return {path: f"{name}/" for name, path in parts_of(plant, paths).assets.items()}


def doubts(
    plant: Plant, bound: Binding, sigma: Mapping[str, tuple[float, str]], releases: Releases | None, at: int | None
) -> tuple[list[Doubt], list[dict[str, Any]]]:  # fmt: skip
    """Give what is uncertain of a beginning where nobody says otherwise.

    Args:
        plant: as applied.
        bound: the asset, or several, bound to a model.
        sigma: of states and parameters that a signal gives, by name: standard uncertainty [SI], and from where one knows it.
        releases: versions of parameters.
        at: when they are asked for [ns]; None: now.

    Returns:
        The doubts, and which of the released parameters vary together: ``names`` and their ``correlation``.
    """
    in_force = {} if releases is None else {prefix: releases.in_force(path, at) for path, prefix in prefixes(plant, bound.asset).items()}
    released = {n: (sd, r) for prefix, r in in_force.items() if r for n, sd in _released(bound, prefix, r)}
    found = [_absolute(b, *sigma[b.name]) for b in (*bound.states, *bound.parameters) if b.name in sigma]
    for b in bound.parameters:
        if b.name in released:
            found.append(_absolute(b, released[b.name][0], RELEASED))
        elif b.accuracy > 0 and b.name not in sigma:
            found.append(_absolute(b, b.accuracy, DECLARED))
        elif b.calibrate and b.name not in sigma:
            found.append({"of": b.name, "spread": SPREAD, "relative": True, "law": "normal", "source": DEFAULT})
    drawn = {d["of"] for d in found if d["source"] == RELEASED}
    return found, [t for prefix, r in in_force.items() if r for t in _together(bound, prefix, r, drawn)]


def _absolute(b: Bound, sd: float, source: str) -> Doubt:
    return {"of": b.name, "spread": sd, "relative": False, "law": "normal", "source": source}


def _released(bound: Binding, prefix: str, release: Release) -> Iterator[tuple[str, float]]:
    """Give standard deviations [SI] by name, from intervals that hold 95 %; an end at the parameter's range cuts one short."""
    for given, interval in release.body.get("intervals", {}).items():
        b = _meant(bound, prefix, given)
        value = release.values.get(given)
        if b is None or b.source != "release" or value is None:
            continue
        sd = max(interval[1] - value, value - interval[0]) / NORMAL_95 * abs(b.scale)
        if math.isfinite(sd) and sd > 0:
            yield b.name, sd


def _meant(bound: Binding, prefix: str, given: str) -> Bound | None:
    """Give the parameter that a release speaks of by the model's name, or by that of the plant file."""
    mine = [b for b in bound.parameters if b.name.startswith(prefix)]
    named = (b for b in mine if given in (b.name.removeprefix(prefix), b.path.rpartition("/")[2]))
    return next(named, None)


def _together(bound: Binding, prefix: str, release: Release, drawn: set[str]) -> Iterator[dict[str, Any]]:
    kept = release.body.get("correlation")
    if not kept:
        return
    meant = [_meant(bound, prefix, given) for given in kept["names"]]
    some = [i for i, b in enumerate(meant) if b is not None and b.name in drawn]
    matrix = [[float(kept["matrix"][i][j]) for j in some] for i in some]
    if len(some) > 1 and all(math.isfinite(r) for row in matrix for r in row):
        yield {"names": [b.name for i in some if (b := meant[i])], "correlation": matrix}


def described(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what was drawn: ``of``, ``value`` and standard deviation (or half width) ``spread`` in the ``unit`` of the model, ``law``, ``source``."""
    start = {n: v for values in spec["start"].values() for n, v in values.items()}
    return [
        {
            "of": u["of"], "value": start.get(u["of"]), "law": u.get("law", "normal"), "source": u.get("source", ASKED),
            "spread": u["spread"] * (abs(start.get(u["of"], 0.0)) if u.get("relative", True) else 1.0),
        }
        for u in spec["question"]["uncertain"]
    ]  # fmt: skip


def sentences(drawn: Sequence[Mapping[str, Any]], states: Sequence[str] = ()) -> list[str]:
    """Say what the bands are made of, and what they leave out; the first sentence is that nothing is, where nothing is.

    Args:
        drawn: what was.
        states: that begin as the model declares them.
    """
    told: list[str] = []
    moving = [d for d in drawn if d["spread"] > 0]
    if not moving:
        told.append("nothing is taken as uncertain: all members are the same, and the bands have no width")
    by_source: dict[str, list[str]] = {}
    for d in moving:
        by_source.setdefault(d["source"], []).append(d["of"])
    told += [f"uncertain ({source}): {', '.join(names)}" for source, names in by_source.items()]
    still = [d["of"] for d in drawn if not d["spread"] > 0]
    if still:
        told.append(f"a share of zero is nothing, so these do not vary: {', '.join(still)}")
    if states:
        told.append(f"begins as the model declares it, without uncertainty: {', '.join(states)}")
    return told


def company(question: Mapping[str, Any]) -> list[str]:
    """Say what varies together, and what that makes of indices where they were asked for."""
    fitted = [t for t in question.get("together", ()) if t.get("source") != whatif_together.ESTIMATED]
    told = [*(f"vary together, as they were fitted: {', '.join(t['names'])}" for t in fitted), *whatif_together.sentences(question)]
    if question.get("together") and question.get("indices"):
        told.append(
            "of what varies together, alone counts also what knowing it tells of the others, and in all is what is left once those are known"
        )
    return told
