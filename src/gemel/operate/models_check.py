"""What `gemel check` finds of the dynamic models that a plant file names: by file and line, in a process of its own.

types with `dynamics` -> the model, loaded in a child with limits -> its declaration against signals and parameters
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.assets import Plant, Problem
from gemel.assets.fmus import is_fmu, parted
from gemel.assets.merge import read_directory
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Parameter, Template
from gemel.dynamics import Quantity
from gemel.dynamics.declared import Declared
from gemel.dynamics.joints import read_joints
from gemel.dynamics.stiffness import REMEDY, STABLE, stiff_words
from gemel.errors import ModelError
from gemel.estimate.stable_steps import STEPS
from gemel.operate.binding import names_of
from gemel.operate.calibrate_check import misfitted
from gemel.operate.estimates_areas_check import balances_told, check_areas, rows_alone
from gemel.operate.estimates_check import misestimated
from gemel.operate.fmi.host import ask
from gemel.operate.fmi.trial import TRIED, refused, tried
from gemel.operate.fmi.uses import misused
from gemel.operate.joining import joined_by
from gemel.operate.kpis_check import misjudged
from gemel.operate.life_check import misworn
from gemel.operate.models import DECLARED, EVALUATED, fmu_of
from gemel.operate.unread import unread
from gemel.samples.units import after, conversion, fits

KINDS: Final = ("inputs", "outputs", "states")
ALL: Final = (*KINDS, "parameters")
WHATIF_S: Final = 10.0 / 2**6  # the step that is usual, halved as often as `gemel.scenarios.ready` does it


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
    alone = rows_alone(plant)
    types_alone = {plant.templates[n].type for n in np.unique(plant.assets.template[alone])}
    for template in {t.type: t for t in plant.templates if t.dynamics}.values():
        reference = str(template.dynamics)
        if reference not in told:
            told[reference] = _looked_at(reference, evaluate)
        at = _place(types, template, "dynamics")
        for severity, message, remedy in (*_found(reference, told[reference]), *_unbound(template, told[reference], evaluate), *_stiff(template, told[reference])):
            (problems.error if severity == "error" else problems.warn)(at, message, remedy)
        model = told[reference].get("declared")
        found = (
            *_misfits(template, told[reference]), *misestimated(template, model), *unread(plant, template.type, alone, model), *misworn(template, model),
            *misused(template, told[reference].get("fmu"), alone=template.type in types_alone), *misjudged(template, model),
            *misfitted(template, model, told[reference].get("ties", ())),
        )  # fmt: skip
        for severity, key, message, remedy in found:
            where = _place(types, template, *key)
            (problems.error if severity == "error" else problems.warn)(where, message, remedy)
    _check_joints(plant, root.items_of("relations") if root is not None else [], told, problems)
    if all("declared" in one for one in told.values()):
        check_areas(plant, root.get("estimates") if root is not None else None, problems)
    balances_told(plant, root.get("balances") if root is not None else None, problems)
    return problems.sorted()


def _looked_at(reference: str, evaluate: bool) -> dict[str, Any]:
    if not is_fmu(reference):
        return ask({"do": "check", "path": reference, "evaluate": evaluate}, EVALUATED if evaluate else DECLARED)
    try:
        return tried(replace(fmu_of(reference), limits=TRIED), evaluate)
    except ModelError as e:
        return refused(e)


def _check_joints(
    plant: Plant, nodes: Sequence[Node], told: Mapping[str, Mapping[str, Any]], problems: Problems
) -> None:  # fmt: skip
    """Report relations that are to join ports and cannot, those between assets of the same kinds once."""
    seen: set[Any] = set()
    for relation in plant.relations:
        rows = [plant.assets.find(end) or 0 for end in (relation[0], relation[2])]
        of, other = (told.get(plant.template(row).dynamics or "", {}).get("declared") for row in rows)
        same = (*(plant.template(row).type for row in rows), relation[1], plant.ports.get(relation))
        if of is None or other is None or same in seen:
            continue
        seen.add(same)
        left, right = (end.rpartition("/")[2] for end in (relation[0], relation[2]))
        try:
            joints = [(f"a/{a}", f"b/{b}") for a, b in joined_by(plant, relation, of, other)]
            read_joints({"a": of, "b": other}, joints)
        except ModelError as e:
            at = next((n for n in nodes if _says(str(n.value), left, relation[1], right)), Node(None, "plant.yaml", 0))
            problems.error(at, f"{left} {relation[1]} {right}: {e.message}", e.remedy)


def _says(text: str, left: str, word: str, right: str) -> bool:
    first, said, last = text.split()
    return said == word and left in first and right in last


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
    name = parted(reference)[0] if is_fmu(reference) else reference

    def said(words: str) -> str:
        return words if words.startswith(name) else f"{name}: {words}"

    if "error" in told:
        yield "error", said(told["error"]), told.get("remedy") or "see its code: it is run with limits"
    for severity, _code, message, remedy in told.get("findings", ()):
        yield severity, said(message), remedy


def _unbound(template: Template, told: Mapping[str, Any], wanted: bool) -> Iterator[tuple[str, str, str]]:
    model: Declared | None = told.get("declared")
    if model is None or not wanted:
        return
    names = names_of(template)
    properties = {s.name for s in template.signals} | {p.name for p in template.parameters}
    for name, q in model.inputs.items():
        if names.get(name, name) not in properties:
            words = f"the model's input {name!r} has no signal: {q.start:g}{after(q.unit)} is taken"
            yield "warning", words, f"let a signal or parameter {name} of this type give it, or another one by names:"


def _stiff(template: Template, told: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    rate, followed = told.get("fastest", 0.0), any(lane.modelled for s in template.signals for lane in s.lanes)
    steps = {"what-ifs": WHATIF_S} | ({"estimates": template.estimates.every_ns / 1e9 / STEPS} if followed else {})
    late = [f"{what} step down to {step:.2g} s" for what, step in steps.items() if rate * step > STABLE]
    if late:
        yield "warning", f"{stiff_words(rate)} somewhere in its declared ranges; {', '.join(late)}, and do not stay finite there", REMEDY


def _misfits(template: Template, told: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    model: Declared | None = told.get("declared")
    if model is None:
        return
    names, every = names_of(template), {n for kind in ALL for n in getattr(model, kind)}
    for name in names:
        if name not in every:
            yield "error", ("dynamics", "names", name), f"the model has no {name!r}", did_you_mean(name, every)
    for signal in template.signals:
        for kind, name, q in _meant(model, names, signal.name, KINDS):
            if not signal.states and not fits(signal.unit, q.unit):
                words = f"signal {signal.name!r} is in {signal.unit or '1'}, the model's {kind[:-1]}{_called(name, signal.name, kind)} in {q.unit}"
                yield "error", ("signals", signal.name), words, "give it a unit that measures the same, or another name"
    for parameter in template.parameters:
        key, meant = ("parameters", parameter.name), list(_meant(model, names, parameter.name, ALL))
        if not any(kind in {"parameters", "inputs"} for kind, _, _ in meant):
            remedy = did_you_mean(parameter.name, model.parameters)
            yield "warning", key, f"the model has no parameter {parameter.name!r}", remedy
        for kind, name, q in meant:
            if not fits(parameter.unit, q.unit):
                words = f"parameter {parameter.name!r} is in {parameter.unit or '1'}, the model's{_called(name, parameter.name, kind)} in {q.unit}"
                yield "error", key, words, "give it a unit that measures the same"
            elif kind == "parameters":
                yield from ((*("error", key), *wrong) for wrong in _outside(parameter, q))


def _meant(
    model: Declared, names: Mapping[str, str], property_name: str, kinds: tuple[str, ...]
) -> Iterator[tuple[str, str, Quantity]]:
    """Give the model's quantities that a property gives."""
    for kind in kinds:
        for name, q in getattr(model, kind).items():
            if names.get(name, name) == property_name:
                yield kind, name, q


def _called(name: str, property_name: str, kind: str) -> str:
    if name != property_name:
        return f" {name!r}, which it gives,"
    return "" if kind == "parameters" else " of that name"


def _outside(parameter: Parameter, q: Quantity) -> Iterator[tuple[str, str]]:
    scale, offset = conversion(parameter.unit, q.unit)
    for what, value in (("default", parameter.default), ("lower limit", parameter.low), ("upper limit", parameter.high)):
        si = None if value is None else value * scale + offset
        slack = 0.0 if si is None else 1e-9 * (1.0 + abs(si))  # of the conversion
        if si is not None and value is not None and not q.low - slack <= si <= q.high + slack:
            words = f"the {what} of {parameter.name!r}, {value:g}{after(parameter.unit)}, is impossible in the model: {q.low:g} to {q.high:g}{after(q.unit)}"
            yield words, "correct it, or the range that the model declares"
