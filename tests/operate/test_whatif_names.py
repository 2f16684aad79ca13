"""A what-if is asked in the plant's words or in the model's, and what is neither is refused in words that help."""

import re
from pathlib import Path

import pytest

import gemel
from gemel.assets import load
from gemel.assets.problem import LISTED
from gemel.errors import ModelError
from gemel.operate import whatif

LINE, AT = "example/pumping/line-1", "2026-11-21T21:00:00Z"


@pytest.fixture(scope="module")
def line():
    plant = load(Path(__file__).parents[2] / "examples" / "pumping-line")
    return plant, whatif.begin(plant, LINE, {})


def question(line, name, **more):
    change = {"of": name, "how": "set", "value": 1450.0, "unit": "rpm"}
    return whatif.spec(line[1], {"scenarios": [{"name": "s", "changes": [change]}], "kpis": ["energy"], **more}, AT, line[0])["question"]


def test_a_set_point_is_changed_by_the_plants_name_as_by_the_models(line):
    plants, models = (question(line, f"pump-1/{name}") for name in ("setpoint", "speed_setpoint"))
    assert plants == models and plants["scenarios"][0]["changes"][0]["of"] == "pump-1/speed_setpoint"
    assert plants["scenarios"][0]["changes"][0]["value"] == pytest.approx(151.8, abs=0.1)


def test_so_is_what_is_uncertain_and_what_is_watched(line):
    asked = question(line, "pump-1/setpoint", uncertain=[{"of": "pump-2/hall", "spread": 0.01}], watch=["pump-2/power", "tank/level"])
    assert asked["uncertain"][0]["of"] == "pump-2/ambient_temperature" and asked["watch"][1] == "tank/level"


@pytest.mark.parametrize(
    ("name", "said"),
    [("pump-1/setpoin", "did you mean 'pump-1/setpoint'"), ("pump-1/flow", "it follows, and is not changed"), ("pump-3/setpoint", "did you mean"), ("", "write one of")],
)
def test_what_cannot_be_changed_is_refused_with_what_can(line, name, said):
    with pytest.raises(ModelError) as refused:
        question(line, name)
    assert refused.value.code == "unknown-quantity" and said in f"{refused.value.message} {refused.value.remedy}" and len(refused.value.remedy) < 1000


def test_a_refusal_offers_inputs_first_each_by_the_one_name_that_the_plant_gives_it(line):
    with pytest.raises(ModelError) as refused:
        question(line, "xyz")
    offered = refused.value.remedy.removeprefix("write one of: ").removesuffix(", …").split(", ")
    assert len(offered) == len(set(offered)) == LISTED
    assert offered[0] == "pump-1/setpoint" and "pump-1/speed_setpoint" not in offered
    assert question(line, "pump-1/speed_setpoint")  # may be said all the same


def test_only_of_a_changed_state_it_is_said_that_nothing_holds_it(line):
    def words(*changed):
        changes = [{"of": name, "how": "set", "value": 1200.0, "unit": "rpm"} for name in changed]
        asked = {"scenarios": [{"name": "s"} | ({"changes": changes} if changes else {})], "kpis": ["energy"], "horizon_s": 60.0, "members": 2, "uncertain": []}
        return " ".join(whatif.run(whatif.spec(line[1], asked, AT, line[0]), lambda done: True)["words"])

    held = re.search(r"a state, changed at an instant and moved on by the model from there: pump-1/speed; what is held is an input: (.*)", words("pump-1/speed"))
    assert held and "pump-1/speed_setpoint" in held[1] and "valve/" not in held[1]
    assert "a state" not in words("pump-1/setpoint") + words()


def test_whatever_the_docs_say_that_people_ask_is_answered_as_they_say_it(monkeypatch, tmp_path):
    """One what-if a row would be fair and slow: the rows are the scenarios, and what is judged, of three what-ifs."""
    root = Path(__file__).parents[2]
    table = (root / "docs" / "whatif.md").read_text().partition("## How people ask")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| ([^|]+?) \| `(--[^`]+)`", table, re.MULTILINE))
    sets = {what: said.split('"')[1] for what, said in rows.items() if said.startswith("--set")}
    kpis = [said.split('"')[1] for said in rows.values() if said.startswith("--kpi")]
    (tmp_path / "week.csv").write_text("after,pump-1/setpoint [rpm],valve/position_setpoint [%]\n0h,1400,50\n10min,1200,\n")
    (tmp_path / "orders.csv").write_text("start,end,pump-2/setpoint [rpm]\n0h,10min,+10%\n10min,20min,1300\n")
    tables = {what: tmp_path / said.split()[1].rstrip(",") for what, said in rows.items() if said.startswith("--schedule")}
    assert len(sets) == 7 and len(tables) == 2 and len(kpis) == 1
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path / "data"))
    asked = [*({what: how} for what, how in (sets | tables).items())]
    with gemel.open(root / "examples" / "pumping-line") as twin:
        for some in ({k: v for one in asked[i : i + 5] for k, v in one.items()} for i in range(0, len(asked), 5)):
            found = twin.whatif(LINE, some, horizon="20min", members=8, points=5, seed=1, kpis=["energy", "cost", "pump-1/bearing_life", *kpis], uncertain=[])
            rows = {(r["scenario"], r["kpi"]): r for r in found.figures()}
            for what in some:
                moved = [r for (scenario, _), r in rows.items() if scenario == what and r["difference"] not in (0.0, None)]
                assert moved or what in ("a parameter",), what
