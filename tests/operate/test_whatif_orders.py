"""An order is an amount that is to be there by a time: a what-if tells in how many of its futures it is, and what is missing."""

import re

import pytest
from click.testing import CliRunner
from whatif_kit import ASSET, PLANT

from gemel.assets import load
from gemel.cli.whatif import command
from gemel.errors import AssetError, ModelError
from gemel.operate import whatif

SHOWN = {"demand": (306.0, "m3/h"), "ambient": (20.0, "degC"), "level": (4.0, "m")}
AT = "2026-11-21T21:00:00Z"
ORDERED = PLANT.replace("assets:\n", "    kpis: {today: {order: inflow, amount: 500 m3, by: \"23:00\"}, energy: {energy: power}}\nassets:\n")
SLOWER = {"scenarios": [{"name": "slower", "changes": [{"of": f"setpoint_{pump}", "how": "scale", "value": 0.9} for pump in "ab"]}],
          "members": 64, "points": 3, "seed": 2, "watch": ["level"], "uncertain": [{"of": "rated_speed", "spread": 0.04}]}  # fmt: skip


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return written(tmp_path_factory.mktemp("ordered"), ORDERED)


def written(folder, text):
    (folder / "plant.yaml").write_text(text)
    return folder


def spec(folder, *kpis, hours=2.0, at=AT, **more):
    plant = load(folder)
    asked = {**SLOWER, "horizon_s": 3600.0 * hours, **({"kpis": list(kpis)} if kpis else {}), **more}
    return whatif.spec(whatif.begin(plant, ASSET, SHOWN), asked, at, plant)


def test_it_is_met_in_the_members_whose_amount_is_there_in_time_and_told_what_is_missing_in_the_others(plant):
    first = whatif.run(spec(plant, "made={total: inflow}", hours=1.0), lambda done: True)["futures"][0]["figures"]["made"]
    amounts = {"little": 0.5 * first["quantiles"][0], "half": first["quantiles"][2], "much": 1.2 * first["quantiles"][-1]}
    lines = [f"{name}={{order: inflow, amount: {amount} m3, by: 1 h}}" for name, amount in amounts.items()]
    result = whatif.run(spec(plant, *lines, f"later={{order: inflow, amount: {amounts['much']} m3, by: 2 h}}"), lambda done: True)
    baseline, slower = (f["figures"] for f in result["futures"])
    assert [baseline[name]["mean"] for name in ("little", "much", "later")] == [1.0, 0.0, 1.0] and 0.3 < baseline["half"]["mean"] < 0.7
    assert baseline["little, missing"]["mean"] == 0.0
    assert baseline["much, missing"]["mean"] == pytest.approx(amounts["much"] - first["mean"], rel=1e-4)
    assert slower["half"]["mean"] < baseline["half"]["mean"] and slower["half, missing"]["mean"] > baseline["half, missing"]["mean"]
    gone = result["futures"][1]["differences"]["half"]
    assert gone["mean"] == pytest.approx(slower["half"]["mean"] - baseline["half"]["mean"]) and gone["interval"][0] < gone["mean"] < gone["interval"][1]
    told = {k["name"]: k for k in result["kpis"]}
    assert (told["half"]["statistic"], told["half"]["better"], told["half, missing"]["unit"], told["half, missing"]["better"]) == ("met", "more", "m3", "less")


@pytest.mark.parametrize(
    ("by", "hours"),
    [("90 min", 1.5), ("22:30", 1.5), ('"20:00"', 23.0), ("2026-11-22T00:00", 3.0), ("2026-11-21T23:00:00Z", 2.0)],
)
def test_it_is_due_after_a_span_at_a_time_of_the_day_or_at_a_time(plant, by, hours):
    [met, missing] = spec(plant, f"order={{order: inflow, amount: 280 m3, by: {by}}}", hours=24.0)["question"]["kpis"]
    assert met["until_s"] == missing["until_s"] == pytest.approx(3600 * hours) and "by" not in met
    assert met["limit"] == pytest.approx(280.0) and met["name"] == "order"


def test_one_that_is_due_when_nothing_is_computed_is_refused_and_one_that_is_usual_left_out(plant):
    with pytest.raises(ModelError, match="only 2 h are computed"):
        spec(plant, "order={order: inflow, amount: 280 m3, by: 3 h}")
    with pytest.raises(ModelError, match="due before it begins"):
        spec(plant, "order={order: inflow, amount: 280 m3, by: 2026-11-20}")
    assert [k["name"] for k in spec(plant, hours=2.0)["question"]["kpis"]] == ["today", "today, missing", "energy"]
    assert [k["name"] for k in spec(plant, hours=1.0)["question"]["kpis"]] == ["energy"]


@pytest.mark.parametrize(
    ("said", "why"),
    [("{order: inflow, by: 8 h}", "amount"), ("{order: inflow, amount: 280 m3}", "until when"), ("{order: inflow, amount: 280 kWh, by: 8 h}", "kWh"),
     ("{order: inflow, amount: 0 m3, by: 8 h}", "always met"), ("{order: inflow, amount: 280 m3, by: soon}", "soon"), ("{energy: power, by: 8 h}", "means nothing to energy")],
)  # fmt: skip
def test_one_that_says_not_what_or_until_when_is_refused(plant, tmp_path, said, why):
    with pytest.raises(ModelError, match=why) as refused:
        spec(plant, f"order={said}", hours=24.0)
    assert refused.value.code == "bad-kpi"
    if "inflow, amount: 280 kWh" not in said and "inflow, amount: 0" not in said:  # what only the model knows, `gemel check` says
        with pytest.raises(AssetError, match=why):
            load(written(tmp_path, PLANT.replace("assets:\n", f"    kpis: {{order: {said}}}\nassets:\n")))


def test_a_shell_says_in_how_many_of_the_futures(plant, monkeypatch, tmp_path):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path))
    words = [str(plant), "--asset", ASSET, "--set", "setpoint_a=*0.9", "--horizon", "1h", "--scenarios", "16", "--kpi", "order={order: inflow, amount: 280 m3, by: 1 h}"]
    said = CliRunner().invoke(command, words)
    assert said.exit_code == 0, said.output
    assert re.search(r"baseline +order +met in 100 % of the members\n", said.output), said.output
    assert re.search(r"setpoint_a=\*0.9 +order +met in 0 % of the members   -100 \[-100 … -100\] of 100 members\n", said.output), said.output
    assert re.search(r"setpoint_a=\*0.9 +order, missing +[\d.]+ \[[\d.]+ … [\d.]+\] m3", said.output), said.output
