"""A sensor that jumps and comes back, repeats itself or falls still is known by its own readings; a machine that moves is not."""

import numpy as np
import pytest

from gemel.estimate.residuals import Raised
from gemel.estimate.symptoms import noticed, symptoms

GOOD, JUDGED, SINCE, OUTPUTS = 600, 240, 100, 5


def read(seed, instants=GOOD + JUDGED):
    """Readings of a machine whose set-point steps, each output another share of it, with noise of its own."""
    rng = np.random.default_rng(seed)
    moved = np.cumsum(rng.normal(0, 5.0, instants) * (rng.random(instants) < 0.02))
    late = np.stack([np.convolve(moved, np.ones(n) / n)[:instants] for n in range(1, OUTPUTS + 1)], 1)
    return np.round(50.0 + late * np.arange(1, OUTPUTS + 1) + rng.normal(0, 1.0, (instants, OUTPUTS)), 2)


def broken(values, how, rng):
    found = values.copy()
    if how == "loose contact":
        found[rng.random(len(found)) < 0.15] = 0.0
    elif how == "noise":
        found += 8.0 * rng.standard_normal(len(found))
    elif how == "stuck":
        found[:] = found[0]
    elif how == "dead band":
        for k in range(1, len(found)):
            found[k] = found[k] if abs(found[k] - found[k - 1]) > 6.0 else found[k - 1]
    elif how == "slow":
        for k in range(1, len(found)):
            found[k] = found[k - 1] + (found[k] - found[k - 1]) / 40.0
    return found


@pytest.mark.parametrize("seed", range(12))
def test_readings_of_a_sound_machine_show_nothing_though_it_is_moved(seed):
    y = read(seed)
    assert symptoms(y[GOOD:], y[:GOOD]) == ()


@pytest.mark.parametrize("output", [0, 3])
@pytest.mark.parametrize(
    ("how", "word"), [("loose contact", "noisy"), ("noise", "noisy"), ("stuck", "stuck"), ("dead band", "stuck"), ("slow", "slow")]
)
def test_a_broken_sensor_is_named_with_manner_and_onset(how, word, output):
    y = read(7)
    now = y[GOOD:].copy()
    now[SINCE:, output] = broken(now[SINCE:, output], how, np.random.default_rng(1))
    first = symptoms(now, y[:GOOD])[0]
    assert (first.output, first.how) == (output, word) and SINCE - 3 <= first.onset <= first.at <= SINCE + 60 and first.sum > 12


def test_what_several_show_at_once_and_what_stands_at_zero_is_no_symptom():
    y = read(3)
    now = y[GOOD:].copy()
    wild = np.random.default_rng(1).random(JUDGED) < 0.1
    now[wild] *= 1.5  # the machine, or the supply of all of them
    assert symptoms(now, y[:GOOD]) == ()
    now = y[GOOD:].copy()
    now[SINCE:] = now[SINCE]  # nothing comes in any more: that is no sensor's fault
    assert symptoms(now, y[:GOOD]) == ()
    now = y[GOOD:].copy()
    now[SINCE:, 2] = 0.0  # the pump lifts nothing
    assert symptoms(now, y[:GOOD]) == ()


def test_a_sensor_that_always_repeats_itself_and_one_that_is_not_read_tell_nothing():
    y = read(5)
    y[:, 1] = np.round(y[:, 1], -2)
    y[:, 2] = np.nan
    assert symptoms(y[GOOD:], y[:GOOD]) == ()
    now = y[GOOD:].copy()
    now[SINCE:, 4] = now[SINCE, 4]
    assert {one.output for one in symptoms(now, y[:GOOD])} == {4}


def test_a_symptom_is_noticed_where_no_residual_left_its_band():
    y = read(9)
    now, quiet = y[GOOD:].copy(), Raised(-1, -1, np.zeros((2, OUTPUTS)))
    assert noticed(now, y[:GOOD], quiet) is quiet
    now[SINCE:, 0] = now[SINCE, 0]
    found = noticed(now, y[:GOOD], quiet)
    assert SINCE <= found.onset + 2 and SINCE < found.at < SINCE + 20
    left = Raised(30, 20, np.ones((2, OUTPUTS)))
    assert noticed(now, y[:GOOD], left) is left
