"""What of the estimates that a type declares its dynamic model cannot give, or cannot be followed by."""

from collections.abc import Collection, Iterator, Mapping

from gemel.assets.problem import did_you_mean
from gemel.assets.spec import Template
from gemel.dynamics import Quantity
from gemel.dynamics.declared import Declared
from gemel.errors import GemelError
from gemel.operate.binding import names_of
from gemel.operate.unread import heard
from gemel.samples.units import fits, quantity

Found = tuple[str, tuple[str, ...], str, str]  # severity, where in the type, words, remedy


def misestimated(template: Template, model: Declared | None) -> Iterator[Found]:
    """Give what is wrong with the estimates of a type; nothing where its model is not known.

    Args:
        template: the type.
        model: as it declares itself.
    """
    wanted = {s.name: s for s in template.signals for lane in s.lanes if lane.modelled}
    if model is None or not wanted:
        return
    names = names_of(template)
    parameters = {names.get(n, n): q for n, q in model.parameters.items()}
    seen = {names.get(n, n): q for n, q in (*model.states.items(), *model.outputs.items())}
    for name, signal in wanted.items():
        if name not in seen and name not in parameters:
            yield "error", ("signals", name), f"the model gives no {name!r}", did_you_mean(name, {**parameters, **seen})
        elif name not in seen and not fits(signal.unit, parameters[name].unit):
            words = f"{name!r} is in {signal.unit or '1'}, the model's parameter in {parameters[name].unit}"
            yield "error", ("signals", name), words, "give it a unit that measures the same"
    yield from _chosen(template, model, names, wanted)
    yield from _unsure(template, model)
    walking = dict(model.states) | {n: q for n, q in model.parameters.items() if names.get(n, n) in wanted}
    if not model.traceable and not model.exchanged:  # run as a whole: its inputs are drawn
        walking |= model.inputs
    yield from _scatters(template, {**model.states, **model.outputs}, {s.name for s in template.signals if s.source is not None}, names)
    yield from _noises(template, walking)
    yield from _changes(template, model.parameters)


def _chosen(template: Template, model: Declared, names: Mapping[str, str], wanted: Collection[str]) -> Iterator[Found]:
    """Give states and sensors that are named and are not there, and states that are told and not followed."""
    asked = template.estimates
    for key, named, known in (("states", asked.states, model.states), ("sensors", asked.sensors, {**model.states, **model.outputs})):
        for name in named:
            if name not in known:
                yield "error", ("estimates", key), f"the model has no {name!r} among its {key}", did_you_mean(name, known)
    for name in model.states:
        if asked.states and name not in asked.states and names.get(name, name) in wanted and name not in model.outputs:
            yield "error", ("estimates", "states"), f"{name!r} is told and not followed", f"add {name} to states, or leave its dynamics: out"


def _unsure(template: Template, model: Declared) -> Iterator[Found]:
    sensors = heard(template, model.states, model.outputs)
    for signal in template.signals:
        if signal.name in sensors and signal.source is not None and signal.accuracy is None:
            words = f"how accurate {signal.name!r} is, is not said: 1 % of its usual size is taken"
            yield "warning", ("signals", signal.name), words, "add accuracy: its standard uncertainty"


def _noises(template: Template, walking: dict[str, Quantity]) -> Iterator[Found]:
    for what, given in (("noise", template.estimates.noise), ("start", template.estimates.start)):
        for name, said in given.items():
            key = ("estimates", what, name)
            if name not in walking:
                yield "error", key, f"{name!r} is no state of the model, nor a parameter that is estimated", did_you_mean(name, walking)
            else:
                yield from _amount(key, said, walking[name].unit)


def _changes(template: Template, parameters: Mapping[str, Quantity]) -> Iterator[Found]:
    for name, said in template.estimates.changes.items():
        key = ("estimates", "changes", name)
        if name not in parameters:
            yield "error", key, f"the model has no parameter {name!r}", did_you_mean(name, parameters)
        else:
            yield from _amount(key, said, parameters[name].unit)


def _scatters(template: Template, seen: dict[str, Quantity], sourced: Collection[str], names: Mapping[str, str]) -> Iterator[Found]:
    """Give scatters of what is not listened to, and those that nothing is done with."""
    heard = {n for n in template.estimates.sensors or seen if names.get(n, n) in sourced}
    for name, said in template.estimates.scatter.items():
        key = ("estimates", "scatter", name)
        if name not in seen or name not in heard:
            yield "error", key, f"{name!r} is no state or output of the model that is listened to", did_you_mean(name, sorted(heard))
        elif not template.estimates.drift_ns:
            yield "warning", key, "where errors do not last, accuracy is the scatter: this one is not looked at", "add drift: 6 h, or leave it out"
        else:
            yield from _amount(key, said, seen[name].unit)


def _amount(key: tuple[str, ...], said: str | float, unit: str) -> Iterator[Found]:
    try:
        quantity(said, unit, difference=True)
    except GemelError as e:
        yield "error", key, f"the {key[1]} of {key[2]!r}: {e.message}", e.remedy
