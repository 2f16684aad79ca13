"""What is read ahead changes no answer: it only is there sooner."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from history_kit import DAY, SECOND, START, random_batch

from gemel.history import Reader, Series, Store
from gemel.samples import Batch, Registry

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
COLUMNS = ("found", "value", "status", "received")


def answers(one, other, asked, tail):
    """Both say the same."""
    a, b = one.existing(asked, tail=tail), other.existing(asked, tail=tail)
    for name in COLUMNS:
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name
    return a


@few
@given(seed=st.integers(0, 10**6))
def test_the_answer_is_the_same_with_what_was_read_ahead(tmp_path_factory, seed):
    """Some of it is asked, more beside it; files came, and were merged, since it was read."""
    r = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("lake")
    base = random_batch(seed)
    parts = np.array_split(r.permutation(len(base)), 4)
    with Store.open(folder) as store, Reader(folder) as looking, Reader(folder) as plain:
        epoch, asked = store.take_over(0), base.with_columns(received=base.received + r.integers(-2, 3, len(base)) * SECOND)
        for sequence, part in enumerate(parts[:3], 1):
            looking.look_ahead(asked.take(r.integers(0, len(base), 100)))
            store.commit(0, epoch, sequence, base.take(part))
            if r.random() < 0.3:
                store.compact(20.0, grace_s=0)
            answers(looking, plain, asked.take(r.integers(0, len(base), 60)), base.take(parts[3]))


def years(folder, store):
    n = 2000
    time = START - np.arange(n) * DAY
    rows = Batch.of(signal=np.zeros(n), time=time, received=time, value=np.arange(n), status=np.zeros(n))
    for sequence, part in enumerate((rows[:1000], rows[1000:]), 1):
        store.commit(0, 1, sequence, part)
    return rows.with_columns(received=rows.received + SECOND)


def test_what_was_read_ahead_is_not_read_again(tmp_path, monkeypatch):
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.take_over(0)
        asked = years(tmp_path, store).take(np.arange(0, 2000, 7))
        reader.look_ahead(asked)
        monkeypatch.setattr("gemel.history.groups._read", lambda *_: pytest.fail("a file was read"))
        assert reader.existing(asked[5:]).found.all()


def test_a_signal_that_goes_on_from_another_is_read_ahead_too(tmp_path, monkeypatch):
    registry = Registry.of([{"path": "a/b/c", "uid": "1", "retired": True}, {"path": "a/b/c", "uid": "2", "formerly": "1"}])

    class Site:
        pass

    site = Site()
    site.registry = registry
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.take_over(0)
        asked = years(tmp_path, store)[:50].with_columns(signal=np.ones(50, np.int32))
        series = Series(reader, site)
        series.look_ahead(asked)
        monkeypatch.setattr("gemel.history.groups._read", lambda *_: pytest.fail("a file was read"))
        assert series.existing(asked).found.all()
