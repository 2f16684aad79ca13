"""Estimates follow rows and ticks: as a filter of the whole record, in whatever order and however late rows come."""

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
from tank_kit import lived, tank_problem

from gemel.estimate import Unscented, track
from gemel.operate.estimating import Estimating, wired
from gemel.samples import status as codes
from gemel.samples.batch import Batch

SECOND, START, INSTANTS = 10**9, 1_600_000_000 * 10**9, 30
# of each machine: inflow [m3/h] 0, level [cm] 1; estimated: level [cm] 2, opening 3, outflow [m3/h] 4
SCALE, OFFSET = np.tile([1 / 3600, 0.01, 0.01, 1.0, 1 / 3600], 2), np.zeros(10)


def made():
    problem = tank_problem()
    wires = wired([([k], [k + 1, -1], [k + 2, k + 3, -1, k + 4]) for k in (0, 5)], SCALE, OFFSET)
    return problem, Estimating(problem, Unscented(), wires, np.tile(problem.model.p0, (2, 1)), start_ns=START, length=20)


def readings(problem):
    """Rows of two machines in plant units, and what they are in SI [machines, instants, ...]."""
    rng = np.random.default_rng(6)
    u = 0.05 + 0.02 * rng.random((2, INSTANTS, 1))
    y = np.array([lived(problem, problem.start[0], one, rng)[1] for one in u])
    y[:, :, 1] = np.nan
    rows = [(5 * m + kind, k, value) for m in range(2) for k in range(INSTANTS)
            for kind, value in ((0, u[m, k, 0] * 3600), (1, y[m, k, 0] * 100))]  # fmt: skip
    signal, instant, value = (np.array(column) for column in zip(*rows, strict=True))
    time = START + instant.astype(np.int64) * SECOND
    batch = Batch.of(signal=signal, time=time, received=time, value=value, status=np.zeros(len(rows)))
    return u, y, batch


def test_estimates_are_those_of_the_whole_record_in_the_units_of_the_plant():
    problem, loop = made()
    u, y, rows = readings(problem)
    told = []
    for k in range(INSTANTS + 1):
        loop.take(rows.take(rows.time == START + k * SECOND))
        told.append(loop.tick(START + k * SECOND)[0])
    told = Batch.concat(told)
    for m in range(2):
        whole = jax.jit(lambda u, y: track(problem, Unscented(), u, y, problem.model.p0))(u[m], y[m])
        for signal, expected in ((2, whole.mean[:, 0] * 100), (3, whole.mean[:, 1]), (4, whole.output[:, 1] * 3600)):
            mine = told.take(told.signal == 5 * m + signal)
            assert np.array_equal(mine.time, START + np.arange(INSTANTS) * SECOND)
            assert np.allclose(mine.value, expected, rtol=1e-9)
    assert set(told.signal) == {2, 3, 4, 7, 8, 9}


def final(told):
    """What stands in the end: of each signal and time the row received last."""
    order = np.lexsort((told.received, told.time, told.signal))
    told = told.take(order)
    last = np.append((np.diff(told.signal) != 0) | (np.diff(told.time) != 0), True)
    return told.take(last)


def test_late_and_disordered_rows_end_as_those_in_time_and_bad_ones_and_those_of_a_stuck_sensor_are_passed_by():
    problem, orderly = made()
    _, late = made()
    _, _, rows = readings(problem)
    rng = np.random.default_rng(3)
    level = rows.signal % 5 == 1
    delay = np.where(level, rng.integers(0, 12, len(rows)), 0) * SECOND
    stuck = codes.UNCERTAIN_SENSOR_NOT_ACCURATE | codes.LIMIT_CONSTANT
    bad = Batch.of(signal=[1, 1], time=[START + 4 * SECOND] * 2, received=[START] * 2, value=[9e9, 8e9], status=[codes.BAD, stuck])
    ends = []
    for loop, when in ((orderly, rows.time), (late, rows.time + delay)):
        told = []
        for k in range(INSTANTS + 14):
            now = START + k * SECOND
            due = rows.take(when == now)
            loop.take(due.take(rng.permutation(len(due))))
            loop.take(bad)
            told.append(loop.tick(now)[0])
        ends.append(final(Batch.concat(told)))
    assert late.too_late == 0
    assert np.array_equal(ends[0].signal, ends[1].signal)
    assert np.array_equal(ends[0].time, ends[1].time)
    assert np.array_equal(ends[0].value, ends[1].value)  # bit for bit
    assert orderly.at == late.at


def test_what_is_later_than_the_lag_is_counted_and_changes_nothing():
    problem, loop = made()
    _, _, rows = readings(problem)
    loop.take(rows)
    loop.tick(START + INSTANTS * SECOND)
    loop.take(rows.take((rows.signal == 1) & (rows.time == START)).with_columns(value=np.array([500.0])))
    again, _ = loop.tick(START + INSTANTS * SECOND)
    assert loop.too_late == 1
    assert len(again) == 0
