"""The running twin's procedure names who is wrong on the demo plant: by the shipped plant file, and the past that the twin keeps."""

import pytest

pytest.importorskip("jax")

from gemel.bench.attribution import judged, words
from gemel.bench.month_shipped import shipped

SEEDS = (501, 503, 504)  # spikes, gas twice, a law of the vibration, a gain: seeds that it was developed on, so that it cannot fall unseen


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_of_six_are_named_rightly():
    of = shipped()
    found = [one for seed in SEEDS for one in judged(seed, of)]
    assert len(found) == 6 and sum(one.right for one in found) >= 5, [words(one) for one in found]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_once_was_named_wrongly_is_named_rightly():
    """A law of the vibration was taken for a gain (whose signature had the noise of its readings in it), wear for the model (what fired was held
    against four hours, not against the day), nothing for a law of the bearing's heat (which bends as usual)."""
    of = shipped()
    found = [one for seed in (100, 103) for one in judged(seed, of)]
    assert [one.wrong.kind for one in found] == ["model", "none", "process", "model"]
    assert all(one.right for one in found), [words(one) for one in found]
