"""Once a machine has a long past, who is wrong is asked by hours of readings; a sensor's symptoms are looked for, and count as out."""

from concurrent.futures import Future

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import tank_problem

from gemel.estimate import long_past
from gemel.estimate import watch as watching
from gemel.estimate.blame import Suspect, Verdict
from gemel.estimate.questions import Back, Hours, Left, Minutes, Question
from gemel.estimate.residuals import LEFT_OUT
from gemel.estimate.watch import GOOD, LATER, Watch
from gemel.operate.weighing import Weighing

EVERY, LAST, DAY = 60, 60, 100  # instants of a second in a row; rows
BEGINS = (DAY + LAST + 5) * EVERY


@pytest.fixture(scope="module")
def problem():
    return tank_problem()


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for module in (long_past, watching):
        monkeypatch.setattr(module, "LAST", LAST)
    monkeypatch.setattr(long_past, "LENGTHS", (DAY, DAY))


def course(problem, seconds, off=0.0, since=BEGINS, until=10**9):
    """Residuals of one machine, of which the first output's leave their band for a while; its readings are the same, scaled."""
    rng, outputs = np.random.default_rng(3), len(problem.model.outputs)
    z = 0.5 * rng.standard_normal((seconds, 1, outputs))
    z[since:until, 0, 0] += off
    return z, 5.0 + 0.1 * z


def watched(problem, z, y, lasting=True):
    watch = Watch(problem, problem.model.p0[None], np.ones((1, z.shape[2]), bool), lasting=lasting)
    u, x = np.ones((1, len(problem.model.inputs))), np.zeros((1, len(problem.model.states)))
    return watch, [(at, f) for at in range(len(z)) for f in watch.meet(at, u, y[at], z[at], x)]


def test_by_minutes_until_a_long_past_is_there_and_by_hours_then(problem):
    early = GOOD + LEFT_OUT + 500
    _, told = watched(problem, *course(problem, early + 200, 4.0, early))
    assert [type(f.seen) for _, f in told if isinstance(f, Question)] == [Minutes, Minutes, Minutes]
    watch, told = watched(problem, *course(problem, BEGINS + (LATER[1] + 1) * EVERY, 4.0))
    asked = [f for _, f in told if isinstance(f, Question)]
    assert [type(f.seen) for f in asked] == [Hours] * 5
    assert [f.at - asked[0].at for f in asked] == [0, 60, 150, *(k * EVERY for k in LATER[:2])]
    for f in asked:
        since = f.seen.since
        assert len(f.seen.recent.y) == LAST and len(f.seen.asked.good.y) == DAY and f.wait == EVERY and f.seen.dt == EVERY
        assert since == max(LAST - 1 - (f.at // EVERY - BEGINS // EVERY), 0)
    last = asked[3].seen.recent.y[:, 0]
    since = asked[3].seen.since
    assert last[since + 1 :].mean() > 5.3 and abs(last[:since].mean() - 5.0) < 0.05
    _, told = watched(problem, *course(problem, BEGINS + 200, 4.0), lasting=False)
    assert {type(f.seen) for _, f in told if isinstance(f, Question)} == {Minutes}


def _convicted(problem):
    z, y = course(problem, BEGINS + watching.OVER * EVERY + 60, 4.0)
    watch, _ = watched(problem, z[: BEGINS + EVERY], y)
    watch.convict(0)
    u, x = np.ones((1, len(problem.model.inputs))), np.zeros((1, len(problem.model.states)))
    return [f for at in range(BEGINS + EVERY, len(z)) for f in watch.meet(at, u, y[at], z[at], x)]


def test_it_is_asked_again_for_as_long_as_it_is_out_and_nobody_is_surely_to_blame(problem):
    _, told = watched(problem, *course(problem, BEGINS + 2 * watching.OVER * EVERY + 60, 4.0))
    begun = next(f.at for _, f in told if isinstance(f, Left))
    assert not any(f.at > begun + LATER[-1] * EVERY for f in _convicted(problem)), "once somebody is surely to blame, that is it"
    late = [f for _, f in told if isinstance(f, Question) and f.at - begun > LATER[-1] * EVERY]
    assert [f.at - begun for f in late] == [watching.OVER * EVERY, 2 * watching.OVER * EVERY]


def test_a_sensor_that_repeats_itself_is_out_though_its_residual_is_not_until_it_moves_again(problem):
    z, y = course(problem, BEGINS + 5 * LAST * EVERY)
    y[BEGINS : BEGINS + LAST * EVERY, 0, 0] = 5.0
    _, told = watched(problem, z, y)
    left, asked, *_, back = [f for _, f in told]
    assert isinstance(left, Left) and left.output == 0 and BEGINS <= left.onset < left.at < BEGINS + LAST * EVERY
    assert isinstance(asked, Question) and asked.at == left.at and isinstance(asked.seen, Hours)
    assert isinstance(back, Back) and back.at > BEGINS + 2 * LAST * EVERY
    assert sum(isinstance(f, Left) for _, f in told) == 1, "told once"


def test_what_somebody_was_surely_to_blame_for_is_not_learned_from(problem):
    z, y = course(problem, BEGINS + 20 * EVERY, 4.0, until=BEGINS + 10 * EVERY)
    u, x = np.ones((1, len(problem.model.inputs))), np.zeros((1, len(problem.model.states)))
    for sure in (True, False):
        watch, told = watched(problem, z[: BEGINS + 5 * EVERY], y)
        if sure:
            watch.convict(0)
        turns = [f for at in range(BEGINS + 5 * EVERY, len(z)) for f in watch.meet(at, u, y[at], z[at], x)]
        assert any(isinstance(f, Back) for f in turns)
        for at in range(len(z), len(z) + (LAST + 20) * EVERY):
            watch.meet(at, u, y[at % 1000], z[at % 1000], x)
        off = watch._long.good(0).y[:, 0] > 5.25
        assert (off.sum() < 3) == sure


class Idle:
    """Who is asked and never answers."""

    def __init__(self):
        self.asked = []

    def ask(self, question, of=None):
        self.asked.append(question)
        answer = Future()
        answer.set_result(Verdict(((Suspect("sensor", "lower"), 1.0),), "off", 0, (0.0, 0.0), 9.0, None))
        return answer


def test_a_question_that_waits_for_its_answer_is_the_same_after_a_restart(problem):
    z, y = course(problem, BEGINS + 400, 4.0)
    watch, told = watched(problem, z, y)
    weighing, worker = Weighing(Idle()), Idle()
    for _, f in told:
        if isinstance(f, Question):
            weighing.ask(f)
    kept, other = {k: v.copy() for k, v in weighing.state().items()}, Watch(problem, problem.model.p0[None], np.ones((1, z.shape[2]), bool))
    other.restore(watch.state())
    again = Weighing(worker)
    again.restore(kept, other)
    asked = [f for _, f in told if isinstance(f, Question)]
    assert len(asked) == len(worker.asked) == 3
    for one, two in zip(asked, worker.asked, strict=True):
        assert (one.machine, one.output, one.at, one.onset, one.wait, one.seen.since) == (two.machine, two.output, two.at, two.onset, two.wait, two.seen.since)
        for a, b in ((one.seen.recent, two.seen.recent), (one.seen.asked.good, two.seen.asked.good)):
            assert np.array_equal(a.u, b.u) and np.array_equal(a.y, b.y, equal_nan=True)
    assert [f.at for f in again.due(10**9)] == [10**9] * 3
