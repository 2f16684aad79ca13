"""A what-if begins with what the plant says, in SI, and the same spec gives the same result: in Python and from a shell."""

import json
import sys

import pytest
from click.testing import CliRunner
from whatif_kit import ASSET, PLANT

import gemel
from gemel.assets import load
from gemel.cli.whatif import command
from gemel.errors import ModelError, NotFoundError
from gemel.operate import whatif

SHORT = {"horizon_s": 1800.0, "members": 40, "points": 4, "seed": 2, "watch": ["level", "power"]}


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plant")
    (folder / "plant.yaml").write_text(PLANT)
    return folder


def asked(plant, *changes, **more):
    begun = whatif.begin(load(plant), ASSET, {"demand": (306.0, "m3/h"), "ambient": (20.0, "degC")})
    question = {"scenarios": [{"name": "s", "changes": list(changes)}], **SHORT, **more}
    return whatif.spec(begun, question, "2026-11-21T10:00:00Z", load(plant))


def test_what_is_named_alike_belongs_together_and_is_converted(plant):
    spec = asked(plant, {"of": "demand", "how": "set", "value": 360.0, "unit": "m3/h"}, {"of": "ambient", "how": "add", "value": 9.0, "unit": "degF"},
                 {"of": "supply", "how": "set", "profile": [(0.0, 10.0), (600.0, 12.0)], "unit": "degC"})  # fmt: skip
    start, (demand, ambient, supply) = spec["start"], spec["question"]["scenarios"][0]["changes"]
    assert start["inputs"]["demand"] == pytest.approx(0.085) and start["inputs"]["ambient"] == pytest.approx(293.15)
    assert start["parameters"]["best_efficiency"] == pytest.approx(0.78) and start["parameters"]["area"] == 100.0
    assert demand["value"] == pytest.approx(0.1) and ambient["value"] == pytest.approx(5.0)
    assert supply["profile"] == [(0.0, pytest.approx(283.15)), (600.0, pytest.approx(285.15))]
    assert spec["question"]["uncertain"] == [{"of": "best_efficiency", "spread": 0.05, "relative": True, "law": "normal", "source": "5 % by default"}]


def test_a_spec_read_from_json_gives_the_same_result_again(plant):
    spec = asked(plant, {"of": "demand", "how": "scale", "value": 1.15})
    first = whatif.run(spec, lambda done: True)
    again = whatif.run(json.loads(json.dumps(spec)), lambda done: True)
    assert json.dumps(first) == json.dumps(again)
    assert first["futures"][1]["differences"]["level, at the end"]["mean"] < 0
    assert len(first["futures"][0]["bands"][0]) == len(first["quantiles"]) == 5


def test_sobol_indices_say_whose_the_variance_is(plant):
    doubt = [{"of": "best_efficiency", "spread": 0.1}, {"of": "ambient", "spread": 0.001}]
    spec = asked(plant, {"of": "demand", "how": "scale", "value": 1.1}, indices=True, members=64, uncertain=doubt)
    told = []
    found = whatif.run(spec, lambda done: told.append(done) or True)
    assert told == sorted(told), "how far it is only grows"
    for future in found["futures"]:
        first, total = future["indices"]["power, energy"]["best_efficiency"]
        assert first == pytest.approx(1.0, abs=0.1) and total == pytest.approx(1.0, abs=0.1)
        assert abs(future["indices"]["power, energy"]["ambient"][1]) < 0.05


def test_what_cannot_be_asked_is_said(plant):
    bare = load(plant)
    with pytest.raises(NotFoundError):
        whatif.begin(bare, "acme/station/none", {})
    with pytest.raises(ModelError, match="nothing"):
        asked(plant, {"of": "nothing", "how": "set", "value": 1.0, "unit": "m"})
    with pytest.raises(ModelError) as e:
        asked(plant, {"of": "demand", "how": "twist", "value": 1.0})
    assert e.value.code == "bad-scenario"


def test_python_and_the_command_line_give_the_same_numbers(plant, monkeypatch, tmp_path):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path))
    with gemel.open(plant) as twin:
        found = twin.whatif(ASSET, {"demand=+15%": "demand=+15%", "hot": ["ambient=+8 K", "supply=+2 K"]}, horizon="30min", members=40, seed=2)
        figures = {(r["scenario"], r["kpi"]): r for r in found.figures()}
        assert figures["demand=+15%", "level, at the end"]["difference"] < 0 and figures["demand=+15%", "level, at the end"]["clear"]
        assert found.bands("level").columns == ["scenario", "time_s", "q05", "q25", "q50", "q75", "q95"]
        with pytest.raises(ModelError):
            found.bands("nothing")
    words = [str(plant), "--asset", ASSET, "--set", "demand=+15%", "--horizon", "30min", "--scenarios", "40", "--seed", "2", "--json"]
    said = CliRunner().invoke(command, words)
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    ours = next(f for f in found.told["futures"] if f["name"] == "demand=+15%")
    assert told["futures"][1]["figures"] == json.loads(json.dumps(ours["figures"]))
    (tmp_path / "more.csv").write_text("start,end,demand\n0s,1h,+15%\n")
    ordered = CliRunner().invoke(command, [*words[:3], "--schedule", str(tmp_path / "more.csv"), *words[5:]])
    assert json.loads(ordered.stdout)["futures"][1] == told["futures"][1] | {"name": "more"}
    words = CliRunner().invoke(command, words[:-1])
    assert "nothing was changed" in words.output and "clearly" in words.output


def test_without_what_computes_it_says_what_to_install(plant, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    said = CliRunner().invoke(command, [str(plant), "--asset", ASSET, "--set", "demand=+15%"])
    assert said.exit_code != 0 and said.exception.code == "reason-missing"
