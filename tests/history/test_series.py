"""The history of a property whose unit was changed is one series, in the unit of today, however it is asked."""

from types import SimpleNamespace

import numpy as np
import pytest

from gemel.history import AGGREGATES, Reader, Series, Store
from gemel.samples import Batch, Registry
from gemel.twin.lanes import Lanes

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 19_000 * DAY
UNITS = Registry.of(
    [{"path": "a/b/t", "unit": "degF", "uid": "1", "retired": True},
     {"path": "a/b/other", "unit": "m", "uid": "2"},
     {"path": "a/b/t", "unit": "degC", "uid": "3", "formerly": "1", "retired": True},
     {"path": "a/b/t", "unit": "K", "uid": "4", "formerly": "3"}]
)  # fmt: skip
ONE = Registry.of([{"path": "a/b/t", "unit": "K"}])
TO_K = {0: (5 / 9, 459.67 * 5 / 9), 2: (1.0, 273.15), 3: (1.0, 0.0)}


def rows(signal, seconds, values, received=None, status=0):
    n = len(seconds)
    time = [START + int(s * SECOND) for s in seconds]
    return Batch.of(signal=[signal] * n, time=time, received=received or time, value=values, status=[status] * n)


def kelvin(batch):
    """The same readings, as one signal that was kept in kelvin from the first day."""
    scale, offset = (np.array([TO_K[s][i] for s in batch.signal.tolist()]) for i in (0, 1))
    return batch.with_columns(signal=np.zeros(len(batch), np.int32), value=batch.value * scale + offset)


STORED = Batch.concat([
    rows(0, range(0, 100), [50.0 + (s % 7) for s in range(100)]),
    rows(2, range(100, 130), [20.0 + (s % 5) for s in range(30)]),
    rows(0, [101.5], [60.0]),  # was on its way while the unit was changed
    rows(3, range(130, 300), [290.0 + (s % 3) for s in range(170)]),
])  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The series, and a reader of the same readings of a signal that never changed."""
    readers = []
    for name, batch in (("parts", STORED), ("one", kelvin(STORED))):
        path = tmp_path_factory.mktemp(name) / "lake"
        with Store.open(path) as store:
            store.commit(0, store.take_over(0), 1, batch)
        readers.append(Reader(path))
    yield Series(readers[0], SimpleNamespace(registry=UNITS)), readers[1]
    for reader in readers:
        reader.close()


def same(a, b):
    assert a.time.tolist() == b.time.tolist()
    assert a.value == pytest.approx(b.value, nan_ok=True)
    assert a.status.tolist() == b.status.tolist()


@pytest.mark.parametrize("span", [(0, 400), (50, 150), (99, 101), (100, 130), (200, 210), (500, 600)])
@pytest.mark.parametrize("limit", [None, 7])
def test_rows_are_those_of_a_signal_that_never_changed(both, span, limit):
    series, one = both
    start, end = (START + s * SECOND for s in span)
    got = series.raw([3], start, end, limit)
    same(got, one.raw([0], start, end, limit))
    assert set(got.signal.tolist()) <= {3}


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("interval", [1, 7, 40, 500])
def test_aggregates_are_those_of_a_signal_that_never_changed(both, aggregate, interval):
    series, one = both
    asked = START, START + 310 * SECOND, interval * SECOND, aggregate
    a, b = series.aggregated(3, *asked), one.aggregated(0, *asked)
    assert a.times.tolist() == b.times.tolist()
    assert a.counts.tolist() == b.counts.tolist()
    assert a.worst.tolist() == b.worst.tolist()
    assert a.values == pytest.approx(b.values, nan_ok=True)


def test_a_trend_goes_through_all_units_and_keeps_its_extremes(both):
    series, one = both
    a, b = (r.decimated(s, START, START + 300 * SECOND, 20) for r, s in ((series, 3), (one, 0)))
    assert set(a.signal.tolist()) == {3}
    assert (a.value.min(), a.value.max()) == pytest.approx((b.value.min(), b.value.max()))
    assert (a.time[0], a.time[-1]) == (b.time[0], b.time[-1])
    assert np.all(np.diff(a.time) > 0)


@pytest.mark.parametrize("at", [-1, 0, 99, 101.6, 129.5, 130, 1000])
def test_what_stood_at_a_time_is_found_in_the_unit_of_today(both, at):
    series, one = both
    when = START + int(at * SECOND)
    same(series.at([3], when), one.at([0], when))
    folded = []
    for stood in (series.stood([3], when), one.stood([0], when)):
        lanes = Lanes(1)
        lanes.fold(stood.with_columns(signal=np.zeros(len(stood), np.int32)))
        folded.append(lanes.shown(np.array([0])))
    same(*folded)


def test_readings_that_are_sent_again_are_known_under_their_former_unit(both):
    series, one = both
    again = rows(3, [5, 110, 200, 999], [0.0] * 4, received=[START + 5000 * SECOND] * 4)
    a = series.existing(again)
    b = one.existing(again.with_columns(signal=np.zeros(4, np.int32)))
    assert a.found.tolist() == b.found.tolist() == [True, True, True, False]
    assert a.value == pytest.approx(b.value, nan_ok=True)


def test_what_has_not_reached_the_lake_counts_too(both):
    series, one = both
    tail = Batch.concat([rows(0, [300], [70.0]), rows(3, [301], [295.0])])
    got = series.raw([3], START + 299 * SECOND, START + 400 * SECOND, tail=tail)
    same(got, one.raw([0], START + 299 * SECOND, START + 400 * SECOND, tail=kelvin(tail)))


def test_signals_beside_it_are_answered_as_they_stand(both):
    series, _ = both
    assert len(series.raw([1], START, START + DAY)) == 0
    assert series.numbers([1]).tolist() == [1]
    assert series.numbers([3, 1]).tolist() == [0, 1, 2, 3]
    assert len(series.raw([0], START, START + DAY)) == 101, "what retired can still be asked for, in its own unit"
