"""Which machines of a plant are followed by their dynamic model, and how: what the plant file declares, bound to signals.

types with signals that the model gives -> model, noises (SI) -> machines side by side: numbers, parameters, version
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np

from gemel import __version__
from gemel.assets import Plant
from gemel.assets.problem import few
from gemel.assets.spec import Estimates, Signal, Template
from gemel.dynamics import Compiled, compile_model
from gemel.dynamics.reduced import Reduced
from gemel.errors import ModelError
from gemel.estimate import Method, Noise, Problem
from gemel.estimate.discrepancy import discrepant
from gemel.estimate.stable_steps import steps_of
from gemel.operate.binding import Binding, Bound, bind, names_of
from gemel.operate.estimates_kind import Kind, version
from gemel.operate.estimates_method import changes_of, errors_of, method_of
from gemel.operate.estimates_whole import by_members
from gemel.operate.estimating import Wires
from gemel.operate.fmi.coupled import as_a_whole
from gemel.operate.fmi.model import plain
from gemel.operate.machine import narrowed
from gemel.operate.models import Reference, compiled
from gemel.operate.unread import heard, silent
from gemel.samples import Registry, units
from gemel.samples.batch import F64, I32

WANDER: Final = 1e-3  # of a state's usual size, per square root of a second, where nothing is said
WALK: Final = 1e-4  # of a parameter's
SENSOR: Final = 0.01  # of an output's, as the uncertainty of a reading
START: Final = 0.25  # of a state's usual size: how uncertain its beginning is
WANDERED: Final = 100.0  # … or as far as it wanders in 10^4 s, some three hours, where that is more
GUESSED: Final = 0.2  # of a parameter's value or usual size


def kinds_of(plant: Plant, registry: Registry, together: Collection[int] = ()) -> list[Kind]:
    """Give the kinds of machines that are followed each by itself; raises ModelError where a model cannot be loaded or bound.

    Args:
        plant: as applied.
        registry: numbers its signals.
        together: rows of assets that are followed as parts of a system (`estimates_areas.followed`).
    """
    return [make() for _, make in makes_of(plant, registry, together)]


def makes_of(plant: Plant, registry: Registry, together: Collection[int] = ()) -> Iterator[tuple[str, Callable[[], Kind]]]:
    """Give, of each kind of `kinds_of`, the name of the type and what makes it: one that fails need not stop the others."""
    for number, template in enumerate(plant.templates):
        rows = np.setdiff1d(np.flatnonzero(plant.assets.template == number), np.fromiter(together, np.int64))
        if len(rows) and template.dynamics and any(lane.modelled for s in template.signals for lane in s.lanes):
            yield template.type, partial(_kind, plant, registry, template, rows.tolist())


def _kind(plant: Plant, registry: Registry, template: Template, rows: Sequence[int]) -> Kind:
    reference = str(template.dynamics)
    whole = compiled(reference)
    paths = tuple(plant.assets.paths[row] for row in rows)
    bound = [bind(plant, path, model=whole.model) for path in paths]
    first, asked = bound[0], template.estimates
    followed = asked.states or whole.states
    seen = {b.name: b for b in (*(b for b in first.states if b.name in followed), *first.outputs)}
    listened = {n for n, b in seen.items() if measured(b) and n in (asked.sensors or seen)}
    kept = tuple(n for n, b in seen.items() if n in listened or is_told(b))
    if not listened:
        words, remedy = silent(template, heard(template, whole.model.states, whole.model.outputs))
        raise ModelError(f"of {few(paths)}, {words}", code="unbound", remedy=remedy)
    modelled = {s.name for s in template.signals for lane in s.lanes if lane.modelled}
    meant = names_of(template)
    estimated = tuple(n for n in whole.parameters if meant.get(n, n) in modelled and n not in seen)
    read = tuple(b.name for b in first.states if b.name not in followed and measured(b))
    model = followed_model(reference, followed, read, kept)
    p = np.array([b.p for b in bound]).reshape(len(bound), -1)
    gauges = [next(b for b in (*first.states, *first.inputs) if b.name == n) for n in model.inputs]
    problem = by_members(problem_of(asked, model, estimated, p, [seen[n] for n in kept], gauges), asked, first.inputs)
    errors = errors_of(asked, [seen[n] for n in kept if n in listened], problem)
    predicts, method = discrepant(problem, errors), method_of(asked, problem)
    places = [model.place("parameters", n) for n in estimated]
    begin = np.hstack((np.tile(predicts.model.x0, (len(rows), 1)), p[:, places]))
    held = np.array([[one[n] for n in model.inputs] for one in ({b.name: b.value for b in (*b.states, *b.inputs)} for b in bound)])
    wires = _wires(registry, template, paths, predicts, first, listened)
    said = said_of(reference, whole, predicts, method)
    return Kind(
        template.type, paths, problem, wires, p, begin, held.reshape(len(bound), -1), version(reference, said, p),
        lambda path, releases: bind(plant, path, releases, model=whole.model), said, predicts, np.zeros((len(rows), 0)), method=method, errors=errors,
        changes=changes_of(asked, whole),
    )  # fmt: skip


def followed_model(reference: Reference, states: Sequence[str], read: tuple[str, ...], outputs: tuple[str, ...]) -> Compiled:
    """Give a model of which some states are followed, some are read, and some outputs are looked at; once a process."""
    if set(states) == set(compiled(reference).states):
        return narrowed(reference, {}, outputs)
    return _reduced(json.dumps(reference), tuple(states), read, outputs)


@lru_cache(64)
def _reduced(reference: str, states: tuple[str, ...], read: tuple[str, ...], outputs: tuple[str, ...]) -> Compiled:
    """Give a model of which some states are followed: once a process, so that what is compiled of it is found again."""
    return compile_model(Reduced(compiled(json.loads(reference)).model, states, read, outputs))


def measured(b: Bound) -> bool:
    """Tell whether a quantity of a model is read off a source."""
    return b.signal is not None and b.signal.source is not None


def is_told(b: Bound) -> bool:
    """Tell whether a quantity of a model is told on the estimated lane of a signal."""
    return b.signal is not None and any(lane.modelled for lane in b.signal.lanes)


def problem_of(
    asked: Estimates, model: Compiled, estimated: tuple[str, ...], p: F64, outputs: Sequence[Bound], inputs: Sequence[Bound] = ()
) -> Problem:
    """Give what is estimated of machines: outputs, inputs with gauges bound, parameters [machines, parameters], noises as asked or as fits the model."""
    states, sizes = model.scales("states"), model.scales("outputs")
    places = [model.place("parameters", n) for n in estimated]
    parameters = np.maximum(np.abs(p[:, places]).mean(0), 1e-3 * model.scales("parameters")[places])
    wander = _asked(asked.noise, model, "states", model.states, WANDER * states)
    noise = Noise(
        state=wander,
        parameter=_asked(asked.noise, model, "parameters", estimated, WALK * parameters),
        sensor=np.array([_sensor(b, SENSOR * size) for b, size in zip(outputs, sizes, strict=True)]),
        state_start=_asked(asked.start, model, "states", model.states, np.maximum(START * states, WANDERED * wander)),
        parameter_start=_asked(asked.start, model, "parameters", estimated, GUESSED * parameters),
        input=np.array([_sensor(b, 0.0) if measured(b) else 0.0 for b in inputs]) if inputs else None,
    )  # fmt: skip
    dt = asked.every_ns / 1e9
    whole = as_a_whole(plain(model.model))
    return Problem(model, estimated, noise, dt, 1 if whole else steps_of(model, p[0], dt))


def _asked(said: Mapping[str, str | float], model: Compiled, kind: str, names: Sequence[str], usual: F64) -> F64:
    """Give what the plant file says of states or parameters, SI; what is usual where it says nothing."""
    declared = getattr(model.model, kind)
    return np.array([
        units.quantity(said[n], declared[n].unit, difference=True) if n in said else usual[i] for i, n in enumerate(names)
    ])  # fmt: skip


def _sensor(b: Bound, usual: float) -> float:
    accuracy = None if b.signal is None else b.signal.accuracy
    return usual if accuracy is None else max(abs(accuracy * b.scale), 1e-12)


def _wires(
    registry: Registry, template: Template, paths: Sequence[str], problem: Problem, first: Binding, listened: Collection[str]
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
        return column(b.signal if is_told(b) else None, (b.scale, b.offset), "estimated")

    def followed(name: str) -> I32:
        signal = by_name[meant.get(name, name)]
        return column(signal, units.conversion(signal.unit, model.model.parameters[name].unit), "estimated")

    nothing = np.full(n, -1, np.int32)  # of a state that is told, what is seen is told
    every = [*(nothing for _ in model.states), *map(followed, problem.estimated), *map(told, model.outputs)]
    inputs = [read(name) for name in model.inputs]
    outputs = [read(name) if name in listened else nothing for name in model.outputs]
    return Wires(side_by_side(inputs, n), side_by_side(outputs, n), side_by_side(every, n), scale, offset)


def side_by_side(columns: Sequence[I32], machines: int) -> I32:
    """Give columns [machines] as [machines, columns]; there may be none."""
    return np.stack(columns, 1) if columns else np.zeros((machines, 0), np.int32)


def said_of(reference: str, model: Compiled, problem: Problem, method: Method | None = None) -> str:
    """Give a digest of the model's code and of all that the filter was told, but for parameters."""
    noise, of = problem.noise, problem.model
    said: list[Any] = [__version__, reference, code_of(model), problem.estimated, problem.dt, problem.substeps, of.states, of.inputs, of.outputs, method]
    digest = hashlib.sha256(repr(said).encode())
    for column in (noise.state, noise.parameter, noise.sensor, noise.state_start, noise.parameter_start, *(() if noise.input is None else (noise.input,))):
        digest.update(np.ascontiguousarray(column, np.float64).tobytes())
    return digest.hexdigest()


def code_of(model: Compiled) -> str:
    """Give the source of a model's class, or its name where there is none."""
    try:
        return inspect.getsource(type(model.model))
    except (OSError, TypeError):  # made without a file
        return type(model.model).__qualname__
