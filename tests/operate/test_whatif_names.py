"""A what-if is asked in the plant's words or in the model's, and what is neither is refused in words that help."""

from pathlib import Path

import pytest

from gemel.assets import load
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
