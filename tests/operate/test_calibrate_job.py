"""A calibration as a job: what it follows from stands in its spec, and the same spec and readings give the same result."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from gemel.assets import load
from gemel.dynamics.fixed import trajectory
from gemel.errors import ModelError
from gemel.estimate.gate import Verdict
from gemel.estimate.record import Record
from gemel.operate import calibrate_job as job
from gemel.operate.blaming import Attribution, newest
from gemel.operate.jobs import Jobs
from gemel.operate.machine import machine_of, parameters_to
from gemel.operate.machine_kept import kept, machine_again
from gemel.operate.readings_kept import of_rows, packed, unpacked
from gemel.samples import Batch

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/cascaded-tanks"
TRUTH = {"k3": 0.061, "k4": 0.047}
STEPS = 500
SPAN = (0, STEPS * 4_000_000_000)


@pytest.fixture(scope="module")
def machine():
    return machine_of(load(EXAMPLE), "benchmark/cascaded-tanks/bench/rig")


@pytest.fixture(scope="module")
def readings(machine):
    rng = np.random.default_rng(4)
    u = 2.6 + np.repeat(rng.uniform(-1, 1, STEPS // 25), 25)[:, None]
    _, y = trajectory(machine.model, np.array([4.0, 4.0]), u, parameters_to(machine, TRUTH), 4.0)
    times, good = np.arange(STEPS) * 4_000_000_000, np.zeros(STEPS, np.uint32)
    return packed([(times, u[:, 0], good), (times, np.asarray(y)[:, 0] + 0.01 * rng.standard_normal(STEPS), good)])


def asked(machine, champion=None, **wish):
    given = {"parameters": ["k3", "k4"], "starts": 1, **wish}
    spec = job.spec(machine, job.wish(given), SPAN, "d", champion)
    return msgspec.json.decode(msgspec.json.encode(spec))  # as it comes out of the queue


@pytest.fixture(scope="module")
def answered(machine, readings):
    told = []
    answer = job.run({**asked(machine), "bytes": readings}, lambda done: told.append(done) or True)
    return answer, told


def test_it_finds_what_the_machine_is_and_the_gate_lets_it_through(answered):
    answer, told = answered
    for name, value in TRUTH.items():
        e = answer["parameters"][name]
        assert e["low"] < value < e["high"] and e["value"] == pytest.approx(value, rel=0.02)
    assert answer["gate"]["passed"], answer["gate"]["against"]
    assert answer["validation"]["rmse"]["lower"]["value"] < 0.02 < answer["validation"]["rmse_before"]["lower"]["value"]
    assert answer["chosen"]["regimes"] == [{"regime": "all", "fitted": 350, "unseen": 150}]
    assert answer["release"]["values"].keys() == TRUTH.keys() and answer["release"]["champion"] == 0
    assert told == sorted(told) and 0 < told[0] < told[-1] < 1


def test_the_first_version_of_a_machine_with_one_sensor_is_confirmed_by_nothing_and_says_so(answered):
    answer, _ = answered
    path = "benchmark/cascaded-tanks/bench/rig/lower"
    assert answer["unconfirmed"] == [f"only {path} tells {name}: no other reading confirms that it changed" for name in ("k3", "k4")]
    assert answer["release"]["unconfirmed"] == answer["unconfirmed"]
    assert [(w["without"], w["told"]) for w in answer["attribution"]["without"]] == [(path, False)] * 2


def test_the_same_spec_and_readings_give_the_same_result(machine, readings, answered):
    assert job.run({**asked(machine), "bytes": readings}, lambda done: True) == answered[0]


def test_what_is_in_force_is_the_champion_and_is_judged_on_what_it_was_not_fitted_to(machine, readings, answered):
    version = {"version": 3, "values": answered[0]["release"]["values"], "data": {"to_s": 1800.0}}
    answer = job.run({**asked(machine, version), "bytes": readings}, lambda done: True)
    assert answer["champion"] == 3 and answer["chosen"]["regimes"][0]["unseen"] == 50
    names = [c["name"] for c in answer["gate"]["checks"] if not c["passed"]]
    assert {"readings", "better", "significant"} <= set(names), "forty readings are too few, and it is no better"


def test_a_sensor_that_is_held_wrong_keeps_the_champion(machine, readings):
    answer = job.run({**asked(machine, blamed=["rig/lower"]), "bytes": readings}, lambda done: True)
    assert not answer["gate"]["passed"] and answer["gate"]["against"] == ["the residuals blame rig/lower"]


def test_of_what_the_gate_would_let_in_it_is_asked_who_is_wrong_and_a_blamed_sensor_keeps_it_out(machine, readings, monkeypatch):
    """The attribution itself is held by test_blaming; here that it is asked, of what, and what its word does."""
    asked_of = []

    def attribute(machine, good, recent, free, substeps):
        asked_of.append((sum(map(len, good)), sum(map(len, recent)), free))
        return Attribution(("rig/lower is drifting",), {"words": "rig/lower is drifting"})

    monkeypatch.setattr(job, "attribute", attribute)
    both = packed([(r.times, r.values, r.status) for r in unpacked(readings, machine.inputs + machine.outputs)] * 2)
    spec = {**asked(machine), "good": True}
    answer = job.run({**spec, "bytes": both}, lambda done: True)
    assert answer["gate"]["against"] == ["the residuals blame rig/lower is drifting"]
    assert asked_of == [(STEPS, STEPS, ("k3", "k4"))]
    spec["wish"]["blame"] = False
    assert job.run({**spec, "bytes": both}, lambda done: True)["gate"]["passed"]


def test_it_is_asked_of_the_newest_readings_however_long_older_stretches_are():
    def record(steps, start):
        return Record(1.0, np.zeros((steps, 1)), np.full((steps, 1), start), np.ones((steps, 1)), start)

    found = newest([record(800, 0.0), record(150, 5000.0), record(500, 1000.0), record(20, 9000.0)])
    assert (found.start, len(found)) == (5000.0, 150), "twenty steps are too few to tell anything"
    found = newest([record(150, 5000.0), record(800, 6000.0)])
    assert (found.start, len(found)) == (6500.0, 300)
    assert newest([record(20, 9000.0)]) is None


def bad_from(machine, readings, first, last):
    """Give the readings with a stretch of the level marked Bad (its bits: docs, *quality*)."""
    pump, level = unpacked(readings, machine.inputs + machine.outputs)
    status = level.status.copy()
    status[first:last] = 0x80000000
    return packed([(pump.times, pump.values, pump.status), (level.times, level.values, status)])


def test_all_readings_that_were_offered_count_as_good_or_not_and_not_only_those_that_were_fitted(machine, readings):
    """Whole blocks of bad readings are left out of the fit; what remains would look spotless."""
    answer = job.run({**asked(machine, unseen=0.4), "bytes": bad_from(machine, readings, 100, 250)}, lambda done: True)
    assert answer["chosen"]["left_out"]["not good"] == 150
    assert answer["gate"]["against"] == ["30 % of the readings are not Good, 20 % may be"]


def test_bad_readings_of_a_machine_that_stands_do_not_count(machine, readings):
    pump, level = unpacked(bad_from(machine, readings, 100, 250), machine.inputs + machine.outputs)
    volts = pump.values.copy()
    volts[100:250] = 0.0
    data = packed([(pump.times, volts, pump.status), (level.times, level.values, level.status)])
    answer = job.run({**asked(machine, running={"pump": [0.5, None]}), "bytes": data}, lambda done: True)
    assert answer["chosen"]["left_out"]["not running"] == 150
    (good,) = (c for c in answer["gate"]["checks"] if c["name"] == "good data")
    assert good["passed"] and good["words"].startswith("0 %")


def test_who_does_not_want_it_any_more_is_heard_within_a_linearisation(machine, readings):
    told = []
    with pytest.raises(job.Cancelled):
        job.run({**asked(machine), "bytes": readings}, lambda done: told.append(done) or len(told) < 4)
    assert len(told) == 4


@pytest.mark.parametrize(
    ("wish", "match"),
    [({"parameters": ["k9"]}, "k9"), ({"running": {"speed": [1, 2]}}, "no input or output"), ({"regimes": {"pump": "x"}}, "cannot be read"),
     ({"strange": 1}, "cannot be read")],
)  # fmt: skip
def test_a_wish_that_the_machine_does_not_have_is_refused_in_words(machine, wish, match):
    with pytest.raises(ModelError, match=match):
        asked(machine, **wish)


@pytest.mark.parametrize(
    ("wish", "match"), [({"running": {"pump": [50, 60]}}, "500 steps not running"), ({"step_s": 1e-3}, "more than 200000 steps")]
)
def test_data_that_give_nothing_to_fit_are_said(machine, readings, wish, match):
    with pytest.raises(ModelError, match=match):
        job.run({**asked(machine, **wish), "bytes": readings}, lambda done: True)


def test_a_machine_is_the_same_after_it_was_kept(machine):
    again = machine_again(msgspec.json.decode(msgspec.json.encode(kept(machine))))
    for name in ("p", "low", "high"):
        np.testing.assert_array_equal(getattr(again, name), getattr(machine, name))
    assert (again.asset, again.parameters) == (machine.asset, machine.parameters)
    assert [(x.path, x.spec.unit, x.scale) for x in again.outputs] == [(x.path, x.spec.unit, x.scale) for x in machine.outputs]


def test_of_readings_of_one_time_the_newest_counts(machine):
    rows = Batch.of(signal=[7, 7, 3, 7], time=[20, 10, 5, 10], received=[21, 11, 6, 12], value=[2.0, 0.0, 9.0, 1.0], status=[0, 0, 0, 0])
    back = unpacked(packed(of_rows(rows, [7, 3])), machine.inputs + machine.outputs)
    assert back[0].times.tolist() == [10, 20] and back[0].values.tolist() == [1.0, 2.0]
    assert back[1].values.tolist() == [9.0]


def test_what_a_job_works_on_is_kept_beside_it_by_its_digest(tmp_path):
    jobs = Jobs(tmp_path / "jobs")
    name = jobs.attach(b"readings")
    assert jobs.attach(b"readings") == name and jobs.attached({"attached": name}) == b"readings"
    assert jobs.attached({"asset": "a"}) is None
    first, _ = jobs.ask("calibrate", {"attached": name}, "t", "olga")
    assert jobs.get(first.id).state == "queued" and [j.asked.id for j in jobs.listed("calibrate")] == [first.id]


@dataclass(frozen=True)
class Found:
    """A calibration that the gate would let in."""

    blamed: tuple = ()
    changed: tuple = ()
    hybrids: tuple = ()
    verdict: Verdict = Verdict((), 1.0, 0.5, 0.01)


@pytest.mark.parametrize(
    ("raised", "sensor", "waits"), [(True, 0.45, True), (True, 0.02, False), (False, 0.45, False)], ids=["in doubt", "the machine", "in its band"]
)
def test_what_one_sensor_alone_tells_waits_on_later_nights_too_where_that_may_be_the_one_that_is_off(monkeypatch, raised, sensor, waits):
    alone = "only a/b/rig/lower tells k1: no other reading confirms that it changed"
    suspects = [{"kind": "process", "name": "k1", "probability": 1 - sensor}, {"kind": "sensor", "name": "lower", "probability": sensor}]
    who = Attribution((), {"raised": raised, "words": "", "suspects": suspects})
    monkeypatch.setattr(job, "confirmed", lambda found, on_step: SimpleNamespace(blamed=(), alone=(alone,), told=[]))
    monkeypatch.setattr(job, "_against_then", lambda *_: who)
    monkeypatch.setattr(job, "changed_meanwhile", lambda found, on_step: ("k1 is 1 in their first quarter and 2 in their last",))
    found, _, unsure = job.attributed(Found(), job.Wish(), ((), ()), lambda: None)
    assert unsure == ([alone] if waits else [])
    assert len(found.changed) == 1, "where no sensor is blamed, the quarters are asked too"
