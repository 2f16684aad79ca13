"""Quarters of a window: as many steps each, in the order of time, whatever records it is made of."""

import numpy as np
import pytest

from gemel.estimate.one_machine import FEWEST, quarters
from gemel.estimate.record import Record


def record(first, steps):
    at = np.arange(first, first + steps, dtype=float)[:, None]
    return Record(1.0, at, at, np.ones_like(at), float(first))


@pytest.mark.parametrize("lengths", [[400], [100, 300], [250, 7, 143], [40] * 10])
def test_quarters_hold_each_step_once_in_the_order_of_time(lengths):
    starts = np.cumsum([0, *lengths[:-1]])
    records = [record(int(a), n) for a, n in zip(starts, lengths, strict=True)]
    cut = quarters(records[::-1])
    steps = [np.concatenate([r.inputs[:, 0] for r in some]) for some in cut]
    assert [len(s) for s in steps] == pytest.approx([100] * 4, abs=8), "but for pieces that are too short to tell a state"
    all_ = np.concatenate(steps)
    assert (np.diff(all_) > 0).all()
    assert all(r.start == r.inputs[0, 0] for some in cut for r in some)


def test_a_window_that_is_too_short_has_none():
    assert quarters([record(0, 4 * FEWEST - 4)]) == []
    assert quarters([]) == []
