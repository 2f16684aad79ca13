"""Machines that are to be estimated and of which nothing is read: which they are, what of their model could be, what to write."""

from collections.abc import Iterator, Mapping

from gemel.assets import Plant
from gemel.assets.problem import few
from gemel.assets.spec import Template
from gemel.dynamics import Quantity
from gemel.dynamics.declared import Declared
from gemel.operate.binding import names_of
from gemel.samples.batch import I64
from gemel.samples.units import after

Found = tuple[str, tuple[str, ...], str, str]  # severity, where in the type, words, remedy


def heard(template: Template, states: Mapping[str, Quantity], outputs: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Give what the estimates of a type can listen to, its model's followed states and outputs, by the signal that each is."""
    asked, names = template.estimates, names_of(template)
    seen = {n: q for n, q in states.items() if not asked.states or n in asked.states} | dict(outputs)
    return {names.get(n, n): q for n, q in seen.items() if not asked.sensors or n in asked.sensors}


def unread(plant: Plant, kind: str, alone: I64, model: Declared | None) -> Iterator[Found]:
    """Give which assets of a type cannot be estimated for want of a source, and which inputs of them stand still.

    Args:
        plant: read without errors.
        kind: the type, by name.
        alone: rows of the assets that are followed each by itself.
        model: as it declares itself; None: not known.
    """
    of = {n: t for n, t in enumerate(plant.templates) if t.type == kind and any(lane.modelled for s in t.signals for lane in s.lanes)}
    rows = {n: found for n in of if len(found := alone[plant.assets.template[alone] == n])}
    if model is None or not rows:
        return

    def who(lacking: list[int]) -> str:
        names = [plant.assets.names[row] for n in lacking for row in rows[n].tolist()]
        return kind if len(lacking) == len(rows) else f"{few(names)} of {kind}"

    sensors = {n: heard(of[n], model.states, model.outputs) for n in rows}
    out = [n for n in rows if not _sourced(of[n]) & sensors[n].keys()]
    if out:
        words, remedy = silent(of[out[0]], sensors[out[0]])
        yield "error" if len(out) == len(rows) else "warning", ("dynamics",), f"nothing of {who(out)} is estimated: {words}", remedy
    for name, q in model.inputs.items():
        meant = names_of(next(iter(of.values()))).get(name, name)
        still = [n for n in rows if n not in out and any(s.name == meant and not s.modelled for s in of[n].signals) and meant not in _sourced(of[n])]
        if still:
            words = f"{meant!r} of {who(still)} has no source: estimates take {q.start:g}{after(q.unit)} for it, always"
            yield "warning", ("signals", meant), words, f"give {meant} a source, or let a parameter {meant} say what it is"


def silent(template: Template, sensors: Mapping[str, Quantity]) -> tuple[str, str]:
    """Say that nothing of a type's model is read, and what to write.

    Args:
        template: the type, or what some of its assets change of it.
        sensors: what could be read, by signal (`heard`).
    """
    known = {s.name: s for s in template.signals}
    name = min(sensors, key=lambda n: 1 if n not in known else 2 * known[n].given, default="")  # one that is measured before one to add
    signal = known.get(name)
    said = [f"unit: {signal.unit if signal is not None else sensors[name].unit if name else ''}", "source: {from: …, topic: …}"]
    if signal is not None and any(lane.modelled for lane in signal.lanes):
        said.append("estimated: {dynamics: true}")
    return (
        f"nothing that the model gives ({few(list(sensors))}) has a source",
        f"give one of them a source, as in {name}: {{{', '.join(said)}}}; what is posted or derived is not listened to",
    )


def _sourced(template: Template) -> set[str]:
    return {s.name for s in template.signals if s.source is not None}
