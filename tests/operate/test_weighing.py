"""Who cannot be told to be wrong ends no estimate: a question that fails goes without an answer, and the next one has its own."""

import threading
from concurrent.futures import Future
from types import SimpleNamespace

from gemel.bench.site import wait
from gemel.operate import weighing as module
from gemel.operate.weighing import Weighing


class Worker:
    """Stands for the thread: weighs at once."""

    def ask(self, question, of=None):
        answer = Future()
        try:
            answer.set_result(question.weighed())
        except Exception as e:
            answer.set_exception(e)
        return answer


def question(machine, at, weighed):
    return SimpleNamespace(machine=machine, output=0, at=at, onset=at - 5, wait=10, weighed=weighed)


def test_a_question_that_fails_goes_without_an_answer_and_those_behind_it_have_theirs(caplog):
    weighing = Weighing(Worker())
    weighing.ask(question(0, 100, lambda: 1 / 0))
    weighing.ask(question(1, 101, lambda: "the sensor"))
    assert weighing.due(109) == []
    assert weighing.due(110) == []
    assert "ZeroDivisionError" in caplog.text
    (found,) = weighing.due(121)
    assert (found.machine, found.at, found.onset, found.verdict) == (1, 121, 96, "the sensor")


def test_who_watches_sees_whose_question_is_weighed_and_that_a_filter_waits_for_it():
    """So that a question that never comes to an end is told of its own kind, not of the kind that waits."""
    worker, held, found = module.Worker(), threading.Event(), []
    weighing = Weighing(worker, "type Pump")
    weighing.ask(question(0, 100, lambda: held.wait(60) and "the sensor"))
    waiting = threading.Thread(target=lambda: found.extend(weighing.due(110)))
    waiting.start()
    try:
        assert wait(lambda: worker.awaited and worker.under.what == "type Pump", 30)
    finally:
        held.set()
        waiting.join(30)
    assert [one.verdict for one in found] == ["the sensor"]
    assert wait(lambda: worker.under.what is None and not worker.awaited, 30)
