"""The first time that it is asked who is wrong, all is compiled already, and nothing else is other than without a rehearsal."""

from concurrent.futures import Future

import pytest

pytest.importorskip("jax")

import jax.monitoring
from balances_kit import BALANCES, BEGINS, PLANT, frames, off
from plants import plant

from gemel.operate.estimates_areas import followed
from gemel.operate.estimator import Estimator
from gemel.operate.rehearsing import REST, Rehearsing
from gemel.operate.weighing import WORKER

COMPILED = "/jax/core/compile/backend_compile_duration"


def test_what_is_compiled_in_the_rehearsal_is_not_compiled_for_the_first_verdict(tmp_path):
    made, compiled = plant(tmp_path, PLANT + BALANCES), []
    registry = made.registry()
    jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name) if name == COMPILED else None)
    estimator = Estimator(followed(made, registry), registry, made.checks(registry), 0)
    rehearsing, turns, before = Rehearsing(), [], 0
    for position, frame in enumerate(frames(registry, off, BEGINS + 40), 1):
        list(estimator.take(frame, position))
        turns += estimator.turns
        if position == 2 * 50:
            rehearsing.step(estimator.rehearsals())
            assert not rehearsing.done, "too little is known"
        if position == 2 * 120:
            rehearsing.step(estimator.rehearsals())
            (ask,) = estimator.rehearsals().values()
            before = len(compiled)
            WORKER.ask(ask()).result()  # behind the first: it waits for that, and finds all compiled
            assert rehearsing.done == {0} and len(compiled) > before
            before = len(compiled)
    assert [t.body["suspects"][0]["name"] for t in turns if t.kind == "ResidualRaised" and t.body["suspects"]][:1] == ["net/pump-1/flow"]
    assert len(compiled) == before


class Worker:
    """Stands for who weighs: answers when told to."""

    def __init__(self):
        self.asked, self.idle = [], True

    def ask(self, question, of=None):
        answer = Future()
        self.asked.append((question, answer))
        return answer


def test_one_after_the_other_with_rests_and_nothing_while_somebody_really_asks():
    now, worker = [0.0], Worker()
    rehearsing = Rehearsing(worker, lambda: now[0])
    questions = {0: lambda: "first", 1: lambda: None, 2: lambda: "third"}
    worker.idle = False
    rehearsing.step(questions)
    assert worker.asked == []
    worker.idle = True
    rehearsing.step(questions)
    rehearsing.step(questions)
    assert [q for q, _ in worker.asked] == ["first"]
    now[0] = 10.0
    worker.asked[0][1].set_exception(ValueError("no equations"))
    rehearsing.step(questions)
    now[0] = 10.0 + 9.9 * REST
    rehearsing.step(questions)
    assert len(worker.asked) == 1, "it rests"
    now[0] = 11.0 + 10.0 * REST
    rehearsing.step(questions)
    assert [q for q, _ in worker.asked] == ["first", "third"] and rehearsing.done == {0, 2}
