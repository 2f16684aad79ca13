"""A horizon is asked for in words, as people say it."""

import pytest

from gemel.errors import AssetError
from gemel.samples.units import seconds
from gemel.serve.routes.scenarios import Wish


def test_a_horizon_in_words_is_seconds():
    wish = Wish.model_validate({"asset": "a", "horizon": "1 year", "scenarios": [{"name": "s"}]})
    assert wish.horizon_s == 365.25 * 86_400 and wish.leap == "auto"
    assert (seconds("90 min"), seconds("2 weeks"), seconds("1y")) == (5400.0, 14 * 86_400.0, 365.25 * 86_400)


def test_what_is_no_length_of_time_is_refused():
    with pytest.raises(AssetError):
        Wish.model_validate({"asset": "a", "horizon": "1 furlong", "scenarios": [{"name": "s"}]})
