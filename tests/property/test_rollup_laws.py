"""Roll-ups are the readings: whatever the order, however late, corrected or merged, wherever the writer was cut off."""

import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gemel.history.levels import DAYS, HOURS, MINUTES, SECONDS
from gemel.samples import Batch
from rollup_model import HOUR, SECOND, START, Model, readings

PHASES = [Phase.explicit, Phase.reuse, Phase.generate]  # to shrink is to make lakes for minutes
few = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
batches = st.tuples(st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([(0, 3), (0, 30), (2, 5), (20, 30), (26, 27)]))
steps = st.one_of(
    batches.map(lambda b: ("commit", b)), st.integers(1, 52).map(lambda h: ("roll", h)), st.just(("compact", None)), st.just(("reopen", None)),
    st.just(("part", None)),
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def few_are_worth_it():
    """Fine levels are stored for a few readings already, so that short examples meet them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gemel.history.roller.WORTH", 3.0)
        yield


def play(model, step):
    what, how = step
    if what == "commit":
        model.commit(readings(*how))
    elif what == "roll":
        model.roll(how)
    elif what == "part":
        model.store._rollups.roll(model.now, 0.0)
    elif what == "compact":
        model.store.compact(grace_s=0)
    else:
        model.reopen()


@few
@given(steps=st.lists(steps, min_size=1, max_size=8), signal=st.integers(0, 2), start=st.integers(-3, 120), width=st.sampled_from([60, 90, 600, 3600, 1234, 5400, 7200, 86400]))
def test_aggregates_out_of_roll_ups_are_those_of_the_readings(steps, signal, start, width):
    with tempfile.TemporaryDirectory() as path:
        model = Model(path)
        try:
            for step in [("commit", (1, 200, (0, 30))), ("roll", 27), *steps]:
                play(model, step)
                begin = START + start * 600 * SECOND
                model.check_aggregates(signal, begin, begin + 3 * HOUR + 17 * SECOND if width < 3600 else begin + 50 * HOUR, width * SECOND)
            model.check_aggregates(signal, START, START + 48 * HOUR, 24 * HOUR)
        finally:
            model.close()


@few
@given(steps=st.lists(steps, min_size=1, max_size=8), signal=st.integers(0, 2), level=st.integers(0, 3), wider=st.integers(1, 7))
def test_a_drawing_out_of_roll_ups_is_that_of_the_readings_to_the_bit(steps, signal, level, wider):
    levels = [DAYS, HOURS, MINUTES, SECONDS][level:]
    with tempfile.TemporaryDirectory() as path:
        model = Model(path)
        try:
            for step in [("commit", (2, 300, (0, 30))), ("roll", 29), *steps]:
                play(model, step)
                model.check_drawing(signal, START - HOUR, START + 49 * HOUR + 7 * SECOND, levels, levels[0].width * wider)
        finally:
            model.close()


@few
@given(seed=st.integers(0, 10**6), signal=st.integers(0, 2))
def test_late_rows_that_are_only_in_the_tail_count_at_once(seed, signal):
    with tempfile.TemporaryDirectory() as path:
        model = Model(path)
        try:
            model.commit(readings(seed, 300, (0, 5)))
            model.roll(5)
            model.check_aggregates(signal, START, START + 6 * HOUR, HOUR, tail=readings(seed + 1, 50, (0, 6)))
        finally:
            model.close()


class Dead(BaseException):
    pass


class Dying:
    """A connection whose process dies at its n-th statement: nothing is executed any more."""

    def __init__(self, connection, left):
        self._connection, self.left = connection, left

    def execute(self, *arguments):
        self.left -= 1
        if self.left < 0:
            raise Dead
        return self._connection.execute(*arguments)

    def __getattr__(self, name):
        return getattr(self._connection, name)


@settings(few, max_examples=10)
@given(seed=st.integers(0, 10**6), dies=st.integers(0, 60), signal=st.integers(0, 2), hours=st.sampled_from([(0, 3), (1, 30)]))
def test_wherever_the_writer_dies_roll_ups_stay_true(seed, dies, signal, hours):
    with tempfile.TemporaryDirectory() as path:
        model = Model(path)
        try:
            model.commit(readings(seed, 200, (0, 26)))
            model.roll(26)
            late = readings(seed + 1, 100, hours)
            whole = model.store._connection
            model.store._connection = Dying(whole, dies)
            stored, before = False, model.sequence
            try:
                model.commit(late)
                stored = True
                model.roll(30)
            except Dead:
                pass
            model.store._connection = whole
            model.reopen()
            if not stored and model.store.progress()[0].sequence > before:
                model.all = Batch.concat([model.all, late])
            model.sequence = model.store.progress()[0].sequence
            model.check_aggregates(signal, START, START + 30 * HOUR, HOUR)
            model.roll(31)
            assert not model.store._rollups.state.dirty and not model.store._rollups.state.dirty_days
            model.check_aggregates(signal, START, START + 48 * HOUR, 24 * HOUR)
            model.check_drawing(signal, START, START + 30 * HOUR, [HOURS, MINUTES, SECONDS], 2 * HOUR)
            named = {p.name for p in model.store._folder.rglob("*.parquet")}
            assert named == {f.path.name for f in model.reader._session.look(lambda m: [x for k in m.files.values() for x in k.stored])}
        finally:
            model.close()


def test_seconds_and_minutes_are_stored_where_they_are_worth_it_and_answer_alone():
    """Twenty readings a second make seconds worth storing; once rolled up, the drawing needs no reading."""
    with tempfile.TemporaryDirectory() as path:
        model = Model(path)
        try:
            n = 72_000 * 2
            time = START + np.arange(n) * (SECOND // 20)
            model.commit(Batch.of(signal=np.zeros(n), time=time, received=time, value=np.sin(np.arange(n) / 999), status=np.zeros(n)))
            model.roll(2)
            kinds = model.reader._session.look(lambda m: set(m.files))
            assert kinds == {"raw_", *(f"{k}_{v}_" for k in ("roll", "pick") for v in ("1s", "1m", "1h"))}
            for raw in (model.store._folder / "raw_default").iterdir():
                raw.unlink()
            drawn = model.reader.decimated(0, START, START + 2 * HOUR, 2000)
            assert 500 < len(drawn) <= 4000
            found = model.reader.aggregated(0, START, START + 2 * HOUR, 10 * SECOND, "mean")
            np.testing.assert_allclose(found.values[:3], [np.sin(np.arange(200 * i, 200 * i + 200) / 999).mean() for i in range(3)])
            for start, width in ((0, 7), (13, 7), (0, 90), (61, 90), (60, 420), (0, 2700), (0, 7200)):  # steps that no level has
                begin = START + start * SECOND
                found = model.reader.aggregated(0, begin, START + 2 * HOUR, width * SECOND, "max")
                value, at = np.sin(np.arange(n) / 999), (time - begin) // (width * SECOND)
                want = [value[at == i].max() for i in range(len(found.values))]
                np.testing.assert_allclose(found.values, want, err_msg=f"{start} s, {width} s")
        finally:
            model.close()


def test_a_reading_holds_into_an_hour_without_readings():
    """After a burst nothing comes for days: the hour it holds into is rolled up all the same, and the gap is none."""
    with tempfile.TemporaryDirectory() as path:
        model = Model(path)
        try:
            for begin in (START, START + 60 * HOUR):
                time = begin + HOUR - np.arange(100, 0, -1) * SECOND
                model.commit(Batch.of(signal=np.full(100, 2), time=time, received=time, value=np.arange(100), status=np.zeros(100)))
                model.roll((begin - START) // HOUR + 1)
            model.roll(72)
            model.check_aggregates(2, START, START + 72 * HOUR, HOUR)
            assert model.reader.aggregated(2, START, START + 3 * HOUR, HOUR, "time_weighted_mean").values[1] == 99.0
        finally:
            model.close()
