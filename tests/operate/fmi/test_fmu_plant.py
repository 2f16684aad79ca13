"""A plant file names an FMU: what it is is known by its content, and what is wrong with it is told by line before anything runs."""

import numpy as np
import pytest
from fmu_kit import FOLLOWED, lag, plant, third
from plants import HEAD

import gemel
from gemel.assets import check, load
from gemel.dynamics.solve import solve
from gemel.errors import ModelError
from gemel.operate.binding import bind
from gemel.operate.fmi import Limits, fmu
from gemel.operate.models import compiled, fmu_of
from gemel.operate.models_check import model_problems

ASSET = "acme/site/hall/heater-1"
MORE = "      gain: {unit: m, default: 1}\n"


@pytest.fixture(scope="module")
def heater(tmp_path_factory):
    return plant(tmp_path_factory.mktemp("heater"))


def found(folder, evaluate=False):
    read, problems = check(folder)
    assert read is not None, problems
    return [(p.severity, p.line, p.message) for p in model_problems(read, folder, evaluate)]


def test_a_good_fmu_is_found_good_with_and_without_computing(heater):
    assert found(heater) == []
    assert found(heater, evaluate=True) == []


def test_its_content_is_part_of_the_plant(tmp_path, heater):
    other = plant(tmp_path, heater / "models" / "lag.fmu")
    first = load(other)
    assert first.digest == load(heater).digest
    lag(other / "models", body="return 0.0;")
    second = load(other)
    assert second.digest != first.digest
    assert [str(step) for step in second.planned_from(first).steps] == ["changed FMU models/lag.fmu"]


def test_a_plant_without_its_fmu_is_refused_with_the_line_that_names_it(tmp_path, heater):
    folder = plant(tmp_path, heater / "models" / "lag.fmu")
    (folder / "models" / "lag.fmu").unlink()
    read, problems = check(folder)
    assert read is None
    assert (4, "there is no FMU models/lag.fmu") in [(p.line, p.message) for p in problems if p.severity == "error"]


