"""Readings that come when they like are brought to an even grid, weighted by status, and cut where an input is lost."""

import numpy as np

from gemel.estimate.record import SUSPECT, Readings, on_grid, weights_of
from gemel.samples import status as codes

S = 1_000_000_000


def readings(seconds, values, status=0):
    t = (np.asarray(seconds, float) * S).astype(np.int64)
    return Readings(t, np.asarray(values, float), np.broadcast_to(np.uint32(status), t.shape).copy())


def test_statuses_say_what_a_reading_counts_for():
    given = np.array([codes.GOOD, codes.UNCERTAIN_SUBSTITUTE, codes.BAD_SENSOR_FAILURE], np.uint32)
    assert weights_of(given).tolist() == [1.0, SUSPECT, 0.0]


def test_inputs_are_held_and_an_output_counts_once():
    (record,) = on_grid([readings([0, 3], [1, 2])], [readings([0, 2, 4, 5], [10, 12, 14, 15])], 1.0, 10.0)
    assert record.inputs[:, 0].tolist() == [1, 1, 1, 2, 2, 2]
    assert np.nan_to_num(record.outputs[:, 0], nan=-1).tolist() == [10, -1, 12, -1, 14, 15]
    assert record.weights[:, 0].tolist() == [1, 0, 1, 0, 1, 1]


def test_a_bad_input_is_not_held_on_and_a_bad_output_does_not_count():
    given = readings(range(8), [1, 1, 99, 1, 1, 1, 1, 1])
    given.status[2] = codes.BAD_OUT_OF_RANGE
    out = readings(range(8), np.arange(8.0))
    out.status[5] = codes.BAD_OUT_OF_RANGE
    (record,) = on_grid([given], [out], 1.0, 10.0)
    assert (record.inputs == 1).all()
    assert np.flatnonzero(record.weights[:, 0] == 0).tolist() == [5]


def test_a_record_ends_where_an_input_has_been_silent_too_long():
    silent = readings([0, 1, 2, 3, 4, 30, 31, 32, 33, 34], np.arange(10.0))
    records = on_grid([silent], [readings(range(36), np.ones(36))], 1.0, 3.0)
    assert [(r.start, len(r)) for r in records] == [(0.0, 8), (30.0, 6)]


def test_nothing_known_gives_no_record():
    nothing = readings([], [])
    assert on_grid([nothing], [nothing], 1.0, 3.0) == []
    assert on_grid([nothing], [readings(range(9), np.ones(9))], 1.0, 3.0) == []
    assert on_grid([readings(range(9), np.ones(9))], [nothing], 1.0, 3.0) == []
