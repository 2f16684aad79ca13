"""A fault that is a state is set in a what-if: from a shell, in Python, from a schedule, in the plant's units, now or at a time."""

import json

import pytest
from click.testing import CliRunner
from mill_kit import ASSET, loaded

import gemel
from gemel.cli.whatif import command
from gemel.errors import ModelError
from gemel.operate import whatif

HOUR = 3600.0


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("states")
    with loaded(folder) as found:
        yield folder, found


@pytest.fixture
def twin(plant, tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path / "data"))
    with gemel.open(plant[0]) as found:
        yield found


def wear(found, scenario):
    rows = [r for r in found.bands("wear") if r["scenario"] == scenario]
    return {r["time_s"]: r["q50"] for r in rows}


def test_in_python_it_is_set_now_or_at_a_time_in_any_unit(twin):
    changes = {"worn": "wear=0.4", "later": "wear=0.4 @ 30 min", "less": ["wear=0.4", "wear=*0.5 @ 30min"]}
    found = twin.whatif(ASSET, changes, horizon="1h", members=16, points=5, watch=["wear"], uncertain=[])
    assert wear(found, "worn")[0.0] == pytest.approx(0.4) and wear(found, "worn")[HOUR] == pytest.approx(0.76, abs=1e-5)
    assert wear(found, "later")[900.0] == pytest.approx(0.09, abs=1e-5)
    assert wear(found, "later")[1800.0] == pytest.approx(0.4) and wear(found, "later")[HOUR] == pytest.approx(0.58, abs=1e-5)
    assert wear(found, "less")[1800.0] == pytest.approx(0.29, abs=1e-5)
    with pytest.raises(ModelError, match="no length of time"):
        twin.whatif(ASSET, "wear=0.4 @ soon", horizon="1h", members=2)


def test_from_a_shell_and_from_a_schedule_it_is_the_same(plant, tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path / "data"))
    (tmp_path / "worn.csv").write_text("after,wear [%]\n30min,40\n")
    usual = [str(plant[0]), "--asset", ASSET, "--horizon", "1h", "--scenarios", "16", "--uncertain", "none"]
    said = [CliRunner().invoke(command, [*usual, *how, "--json"]) for how in (["--set", "wear=0.4 @ 30min"], ["--schedule", str(tmp_path / "worn.csv")])]
    assert [s.exit_code for s in said] == [0, 0], said[0].output + said[1].output
    one, other = (json.loads(s.stdout)["futures"][1] for s in said)
    assert one["figures"] == other["figures"] and one["bands"] == other["bands"]
    words = CliRunner().invoke(command, [*usual, "--set", "wear=0.4"]).output
    assert "nothing is taken as uncertain" in words and "wear, at the end" in words
    assert "a state, changed at an instant and moved on by the model from there: wear; what is held is an input: " in words


def test_what_can_be_changed_are_its_states_too(plant):
    begun = whatif.begin(plant[1], ASSET, {f"{ASSET}/wear": (20.0, "%")})
    assert begun["quantities"]["states"]["wear"] | {"value": 0.2, "source": "signal", "low": 0.0, "high": 1.0, "shown_unit": "%"} == begun["quantities"]["states"]["wear"]
    question = {"scenarios": [{"name": "s", "changes": [{"of": "wear", "how": "add", "value": 10.0, "unit": "%"}]}]}
    (change,) = whatif.spec(begun, question, "2026-11-21T10:00:00Z", plant[1])["question"]["scenarios"][0]["changes"]
    assert change["value"] == pytest.approx(0.1)


def test_what_it_cannot_be_is_refused_in_words(twin):
    with pytest.raises(ModelError, match="lies from 0 to 1") as refused:
        twin.whatif(ASSET, "wear=4", horizon="1h", members=2)
    assert refused.value.code == "bad-scenario"
    with pytest.raises(ModelError, match="'play'"):
        twin.whatif(ASSET, "play=1", horizon="1h", members=2)
