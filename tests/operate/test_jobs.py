"""A job is named by what was asked, has one result, and is what its files say."""

import pytest

from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.operate import jobs as module
from gemel.operate.jobs import Ended, Jobs


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path / "jobs")


def end(jobs, name, **how):
    jobs.end(name, Ended(wall=1, seconds=0.5, **how))


def test_the_same_question_is_the_same_job_and_its_result_is_there(jobs, tmp_path):
    asked, new = jobs.ask("whatif", {"seed": 1, "x": [1.5]}, "one", "olga")
    assert new and jobs.get(asked.id).state == "queued"
    assert jobs.ask("whatif", {"x": [1.5], "seed": 1}, "again", "otto") == (asked, False)
    assert jobs.ask("whatif", {"seed": 2, "x": [1.5]}, "other", "olga")[0].id != asked.id
    jobs.begin(asked.id)
    assert jobs.get(asked.id).state == "running"
    with pytest.raises(ConflictError):
        jobs.result(asked.id)
    end(jobs, asked.id, result={"bands": [1.0]})
    again = Jobs(tmp_path / "jobs")  # of another process
    assert again.get(asked.id).state == "done" and again.result(asked.id) == {"bands": [1.0]}
    assert again.ask("whatif", {"seed": 1, "x": [1.5]}, "one", "olga")[1] is False


def test_what_failed_or_was_stopped_is_worked_on_anew_when_asked_again(jobs):
    for way in ("failed", "cancelled"):
        asked, _ = jobs.ask("whatif", {"way": way}, way, "olga")
        if way == "failed":
            end(jobs, asked.id, problem="no", code="model")
        else:
            jobs.cancel(asked.id)
        assert jobs.get(asked.id).state == way
        assert jobs.ask("whatif", {"way": way}, way, "olga")[1] is True
        assert jobs.get(asked.id).state == "queued"


def test_a_result_that_comes_after_the_stop_is_not_kept(jobs):
    asked, _ = jobs.ask("whatif", {}, "t", "olga")
    jobs.begin(asked.id)
    jobs.cancel(asked.id)
    end(jobs, asked.id, result=1)
    assert jobs.get(asked.id).state == "cancelled"


def test_giving_up_what_has_ended_forgets_it(jobs):
    asked, _ = jobs.ask("whatif", {}, "t", "olga")
    end(jobs, asked.id, result=1)
    jobs.cancel(asked.id)
    with pytest.raises(NotFoundError):
        jobs.get(asked.id)
    with pytest.raises(NotFoundError):
        jobs.get("../../etc")


def test_too_many_waiting_are_refused_and_old_ends_are_tidied(jobs, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 3)
    monkeypatch.setattr(module, "MOST", 2)
    names = [jobs.ask("whatif", {"n": n}, "t", "olga")[0].id for n in range(3)]
    with pytest.raises(RefusedError):
        jobs.ask("whatif", {"n": 9}, "t", "olga")
    for n in range(4, 9):
        end(jobs, names.pop(), result=1)
        names.append(jobs.ask("whatif", {"n": n}, "t", "olga")[0].id)
    states = [j.state for j in jobs.listed("whatif")]
    assert states.count("queued") == 3 and states.count("done") <= 3
