"""What `gemel check` finds of the dynamic models that a plant file names: by file and line, in a process of its own.

types with `dynamics` -> the model, loaded in a child with limits -> its declaration against signals and parameters
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from gemel.assets import Plant, Problem
from gemel.assets.merge import read_directory
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Parameter, Template
from gemel.operate.fmi.host import Limits, ask
from gemel.samples.units import conversion, fits

DECLARED: Final = Limits(time_s=60.0, memory_bytes=2_000_000_000)
EVALUATED: Final = Limits(time_s=300.0, memory_bytes=16_000_000_000)  # JAX reserves far more than it uses
KINDS: Final = ("inputs", "outputs", "states")


def model_problems(plant: Plant, folder: Path, evaluate: bool) -> list[Problem]:
    """Check the dynamic models of a plant.

    Args:
        plant: read without errors.
        folder: where its files are: read again, for the lines.
        evaluate: whether the models are computed with, which needs JAX; else only what they declare is looked at.
    """
    problems = Problems()
    root = read_directory(folder, Problems())
    types: Mapping[str, Node] = {} if root is None else (root.get("types") or Node({}, "", 0)).fields
    told: dict[str, dict[str, Any]] = {}
    for template in {t.type: t for t in plant.templates if t.dynamics}.values():
        reference = str(template.dynamics)
        if reference not in told:
            told[reference] = ask(
                {"do": "check", "path": reference, "evaluate": evaluate}, EVALUATED if evaluate else DECLARED
            )
        at = _place(types, template, "dynamics")
        for severity, message, remedy in (*_found(reference, told[reference]), *_unbound(template, told[reference], evaluate)):
            (problems.error if severity == "error" else problems.warn)(at, message, remedy)
        for severity, key, message, remedy in _misfits(template, told[reference]):
            where = _place(types, template, *key)
            (problems.error if severity == "error" else problems.warn)(where, message, remedy)
    return problems.sorted()


def _place(types: Mapping[str, Node], template: Template, *keys: str) -> Node:
    """Give where something of a type stands: in the type, or in one that it extends."""
    for name in template.lineage:
        node = types.get(name)
        for key in keys:
            node = node.get(key) if node is not None else None
        if node is not None:
            return node
    return types.get(template.type) or Node(None, "plant.yaml", 0)


def _found(reference: str, told: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if "error" in told:
        yield "error", f"{reference}: {told['error']}", told.get("remedy") or "see its code: it is run with limits"
    for severity, message, remedy in told.get("findings", ()):
        yield severity, f"{reference}: {message}", remedy


def _unbound(template: Template, told: Mapping[str, Any], wanted: bool) -> Iterator[tuple[str, str, str]]:
    signals = {s.name for s in template.signals}
    for name, (unit, start) in told.get("quantities", {}).get("inputs", {}).items() if wanted else ():
        if name not in signals:
            words = f"the model's input {name!r} has no signal: {start:g} {unit} is taken"
            yield "warning", words, f"let a signal {name} of this type give it, where it is measured"


def _misfits(template: Template, told: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str], str, str]]:
    quantities = told.get("quantities")
    if quantities is None:
        return
    for signal in template.signals:
        for kind in KINDS:
            unit, _ = quantities[kind].get(signal.name, (None, 0.0))
            if unit is not None and not signal.states and not fits(signal.unit, unit):
                words = f"signal {signal.name!r} is in {signal.unit or '1'}, the model's {kind[:-1]} of that name in {unit}"
                yield "error", ("signals", signal.name), words, "give it a unit that measures the same, or another name"
    for parameter in template.parameters:
        said = quantities["parameters"].get(parameter.name)
        key = ("parameters", parameter.name)
        if said is None:
            remedy = did_you_mean(parameter.name, quantities["parameters"])
            yield "warning", key, f"the model has no parameter {parameter.name!r}", remedy
        elif not fits(parameter.unit, said[0]):
            words = f"parameter {parameter.name!r} is in {parameter.unit or '1'}, the model's in {said[0]}"
            yield "error", key, words, "give it a unit that measures the same"
        else:
            yield from ((*("error", key), *wrong) for wrong in _outside(parameter, said))


def _outside(parameter: Parameter, said: Any) -> Iterator[tuple[str, str]]:
    unit, _, low, high = said
    scale, offset = conversion(parameter.unit, unit)
    for what, value in (("default", parameter.default), ("lower limit", parameter.low), ("upper limit", parameter.high)):
        si = None if value is None else value * scale + offset
        slack = 0.0 if si is None else 1e-9 * (1.0 + abs(si))  # of the conversion
        if si is not None and value is not None and not low - slack <= si <= high + slack:
            words = f"the {what} of {parameter.name!r}, {value:g} {parameter.unit}, is impossible in the model: {low:g} to {high:g} {unit}"
            yield words, "correct it, or the range that the model declares"
