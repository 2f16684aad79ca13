"""A what-if may be asked of a model from another tool: member by member, in its own process, some at a time."""

from dataclasses import replace

import numpy as np
import pytest
from fmu_kit import lag, third

from gemel.dynamics import compile_model
from gemel.dynamics.solution import Profile
from gemel.errors import ModelError
from gemel.operate.fmi import Limits, fmu
from gemel.scenarios import Cancelled, Change, Kpi, Question, Scenario, Start, Uncertain, ask

MORE = Scenario("more", (Change("inflow", "set", profile=((0.0, 0.01), (30.0, 0.03))),))
KPIS = (
    Kpi("spilt", "integral", "outflow"), Kpi("end", "last", "level"), Kpi("highest", "max", "level"),
    Kpi("fed", "integral", "inflow"), Kpi("over", "first_above", "level", limit=1.05), Kpi("long", "time_above", "level", limit=1.05),
)  # fmt: skip


def question(**over):
    asked = {"horizon_s": 60.0, "step_s": 10.0, "points": 7, "members": 3, "seed": 1, "kpis": KPIS, "precision": "float64"}
    return Question(over.pop("scenarios", (MORE,)), **(asked | over))


@pytest.fixture(scope="module")
def tank(tmp_path_factory):
    return compile_model(fmu(third(tmp_path_factory.mktemp("fmu"), "TANK"), Limits(time_s=120.0)))


@pytest.fixture(scope="module")
def heater(tmp_path_factory):
    return compile_model(fmu(lag(tmp_path_factory.mktemp("lag"), "CoSimulation"), Limits(time_s=120.0)))


@pytest.fixture(scope="module")
def start(tank):
    return Start(tank.x0, tank.u0, tank.p0)


@pytest.fixture(scope="module")
def answer(tank, start):
    return ask(tank, start, question(uncertain=(Uncertain("area", 0.1),)))


def test_each_future_is_what_fmpy_gives_along_the_profile(tank, start):
    import fmpy

    found = ask(tank, start, question(members=1))
    assert found.converged and found.engine == "member by member, in a process of its own"
    given = np.array([(0, 0.01), (30, 0.01), (30, 0.03), (99, 0.03)], [("time", float), ("inflow", float)])
    want = fmpy.simulate_fmu(str(tank.model.path), stop_time=60, output_interval=found.step_s, input=given, output=["level", "outflow"])
    times, level, outflow = (np.asarray(want[n], float) for n in ("time", "level", "outflow"))
    more = found.futures[1]
    got = more.bands[2, :, found.watch.index("level")]
    assert got == pytest.approx(np.interp(found.times, times, level), abs=1e-6)
    assert found.futures[0].bands[2, :, found.watch.index("level")] == pytest.approx(np.ones(7), abs=1e-9)
    figures = {name: f.mean for name, f in more.figures.items()}
    spilt = ((outflow[:-1] + outflow[1:]) / 2 * np.diff(times)).sum()
    beyond = level[:-1] > 1.05
    expected = {"spilt": spilt, "end": level[-1], "highest": level[:-1].max(), "fed": 30 * 0.01 + 30 * 0.03}
    expected |= {"over": times[:-1][beyond][0], "long": np.diff(times)[beyond].sum()}
    assert figures == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-6)


def test_members_differ_and_the_same_seed_gives_the_same(tank, start, answer):
    end = answer.futures[1].figures["end"]
    assert end.quantiles[-1] - end.quantiles[0] > 1e-3
    again = ask(tank, start, question(uncertain=(Uncertain("area", 0.1),)))
    assert all(np.array_equal(a.bands, b.bands) for a, b in zip(answer.futures, again.futures, strict=True))


def test_some_hundred_members_are_run_bit_by_bit_and_told_of(heater):
    told, begin = [], Start(heater.x0, heater.u0, heater.p0)
    hot = question(scenarios=(Scenario("hot", (Change("u", "set", 350.0),)),), kpis=(), members=120, points=2, uncertain=(Uncertain("lag", 0.1),))
    found = ask(heater, begin, hot, lambda done: not told.append(done))
    assert [f.failed for f in found.futures] == [0, 0]
    assert np.ptp(found.futures[1].bands[:, -1, 0]) > 1
    assert len(told) > 24 and told == sorted(told) and told[-1] == 1.0


def test_more_members_than_can_be_are_refused_with_what_would_do(tank, start):
    with pytest.raises(ModelError, match="10001 members") as refused:
        ask(tank, start, question(members=10_001))
    assert refused.value.code == "bad-scenario" and "at most 10000" in refused.value.remedy


class Hasty:
    """A child that is asked with no patience."""

    def __init__(self, child):
        self.child, self.asked = child, []

    def ask(self, request):
        self.asked.append(len(request["runs"]))
        return self.child.ask(request | {"patience_s": 0.0})


