"""Who cannot be told to be wrong ends no estimate: a question that fails goes without an answer, and the next one has its own."""

from concurrent.futures import Future
from types import SimpleNamespace

from gemel.operate.weighing import Weighing


class Worker:
    """Stands for the thread: weighs at once."""

    def ask(self, question):
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
