"""Figures of a what-if: those that the types declare, those that one gets anyway, and those that somebody asks for.

    type's kpis ─► offered (in SI, with the unit they are told in) ─┐
    names, NAME={max: power}, whole figures as over HTTP ───────────┴─► asked: what the referee reads off the runs

Prices by the hour are of the plant's local day; the referee counts from the beginning of the what-if.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gemel.assets import Plant
from gemel.assets.kpis import misfits, read_line, total_unit
from gemel.assets.problem import did_you_mean
from gemel.assets.spec_kpi import Amount, KpiSpec
from gemel.errors import GemelError, ModelError
from gemel.operate import kpis_due, kpis_total
from gemel.operate.joining import members, parts_of
from gemel.samples.expression_kinds import product, quotient
from gemel.samples.units import conversion, quantity

DAY_S: Final = 86_400.0
STATISTICS: Final = {"mean": "mean", "min": "min", "max": "max", "end": "last"}
ABOUT: Final = ("kpi", "default", "description")  # what is said of a figure that is offered, and not asked of the referee
Told = dict[str, Any]


def offered(plant: Plant, asset: str, quantities: Mapping[str, Mapping[str, Told]]) -> list[Told]:
    """Give the figures that can be asked of an asset (or several) by name, as the referee takes them, each with what is said of it.

    Args:
        plant: as applied.
        asset: as asked.
        quantities: by kind and name, as a what-if begins with them.

    Returns:
        As of ``POST /scenarios``, with ``kpi`` (the name it was declared by), ``default`` (told where nothing is asked
        for) and ``description``. Raises ModelError (`bad-kpi`) where a declared one does not fit the model.
    """
    paths = members(plant, asset)
    parts = {path: f"{name}/" for name, path in parts_of(plant, paths).assets.items()} if len(paths) > 1 else {paths[0]: ""}
    declared = [told for path in paths for told in _declared(plant, path, parts[path], quantities)]
    declared = [*kpis_total.totals(declared, parts), *declared]
    taken = {told["name"] for told in declared}
    usual = [{**told, "kpi": told["name"], "default": not declared, "description": ""} for told in _usual(quantities) if told["name"] not in taken]
    return [*declared, *usual]


def asked(
    begun: Mapping[str, Any], wanted: Sequence[str | Told] | None, at: str, timezone: str, horizon_s: float = DAY_S
) -> list[Told]:  # fmt: skip
    """Give the figures that are asked for, or else the default ones; raises ModelError (`bad-kpi`).

    Args:
        begun: where the what-if begins, with what is `offered`.
        wanted: names of figures, ``NAME={max: power}`` of the words of a plant file, or whole figures in SI.
        at: plant time that it begins with (ISO 8601).
        timezone: of the plant.
        horizon_s: how far ahead it looks.
    """
    known: list[Told] = begun.get("kpis", [])
    named = [one for item in wanted or () for one in _one(item, known, begun["quantities"])]
    found = kpis_due.timed(named or [k for k in known if k["default"]], at, timezone, horizon_s, asked=bool(named))
    shift = _second_of_day(at, timezone)
    return list({one["name"]: _from(_plain(one), shift) for one in found}.values())


def resolved(one: KpiSpec, quantities: Mapping[str, Mapping[str, Told]], path: str = "", prefix: str = "") -> list[Told]:
    """Give what the referee reads of a figure, one or (of violations) two; raises ModelError (`bad-kpi`).

    Args:
        one: as written.
        quantities: by kind and name.
        path: of the asset whose it is; empty: names say it themselves.
        prefix: of its names, where there are several assets.
    """
    of = _find(one, one.of, quantities, path, prefix)
    per = _find(one, one.per, quantities, path, prefix) if one.per else None
    shown = {one.of: of.shown} | ({one.per: per.shown} if per is not None else {})
    for _, message, remedy in misfits(one, shown):
        raise _refused(one, message, remedy)
    about = {"of": of.name, "better": one.better, "kpi": prefix + one.name, "default": True, "description": one.description}
    try:
        return [{**about, **said, "name": prefix + one.name + said.get("name", "")} for said in _said(one, of, per)]
    except GemelError as e:
        raise _refused(one, e.message, e.remedy) from e


@dataclass(frozen=True, slots=True)
class _Named:
    """A quantity of the model: SI = value * scale + offset, where the value is in the unit that the plant shows."""

    name: str
    unit: str
    shown: str
    scale: float
    offset: float

    def si(self, amount: Amount) -> float:
        return quantity(amount, self.shown) * self.scale + self.offset


def _find(one: KpiSpec, name: str, quantities: Mapping[str, Mapping[str, Told]], path: str, prefix: str) -> _Named:
    every = {n: q for kind in quantities.values() for n, q in kind.items()}
    component, _, last = (prefix + name).rpartition("/")
    found = prefix + name
    for n, q in every.items():  # as the plant calls it, before the model
        owner, _, own = q["property"].rpartition("/")
        if own == last and n.rpartition("/")[0] == component and path in ("", owner):
            found = n
            break
    if found not in every:
        raise _refused(one, f"the model has no {name!r}", did_you_mean(name, [n.removeprefix(prefix) for n in every]))
    q = every[found]
    return _Named(found, q["unit"], q["shown_unit"], q["scale"], q["offset"])


def _declared(plant: Plant, path: str, prefix: str, quantities: Mapping[str, Mapping[str, Told]]) -> Iterator[Told]:
    row = plant.assets.find(path)
    assert row is not None
    template = plant.template(row)
    ends = {d.state: f"{d.threshold} {d.unit}" for d in template.degradations if d.state}
    for one in template.kpis:
        ended = one
        if one.measure == "life" and one.limit is None:
            state = _find(one, one.of, quantities, path, prefix).name.removeprefix(prefix)
            ended = replace(one, limit=ends.get(state))
        yield from resolved(ended, quantities, path, prefix)


def _said(one: KpiSpec, of: _Named, per: _Named | None) -> Iterator[Told]:
    """Give statistic, factor, offset, unit and limits of a figure."""
    if one.measure in STATISTICS:
        factor, offset = conversion(of.unit, one.unit or of.shown)
        yield {"statistic": STATISTICS[one.measure], "factor": factor, "offset": offset, "unit": one.unit or of.shown}
    elif one.measure in ("energy", "total"):
        unit = total_unit(one, of.shown)
        yield {"statistic": "integral", "factor": conversion(product(of.unit, "s"), unit)[0], "unit": unit}
    elif one.measure == "cost":
        yield {"statistic": "integral", "unit": one.unit, **_priced(one, conversion(product(of.unit, "s"), one.price_per)[0])}
    elif per is not None:
        unit = one.unit or "1"
        yield {"statistic": "ratio", "per": per.name, "factor": conversion(quotient(of.unit, per.unit), unit)[0], "unit": unit}
    elif one.measure == "violations":
        limits = {key: of.si(amount) for key, amount in (("below", one.below), ("above", one.above)) if amount is not None}
        yield {"statistic": "time_outside", "factor": conversion("s", one.unit)[0], "unit": one.unit, **limits}
        yield {"name": ", times", "statistic": "times_outside", "unit": "1", **limits}
    elif one.measure == "order":
        unit, due = total_unit(one, of.shown), {"by": one.by, "after": one.after}
        factor = conversion(product(of.unit, "s"), unit)[0]
        limit = quantity(one.amount or 0.0, unit) / factor
        yield {"statistic": "met", "limit": limit, "unit": "1", **due}
        yield {"name": ", missing", "statistic": "missing", "limit": limit, "factor": factor, "unit": unit, "better": "less", **due}
    else:
        if one.limit is None:
            raise _refused(one, "where the life ends is not said", "add limit:, or a degradation with that state")
        yield {"statistic": "life", "limit": of.si(one.limit), "factor": conversion("s", one.unit)[0], "unit": one.unit}


def _priced(one: KpiSpec, factor: float) -> Told:
    if len(one.price) == 1:
        return {"factor": factor * one.price[0][1]}
    return {"factor": factor, "price": [list(pair) for pair in one.price]}


def _one(item: str | Told, known: Sequence[Told], quantities: Mapping[str, Mapping[str, Told]]) -> list[Told]:
    if not isinstance(item, str):
        return [item]
    if "=" in item:
        return resolved(read_line(item), quantities)
    found = [k for k in known if item in (k["name"], k["kpi"])]
    if not found:
        raise ModelError(
            f"there is no figure {item[:80]!r}", code="bad-kpi",
            remedy=did_you_mean(item, [k["name"] for k in known]) + " Or write NAME={max: power}.",
        )  # fmt: skip
    return found


def _plain(one: Told) -> Told:
    found = {key: value for key, value in one.items() if key not in ABOUT}
    return found | {"parts": [_plain(part) for part in one["parts"]]} if one.get("parts") else found


def _from(one: Told, shift: float) -> Told:
    """Count the hours of a price from the beginning of the what-if."""
    if one.get("parts"):
        return {**one, "parts": [_from(part, shift) for part in one["parts"]]}
    if len(one.get("price") or ()) < 2:
        return one
    return {**one, "price": sorted([(second - shift) % DAY_S, price] for second, price in one["price"])}


def _second_of_day(at: str, timezone: str) -> float:
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(timezone))
    return local.hour * 3600.0 + local.minute * 60.0 + local.second + local.microsecond / 1e6


def _usual(quantities: Mapping[str, Mapping[str, Told]]) -> Iterator[Told]:
    """Give the figures that one gets where none is declared: means of outputs, energy of powers, ends of states."""
    for name, q in quantities["outputs"].items():
        if q["unit"] == "W":
            yield {"name": f"{name}, energy", "statistic": "integral", "of": name, "factor": 1 / 3.6e6, "unit": "kWh", "better": "less"}
        else:
            yield {"name": f"{name}, mean", "statistic": "mean", "of": name, "unit": q["unit"]}
    for name, q in quantities["states"].items():
        yield {"name": f"{name}, at the end", "statistic": "last", "of": name, "unit": q["unit"]}


def _refused(one: KpiSpec, message: str, remedy: str) -> ModelError:
    return ModelError(f"KPI {one.name!r}: {message}", code="bad-kpi", remedy=remedy)
