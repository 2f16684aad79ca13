"""A value that is held over the begin of an hour counts there, at every level, however late it came, however the work was cut."""

import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from gemel.samples import Batch
from rollup_model import HOUR, SECOND, START, Model

few = settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


@pytest.fixture(autouse=True, scope="module")
def few_are_worth_it():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gemel.history.roller.WORTH", 2.0)
        yield


def at_borders(seed, n, hours):
    """Readings ten a second in bursts that lie before, after or across the begin of some hours, with silence between."""
    r = np.random.default_rng(seed)
    begin = r.choice([-30, -12, -3, 1, 4, 25], n // 20 + 1)
    hour = r.integers(*hours, n // 20 + 1)
    time = (START + hour * HOUR + begin * SECOND)[:, None] + np.arange(20) * (SECOND // 10)
    signal = np.repeat(r.integers(0, 3, len(begin)), 20)
    time = time.ravel()
    value = np.round(r.normal(size=len(time)), 2)
    value[r.random(len(time)) < 0.03] = np.nan
    return Batch.of(signal=signal, time=time, received=time + r.integers(0, 10**6, len(time)), value=value,
                    status=r.choice([0, 0, 0, 0x40000000, 0x80000000], len(time)))  # fmt: skip


@few
@example(seed=3, late=0, signal=2, width=1, parts=False, rolled=(1, 2, 3, 4, 5))
@example(seed=20374, late=56, signal=2, width=10, parts=True, rolled=(2, 5))  # a file of parts, signals 2, 0, 2
@given(seed=st.integers(0, 10**6), late=st.integers(0, 60), signal=st.integers(0, 2), width=st.sampled_from([1, 10, 60]), parts=st.booleans(),
       rolled=st.sampled_from([(5,), (1, 2, 3, 4, 5), (2, 5)]))
def test_a_held_value_counts_at_the_begin_of_an_hour(seed, late, signal, width, parts, rolled):
    with tempfile.TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patch:
        if parts:
            patch.setattr("gemel.history.roller.MOST", 50)
        model = Model(path)
        try:
            model.commit(at_borders(seed, 400, (1, 4)))
            for hour in rolled:  # each hour by itself, or several at once
                model.roll(hour)
            for border in (1, 2, 3):
                _check(model, signal, border, width)
            if late:
                model.commit(at_borders(seed + 1, late, (1, 4)))
                model.roll(6)
                for border in (1, 2, 3):
                    _check(model, signal, border, width)
        finally:
            model.close()


def _check(model, signal, border, width):
    begin = START + border * HOUR
    model.check_aggregates(signal, begin - 60 * SECOND, begin + 60 * SECOND, width * SECOND)
