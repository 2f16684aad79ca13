"""Figures of what-ifs are declared on a type, in its units; what does not fit is told with its line and what to write."""

import pytest
from plants import write

from gemel.assets import check
from gemel.assets.kpis import read_line
from gemel.errors import ModelError

PLANT = """plant: acme/works
types:
  Press:
    dynamics: acme.models:Press
    signals:
      power: {unit: kW}
      feed: {unit: kg/h}
      product: {unit: t/h}
      temperature: {unit: degC}
      running: {kind: state, states: ["off", "on"]}
    parameters: {wear: {unit: "%", default: 5}}
    kpis:
      energy: {energy: power}
      cost: {cost: power, price: {"22:00": 140 EUR/MW.h, "06:00": 0.28 EUR/kW.h}}
      carbon: {cost: power, price: 0.38 kg/kWh, better: less}
      throughput: {total: feed}
      yield: {yield: product, per: feed}
      over: {violations: temperature, above: 194 degF, below: 5}
      life: {life: wear, limit: 0.15}
      pressed: {mean: what only the model knows}
assets:
  press: {type: Press}
"""


def read(tmp_path, text=PLANT):
    write(tmp_path, text)
    plant, problems = check(tmp_path)
    return plant, [p for p in problems if p.severity == "error"]


def test_kpis_are_read_with_their_usual_units_and_prices_of_the_day(tmp_path):
    plant, problems = read(tmp_path)
    assert problems == []
    found = {k.name: k for k in plant.templates[0].kpis}
    assert list(found) == ["energy", "cost", "carbon", "throughput", "yield", "over", "life", "pressed"]
    assert [(k.unit, k.better) for k in found.values()][:3] == [("kWh", "less"), ("EUR", "less"), ("kg", "less")]
    assert found["cost"].price_per == "MW.h" and found["cost"].price == ((6 * 3600.0, pytest.approx(280.0)), (22 * 3600.0, 140.0))
    assert (found["yield"].unit, found["yield"].better, found["over"].unit, found["life"].unit) == ("%", "more", "h", "d")


WRONG = {
    "no such name": ("{energy: power}", "{energie: power}", "unknown key 'energie'", "energy"),
    "two measures": ("{energy: power}", "{energy: power, max: power}", "measures energy and max", "write one of"),
    "no measure": ("{energy: power}", "{unit: kW.h}", "measures nothing", "{energy: power}"),
    "no power": ("{energy: power}", "{energy: feed}", "a power is meant", "total:"),
    "no rate": ("{total: feed}", "{total: temperature}", "zero is not nothing", "name a rate"),
    "no amount": ("{total: feed}", "{total: feed, unit: m}", "not in m", "write unit:"),
    "no price": ("{energy: power}", "{cost: power}", "has no price", "add price:"),
    "no currency": ("0.38 kg/kWh", "0.38 euros/kWh", "no currency", "EUR"),
    "another thing's price": ("0.38 kg/kWh", "0.38 kg/m3", "the price is for m3", "for an amount of power"),
    "two currencies": ("0.28 EUR/kW.h", "0.28 CHF/kW.h", "prices are in EUR and CHF", "one currency"),
    "no hour": ('"06:00"', '"6 am"', "cannot name", "06:00"),
    "no per": ("{yield: product, per: feed}", "{yield: product}", "yield has no per", "add per:"),
    "per of another kind": ("per: feed}", "per: power}", "is not in %", "write unit:"),
    "no limit": (", above: 194 degF, below: 5", "", "no limit to violate", "above:"),
    "the wrong way round": ("below: 5", "below: 95", "outside whatever it is", "lower below"),
    "a limit in another unit": ("194 degF", "2 bar", "cannot become 'degC'", "the same as 'degC'"),
    "what belongs elsewhere": ("{mean: what", "{above: 3, mean: what", "means nothing to mean", "violations"),
    "a state": ("{energy: power}", "{mean: running}", "has states", "another signal"),
    "no time": ("limit: 0.15}", "limit: 0.15, unit: kg}", "a time is not in kg", "write h"),
    "no model": ("    dynamics: acme.models:Press\n", "", "no dynamic model", "add dynamics:"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told_with_its_line_and_what_to_write(tmp_path, wrong):
    before, after, words, remedy = WRONG[wrong]
    assert before in PLANT
    _, problems = read(tmp_path, PLANT.replace(before, after, 1))
    assert len(problems) == 1, problems
    assert words in problems[0].message and remedy in problems[0].remedy
    assert problems[0].line > 0


def test_a_line_says_a_figure_in_the_same_words():
    one = read_line("peak = {max: power, unit: kW, better: less}")
    assert (one.name, one.measure, one.of, one.unit, one.better) == ("peak", "max", "power", "kW", "less")
    assert read_line("over={violations: t, above: 90 degC}").above == "90 degC"


@pytest.mark.parametrize("line", ["peak", "peak=max power", "peak={mox: power}", "={max: power}", "peak={max: power, above: 3}", "p={max: &a power}", "p={max: *a}", "p={max: [}"])
def test_a_line_that_says_no_figure_is_refused(line):
    with pytest.raises(ModelError) as refused:
        read_line(line)
    assert refused.value.code == "bad-kpi" and refused.value.remedy


def test_an_heir_has_the_kpis_of_what_it_extends_and_its_own(tmp_path):
    heir = "  Large:\n    extends: Press\n    kpis: {peak: {max: power}, energy: {unit: MW.h}}\nassets:\n  large: {type: Large}\n"
    plant, problems = read(tmp_path, PLANT.replace("assets:\n", heir))
    assert problems == []
    kpis = {k.name: k for t in plant.templates if t.type == "Large" for k in t.kpis}
    assert kpis["peak"].of == "power" and kpis["energy"].unit == "MW.h" and "life" in kpis
