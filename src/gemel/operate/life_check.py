"""What `gemel check` finds of degradations that are states of a dynamic model."""

from __future__ import annotations

from collections.abc import Iterator

from gemel.assets.problem import did_you_mean
from gemel.assets.spec import Degradation, Template
from gemel.dynamics.declared import Declared
from gemel.operate.binding import names_of
from gemel.samples.units import fits


def misworn(template: Template, model: Declared | None) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    """Give what does not fit of a type's degradations: severity, where, what, and what to do."""
    if model is None:
        return
    names, signals = names_of(template), {s.name for s in template.signals if not s.states}
    fed = any(names.get(name, name) in signals for name in model.inputs)
    for one in (d for d in template.degradations if d.state):
        key = ("degradation", one.name, "state")
        for words, remedy in _wrong(one, model):
            yield "error", key, f"degradation {one.name!r}: {words}", remedy
        if not fed:
            words = f"degradation {one.name!r}: no signal of the type feeds an input of the model, so nothing can be foretold"
            yield "warning", key, words, "name signals after the model's inputs, or map them by names: under dynamics:"


def _wrong(one: Degradation, model: Declared) -> Iterator[tuple[str, str]]:
    state = model.states.get(one.state)
    if state is None:
        yield f"the model has no state {one.state!r}", did_you_mean(one.state, model.states)
    elif not fits(one.unit, state.unit):
        yield f"it is in {one.unit or '1'}, the model's {one.state} in {state.unit}", "give it a unit: that measures the same"
