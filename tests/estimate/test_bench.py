"""The measurement measures: every filter lives, and their bands hold what they say."""

import pytest

pytest.importorskip("jax")

from gemel.bench.estimate import measure


def test_filters_of_many_machines_step_together_and_their_bands_hold():
    found = measure(60, 40, lambda _: None)
    assert found["failed"] == 0
    assert found["filter_numbers"] == 6
    assert 86 <= found["band_90_holds_percent"] <= 94
    assert found["cpu_ms_per_tick"] > 0
