"""Which machines of a plant are followed by their dynamic model, and how: what the plant file declares, bound to signals.

types with signals that the model gives -> model, noises (SI) -> machines side by side: numbers, parameters, version
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel import __version__
from gemel.assets import Plant
from gemel.assets.spec import Signal, Template
from gemel.dynamics import Compiled, maths
from gemel.errors import ModelError
from gemel.estimate import Noise, Problem
from gemel.operate.binding import Binding, Bound, bind, names_of
from gemel.operate.estimating import Wires
from gemel.operate.machine import narrowed
from gemel.operate.models import compiled
from gemel.samples import Registry, units
from gemel.samples.batch import F64, I32

WANDER: Final = 1e-3  # of a state's usual size, per square root of a second, where nothing is said
WALK: Final = 1e-4  # of a parameter's
SENSOR: Final = 0.01  # of an output's, as the uncertainty of a reading
START: Final = 0.25  # of a state's usual size: how uncertain its beginning is
GUESSED: Final = 0.2  # of a parameter's value or usual size
STEPS: Final = 200  # of the solver in one estimate, at most
STABLE: Final = 2.0  # Runge–Kutta of fourth order is stable up to 2.78 time constants a step (Hairer, Wanner 1996, IV.2)


@dataclass(frozen=True, eq=False)
class Kind:
    """Machines of one template, followed by one compiled filter.

    Args:
        type: name of their type.
        assets: their paths.
        problem: what is estimated.
        wires: their signals, by number of the registry.
        p: their parameters [machines, parameters], SI.
        begin: the mean each begins with [machines, joint vector], SI.
        held: what each input is until it is read [machines, inputs], SI.
        version: of what gives the values: model, its code, noises, parameters.
    """

    type: str
    assets: tuple[str, ...]
    problem: Problem
    wires: Wires
    p: F64
    begin: F64
    held: F64
    version: str


def kinds_of(plant: Plant, registry: Registry) -> list[Kind]:
    """Give the kinds of machines that are followed; raises ModelError where a model cannot be loaded or bound."""
    found = []
    for number, template in enumerate(plant.templates):
        rows = np.flatnonzero(plant.assets.template == number)
        if len(rows) and any(lane.modelled for s in template.signals for lane in s.lanes):
            found.append(_kind(plant, registry, template, rows.tolist()))
    return found


def _kind(plant: Plant, registry: Registry, template: Template, rows: Sequence[int]) -> Kind:
    reference = str(template.dynamics)
    whole = compiled(reference)
    paths = tuple(plant.assets.paths[row] for row in rows)
    bound = [bind(plant, path, model=whole.model) for path in paths]
    first = bound[0]
    seen = {b.name: b for b in (*first.states, *first.outputs)}
    kept = tuple(n for n, b in seen.items() if measured(b) or _told(b))
    if not any(measured(seen[n]) for n in kept):
        raise ModelError(f"nothing that the model of {template.type} gives is measured", code="unbound",
                         remedy=f"give one of {', '.join(seen)} a source")  # fmt: skip
    modelled = {s.name for s in template.signals for lane in s.lanes if lane.modelled}
    meant = names_of(template)
    estimated = tuple(n for n in whole.parameters if meant.get(n, n) in modelled and n not in seen)
    model, p = narrowed(reference, {}, kept), np.array([b.p for b in bound]).reshape(len(bound), -1)
    problem = _problem(template, model, estimated, p, [seen[n] for n in kept])
    places = [model.place("parameters", n) for n in estimated]
    begin = np.hstack((np.tile(model.x0, (len(rows), 1)), p[:, places]))
    held = np.array([[b.value for b in one.inputs] for one in bound]).reshape(len(bound), -1)
    wires = _wires(registry, template, paths, problem, first)
    return Kind(template.type, paths, problem, wires, p, begin, held, _version(reference, whole, problem, p))


def measured(b: Bound) -> bool:
    """Tell whether a quantity of a model is read off a source."""
    return b.signal is not None and b.signal.source is not None


def _told(b: Bound) -> bool:
    return b.signal is not None and any(lane.modelled for lane in b.signal.lanes)


def _problem(
    template: Template, model: Compiled, estimated: tuple[str, ...], p: F64, outputs: Sequence[Bound]
) -> Problem:
    states, sizes = model.scales("states"), model.scales("outputs")
    places = [model.place("parameters", n) for n in estimated]
    parameters = np.maximum(np.abs(p[:, places]).mean(0), 1e-3 * model.scales("parameters")[places])
    noise = Noise(
        state=_noises(template, model, "states", model.states, WANDER * states),
        parameter=_noises(template, model, "parameters", estimated, WALK * parameters),
        sensor=np.array([_sensor(b, SENSOR * size) for b, size in zip(outputs, sizes, strict=True)]),
        state_start=START * states, parameter_start=GUESSED * parameters,
    )  # fmt: skip
    dt = template.estimates.every_ns / 1e9
    return Problem(model, estimated, noise, dt, _steps(model, p[0], dt))


def _noises(template: Template, model: Compiled, kind: str, names: Sequence[str], usual: F64) -> F64:
    declared = getattr(model.model, kind)
    said = template.estimates.noise
    return np.array([
        units.quantity(said[n], declared[n].unit, difference=True) if n in said else usual[i] for i, n in enumerate(names)
    ])  # fmt: skip


def _sensor(b: Bound, usual: float) -> float:
    accuracy = None if b.signal is None else b.signal.accuracy
    return usual if accuracy is None else max(abs(accuracy * b.scale), 1e-12)


def _steps(model: Compiled, p: F64, dt: float) -> int:
    """Give how many steps the solver takes in one `dt`, so that the fastest mode at the start is stable."""
    maths.loaded()  # says what is missing
    import jax

    slope = np.asarray(jax.jacfwd(lambda x: model.rate(0.0, x, model.u0, p))(model.x0)).reshape(len(model.x0), -1)
    fastest = float(np.abs(np.linalg.eigvals(slope)).max(initial=0.0)) if np.isfinite(slope).all() else 0.0
    return int(np.clip(np.ceil(dt * fastest / STABLE), 1, STEPS))


def _wires(
    registry: Registry, template: Template, paths: Sequence[str], problem: Problem, first: Binding
) -> Wires:
    model, n = problem.model, len(paths)
    scale, offset = np.ones(len(registry)), np.zeros(len(registry))
    bound = {b.name: b for b in (*first.inputs, *first.states, *first.outputs)}
    by_name, meant = {s.name: s for s in template.signals}, names_of(template)

    def column(signal: Signal | None, unit: tuple[float, float], lane: str) -> I32:
        """Give the number of each machine's signal on a lane, and note its unit; -1 where it has none."""
        if signal is None:
            return np.full(n, -1, np.int32)
        found = np.asarray(registry.numbers([f"{path}/{signal.name}" for path in paths], lane), np.int32)
        scale[found], offset[found] = unit
        return found

    def read(name: str) -> I32:
        b = bound[name]
        return column(b.signal if measured(b) else None, (b.scale, b.offset), "measured")

    def told(name: str) -> I32:
        b = bound[name]
        return column(b.signal if _told(b) else None, (b.scale, b.offset), "estimated")

    def followed(name: str) -> I32:
        signal = by_name[meant.get(name, name)]
        return column(signal, units.conversion(signal.unit, model.model.parameters[name].unit), "estimated")

    nothing = np.full(n, -1, np.int32)  # of a state that is told, what is seen is told
    every = [*(nothing for _ in model.states), *map(followed, problem.estimated), *map(told, model.outputs)]
    inputs, outputs = [read(name) for name in model.inputs], [read(name) for name in model.outputs]
    return Wires(_side_by_side(inputs, n), _side_by_side(outputs, n), _side_by_side(every, n), scale, offset)


def _side_by_side(columns: Sequence[I32], machines: int) -> I32:
    return np.stack(columns, 1) if columns else np.zeros((machines, 0), np.int32)


def _version(reference: str, model: Compiled, problem: Problem, p: F64) -> str:
    """Name what gives the values: the model, and a digest of its code and of all that it was told."""
    noise = problem.noise
    said: list[Any] = [__version__, reference, _code(model), problem.estimated, problem.dt, problem.substeps]
    digest = hashlib.sha256(repr(said).encode())
    for column in (noise.state, noise.parameter, noise.sensor, noise.state_start, noise.parameter_start, p):
        digest.update(np.ascontiguousarray(column, np.float64).tobytes())
    return f"{reference}@{digest.hexdigest()[:12]}"


def _code(model: Compiled) -> str:
    try:
        return inspect.getsource(type(model.model))
    except (OSError, TypeError):  # made without a file
        return type(model.model).__qualname__
