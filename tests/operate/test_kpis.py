"""What a type declares is what a what-if is judged by, on every surface; and one may ask for something else by name or by a line."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from whatif_kit import ASSET, JUDGED, PLANT

import gemel
from gemel.assets import load
from gemel.cli.whatif import command
from gemel.errors import ModelError
from gemel.operate import whatif
from gemel.operate.models_check import model_problems

DECLARED = ["energy", "cost", "lifted", "warm", "low", "low, times", "bearing"]
SHORT = {"scenarios": [{"name": "more", "changes": [{"of": "demand", "how": "scale", "value": 1.15}]}], "horizon_s": 7200.0, "members": 16, "points": 121, "seed": 2}
SHOWN = {"demand": (306.0, "m3/h"), "ambient": (20.0, "degC"), "level": (4.0, "m")}


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return written(tmp_path_factory.mktemp("judged"), JUDGED)


def written(folder, text):
    (folder / "plant.yaml").write_text(text)
    return folder


def spec(folder, at="2026-11-21T21:00:00Z", **more):
    plant = load(folder)
    return whatif.spec(whatif.begin(plant, ASSET, SHOWN), {**SHORT, **more}, at, plant)


def test_what_the_type_declares_is_asked_where_nothing_is_and_the_rest_is_offered(plant):
    offered = whatif.begin(load(plant), ASSET, SHOWN)["kpis"]
    assert [k["name"] for k in offered if k["default"]] == DECLARED
    assert {"power, energy", "level, at the end"} <= {k["name"] for k in offered if not k["default"]}
    assert next(k for k in offered if k["name"] == "low, times")["kpi"] == "low"
    assert [k["name"] for k in spec(plant)["question"]["kpis"]] == DECLARED
    chosen = spec(plant, kpis=["low", "power, energy", "peak={max: power, unit: kW}"])["question"]["kpis"]
    assert [k["name"] for k in chosen] == ["low", "low, times", "power, energy", "peak"]
    assert chosen[-1] | {"factor": 0.001, "unit": "kW", "of": "power", "statistic": "max"} == chosen[-1]


def test_figures_are_those_of_the_bands_by_hand(plant):
    """Energy, cost, amount lifted and time outside, each from the trajectories themselves, by another rule of integration."""
    result = whatif.run(spec(plant, uncertain=[], watch=["power", "inflow", "level", "used_a"]), lambda done: True)
    hours = [t / 3600 for t in result["times_s"]]
    for future in result["futures"]:
        power, inflow, level, used = (future["bands"][i][2] for i in range(4))
        figures = {name: f["mean"] for name, f in future["figures"].items()}
        energy = trapezoid(hours, power) / 1000
        assert figures["energy"] == pytest.approx(energy, rel=1e-4)
        # it begins at 21:00, and at 22:00 it is cheaper
        dear = trapezoid([h for h in hours if h <= 1.0], [p for h, p in zip(hours, power, strict=True) if h <= 1.0]) / 1000
        assert figures["cost"] == pytest.approx(0.3 * dear + 0.1 * (energy - dear), rel=1e-4)
        assert figures["lifted"] == pytest.approx(energy / (trapezoid(hours, inflow) * 3600), rel=1e-4)
        assert figures["warm"] == pytest.approx(20.0, abs=1e-4)
        low = next((h for h, x in zip(hours, level, strict=True) if x < 3.9), 2.0)
        assert figures["low"] == pytest.approx(2.0 - low, abs=1 / 60) and figures["low, times"] == (low < 2.0)
        assert figures["bearing"] == pytest.approx((2 + (1 - used[-1]) / (used[-1] - used[0]) * 2) / 24, rel=1e-3)
    assert result["futures"][1]["figures"]["low, times"]["mean"] == 1.0
    assert [k["unit"] for k in result["kpis"]] == ["kWh", "EUR", "kW.h/m3", "degC", "h", "1", "d"]


def trapezoid(x, y):
    return sum((x[i + 1] - x[i]) * (y[i] + y[i + 1]) / 2 for i in range(len(x) - 1))


@pytest.mark.parametrize(("zone", "at", "first"), [("UTC", "2026-11-21T05:00:00Z", 3600.0), ("Europe/Berlin", "2026-11-21T05:00:00Z", 0.0), ("UTC", "2026-11-21T23:30:00Z", 6.5 * 3600)])
def test_the_hours_of_a_price_are_those_of_the_plants_day(tmp_path, zone, at, first):
    folder = written(tmp_path, JUDGED.replace("types:", f"timezone: {zone}\ntypes:"))
    cost = next(k for k in spec(folder, at=at)["question"]["kpis"] if k["name"] == "cost")
    dear = max(cost["price"], key=lambda pair: pair[1])
    assert dear[0] == first and cost["factor"] * dear[1] == pytest.approx(0.3 / 3.6e6)


@pytest.mark.parametrize(("asked", "words"), [("enrgy", "no figure 'enrgy'"), ("peak={max: pwer}", "no 'pwer'"), ("peak={max: power, unit: bar}", "cannot become bar"), ("peak={}", "measures nothing"), ("life={life: level}", "not said")])
def test_what_cannot_be_asked_is_refused_with_a_remedy(plant, asked, words):
    with pytest.raises(ModelError, match=words) as refused:
        spec(plant, kpis=[asked])
    assert refused.value.code == "bad-kpi" and refused.value.remedy


WRONG = {
    "no such quantity": ("{energy: power}", "{energy: powr}", "no 'powr'", "'power'"),
    "another unit": ("{energy: power}", "{energy: inflow}", "a power is meant", "power"),
    "no end": ("{life: used_a, limit: 1}", "{life: used_a}", "not said", "limit"),
    "a limit of something else": ("below: 3.9 m", "below: 3 bar", "cannot become", ""),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_check_holds_them_against_the_model(tmp_path, wrong):
    before, after, words, remedy = WRONG[wrong]
    folder = written(tmp_path, JUDGED.replace(before, after))
    try:
        found = [p for p in model_problems(load(folder), folder, evaluate=False) if p.severity == "error"]
    except gemel.GemelError as e:  # what the type's own units tell is told as it is read
        assert words in e.message
        return
    assert len(found) == 1 and words in found[0].message and remedy in found[0].remedy and found[0].line > 0


def test_a_declared_figure_that_the_model_has_not_is_said_when_it_begins(tmp_path):
    with pytest.raises(ModelError, match="KPI 'energy': the model has no 'powr'") as refused:
        whatif.begin(load(written(tmp_path, JUDGED.replace("{energy: power}", "{energy: powr}"))), ASSET, SHOWN)
    assert refused.value.code == "bad-kpi" and "'power'" in refused.value.remedy


def test_a_life_ends_where_the_degradation_of_that_state_does(tmp_path):
    wears = "    degradation: {bearing: {state: used_a, threshold: 80 %, unit: '%'}}\n    kpis:\n"
    text = JUDGED.replace("{life: used_a, limit: 1}", "{life: worn}").replace("dynamics: gemel.bench.station:Station", 'dynamics: {model: "gemel.bench.station:Station", names: {used_a: worn}}')
    folder = written(tmp_path, text.replace("    kpis:\n", wears).replace("      level: {unit: m", "      worn: {unit: '%'}\n      level: {unit: m"))
    bearing = next(k for k in whatif.begin(load(folder), ASSET, SHOWN)["kpis"] if k["name"] == "bearing")
    assert (bearing["of"], bearing["limit"]) == ("used_a", pytest.approx(0.8))
    assert [p for p in model_problems(load(folder), folder, evaluate=False) if p.severity == "error"] == []


def test_a_whole_figure_has_its_prices_by_the_hour_of_the_day_too(plant):
    whole = {"name": "cost", "statistic": "integral", "of": "power", "price": [(0.0, 1.0), (79_200.0, 2.0)]}
    assert spec(plant, kpis=[whole])["question"]["kpis"] == [{**whole, "price": [[3600.0, 2.0], [10_800.0, 1.0]]}]
    assert spec(plant, kpis=[{**whole, "price": [(5.0, 1.0)]}])["question"]["kpis"][0]["price"] == [(5.0, 1.0)]


def test_of_several_assets_each_has_its_own():
    line = Path(__file__).parents[2] / "examples" / "pumping-line"
    begun = whatif.begin(load(line), "example/pumping/line-1", {})
    names = {k["name"]: k for k in begun["kpis"] if k["default"]}
    assert {"pump-1/cost", "tank/level", "tank/level, times"} <= set(names)
    assert {n.partition("/")[0] for n in names} >= {"pump-1", "pump-2"}
    energy = [k for n, k in names.items() if k["statistic"] == "integral"]
    assert {k["of"].partition("/")[0] == k["name"].partition("/")[0] for k in energy} == {True}


@pytest.fixture(scope="module")
def line_found():
    """What a line of two pumps comes to, over two hours in which the price changes."""
    folder = Path(__file__).parents[2] / "examples" / "pumping-line"
    described, asset = load(folder), "example/pumping/line-1"
    begun = json.loads(json.dumps(whatif.begin(described, asset, {})))
    asked = {"scenarios": [{"name": "slower", "changes": [{"of": "pump-1/setpoint", "how": "scale", "value": 0.9}]}], "horizon_s": 7200.0, "points": 3, "watch": ["tank/level"],
             "members": 64, "seed": 2, "uncertain": [{"of": "pump-1/wear", "spread": 0.5}, {"of": "pump-2/wear", "spread": 0.5}]}  # fmt: skip
    return begun, whatif.run(whatif.spec(begun, asked, "2026-11-21T21:00:00Z", described), lambda done: True)


def test_of_an_area_amounts_are_summed_member_by_member(line_found):
    begun, result = line_found
    totals = {k["name"]: k for k in begun["kpis"] if k["statistic"] == "sum"}
    assert list(totals) == ["energy", "cost", "pumped"] and all(k["default"] for k in totals.values())
    assert totals["cost"]["unit"] == "EUR" and totals["cost"]["description"] == "Of pump-1, pump-2 together" and totals["cost"]["better"] == "less"
    for future in result["futures"]:
        for name in totals:
            one, two, both = (future["figures"][f"{of}{name}"] for of in ("pump-1/", "pump-2/", ""))
            assert both["mean"] == pytest.approx(one["mean"] + two["mean"], rel=1e-6)
            width = [f["quantiles"][-1] - f["quantiles"][0] for f in (one, two, both)]
            assert width[2] < 0.95 * (width[0] + width[1]), "the wear of two pumps is not the same wear"
    d = result["futures"][1]["differences"]["energy"]
    assert d["interval"][0] < d["mean"] < d["interval"][1] and d["clear"]


def test_a_total_can_be_asked_for_alone():
    folder = Path(__file__).parents[2] / "examples" / "pumping-line"
    described = load(folder)
    begun = whatif.begin(described, "example/pumping/line-1", {})
    [energy] = whatif.spec(begun, {**SHORT, "scenarios": [{"name": "same"}], "kpis": ["energy"]}, "2026-11-21T21:00:00Z", described)["question"]["kpis"]
    assert [part["name"] for part in energy["parts"]] == ["pump-1/energy", "pump-2/energy"]
    assert {"kpi", "default", "description"} & (energy.keys() | energy["parts"][0].keys()) == set()


def test_python_and_the_command_line_tell_the_same(plant, monkeypatch, tmp_path):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path))
    with gemel.open(plant) as twin:
        found = twin.whatif(ASSET, "demand=+15%", horizon="1h", members=16, seed=2, kpis=["energy", "peak={max: power, unit: kW}"])
    words = [str(plant), "--asset", ASSET, "--set", "demand=+15%", "--horizon", "1h", "--scenarios", "16", "--seed", "2"]
    words += ["--kpi", "energy", "--kpi", "peak={max: power, unit: kW}"]
    said = CliRunner().invoke(command, [*words, "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert [k["name"] for k in told["kpis"]] == ["energy", "peak"]
    assert told["futures"] == json.loads(json.dumps(found.told["futures"]))
    rows = {(r["scenario"], r["kpi"]): r for r in found.figures()}
    energy = rows["demand=+15%", "energy"]
    d = found.told["futures"][1]["differences"]["energy"]
    assert (energy["difference_low"], energy["difference_high"], energy["p_value"]) == (*d["interval"], d["p_value"])
    assert energy["better"] is (energy["difference"] < 0) and rows["demand=+15%", "peak"]["better"] is None
    assert rows["baseline", "energy"]["difference"] is None and rows["baseline", "energy"]["better"] is None
    said = CliRunner().invoke(command, [*words, "--kpi", "low"])
    line = re.search(r"energy .* kWh   ([+-]\S+) \[([+-]\S+) … ([+-]\S+)\] clearly, (worse|better)\n", said.output)
    assert line, said.output
    assert [float(word) for word in line.groups()[:3]] == pytest.approx([d["mean"], *d["interval"]], rel=1e-3)
    assert re.search(r"low, times +1 \[1 … 1\]   no difference\n", said.output), said.output
    refused = CliRunner().invoke(command, [*words, "--kpi", "none"])
    assert refused.exit_code != 0 and refused.exception.code == "bad-kpi"


def test_without_any_declared_it_is_as_before(tmp_path):
    names = [k["name"] for k in spec(written(tmp_path, PLANT))["question"]["kpis"]]
    assert names[0] == "power, energy" and names[-1] == "warmth, at the end"
