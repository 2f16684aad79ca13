"""Figures by which what-ifs are judged: read from a plant file, or from a line of the same words, and held against units.

`kpis: cost: {cost: power, price: 0.21 EUR/kWh}` in a type; `cost={cost: power, price: 0.21 EUR/kWh}` where one is asked.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from gemel.assets.document import parse_text
from gemel.assets.grammar_kpis import KPI
from gemel.assets.node import Node
from gemel.assets.problem import Problem, Problems
from gemel.assets.spec import Parameter, Signal
from gemel.assets.spec_kpi import MEASURES, Amount, KpiSpec
from gemel.errors import AssetError, ModelError
from gemel.samples import units
from gemel.samples.expression_kinds import number, product, quotient

BETTER: Final = {"energy": "less", "cost": "less", "violations": "less", "yield": "more", "life": "more", "order": "more"}
USUAL: Final = {"energy": "kWh", "yield": "%", "violations": "h", "life": "d"}
_LINE: Final = re.compile(r"^\s*(?P<name>[^\s={}][^={}]{0,79}?)\s*=\s*(?P<said>\{.*\})\s*$", re.DOTALL)
_PRICED: Final = re.compile(r"^\s*(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<money>[^/\d][^/]*?)\s*/\s*(?P<per>.+?)\s*$")
_CURRENCY: Final = re.compile(r"^([A-Z]{3}|[€$£¥])$")  # ISO 4217, or a sign
_RATE: Final = re.compile(r"^(?P<amount>.+)/(s|min|h|d)$")
_OWN: Final = {
    "per": ("yield", "ratio"), "price": ("cost",), "above": ("violations",), "below": ("violations",), "limit": ("life",),
    "amount": ("order",), "by": ("order",), "after": ("order",),
}  # fmt: skip
_NEEDED: Final = {"yield": "per", "ratio": "per", "cost": "price", "order": "amount"}
Wrong = tuple[str, str, str]  # key, what is wrong, what to write


def read_kpis(node: Node, signals: Mapping[str, Signal], parameters: Collection[Parameter], problems: Problems) -> tuple[KpiSpec, ...]:
    """Read the figures of a type; what is wrong is told with its line. What only its model knows is held against that elsewhere."""
    section = node.get("kpis")
    if section is None or not section.fields:
        return ()
    if node.get("dynamics") is None:
        problems.error(section, "kpis are figures of what-ifs, and the type has no dynamic model", "add dynamics: module:name, or take kpis: out")
    known = {s.name: s.unit for s in signals.values() if not s.states} | {p.name: p.unit for p in parameters}
    words = {s.name for s in signals.values() if s.states}
    found = []
    for name, said in section.fields.items():
        one = read_kpi(name, said, problems)
        if one is None:
            continue
        wrong = [*_wordy(one, words), *misfits(one, known)]
        for key, message, remedy in wrong:
            problems.error(said.get(key) or said, f"KPI {name!r}: {message}", remedy)
        found += [] if wrong else [one]
    return tuple(found)


def read_line(text: str) -> KpiSpec:
    """Read ``peak={max: power, unit: kW}``; raises ModelError (`bad-kpi`)."""
    said = _LINE.match(text)
    if said is None or "&" in text or "*" in text:
        raise _refused(f"{text[:80]!r} is no figure", "write NAME={max: power}, or the name of one that the plant file declares")
    problems = Problems()
    node = parse_text(said["said"], "", problems)
    found = read_kpi(said["name"], node, problems) if node is not None and KPI.check(node, f"KPI {said['name']!r}", problems) else None
    wrong: list[Problem] = problems.sorted()
    if found is None or wrong:
        raise _refused(*((wrong[0].message, wrong[0].remedy) if wrong else (f"{text[:80]!r} is no figure", "write NAME={max: power}")))
    return found


def read_kpi(name: str, said: Node, problems: Problems) -> KpiSpec | None:
    """Read one figure whose shape is right."""
    before = problems.count
    measures = [m for m in MEASURES if m in said.fields]
    if len(measures) != 1:
        words = "measures nothing" if not measures else f"measures {' and '.join(measures)}"
        if not said.lost:
            problems.error(said, f"KPI {name!r} {words}", f"write one of {', '.join(MEASURES)}, such as {{energy: power}}")
        return None
    measure = measures[0]
    for key, message, remedy in _parts(measure, said):
        problems.error(said.get(key) or said, f"KPI {name!r}: {message}", remedy)
    price, money, per = _prices(name, said.get("price"), problems)
    unit = str(said.plain("unit", None) or money or USUAL.get(measure, ""))
    if problems.count != before:
        return None
    return KpiSpec(
        name=name, measure=measure, of=str(said.plain(measure)), per=str(said.plain("per", "")), unit=unit,
        above=said.plain("above"), below=said.plain("below"), limit=said.plain("limit"),
        amount=said.plain("amount"), by=str(said.plain("by", "")), after=str(said.plain("after", "")), price=price, price_per=per,
        better=str(said.plain("better", BETTER.get(measure, ""))), description=str(said.plain("description", "")),
    )  # fmt: skip


def misfits(one: KpiSpec, known: Mapping[str, str]) -> Iterator[Wrong]:
    """Give what of a figure does not fit the units of what it names; of names that are not `known` nothing is said."""
    unit, per = known.get(one.of), known.get(one.per)
    if unit is None:
        return
    amounts = one.measure in ("energy", "cost", "total", "yield", "ratio", "order")
    if amounts and number(unit).point:
        yield one.measure, f"{one.of!r} is in {unit}, whose zero is not nothing: there is no amount of it", "name a rate or a power"
    elif one.measure == "energy" and not units.fits(unit, "W"):
        yield "energy", f"{one.of!r} is in {unit or '1'}, and a power is meant", "name a power, or write total:"
    elif one.measure == "cost" and not units.fits(product(unit, "s"), one.price_per):
        yield "price", f"the price is for {one.price_per}, and {one.of!r} is in {unit or '1'}", f"write a price for an amount of {one.of}"
    elif one.measure in ("total", "order") and not units.fits(product(unit, "s"), total_unit(one, unit)):
        yield "unit" if one.unit else one.measure, f"the amount of {one.of!r}, which is in {unit or '1'}, is not in {one.unit or unit}", "write unit: of the amount"
    elif one.measure in ("yield", "ratio") and per is not None and not units.fits(quotient(unit, per), one.unit or "1"):
        words = f"{one.of!r} in {unit or '1'} per {one.per!r} in {per or '1'} is not in {one.unit or '1'}"
        yield "unit" if one.unit else one.measure, words, "write unit:, such as kW.h/m3"
    elif one.measure in ("mean", "min", "max", "end") and one.unit and not units.fits(unit, one.unit):
        yield "unit", f"{one.of!r} is in {unit or '1'}, which cannot become {one.unit}", "write a unit that measures the same"
    else:
        yield from _amounts(one, unit)
    yield from _limits(one, unit)


def _amounts(one: KpiSpec, unit: str) -> Iterator[Wrong]:
    try:
        if one.amount is not None and units.quantity(one.amount, total_unit(one, unit)) <= 0:
            yield "amount", "an order of nothing is always met", "write how much is to be there"
    except AssetError as e:
        yield "amount", e.message, e.remedy


def total_unit(one: KpiSpec, unit: str) -> str:
    """Give the unit of an amount: the one said, else that of the rate without its time.

    >>> total_unit(KpiSpec("water", "total", "flow"), "m3/h")
    'm3'
    """
    found = _RATE.match(unit)
    return one.unit or (found["amount"] if found else unit)


def _limits(one: KpiSpec, unit: str) -> Iterator[Wrong]:
    read: dict[str, float] = {}
    said: dict[str, Amount | None] = {"above": one.above, "below": one.below, "limit": one.limit}
    for key, amount in said.items():
        try:
            read |= {} if amount is None else {key: units.quantity(amount, unit)}
        except AssetError as e:
            yield key, e.message, e.remedy
    if read.get("below", 0.0) >= read.get("above", 1e300):
        yield "below", f"{one.of!r} would be outside whatever it is", "write a lower below:, or a higher above:"
    if one.unit and one.measure in ("violations", "life") and not units.fits(one.unit, "s"):
        yield "unit", f"a time is not in {one.unit}", "write h, d or s"


def _parts(measure: str, said: Node) -> Iterator[Wrong]:
    for key, measures in _OWN.items():
        if key in said.fields and measure not in measures:
            yield key, f"{key} means nothing to {measure}", f"take it out; it belongs to {' and '.join(measures)}"
    needed = _NEEDED.get(measure)
    if needed and needed not in said.fields:
        yield measure, f"{measure} has no {needed}", f"add {needed}: {KPI.fields[needed].words.partition(': ')[2]}"
    if measure == "violations" and not {"above", "below"} & said.fields.keys():
        yield measure, "there is no limit to violate", "add above: or below:"
    if measure == "order" and "by" not in said.fields and not said.lost:
        yield measure, "nobody says until when", "add by: 8 h, or by: 18:00"
    if measure == "cost" and "unit" in said.fields:
        yield "unit", "a cost is in the currency of its price", "take unit: out"


def _prices(name: str, node: Node | None, problems: Problems) -> tuple[tuple[tuple[float, float], ...], str, str]:
    """Give pairs (second of the day, price), the currency, and what the price is for."""
    if node is None:
        return (), "", ""
    entries = node.fields or {"00:00": node}
    found: dict[float, float] = {}
    money = per = ""
    for clock, said in entries.items():
        try:
            value, coin, unit = _priced(str(said.value))
            money, per = money or coin, per or unit
            if coin != money:
                problems.error(said, f"KPI {name!r}: prices are in {money} and {coin}", "write all in one currency")
            hours, minutes = clock.split(":")
            found[3600.0 * int(hours) + 60.0 * int(minutes)] = value / units.conversion(unit, per)[0]
        except AssetError as e:
            problems.error(said, f"KPI {name!r}: {e.message}", e.remedy)
    return tuple(sorted(found.items())), money, per


def _priced(text: str) -> tuple[float, str, str]:
    """Read ``0.21 EUR/kWh``: a number, a currency (or a unit: kg of CO2), and what it is for; raises AssetError."""
    read = _PRICED.match(text)
    if read is None:
        raise AssetError(f"{text!r} is not a price", code="not-a-quantity", remedy="write it like 0.21 EUR/kWh")
    if not _CURRENCY.match(read["money"]):
        try:
            units.parse(read["money"])
        except AssetError as e:
            remedy = "write three capital letters as in EUR, or a unit as in 0.38 kg/kWh"
            raise AssetError(f"{read['money']!r} is no currency", code=e.code, remedy=remedy) from e
    units.parse(read["per"])
    return float(read["value"]), read["money"], read["per"]


def _wordy(one: KpiSpec, words: Collection[str]) -> Iterator[Wrong]:
    for key, name in ((one.measure, one.of), ("per", one.per)):
        if name in words:
            yield key, f"{name!r} has states, and a number is meant", "name another signal"


def _refused(message: str, remedy: str) -> ModelError:
    return ModelError(message, code="bad-kpi", remedy=remedy)