@pytest.mark.parametrize("said", ["{fmu: ../lag.fmu}", "{fmu: /etc/lag.fmu}", "{fmu: lag.zip}", "{fmu: a.fmu, model: 'a:B'}", "{names: {x: temperature}}"])
def test_a_name_that_leads_elsewhere_or_two_models_are_refused(tmp_path, heater, said):
    folder = plant(tmp_path, heater / "models" / "lag.fmu")
    text = (folder / "plant.yaml").read_text()
    (folder / "plant.yaml").write_text(text.replace("{fmu: models/lag.fmu, names: {x: temperature, u: supply}}", said))
    read, problems = check(folder)
    assert read is None
    assert 4 in {p.line for p in problems}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"version": "1.0"}, "of FMI 1.0"),
        ({"binaries": "win64"}, "none for linux64"),
        ({"body": "return 0.0 / 0.0;"}, "lag.fmu"),
        ({"body": "for (;;) {}"}, "did not end|SIGXCPU|SIGALRM"),
        ({"body": "*(volatile int *)0 = 1; return 0;"}, "SIGSEGV"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_an_error_at_the_line_that_names_it(tmp_path, monkeypatch, how, words):
    monkeypatch.setattr("gemel.operate.models_check.TRIED", Limits(time_s=2.0 if "for" in how.get("body", "") else 20.0))
    told = found(plant(tmp_path, lag(tmp_path / "fmu", **how)))
    errors = [(line, message) for severity, line, message in told if severity == "error"]
    assert len(errors) == 1
    assert errors[0][0] == 4
    import re

    assert re.search(words, errors[0][1]), errors
    assert errors[0][1].count("models/lag.fmu") == 1


def test_what_is_no_fmu_is_told(tmp_path):
    (tmp_path / "text").write_text("no archive")
    told = found(plant(tmp_path, tmp_path / "text"))
    assert [(severity, line) for severity, line, _ in told] == [("error", 4)]


def test_variables_and_units_that_do_not_fit_are_told_by_line(tmp_path, heater):
    folder = plant(tmp_path, heater / "models" / "lag.fmu", signals="      warmth: {unit: degC}\n", more=MORE)
    text = (folder / "plant.yaml").read_text()
    other = text.replace("u: supply", "v: supply").replace("x: temperature", "x: filling")
    (folder / "plant.yaml").write_text(other.replace("temperature: {unit: degC, range: [-50, 200], accuracy: 0.1 degC}", "filling: {unit: m}"))
    told = {(line, message) for severity, line, message in found(folder) if severity == "error"}
    assert (4, "the model has no 'v'") in told
    assert any(line == 6 and "is in m, the model's" in message for line, message in told)
    assert any("parameter 'gain' is in m, the model's in 1" in message for _, message in told)


def test_what_one_for_co_simulation_cannot_do_is_told_before_it_is_asked(tmp_path):
    whole = lag(tmp_path / "fmu", "CoSimulation")
    assert found(plant(tmp_path / "plain", whole)) == []
    told = found(plant(tmp_path / "followed", whole, head=HEAD, **{**FOLLOWED, "signals": ""}))
    assert [m for s, _, m in told if s == "error"] == ["'temperature' is to be estimated, and models/lag.fmu is for co-simulation and cannot save its state: nobody can go on from what it remembers"]
    unset = found(plant(tmp_path / "unset", lag(tmp_path / "other", "CoSimulation", initial="calculated")))
    assert any(s == "warning" and "nothing that may be set before it begins" in m for s, _, m in unset)


def test_one_that_saves_its_state_is_followed_and_what_it_cannot_be_told_is_told_by_line(tmp_path):
    every = {**FOLLOWED, "followed": FOLLOWED["followed"].replace("every: 1 s", "every: 1 s, noise: {u: 1 K}")}
    able = {"kind": "CoSimulation", "saves": True}
    tunable = lag(tmp_path / "tunable", gain="tunable", **able)
    assert found(plant(tmp_path / "good", tunable, head=HEAD, **every)) == []
    told = found(plant(tmp_path / "fixed", lag(tmp_path / "built", **able), head=HEAD, **every))
    assert [m for s, _, m in told if s == "error"] == ["'gain' is to be followed, and models/lag.fmu calls 'gain' fixed: it cannot change while it runs"]
    moved = {**every, "followed": every["followed"].replace("u: 1 K", "x: 0.1 K")}
    assert [(s, m) for s, _, m in found(plant(tmp_path / "moved", tunable, head=HEAD, **moved))] == [
        ("warning", "nobody can move 'x' while models/lag.fmu runs: what it does not know comes in by inputs and tunable parameters")
    ]


@pytest.mark.parametrize("said", ["drift: 6 h", "filter: ensemble"])
def test_no_other_filter_follows_one_for_co_simulation(tmp_path, said):
    every = {**FOLLOWED, "followed": FOLLOWED["followed"].replace("every: 1 s", f"every: 1 s, noise: {{u: 1 K}}, {said}")}
    told = found(plant(tmp_path / "plant", lag(tmp_path / "fmu", "CoSimulation", saves=True, gain="tunable"), head=HEAD, **every))
    assert [m for s, _, m in told if s == "error"] == ["models/lag.fmu is for co-simulation: it is followed by members that it saves, by no other filter, and errors that last are not told apart"]


def test_one_whose_saved_state_does_not_bring_it_back_is_told(tmp_path):
    forgetful = lag(tmp_path / "fmu", "CoSimulation", saves=True, body="static double n; n += 1e-6; return n;")
    assert [(s, m) for s, _, m in found(plant(tmp_path, forgetful))] == [
        ("warning", "models/lag.fmu: what it saves of its state does not bring it back: gone on with from there it comes to something else")
    ]


def test_one_whose_state_is_large_is_told(tmp_path):
    assert [(s, m) for s, _, m in found(plant(tmp_path, lag(tmp_path / "fmu", "CoSimulation", saves=True, takes=600_000)))] == [
        ("warning", "models/lag.fmu: what it remembers takes 666 kB: where it is followed, 75 members are kept, and late readings of 1 instants are taken")
    ]


def test_one_that_remembers_more_than_its_states_is_told(tmp_path):
    body = "if (m->t == 0.0) m->gain = 1.0 + m->u / 100.0; m->t += 1e-9; return (m->u - m->gain * m->x) / (60.0 * m->lag);"
    assert [(s, m) for s, _, m in found(plant(tmp_path, lag(tmp_path / "fmu", "CoSimulation", body=body)))] == [
        ("warning", "models/lag.fmu: it remembers more than its states: begun anew from them it comes to something else, so that a what-if cannot set them on the way")
    ]


def test_it_is_bound_by_names_and_units_and_runs_as_fmpy_runs_it(heater):
    import fmpy

    read = load(heater)
    bound = bind(read, ASSET)
    assert {b.name: b.path for b in (*bound.inputs, *bound.states)} == {"u": f"{ASSET}/supply", "x": f"{ASSET}/temperature"}
    assert bound.states[0].si(20.0) == pytest.approx(293.15)
    assert {b.name: (b.value, b.source, b.calibrate) for b in bound.parameters} == {"lag": (120.0, "plant file", True), "gain": (1.0, "model", False)}
    model, times = compiled(read.templates[0].dynamics), np.linspace(0.0, 240.0, 25)
    found = solve(model, [293.15], [353.15], bound.p, times)
    given = np.array([(0.0, 80.0), (999.0, 80.0)], [("time", float), ("u", float)])
    want = fmpy.simulate_fmu(str(heater / "models" / "lag.fmu"), fmi_type="ModelExchange", stop_time=240, output_interval=10, input=given,
                             start_values={"lag": 2.0}, output=["x"], relative_tolerance=1e-8, validate=False)  # fmt: skip
    assert np.allclose(found.outputs[:, 0] - 273.15, want["x"][: len(times)], atol=1e-6)


def test_a_what_if_of_it_gives_bands_and_more_members_than_it_can_are_refused(heater):
    with gemel.open(heater) as twin:
        answer = twin.whatif(ASSET, "u=+60", horizon="10min", members=6, seed=1, step_s=10.0)
        assert answer.told["engine"] == "member by member, in a process of its own"
        bands = answer.bands("x")
        assert len(bands["time_s"]) > 10
        with pytest.raises(ModelError, match="10001 members") as refused:
            twin.whatif(ASSET, "u=+60", members=10_001)
    assert refused.value.code == "bad-scenario"
    assert "at most 10000" in refused.value.remedy


def test_one_of_fmi_3_is_named_the_same_way(tmp_path):
    folder = plant(tmp_path, third(tmp_path / "fmu", "DECAY"))
    text = (folder / "plant.yaml").read_text()
    text = text.replace(", names: {x: temperature, u: supply}", "").replace("temperature: {unit: degC, range: [-50, 200], accuracy: 0.1 degC}", 'x: {unit: "1"}')
    (folder / "plant.yaml").write_text(text.replace("lag: {unit: s, default: 120, range: [10, 1000], calibrate: true}", 'k: {unit: "1", default: 0.5}'))
    assert [f for f in found(folder) if f[0] == "error"] == []
    assert bind(load(folder), ASSET).states[0].path == f"{ASSET}/x"


def test_one_that_offers_both_is_taken_for_model_exchange(tmp_path):
    assert fmu(lag(tmp_path, "ModelExchange+CoSimulation")).exchanged


def test_a_file_that_was_changed_since_it_was_read_is_not_taken_for_it(tmp_path, heater):
    folder = plant(tmp_path, lag(tmp_path / "fmu", body="return 1.0;"))
    reference = load(folder).templates[0].dynamics
    lag(folder / "models", body="return 2.0;")
    with pytest.raises(ModelError, match="is not here any more") as refused:
        fmu_of(reference)
    assert refused.value.code == "no-fmu"
