"""What the kept rows say of a past span is what the counters said while it happened."""

import numpy as np
import pytest
from gemel.condition.retrospect import retrospect
from gemel.samples import Batch
from gemel.samples import status as codes
from gemel.samples.clock import SECOND

SIGNALS = np.array([4, 2], np.int32)
BEAT = np.array([SECOND, 0], np.int64)
MS = SECOND // 1000


def rows(*told):
    """(signal, time [s], received [s], value, status), sorted as the history gives them."""
    found = Batch.of(**{n: [t[i] for t in told] for i, n in enumerate(("signal", "time", "received", "value", "status"))})
    found = found.with_columns(time=(np.array([t[1] for t in told]) * 1e9).astype(np.int64), received=(np.array([t[2] for t in told]) * 1e9).astype(np.int64))
    return found.take(np.lexsort((found.received, found.time, found.signal)))


def seen(*told):
    return {k: v.tolist() for k, v in retrospect(SIGNALS, rows(*told), BEAT, 50 * MS).items()}


def test_nothing_came():
    empty = retrospect(SIGNALS, Batch.empty(), BEAT, 50 * MS)
    assert empty["received"].tolist() == [0, 0]
    assert np.isnan(empty["good_fraction"]).all() and np.isnan(empty["last_time"]).all()


def test_readings_on_their_beat_are_all_good():
    got = seen(*((4, t, t, 1.0, 0) for t in range(10)), (2, 3, 3, 7.0, 0))
    assert (got["received"], got["stored"], got["gap"], got["jitter"], got["late"]) == ([10, 1], [10, 1], [0, 0], [0, 0], [0, 0])
    assert got["good_fraction"] == [1.0, 1.0]
    assert got["rate_per_s"][0] == 1.0 and got["last_time"] == [9e9, 3e9]


def test_a_silence_is_a_gap_and_a_reading_beside_its_beat_is_jitter():
    got = seen((4, 0, 0, 1.0, 0), (4, 1.2, 1.2, 1.0, 0), (4, 7.2, 7.2, 1.0, 0), (2, 0, 0, 1.0, 0), (2, 99, 99, 1.0, 0))
    assert (got["gap"], got["jitter"]) == ([1, 0], [1, 0])
    assert got["jitter_max_ms"][0] == pytest.approx(200.0) and np.isnan(got["jitter_max_ms"][1])


def test_late_is_what_came_after_a_later_one():
    got = seen((4, 0, 0, 1.0, 0), (4, 2, 2, 1.0, 0), (4, 1, 3, 1.0, 0), (2, 1, 9, 1.0, 0))
    assert got["late"] == [1, 0]


def test_a_corrected_value_counts_and_a_row_judged_again_does_not():
    got = seen((4, 0, 0, 1.0, 0), (4, 0, 1, 2.0, 0), (2, 0, 0, 1.0, 0), (2, 0, 1, 1.0, codes.BAD_SENSOR_FAILURE))
    assert (got["received"], got["correction"]) == ([2, 1], [1, 0])
    assert (got["rate"], got["good_fraction"]) == ([0, 1], [1.0, 0.0]), "the last judgement counts"


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        (9.0, codes.BAD_OUT_OF_RANGE | codes.LIMIT_HIGH, "out_of_range"), (9.0, codes.BAD_SENSOR_FAILURE, "rate"),
        (np.nan, codes.BAD_SENSOR_FAILURE, "not_a_number"), (9.0, codes.BAD_INVALID_TIMESTAMP, "future"),
        (9.0, codes.UNCERTAIN_SENSOR_NOT_ACCURATE | codes.LIMIT_CONSTANT, "stuck"),
        (9.0, codes.UNCERTAIN_SENSOR_NOT_ACCURATE, "source_uncertain"), (9.0, codes.BAD_COMMUNICATION, "source_bad"),
    ],
)  # fmt: skip
def test_each_reason_is_told_by_its_status(value, status, reason):
    got = seen((4, 0, 0, 1.0, 0), (4, 1, 1, value, status))
    assert got[reason] == [1, 0]
    assert got["good_fraction"][0] == 0.5
