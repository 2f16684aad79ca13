"""The nights of the demo, by its own plant file on days of its own rig: what the first proposes is better, and for the right reason.

Its bearing's file value is as it was commissioned; here it was let go stale, or there would be little to propose.
"""

import re
import shutil

import pytest
from nights_kit import PUMP, day, night

from gemel.testing.station import PLANT

HOURS = 12
SENSOR = f"{PUMP}/bearing_temperature"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The night after half a day, by a plant file whose bearing gives its heat away better than it does by now."""
    folder = shutil.copytree(PLANT, tmp_path_factory.mktemp("stale") / "plant")
    file = folder / "plant.yaml"
    text, found = re.subn(r"(bearing_to_air: {unit: K/W, default: )[\d.]+", r"\g<1>1.55", file.read_text())
    assert found == 1
    file.write_text(text)
    return night(day(11, HOURS), folder)


def rmse(told, who):
    return {name: e["value"] for name, e in told["scores"][who]["rmse"].items()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_first_night_proposes_a_version_that_explains_the_bearing_better_and_nothing_worse(first):
    told, decision = first
    assert told["gate"]["passed"] and list(told["parameters"]) == ["bearing_to_air"] and told["parameters"]["bearing_to_air"]["told"]
    before, after = rmse(told, "champion"), rmse(told, "challenger")
    assert after["bearing_temperature"] < 0.8 * before["bearing_temperature"]
    assert all(after[name] < 1.02 * before[name] for name in ("flow", "discharge_pressure"))
    scores = {who: told["scores"][who]["fidelity"]["bearing_temperature"] for who in ("champion", "challenger")}
    assert scores["challenger"] > scores["champion"]
    assert decision.word == "proposed" and decision.release is None
    assert told["unconfirmed"] == [f"only {SENSOR} tells bearing_to_air: no other reading confirms that it changed"]
