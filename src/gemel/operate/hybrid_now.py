"""Whether a hybrid is asked outside of what it was trained on, at one instant: what it looks at, as it is read or estimated then.

released correction: names and units of what it looks at ─► signals of the asset ─► their values, SI ─► how near that is to what it was trained on
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np

from gemel.assets.spec import Template
from gemel.estimate.hybrid import Correction, correct
from gemel.estimate.hybrid_kept import again
from gemel.samples import Registry
from gemel.samples.units import conversion

LANES: Final = ("estimated", "measured")  # what is believed goes before what is read, as the filter has it


def looks_at(template: Template, asset: str, registry: Registry, told: Mapping[str, Any]) -> list[tuple[int, float, float]] | None:
    """Give the signals that a released correction looks at, in its order: number, and scale and offset to SI.

    None where one has no signal, or the release does not say what it looks at.
    """
    meant, units = dict(template.names), told.get("units", {})
    named = [*told.get("states", ()), *(told.get("inputs", ()) if told.get("with_inputs") else ())]
    declared = {s.name: s for s in template.signals}
    found = []
    for name in named:
        signal = declared.get(meant.get(name, name))
        lanes = {} if signal is None else registry.lanes_of(f"{asset}/{signal.name}")
        number = next((int(lanes[lane]) for lane in LANES if lane in lanes), None)
        if number is None or signal is None or name not in units:
            return None
        found.append((number, *conversion(signal.unit, units[name])))
    return found or None


def known(told: Mapping[str, Any], looks: list[tuple[int, float, float]], value: Callable[[int], float]) -> float | None:
    """Give how near what a correction looks at is to what it was trained on, 0 … 1; None where a value is not there."""
    point = np.array([scale * value(number) + offset for number, scale, offset in looks])
    if not np.isfinite(point).all():
        return None
    correction = _again(msgspec.json.encode(told))
    states = len(told["states"])
    near = float(correct(correction, point[None, :states], point[None, states:], np.zeros(1)).known[0])
    return near if math.isfinite(near) else None


@lru_cache(256)
def _again(told: bytes) -> Correction:
    return again(msgspec.json.decode(told))
