"""What of the calibration that a type declares its dynamic model cannot give, and what no data can ever tell."""

from collections.abc import Iterator, Sequence

from gemel.assets.problem import did_you_mean
from gemel.assets.spec import Template
from gemel.dynamics.declared import Declared
from gemel.operate.binding import names_of
from gemel.operate.estimates_check import Found


def misfitted(template: Template, model: Declared | None, ties: Sequence[tuple[str, str]] = ()) -> Iterator[Found]:
    """Give what is wrong with the calibration of a type; nothing where its model is not known.

    Args:
        template: the type.
        model: as it declares itself.
        ties: parameters of the model that are one number with a state, with that state.
    """
    if model is None:
        return
    names, asked = names_of(template), template.calibration
    seen = {**model.states, **model.outputs}
    sourced = {s.name for s in template.signals if not all(lane.modelled for lane in s.lanes)}
    for name in asked.sensors:
        if name not in seen:
            yield "error", ("calibration", "sensors"), f"the model has no {name!r} among its states and outputs", did_you_mean(name, seen)
        elif names.get(name, name) not in sourced:
            yield "error", ("calibration", "sensors"), f"nothing reads {name!r}", f"give the type a signal {names.get(name, name)}, or leave it out"
    heard = {names.get(n, n) for n in (*model.inputs, *(asked.sensors or seen))}
    for key, said in (("running", asked.running), ("regimes", asked.regimes)):
        for signal, _ in said:
            if signal not in heard:
                yield "error", ("calibration", key, signal), f"{signal!r} is no input of the model, nor a sensor that the fit listens to", did_you_mean(signal, heard)
    yield from _one_number(template, ties)


def _one_number(template: Template, ties: Sequence[tuple[str, str]]) -> Iterator[Found]:
    names, marked = names_of(template), {p.name for p in template.parameters if p.calibrate}
    for parameter, state in ties:
        said = names.get(parameter, parameter)
        if said in marked:
            words = f"{said!r} is marked calibrate and is one number with the model's state {state!r}: no data tell them apart, and no night releases anything"
            yield "warning", ("parameters", said), words, f"take calibrate off {said}: {state} follows the machine, by estimates:"
