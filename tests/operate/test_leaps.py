"""Whom a clock that follows the data may follow: a plant that leaps as a whole, never one sensor that is alone with its time."""

import numpy as np

from gemel.operate.ingest import Framer
from gemel.operate.leaps import Leaps
from gemel.samples import Batch, Registry
from gemel.samples.clock import DAY, SECOND, DataClock

NOW = 1_600_000_000 * SECOND
REGISTRY = Registry.of([{"path": f"a/b/rig/s{i}"} for i in range(6)])


class Plant:
    """A framer under a clock that follows the data."""

    def __init__(self):
        self.clock = DataClock()
        self.framer = Framer(None, REGISTRY, self.clock)

    def says(self, signals, times):
        n = len(signals)
        rows = Batch.of(signal=signals, time=times, received=np.zeros(n), value=np.zeros(n), status=np.zeros(n))
        return self.framer._stamped(rows).received[0]


def test_one_sensor_with_a_wrong_clock_does_not_move_the_time_of_the_plant():
    plant = Plant()
    for second in range(20):
        now = NOW + second * SECOND
        assert plant.says([0], [now]) == now
        assert plant.says([5], [now + 3000 * DAY]) == now, "that is a reading of the future"
        assert plant.says([5, 5, 5], [now + 3000 * DAY + n for n in range(3)]) == now
        assert plant.says([1, 5], [now, now + 3000 * DAY]) == now


def test_a_record_with_a_gap_of_years_goes_on_beyond_it():
    plant = Plant()
    plant.says(range(6), [NOW] * 6)
    after = NOW + 3000 * DAY
    assert plant.says(range(6), [after + n for n in range(6)]) == after + 5, "a block of all signals, as of a file"
    later = after + 3000 * DAY
    assert [plant.says([n], [later]) for n in range(3)] == [after + 5, after + 5, later], "one by one: half of them"
    assert plant.says([4], [later + 30 * DAY]) == later + 30 * DAY


def test_a_block_over_a_gap_is_taken_in_its_order():
    plant = Plant()
    plant.says([0], [NOW])
    later = NOW + 3000 * DAY
    assert plant.says([0, 1, 2, 0, 1, 2], [NOW + 1] * 3 + [later] * 3) == later
    assert plant.says([0, 1, 2, 0, 1], [later + 1] * 3 + [later + 3000 * DAY] * 2) == later + 1


def test_a_plant_of_one_signal_follows_it():
    assert Leaps(1).believed(np.array([0], np.int32), np.array([NOW + 3000 * DAY]), NOW) == NOW + 3000 * DAY
