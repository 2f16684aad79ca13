"""What `gemel check` finds of the figures of a type whose dynamic model is known."""

from __future__ import annotations

from collections.abc import Iterator

from gemel.assets.kpis import misfits
from gemel.assets.problem import did_you_mean
from gemel.assets.spec import Template
from gemel.dynamics.declared import Declared
from gemel.operate.binding import KINDS, names_of


def misjudged(template: Template, model: Declared | None) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    """Give what does not fit of a type's KPIs: severity, where, what, and what to do."""
    if model is None or not template.kpis:
        return
    known = _units(template, model)
    ends = {d.state for d in template.degradations if d.state}
    for one in template.kpis:
        missing = [name for name in (one.of, one.per) if name and name not in known]
        for name in missing:
            yield "error", ("kpis", one.name), f"KPI {one.name!r}: the model has no {name!r}", did_you_mean(name, known)
        for key, message, remedy in () if missing else misfits(one, known):
            yield "error", ("kpis", one.name, key), f"KPI {one.name!r}: {message}", remedy
        state = next((name for name, meant in names_of(template).items() if meant == one.of), one.of)
        if one.measure == "life" and one.limit is None and state not in ends:
            words = f"KPI {one.name!r}: where the life ends is not said"
            yield "error", ("kpis", one.name), words, "add limit:, or a degradation with that state"


def _units(template: Template, model: Declared) -> dict[str, str]:
    """Give the units of what a figure can be of: the model's quantities, by its names and by those of the plant."""
    own = {s.name: s.unit for s in template.signals if not s.states} | {p.name: p.unit for p in template.parameters}
    names, found = names_of(template), dict[str, str]()
    for kind in KINDS:
        for name, q in getattr(model, kind).items():
            meant = names.get(name, name)
            found[meant] = own.get(meant, q.unit)
            found.setdefault(name, found[meant])
    return found
