"""How long readings and their roll-ups are kept is read by class, and by level where the file says so."""

import pytest

from gemel.assets import load
from gemel.errors import GemelError

DAY = 86_400
PLANT = "plant: acme/x\nretention: {retention}\ntypes: {{T: {{signals: {{a: {{unit: 1}}}}}}}}\nassets: {{x: {{type: T}}}}\n"


def plant(tmp_path, retention):
    (tmp_path / "plant.yaml").write_text(PLANT.format(retention=retention))
    return load(tmp_path)


def test_a_class_says_one_time_or_one_for_each_level(tmp_path):
    found = plant(tmp_path, "{default: 100 d, fast: {raw: 30 d, minutes: 2 a}, bare: {hours: 20 a}}")
    assert found.retention == {"default": 100 * DAY, "fast": 30 * DAY, "bare": 400 * DAY}
    assert found.rollups["default"] == {"seconds": 100 * DAY, "minutes": 100 * DAY, "hours": 3650 * DAY, "days": 3650 * DAY}
    assert found.rollups["fast"] == {"seconds": 30 * DAY, "minutes": 730.5 * DAY, "hours": 3650 * DAY, "days": 3650 * DAY}
    assert found.rollups["bare"]["hours"] == 20 * 365.25 * DAY


@pytest.mark.parametrize("wrong", ["{fast: {raw: 3 h}}", "{fast: {weeks: 3 a}}", "{fast: [30 d]}", "{fast: {raw: true}}"])
def test_what_cannot_be_a_retention_is_refused(tmp_path, wrong):
    with pytest.raises(GemelError):
        plant(tmp_path, wrong)
