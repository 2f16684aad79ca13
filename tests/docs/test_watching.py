"""What the twin measures and watches of itself is written down."""

from pathlib import Path

import pytest

from gemel.operate.measures import MEASURES
from gemel.twin.own_alarms import SIGNALS

PAGE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()


@pytest.mark.parametrize("name", [*(f"gemel_{m}" for m in MEASURES), *SIGNALS])
def test_every_measure_and_own_signal_is_documented(name):
    assert f"`{name}`" in PAGE
