"""A leapt horizon equals the one that is marched, within the error it says: on wear that feeds back on what is fast."""

from dataclasses import replace

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model, maths
from gemel.scenarios import Cancelled, Change, Kpi, Question, Scenario, Start, Uncertain, ask
from gemel.scenarios.draw import drawn, points
from gemel.scenarios.leaping import Stop, run, way_of, with_tail
from gemel.scenarios.ready import prepare
from gemel.scenarios.repeats import Segment, periods
from gemel.scenarios.scenario import DAY_S

TARIFF = ((0.0, 0.1), (6 * 3600.0, 0.3))


class Wearing:
    """A mass that warms by load and wear in an hour, and wear that grows by warmth and by itself in months."""

    states = {
        "warmth": Quantity("K", 0.0, nominal=10.0),
        "wear": Quantity("1", 0.1, low=0.0, high=10.0),
        "energy": Quantity("J", 0.0, nominal=1e6),
    }
    inputs = {"load": Quantity("W", 10.0)}
    outputs = {"power": Quantity("W"), "hot": Quantity("K")}
    parameters = {"speed": Quantity("1/s", 2.5e-9), "rest": Quantity("s", 3600.0)}

    def derivative(self, t, x, u, p):
        power = u.load * (1.0 + x.wear)
        return {"warmth": (power - x.warmth) / p.rest, "wear": p.speed * x.warmth * (1.0 + 2.0 * x.wear), "energy": power}

    def output(self, t, x, u, p):
        return {"power": u.load * (1.0 + x.wear), "hot": x.warmth}


KPIS = (
    Kpi("energy", "integral", "power", factor=1 / 3.6e6, unit="kWh"),
    Kpi("cost", "integral", "power", factor=1 / 3.6e6, price=TARIFF),
    Kpi("mean", "mean", "hot"), Kpi("least", "min", "hot"), Kpi("most", "max", "hot"), Kpi("worn", "last", "wear"),
    Kpi("when", "first_above", "wear", limit=0.15), Kpi("long", "time_above", "wear", limit=0.15), Kpi("life", "life", "wear", limit=2.0),
)  # fmt: skip
DAILY = tuple((3600.0 * h, 10.0 + 4.0 * np.sin(2 * np.pi * h / 24)) for h in range(24))
MORE = Scenario("more", (Change("load", "scale", 1.15),))


@pytest.fixture(scope="module")
def wearing():
    return compile_model(Wearing())


def question(days, scenario=MORE, **given):
    usual = {"step_s": 600.0, "members": 20, "seed": 3, "points": 25, "precision": "float64", "uncertain": (Uncertain("speed", 0.2),), "kpis": KPIS}
    return Question(scenarios=(scenario,), horizon_s=days * DAY_S, **{**usual, **given})


def both(model, asked, **profiles):
    begun = Start(model.x0, model.u0, model.p0, None, profiles)
    return ask(model, begun, asked), ask(model, begun, replace(asked, leap="never"))


def held_to(leapt, marched):
    """Whether what is leapt equals what is marched within what it says, and says little; gives its leaps."""
    leaps = leapt.leaps
    assert leaps is not None and marched.leaps is None and not leaps.reason
    assert leaps.solved_s < 0.6 * marched.times[-1] and leaps.longest_s > 0
    for one, other in zip(leapt.futures, marched.futures, strict=True):
        for kpi in KPIS:
            a, b, error = one.figures[kpi.name], other.figures[kpi.name], leaps.errors[kpi.name]
            assert a.mean == pytest.approx(b.mean, abs=error), kpi.name
            assert error <= (6e-3 * abs(b.mean) if kpi.name not in ("when", "long") else 10 * DAY_S), kpi.name
    return leaps


@pytest.mark.parametrize("days", [30, 60])
def test_a_leapt_horizon_equals_the_marched_one_within_the_error_it_says(wearing, days):
    leapt, marched = both(wearing, question(days))
    leaps = held_to(leapt, marched)
    assert "wear" in leaps.moved and "energy" in leaps.moved
    assert leapt.times[-1] == marched.times[-1] == days * DAY_S


def test_a_daily_cycle_is_solved_at_each_stop_and_its_extremes_are_those_of_the_whole(wearing):
    daily = Scenario("daily", (Change("load", "set", profile=DAILY, repeat_s=DAY_S),))
    held_to(*both(wearing, question(60, daily)))


def test_a_profile_that_never_repeats_is_solved_and_what_follows_it_is_leapt_over(wearing):
    rng = np.random.default_rng(1)
    odd = tuple((7200.0 * i, float(v)) for i, v in enumerate(rng.uniform(6.0, 14.0, 120)))
    leaps = held_to(*both(wearing, question(60, Scenario("odd", (Change("load", "set", profile=(*odd, (864_000.0, 10.0))),)))))
    assert leaps.solved_s >= 10 * DAY_S


def test_a_ramp_over_the_whole_horizon_is_followed_by_leaps(wearing):
    ramp = Scenario("ramp", (Change("load", "set", profile=((0.0, 10.0), (60 * DAY_S, 14.0)), shape="linear"),))
    held_to(*both(wearing, question(60, ramp)))


def test_figures_are_those_of_states_that_count_the_same(wearing):
    """Energy by the gauge and by the state: what is leapt over is in both alike, so that no joule is lost between."""
    asked = question(45, kpis=(Kpi("gauge", "integral", "power"), Kpi("state", "last", "energy")), uncertain=())
    answer = ask(wearing, Start(wearing.x0, wearing.u0, wearing.p0), asked)
    assert answer.leaps.longest_s > 0
    for future in answer.futures:
        assert future.figures["gauge"].mean == pytest.approx(future.figures["state"].mean, rel=1e-12)


