"""Which of the readings of a machine a fit listens to: no reading counts twice, and what the plant file leaves out is left out.

what the model gives and the plant says ─► those named by `calibration: sensors`, else all but what is computed of others of them
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gemel.assets import Plant
from gemel.assets.spec import Template
from gemel.operate.binding import Bound
from gemel.samples.expression import names, parse


def listened(plant: Plant, seen: Sequence[Bound]) -> tuple[Bound, ...]:
    """Give the quantities whose readings a fit listens to, of those that have a signal.

    Where nothing is said, all of them, but for a signal that is computed of another of them (a head, of both pressures): a sensor would have a
    second voice in it, which says the same when it is off.
    """
    paths = {b.path for b in seen}
    return tuple(b for b in seen if _counts(plant, b, paths))


def _counts(plant: Plant, b: Bound, paths: set[str]) -> bool:
    asset, _, signal = b.path.rpartition("/")
    row = plant.assets.find(asset)
    if row is None:
        return True
    template = plant.template(row)
    if template.calibration.sensors:
        return b.name.rpartition("/")[2] in template.calibration.sensors
    return not any(f"{asset}/{name}" in paths for name in _rests_on(template, signal, {signal}))


def _rests_on(template: Template, signal: str, before: set[str]) -> Iterator[str]:
    """Give the signals of the same asset that a signal is computed of, however far back."""
    derived = next((s.derived for s in template.signals if s.name == signal), "")
    for name in names(parse(derived)) if derived else ():
        if len(name.path) == 1 and name.path[0] not in before:
            before.add(name.path[0])
            yield name.path[0]
            yield from _rests_on(template, name.path[0], before)