def test_the_limit_of_time_is_that_of_a_run_and_not_of_all(heater):
    """A child whose patience ends with each run tells one at a time; all come to the same."""
    runs = [(heater.x0 + i, Profile([0.0], [heater.u0]), heater.p0) for i in range(3)]
    at, model = np.arange(0.0, 61.0, 10.0), replace(heater.model)
    hasty = Hasty(heater.model.child)
    object.__setattr__(model, "child", hasty)
    whole, parts = heater.model.free_runs(runs, at), model.free_runs(runs, at)
    assert hasty.asked == [3, 2, 1]
    assert len({s.outputs[-1, 0] for s in whole}) == 3
    assert all(np.array_equal(a.outputs, b.outputs) for a, b in zip(whole, parts, strict=True))


def test_a_tunable_parameter_may_change_on_the_way_as_fmpy_changes_it(tank, start):
    import fmpy

    later = Scenario("later", (Change("area", "scale", 4.0, start_s=30.0), *MORE.changes))
    found = ask(tank, start, question(scenarios=(later,), members=1))
    given = np.array([(0, 0.01, 2.0), (30, 0.01, 2.0), (30, 0.03, 8.0), (99, 0.03, 8.0)], [("time", float), ("inflow", float), ("area", float)])
    want = fmpy.simulate_fmu(str(tank.model.path), stop_time=60, output_interval=found.step_s, input=given, output=["level"])
    got = found.futures[1].bands[2, :, found.watch.index("level")]
    assert got == pytest.approx(np.interp(found.times, want["time"], want["level"]), abs=1e-6)
    assert 0.01 < got[-1] - 1 < 0.1  # it rises a quarter as fast as it would have, 0.3 m


def test_one_that_is_fixed_is_refused(heater):
    later = Scenario("later", (Change("lag", "scale", 2.0, start_s=30.0),))
    with pytest.raises(ModelError, match="cannot change on the way: it is not tunable"):
        ask(heater, Start(heater.x0, heater.u0, heater.p0), question(scenarios=(later,), kpis=()))


def test_it_stops_when_asked(tank, start):
    with pytest.raises(Cancelled):
        ask(tank, start, question(), lambda done: False)


def test_a_model_that_crashes_ends_the_what_if_in_words(tmp_path):
    bad = compile_model(fmu(third(tmp_path, "MISBEHAVING"), Limits(time_s=120.0)))
    crash = Scenario("crash", (Change("mode", "set", 1.0),))
    with pytest.raises(ModelError, match="SIGSEGV") as refused:
        ask(bad, Start(bad.x0, bad.u0, bad.p0), question(scenarios=(crash,), kpis=()))
    assert refused.value.code == "fmu"


@pytest.mark.parametrize("kind", ["CoSimulation", "ModelExchange"])
def test_a_state_is_set_at_the_beginning_and_on_the_way_where_its_states_are_all_that_it_remembers(tmp_path, kind):
    heater = compile_model(fmu(lag(tmp_path, kind), Limits(time_s=120.0)))
    begin, size = Start(heater.x0, heater.u0, heater.p0), heater.p0[heater.parameters.index("lag")]
    highest = Kpi("highest", "max", "x"), Kpi("warmth", "integral", "x")

    def found(*changes):
        return ask(heater, begin, question(scenarios=(Scenario("hot", changes),), members=2, kpis=highest, watch=("x",)))

    answer = found(Change("x", "add", 40.0))
    base, hot = (f.bands[2, :, 0] for f in answer.futures)
    assert hot - base == pytest.approx(40.0 * np.exp(-answer.times / size), abs=0.4)
    answer = found(Change("x", "set", 340.0, start_s=30.0), Change("x", "add", 5.0, start_s=40.0))
    base, hot = (f.bands[2, :, 0] for f in answer.futures)
    later = np.where(answer.times < 40, 340.0, 0.0)
    later[4:] = ((340.0 - 273.15) * np.exp(-10.0 / size) + 5.0) * np.exp(-(answer.times[4:] - 40.0) / size) + 273.15
    later[answer.times == 30] = 340.0
    assert hot[:3] == pytest.approx(base[:3], abs=1e-6)
    assert hot[3:] == pytest.approx(later[3:], abs=0.4)
    figures = {name: f.mean for name, f in answer.futures[1].figures.items()}
    assert figures["highest"] == pytest.approx(340.0, abs=1e-3)
    assert figures["warmth"] == pytest.approx(float((np.array([*hot[:3], 340.0, *hot[4:]])).mean() * 60.0), rel=0.02)


def test_one_that_remembers_more_than_its_states_is_refused_and_not_run_wrongly(tmp_path):
    """What it was supplied with at first stays with it: begun anew at 30 s it would take what it is supplied with then."""
    body = "if (m->t == 0.0) m->gain = 1.0 + m->u / 100.0; m->t += 1e-9; return (m->gain * m->u - m->x) / (60.0 * m->lag);"
    heater = compile_model(fmu(lag(tmp_path, "CoSimulation", body=body), Limits(time_s=120.0)))
    changes = Change("u", "set", profile=((0.0, 333.15), (20.0, 293.15))), Change("x", "add", 1.0, start_s=30.0)
    with pytest.raises(ModelError, match="remembers more than its states") as refused:
        ask(heater, Start(heater.x0, heater.u0, heater.p0), question(scenarios=(Scenario("hot", changes),), members=1, kpis=(), watch=("x",)))
    assert refused.value.code == "bad-scenario"