def ended(model, apart, days=67):
    """Wear at the end with a stop every so many days, after three that are solved."""
    asked = question(days, members=1, uncertain=(), kpis=())
    ready = prepare(model, Start(model.x0, model.u0, model.p0), asked)
    way = with_tail(way_of(ready, periods(ready.moving, asked.horizon_s, asked.step_s)))
    stops = [Stop(p, np.array([False, True, True])) for p in (0, 1, *range(2, days, apart))]
    assert stops[-1].period == days - 1
    return run(way, stops, asked.scenarios[0], drawn(model, ready.start, (), points(1, 0, 0)), lambda done: True).end[0, 1]


def test_leaping_is_of_second_order(wearing):
    true = ended(wearing, 1)
    errors = np.array([abs(ended(wearing, apart) - true) for apart in (32, 16, 8, 4, 2)])
    assert (errors[:-1] / errors[1:] > 2.4).all() and np.log2(errors[0] / errors[-1]) / 4 > 1.7, errors


def test_a_step_of_one_period_is_the_march(wearing):
    marched = both(wearing, question(67, members=1, uncertain=(), kpis=()))[1]
    assert ended(wearing, 1) == pytest.approx(marched.futures[1].bands[2][-1, marched.watch.index("wear")], rel=1e-12)


def test_periods_are_alike_or_drift_evenly_and_what_is_not_divides_them():
    def moving(t):
        day = t // DAY_S
        return np.column_stack([np.where(day < 20, np.sin(2 * np.pi * t / DAY_S), 3.0), np.where(day < 40, 0.0, day)])

    found = periods(moving, 80 * DAY_S, 3600.0)
    assert found.segments == (Segment(0, 20), Segment(20, 20), Segment(40, 40)) and found.tail == 0
    assert periods(moving, 10 * DAY_S, 3600.0) is None


def test_a_week_that_repeats_is_leapt_over_by_weeks(wearing):
    week = tuple((DAY_S * d, 6.0 if d > 4 else 12.0) for d in range(7))
    scenario = Scenario("weeks", (Change("load", "set", profile=week, repeat_s=7 * DAY_S),))
    asked = question(364, scenario, members=2, step_s=1800.0)
    leapt = ask(wearing, Start(wearing.x0, wearing.u0, wearing.p0 * np.array([0.2, 1.0])), asked)
    assert leapt.leaps.period_s == 7 * DAY_S and leapt.leaps.longest_s >= 14 * DAY_S


class Clocked(Wearing):
    """Its load follows the time that it is given."""

    def derivative(self, t, x, u, p):
        found = super().derivative(t, x, u, p)
        return {**found, "warmth": found["warmth"] + maths.sin(t / 1e5) / p.rest}


class Swinging(Wearing):
    """An oscillation that no day ends with."""

    states = {**Wearing.states, "warmth": Quantity("K", 5.0), "wear": Quantity("1", 0.0)}

    def derivative(self, t, x, u, p):
        return {"warmth": 1e-4 * x.wear, "wear": -1e-4 * x.warmth, "energy": u.load}


@pytest.mark.parametrize(("model", "why"), [(Clocked, "depends on the time"), (Swinging, "neither repeats nor moves evenly")])
def test_where_no_leap_is_as_good_each_step_is_taken_and_it_says_why(model, why):
    kpis = (Kpi("worn", "last", "wear"),)
    leapt, marched = both(compile_model(model()), question(40, kpis=kpis, uncertain=()))
    assert why in leapt.leaps.reason and leapt.leaps.longest_s == 0
    assert [f.figures for f in leapt.futures] == [f.figures for f in marched.futures]
    np.testing.assert_array_equal(leapt.futures[1].bands, marched.futures[1].bands)


def test_a_day_knows_no_leaps_and_the_same_question_has_the_same_answer(wearing):
    begun = Start(wearing.x0, wearing.u0, wearing.p0)
    assert ask(wearing, begun, question(1)).leaps is None
    one, again = (ask(wearing, begun, question(30)) for _ in range(2))
    assert [f.figures for f in one.futures] == [f.figures for f in again.futures] and one.leaps == again.leaps


def test_progress_rises_over_leaps_and_no_stops_them(wearing):
    begun, seen = Start(wearing.x0, wearing.u0, wearing.p0), []
    ask(wearing, begun, question(30), lambda done: seen.append(done) or True)
    assert seen == sorted(seen) and 0 <= seen[0] and seen[-1] <= 1
    with pytest.raises(Cancelled):
        ask(wearing, begun, question(30), lambda done: False)


def test_jax_leaps_as_machine_code_does(wearing):
    asked = question(30, members=4)
    begun = Start(wearing.x0, wearing.u0, wearing.p0)
    one, other = (ask(wearing, begun, replace(asked, engine=engine)) for engine in ("auto", "jax"))
    assert one.engine.startswith("machine code") and other.engine.startswith("JAX")
    assert one.leaps.solved_s == other.leaps.solved_s and one.leaps.moved == other.leaps.moved
    for a, b in zip(one.futures, other.futures, strict=True):
        np.testing.assert_allclose(a.bands, b.bands, rtol=1e-9, atol=1e-9)


def test_a_fast_state_that_creeps_is_no_reason_to_take_every_step():
    """The pump set's bearing warms by some 1e-5 K a day while its wheel wears: nothing that a leap need wait for."""
    from gemel.bench.whatif_year import pump_year

    model, start, asked = pump_year()
    answer = ask(model, start, replace(asked, members=4, horizon_s=40 * DAY_S))
    assert not answer.leaps.reason and {"worn", "energy", "bearing_damage"} == set(answer.leaps.moved)
