"""A machine of a plant file is joined with its model, and fitted to a file by `gemel calibrate`."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gemel.assets import load
from gemel.cli.calibrate import command
from gemel.connect.files import FileOptions
from gemel.dynamics.fixed import trajectory
from gemel.errors import ConfigError, ModelError, NotFoundError
from gemel.operate.machine import chosen, machine_of, modelled, parameters_from, parameters_to
from gemel.operate.recorded import from_file

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/cascaded-tanks"
MINUTES = """
plant: a/b
types:
  T:
    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks
    signals: {pump: {unit: mV}, lower: {unit: V, range: [0, 10]}}
    parameters:
      k1: {unit: V^0.5/min, calibrate: true, range: [1.2, 2.4]}
      k3: {unit: V^0.5/min, default: 6}
assets: {rig: {type: T, parameters: {k1: 1.8 V^0.5/min}}}
"""


@pytest.fixture
def plant(tmp_path):
    def write(text=MINUTES):
        (tmp_path / "plant.yaml").write_text(text)
        return tmp_path

    return write


def recorded(path, model, truth, steps, seed, header="time_s,u_pump_V,y_level_V"):
    rng = np.random.default_rng(seed)
    u = 2.6 + np.repeat(rng.uniform(-1, 1, steps // 25), 25)[:, None]
    _, y = trajectory(model, np.array([4.0, 4.0]), u, truth, 4.0)
    noisy = np.asarray(y)[:, 0] + 0.01 * rng.standard_normal(steps)
    rows = "\n".join(f"{4 * i},{u[i, 0]:.6f},{noisy[i]:.6f}" for i in range(steps))
    path.write_text(f"{header}\n{rows}\n")
    return path


def test_parameters_and_signals_cross_units_both_ways(plant):
    machine = machine_of(load(plant()), "a/b/rig")
    k1, k3 = (machine.model.place("parameters", name) for name in ("k1", "k3"))
    assert machine.p[[k1, k3]] == pytest.approx([0.03, 0.1])
    assert (machine.low[k1], machine.high[k1]) == pytest.approx((0.02, 0.04))
    assert machine.free == ("k1",)
    assert parameters_from(machine, machine.p)["k1"] == pytest.approx(1.8)
    assert parameters_to(machine, {"k1": 2.4})[k1] == pytest.approx(0.04)
    assert machine.inputs[0].si(np.array([2500.0])) == pytest.approx([2.5])


def test_what_cannot_be_joined_is_refused_in_words(plant):
    with pytest.raises(ModelError, match="no signal 'lower'"):
        machine_of(load(plant(MINUTES.replace("lower:", "depth:"))), "a/b/rig")
    with pytest.raises(NotFoundError, match="no dynamic model"):
        machine_of(load(plant("plant: a/b\ntypes: {T: {signals: {x: {unit: m}}}}\nassets: {rig: {type: T}}")), "a/b/rig")
    machine = machine_of(load(plant(MINUTES.replace(", calibrate: true", ""))), "a/b/rig")
    with pytest.raises(ModelError, match="no parameter of a/b/rig is marked"):
        chosen(machine, ())
    with pytest.raises(ModelError, match="no 'wear' among"):
        chosen(machine, ("wear",))
    assert modelled(load(EXAMPLE)) == ["benchmark/cascaded-tanks/bench/rig"]


def test_a_file_gives_records_in_si_and_what_is_out_of_range_is_bad(plant, tmp_path):
    described = load(plant())
    machine = machine_of(described, "a/b/rig")
    rows = "\n".join(f"{2 * i},{1000 + i},{'' if i == 3 else 12 if i == 5 else 5}" for i in range(10))
    file = tmp_path / "some.csv"
    file.write_text(f"time_s,pump,y\n{rows}\n")
    with pytest.raises(ModelError, match="no column for a/b/rig/lower"):
        from_file(described, machine, file, FileOptions(), {})
    (record,) = from_file(described, machine, file, FileOptions(), {"y": "rig/lower"})
    assert record.dt == 2.0
    assert record.inputs[:3, 0] == pytest.approx([1.0, 1.001, 1.002])
    assert np.flatnonzero(record.weights[:, 0] == 0).tolist() == [3, 5]


def test_the_command_finds_known_parameters_and_says_how_the_model_runs_free(tmp_path):
    machine = machine_of(load(EXAMPLE), "benchmark/cascaded-tanks/bench/rig")
    truth = parameters_to(machine, {"k3": 0.061, "k4": 0.047})
    seen = recorded(tmp_path / "seen.csv", machine.model, truth, 250, 1)
    unseen = recorded(tmp_path / "unseen.csv", machine.model, truth, 250, 2)
    asked = [str(EXAMPLE), "--data", str(seen), "--validate", str(unseen), "--parameter", "k3", "--parameter", "k4", "--starts", "1", "--json"]
    ran = CliRunner().invoke(command, asked, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    for name, value in (("k3", 0.061), ("k4", 0.047)):
        e = told["parameters"][name]
        assert e["value"] == pytest.approx(value, rel=0.01)
        assert e["low"] < value < e["high"]
        assert e["told"] and not e["at_bound"] and e["unit"]
    assert told["rmse"]["lower"] == {"value": pytest.approx(0.01, rel=0.2), "unit": "V"}
    assert told["validation"]["rmse"]["lower"]["value"] == pytest.approx(0.01, rel=0.3)
    assert told["validation"]["rmse_before"]["lower"]["value"] > 0.1
    assert told["residuals"][0]["whiteness_p"] > 0.01
    assert told["gate"]["passed"], told["gate"]["against"]


def test_the_command_says_what_is_missing(tmp_path):
    with pytest.raises(ConfigError, match="no data of a twin"):
        CliRunner().invoke(command, [str(EXAMPLE), "--data", str(tmp_path)], catch_exceptions=False)
    with pytest.raises(ConfigError, match="the twin does not run"):
        CliRunner().invoke(command, [str(EXAMPLE), "--data", str(tmp_path), "--roll-back"], catch_exceptions=False)
    file = tmp_path / "x.csv"
    file.write_text("time_s,u_pump_V,y_level_V\n0,1,1\n")
    with pytest.raises(ConfigError, match="0 assets with a model are called 'pump-9'"):
        CliRunner().invoke(command, [str(EXAMPLE), "pump-9", "--data", str(file)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("rows", "row", "word"),
    [
        (["0,1,5", "4,1,ERR", "8,1,off", "12,1,5"], 2, "ERR"),
        ([",1,5", "8,1,5", "4,1,ERR", "0,1,5", "12,1,5"], 3, "ERR"),  # a row without a time, and rows out of order
        (["0;1,5;5,0", "4;1,5;5,1", "8;1,5;off", "12;1,5;5,0"], 3, "off"),  # a decimal comma is no word
    ],
)
def test_a_word_in_a_column_of_numbers_is_named_with_its_file_column_and_row(tmp_path, rows, row, word):
    file = tmp_path / "logger.csv"
    head = "time_s,u_pump_V,y_level_V"
    file.write_text("\n".join([head.replace(",", ";") if ";" in rows[0] else head, *rows]) + "\n")
    said = f"logger.csv: column y_level_V, row {row} under its head: '{word}' is no number"
    with pytest.raises(ModelError, match=said) as e:
        CliRunner().invoke(command, [str(EXAMPLE), "--data", str(file)], catch_exceptions=False)
    assert e.value.code == "no-number" and e.value.remedy
    assert e.value.__suppress_context__, "nothing of the reader's own words follows"
