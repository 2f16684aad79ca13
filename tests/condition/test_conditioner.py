"""What `gemel.condition` says of a reading, one truth a test."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from gemel.assets.checks import Checks
from gemel.condition import REASONS, Conditioner
from gemel.errors import StorageError
from gemel.samples import Batch
from gemel.samples.status import (
    BAD_COMMUNICATION,
    BAD_INVALID_TIMESTAMP,
    BAD_OUT_OF_RANGE,
    BAD_SENSOR_FAILURE,
    GOOD,
    LIMIT_CONSTANT,
    LIMIT_HIGH,
    LIMIT_LOW,
    UNCERTAIN,
    UNCERTAIN_SENSOR_NOT_ACCURATE,
)

SECOND = 1_000_000_000
MS = 1_000_000
START = 1_600_000_000 * SECOND
CONSTANT = UNCERTAIN_SENSOR_NOT_ACCURATE | LIMIT_CONSTANT


def checks(n=1, **given):
    plain = Checks.plain(n)
    columns = {name: np.asarray(getattr(plain, name)) for name in ("scale", "offset", "low", "high", "max_rate", "stuck_after", "interval", "stale_after")}
    columns |= {name: np.full(n, value, columns[name].dtype) for name, value in given.items()}
    return Checks(**columns)


def rows(*readings, signal=0):
    """Make a batch of (seconds, value[, status[, seconds until received]])."""
    full = [(*r, *(0, 0.02)[len(r) - 2 :]) for r in readings]
    time = [START + round(t * SECOND) for t, *_ in full]
    received = [t + round(r[3] * SECOND) for t, r in zip(time, full, strict=True)]
    return Batch.of(signal=[signal] * len(full), time=time, received=received, value=[r[1] for r in full], status=[r[2] for r in full])


def statuses(conditioner, *readings):
    return conditioner.process(rows(*readings)).rows.status.tolist()


def count(conditioner, reason, signal=0):
    return int(conditioner.counts[REASONS.index(reason), signal])


def test_a_value_whose_units_agree_keeps_its_bits():
    c = Conditioner(Checks(np.array([1.0, 1.8]), np.array([0.0, 32.0]), *(np.full(2, math.nan) for _ in range(3)), *(np.zeros(2, np.int64) for _ in range(3))))
    given = np.array([-0.0, 0.1, 5e-324, np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f", np.float64)[0]])
    batch = Batch.of(signal=[0, 0, 0, 0, 1], time=START + np.arange(5), received=START + np.arange(5), value=[*given, 100.0], status=[0] * 5)
    batch.value[:4] = given
    out = c.process(batch).rows.value
    assert out[:4].tobytes() == given.tobytes()
    assert out[4] == 212.0


def test_what_is_no_number_or_out_of_range_is_bad_and_counted():
    c = Conditioner(checks(low=0.0, high=10.0))
    out = statuses(c, (0, math.nan), (1, math.inf), (2, -1.0), (3, 11.0), (4, 10.0))
    assert out == [BAD_SENSOR_FAILURE, BAD_SENSOR_FAILURE, BAD_OUT_OF_RANGE | LIMIT_LOW, BAD_OUT_OF_RANGE | LIMIT_HIGH, GOOD]
    assert (count(c, "not_a_number"), count(c, "out_of_range")) == (2, 2)


def test_what_the_source_calls_bad_stays_as_it_came():
    c = Conditioner(checks(low=0.0, high=10.0))
    assert statuses(c, (0, 99.0, BAD_COMMUNICATION), (1, 5.0, UNCERTAIN)) == [BAD_COMMUNICATION, UNCERTAIN]
    assert (count(c, "source_bad"), count(c, "out_of_range"), count(c, "source_uncertain")) == (1, 0, 1)


def test_a_lone_spike_is_rejected_and_the_next_good_value_taken():
    c = Conditioner(checks(max_rate=1.0))
    assert statuses(c, (0, 5.0), (1, 50.0), (2, 5.5)) == [GOOD, BAD_SENSOR_FAILURE, GOOD]
    assert count(c, "rate") == 1


def test_a_true_step_is_taken_as_soon_as_time_allows_it():
    c = Conditioner(checks(max_rate=1.0))
    assert statuses(c, *((t, 0.0 if t == 0 else 3.0) for t in range(5))) == [GOOD, BAD_SENSOR_FAILURE, BAD_SENSOR_FAILURE, GOOD, GOOD]


def test_a_value_that_does_not_move_is_doubted_until_it_does():
    c = Conditioner(checks(stuck_after=2 * SECOND))
    assert statuses(c, (0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 1.1), (5, 1.1)) == [GOOD, GOOD, CONSTANT, CONSTANT, GOOD, GOOD]
    assert count(c, "stuck") == 2


def test_a_bad_reading_neither_begins_nor_ends_a_run_of_equal_values():
    c = Conditioner(checks(stuck_after=2 * SECOND))
    assert statuses(c, (0, 1.0), (1, 0.0, BAD_COMMUNICATION), (2, 1.0))[2] == CONSTANT


def test_a_reading_of_the_future_is_kept_and_judges_nothing():
    c = Conditioner(checks(max_rate=1.0))
    out = statuses(c, (0, 1.0), (60, 99.0, GOOD, -50), (1, 1.5))
    assert out == [GOOD, BAD_INVALID_TIMESTAMP, GOOD]
    assert (count(c, "future"), count(c, "late"), count(c, "rate")) == (1, 0, 0)


@pytest.mark.parametrize("time", [-1, 5_000_000_000 * SECOND, np.iinfo(np.int64).max - 1, np.iinfo(np.int64).min])
def test_no_time_is_absurd_enough_to_break_it(time):
    c = Conditioner(checks(max_rate=1.0, stuck_after=SECOND, interval=SECOND))
    out = c.process(Batch.of(signal=[0, 0], time=[time, START], received=[START, START], value=[1.0, 1.0], status=[0, 0]))
    assert out.rows.status.tolist() == [BAD_INVALID_TIMESTAMP, GOOD]


def test_gaps_and_jitter_are_counted_and_change_no_status():
    c = Conditioner(checks(interval=SECOND))
    assert statuses(c, (0, 1.0), (1, 2.0), (2.06, 3.0), (3.1, 4.0), (9.1, 5.0)) == [GOOD] * 5
    assert (count(c, "gap"), count(c, "jitter")) == (1, 1)
    assert c.report()["interval_s"][0] == pytest.approx(9.1 / 4)
    assert c.report()["jitter_max_ms"][0] == pytest.approx(60)


def test_a_reading_left_out_puts_the_next_beside_the_beat():
    c = Conditioner(checks(interval=SECOND))
    assert statuses(c, (0, 1.0), (1, 2.0), (3, 3.0), (4, 4.0), (9, 5.0), (9.95, 6.0)) == [GOOD] * 6
    assert (count(c, "gap"), count(c, "jitter")) == (0, 2), "after 2 s and after 5 s; 50 ms are within"


def test_the_same_again_is_a_duplicate_and_is_not_stored():
    c = Conditioner(checks())
    assert len(statuses(c, (0, 1.0), (0, 1.0, GOOD, 1))) == 1
    c.advance(START + 3600 * SECOND)
    assert statuses(c, (0, 1.0, GOOD, 3601)) == []
    assert (count(c, "received"), count(c, "stored"), count(c, "duplicate")) == (3, 1, 2)


def test_the_same_value_under_another_status_is_a_correction():
    c = Conditioner(checks())
    assert statuses(c, (0, 1.0), (0, 1.0, UNCERTAIN, 1)) == [GOOD, UNCERTAIN]
    assert count(c, "correction") == 1


def test_a_correction_is_what_the_next_reading_is_compared_with():
    c = Conditioner(checks(max_rate=1.0))
    assert statuses(c, (0, 0.0), (1, 50.0), (1, 0.5, GOOD, 1), (2, 1.0)) == [GOOD, BAD_SENSOR_FAILURE, GOOD, GOOD]


def test_a_correction_of_the_same_instant_is_received_after_what_it_corrects():
    c = Conditioner(checks())
    received = c.process(rows((0, 1.0), (0, 2.0), (0, 3.0))).rows.received
    assert (np.diff(received) == 1).all()


def test_an_older_word_for_a_time_does_not_replace_a_newer_one():
    c = Conditioner(checks(max_rate=1.0))
    out = c.process(rows((0, 0.0), (1, 0.5, GOOD, 2), (1, 50.0, GOOD, 1), (2, 1.0, GOOD, 3)))
    assert out.rows.status.tolist() == [GOOD, GOOD, BAD_SENSOR_FAILURE, GOOD]


def test_a_late_reading_has_what_follows_it_judged_again():
    c = Conditioner(checks(max_rate=1.0))
    assert statuses(c, (0, 0.0), (2, 2.0), (3, 1.0)) == [GOOD, GOOD, GOOD]
    out = c.process(rows((1, 0.5, GOOD, 3)))  # from here 2.0 could not be reached in time
    assert out.rows.time.tolist() == [START + SECOND, START + 2 * SECOND]
    assert out.rows.status.tolist() == [GOOD, BAD_SENSOR_FAILURE]


def test_a_row_judged_again_has_its_value_and_is_received_with_its_cause():
    c = Conditioner(checks(stuck_after=2 * SECOND))
    assert statuses(c, (0, 1.0), (1, 1.0), (3, 1.0)) == [GOOD, GOOD, CONSTANT]
    out = c.process(rows((2, 7.0, GOOD, 2)))
    assert out.rows.time.tolist() == [START + 2 * SECOND, START + 3 * SECOND]
    assert out.rows.value.tolist() == [7.0, 1.0]
    assert out.rows.status.tolist() == [GOOD, GOOD]
    assert out.rows.received.tolist() == [START + 4 * SECOND] * 2
    assert out.again.tolist() == [False, True]
    assert out.news.tolist() == [False, False]
    assert (count(c, "late"), count(c, "rejudged"), count(c, "stored")) == (1, 1, 4)


def test_a_late_reading_is_judged_by_the_state_before_the_window():
    c = Conditioner(checks(max_rate=1.0, stuck_after=60 * SECOND))
    statuses(c, (0, 1.0))
    for tick in range(1, 101):
        c.advance(START + tick * SECOND)
    assert statuses(c, (100, 1.0, GOOD), (98, 1.0, GOOD, 3)) == [CONSTANT, CONSTANT]
    assert statuses(c, (97, 200.0, GOOD, 4)) == [BAD_SENSOR_FAILURE, GOOD, GOOD]  # it did move


def test_what_is_older_than_the_window_judges_nothing_again():
    c = Conditioner(checks(max_rate=1.0))
    statuses(c, (0, 0.0), (10, 2.0))
    c.advance(START + 60 * SECOND)
    out = c.process(rows((5, 500.0, GOOD, 60)))
    assert out.rows.status.tolist() == [GOOD]
    assert (count(c, "late"), count(c, "rate")) == (1, 0)


@dataclass
class Stored:
    found: np.ndarray
    value: np.ndarray
    status: np.ndarray


@pytest.mark.parametrize(
    ("value", "status", "stored", "reason"),
    [
        (5.0, GOOD, 1, "correction"),
        (7.0, GOOD, 0, "duplicate"),
        (7.0, BAD_SENSOR_FAILURE, 0, "duplicate"),  # judged by a rate that only its neighbours then could tell
        (7.0, BAD_COMMUNICATION, 1, "correction"),
    ],
)
def test_beyond_the_window_the_store_says_what_is_new(value, status, stored, reason):
    c = Conditioner(checks())
    statuses(c, (0, 1.0))
    c.advance(START + 60 * SECOND)
    batch = rows((60, 2.0), (-3, 7.0, GOOD, 63), (-4, 7.0, GOOD, 64))
    assert c.too_late(batch).tolist() == [False, True, True]
    known = Stored(np.array([True, False]), np.array([value, np.nan]), np.array([status, 0], np.uint32))
    assert len(c.process(batch, known).rows) == 2 + stored
    assert (count(c, reason), count(c, "late")) == (1, 1)


def test_a_source_that_sends_backwards_does_not_hold_up_the_plant():
    c = Conditioner(checks(max_rate=1.0))
    n = 20_000
    time = START + np.arange(n)[::-1] * MS
    out = c.process(Batch.of(signal=np.zeros(n), time=time, received=np.full(n, START + 60 * SECOND), value=np.arange(n), status=np.zeros(n)))
    assert count(c, "late") == n - 1
    assert count(c, "stored") == n
    assert len(out.rows) >= n


def test_the_window_forgets_what_no_late_reading_can_concern():
    c = Conditioner(checks(3))
    for second in range(60):
        for signal in range(3):
            c.process(rows((second, float(second)), signal=signal))
        c.advance(START + second * SECOND)
    assert c.state()["window.time"].min() > c.watermark - SECOND


def test_signals_added_later_have_said_nothing():
    c = Conditioner(checks(1))
    statuses(c, (0, 1.0), (1, 2.0))
    grown = Conditioner.restore(checks(3), c.state())
    assert len(grown) == 3
    grown.process(rows((0, 1.0), signal=2))
    assert statuses(grown, (1, 2.0, GOOD, 1)) == []
    assert grown.counts[REASONS.index("received")].tolist() == [3, 0, 1]


def test_a_memory_of_another_format_is_refused():
    state = Conditioner(checks()).state() | {"format": np.array([99])}
    with pytest.raises(StorageError, match="another data format"):
        Conditioner.restore(checks(), state)


def test_what_is_given_as_state_does_not_change_later():
    c = Conditioner(checks(interval=SECOND))
    statuses(c, (0, 1.0), (1, 2.0))
    state = c.state()
    before = {k: v.copy() for k, v in state.items()}
    statuses(c, (2, 3.0), (1.5, 9.0), (1, 2.5, GOOD, 2))
    c.advance(START + 100 * SECOND)
    for name, column in state.items():
        np.testing.assert_array_equal(column, before[name])


def test_a_batch_without_rows_gives_none():
    assert len(Conditioner(checks()).process(Batch.empty()).rows) == 0


def test_averages_of_the_beat_are_taken_at_ticks():
    c = Conditioner(checks(interval=SECOND))
    statuses(c, *((t, float(t)) for t in range(11)))
    c.advance(START + 11 * SECOND)
    report = c.report()
    assert report["rate_per_s"][0] == pytest.approx(1.0)
    assert report["jitter_ms"][0] == 0.0
    assert report["last_time"][0] == START + 10 * SECOND
    assert report["good_fraction"][0] == 1.0
