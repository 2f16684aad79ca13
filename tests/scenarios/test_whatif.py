"""A what-if answers what it was asked: paired, reproducible, stoppable, and honest where a run fails."""

import numpy as np
import pytest
from scenariokit import Decay

from gemel.dynamics import Quantity, compile_model
from gemel.errors import ModelError
from gemel.scenarios import Cancelled, Change, Kpi, Question, Scenario, Start, Uncertain, ask, indices, parse_change
from gemel.scenarios.draw import drawn, points

KPIS = (Kpi("area", "integral", "x"), Kpi("end", "last", "x"), Kpi("half", "first_below", "x", limit=0.5))
FASTER = Scenario("faster", (Change("k", "scale", 1.5),))


@pytest.fixture(scope="module")
def decay():
    return compile_model(Decay())


def start(model, **profiles):
    return Start(model.x0, model.u0, model.p0, None, profiles)


def question(**given):
    usual = {"horizon_s": 500.0, "step_s": 1.0, "members": 64, "seed": 3, "kpis": KPIS, "points": 51, "precision": "float64"}
    return Question(**{"scenarios": (FASTER,), "uncertain": (Uncertain("k", 0.1),), **usual, **given})


def test_figures_and_bands_are_those_of_the_analytic_solution(decay):
    answer = ask(decay, start(decay), question(uncertain=()))
    base, faster = answer.futures
    for future, k in ((base, 0.01), (faster, 0.015)):
        assert future.figures["area"].mean == pytest.approx((1 - np.exp(-500 * k)) / k, rel=1e-8)
        assert future.figures["end"].mean == pytest.approx(np.exp(-500 * k), rel=1e-8)
        assert future.figures["half"].mean == pytest.approx(np.log(2) / k, abs=1.0)
        shown = future.bands[2][:, answer.watch.index("x")]
        np.testing.assert_allclose(shown, np.exp(-k * answer.times), rtol=1e-8)
    assert answer.converged


def test_pairing_shows_a_difference_smaller_than_the_spread(decay):
    little = Scenario("little", (Change("k", "scale", 1.01),))
    answer = ask(decay, start(decay), question(scenarios=(little,)))
    base, future = answer.futures
    d = future.differences["area"]
    spread = base.figures["area"].quantiles
    assert abs(d.mean) < 0.2 * (spread[-1] - spread[0])
    assert d.clear and d.more == 0.0 and d.p_value < 1e-6 and d.interval[1] < 0


def test_no_change_is_no_difference(decay):
    answer = ask(decay, start(decay), question(scenarios=(Scenario("same"),)))
    d = answer.futures[1].differences["area"]
    assert (d.mean, d.clear, d.p_value) == (0.0, False, 1.0)


def test_the_same_seed_gives_the_same_answer_and_another_another(decay):
    one, again, other = (ask(decay, start(decay), question(seed=s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(one.futures[1].bands, again.futures[1].bands)
    assert one.futures[1].figures == again.futures[1].figures
    assert one.futures[1].figures != other.futures[1].figures


def test_a_profile_that_goes_back_in_time_is_refused():
    with pytest.raises(ModelError, match="goes back in time") as refused:
        Change("u", "set", profile=((10.0, 1.0), (0.0, 2.0)))
    assert refused.value.code == "bad-scenario"
    assert Change("u", "set", profile=((0.0, 1.0), (0.0, 2.0))).profile


def test_a_profile_holds_from_when_until_when(decay):
    pulse = Scenario("pulse", (Change("u", "set", 0.02, start_s=100, end_s=200),))
    answer = ask(decay, start(decay), question(scenarios=(pulse,), uncertain=()))
    base, future = (f.bands[2][:, answer.watch.index("x")] for f in answer.futures)
    np.testing.assert_array_equal(base[answer.times <= 100], future[answer.times <= 100])
    t = 100.0  # after the pulse: what 100 s of it added, decayed
    added = 2.0 * (1 - np.exp(-0.01 * t)) * np.exp(-0.01 * (answer.times[-1] - 200))
    assert future[-1] - base[-1] == pytest.approx(added, rel=1e-6)


def test_a_ramp_is_linear_and_a_stair_holds():
    t = np.array([0.0, 5, 10, 15])
    ramp = Change("u", "set", profile=((0, 0.0), (10, 1.0)), shape="linear")
    stair = Change("u", "add", profile=((0, 1.0), (10, 2.0)))
    np.testing.assert_allclose(ramp.apply(t, t * 0), [0, 0.5, 1, 1])
    np.testing.assert_allclose(stair.apply(t, t), [1, 6, 12, 17])


def test_a_step_too_coarse_is_halved_until_it_no_longer_matters():
    class Quick(Decay):
        parameters = {"k": Quantity("1/s", 2.0)}

    model = compile_model(Quick())
    answer = ask(model, start(model), question(step_s=2.0, uncertain=()))
    assert answer.converged and answer.step_s <= 0.5
    assert answer.futures[0].failed == 0


def test_what_blows_up_is_counted_and_in_no_figure(decay):
    class Explosive(Decay):
        def derivative(self, t, x, u, p):
            return {"x": p.k * x.x * x.x * x.x}

    model = compile_model(Explosive())
    answer = ask(model, start(model), question(horizon_s=60.0, uncertain=(Uncertain("k", 0.5, law="uniform"),)))
    future = answer.futures[1]
    assert 0 < future.failed < 64
    assert np.isfinite(future.bands).all() and np.isfinite(future.figures["end"].mean)


def test_progress_rises_and_no_stops_it(decay):
    seen = []
    ask(decay, start(decay), question(), lambda done: seen.append(done) or True)
    assert seen == sorted(seen) and 0 <= seen[0] and seen[-1] <= 1
    with pytest.raises(Cancelled):
        ask(decay, start(decay), question(), lambda done: False)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_life_goes_on_at_the_mean_rate_where_the_limit_is_not_met(way):
    class Wear(Decay):
        def derivative(self, t, x, u, p):
            return {"x": way * p.k}

    model = compile_model(Wear())
    kpis = (Kpi("life", "life", "x", limit=1.0 + way * 20.0), Kpi("soon", "life", "x", limit=1.0 + way))
    future = ask(model, start(model), question(kpis=kpis, uncertain=())).futures[0]
    assert future.figures["life"].mean == pytest.approx(2000, rel=1e-6)
    assert future.figures["soon"].mean == pytest.approx(100, abs=1.01)


def test_a_price_weighs_an_integral_every_day_alike(decay):
    day = ((0.0, 1.0), (43_200.0, 3.0))
    kpis = (Kpi("cost", "integral", "k", price=day), Kpi("plain", "integral", "k"))
    answer = ask(decay, start(decay), question(kpis=kpis, uncertain=(), horizon_s=2 * 86_400.0, step_s=600.0))
    figures = answer.futures[0].figures
    assert figures["cost"].mean == pytest.approx(2.0 * figures["plain"].mean, rel=1e-9)


def test_draws_stay_in_the_range_declared_and_have_the_spread_asked_for(decay):
    unit = points(4096, 1, 1)
    wide = drawn(decay, start(decay), (Uncertain("k", 2.0),), unit).gain[:, 1] * 0.01
    assert wide.min() >= 0 and wide.max() <= 1
    narrow = drawn(decay, start(decay), (Uncertain("k", 0.1),), unit).gain[:, 1]
    assert narrow.mean() == pytest.approx(1, abs=1e-3) and narrow.std() == pytest.approx(0.1, rel=0.01)


def test_a_covariance_of_the_state_is_drawn_as_it_is():
    class Two(Decay):
        states = {"x": Quantity("1", 1.0), "y": Quantity("1", 2.0)}

        def derivative(self, t, x, u, p):
            return {"x": -p.k * x.x, "y": -p.k * x.y}

    model = compile_model(Two())
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    begun = Start(model.x0, model.u0, model.p0, covariance)
    x0 = drawn(model, begun, (), points(8192, 2, 5)).x0
    np.testing.assert_allclose(np.cov(x0.T), covariance, rtol=0.02)


def test_a_figure_that_most_members_do_not_have_has_no_indices(decay):
    kpis = (Kpi("half", "first_below", "x", limit=0.05), Kpi("end", "last", "x"))
    asked = question(kpis=kpis, uncertain=(Uncertain("k", 0.5, law="uniform"),), horizon_s=250.0)
    found = indices(decay, start(decay), asked, "baseline")
    assert list(found) == ["end"] and np.isfinite(found["end"]["k"]).all()


def test_sobol_indices_are_those_published_for_the_ishigami_function():
    """Ishigami & Homma (1990), with a = 7, b = 0.1: first order 0.3139, 0.4424, 0; total 0.5576, 0.4424, 0.2437."""
    from gemel.dynamics import maths

    class Ishigami:
        states = {"x": Quantity("1", 0.0)}
        inputs, outputs = {}, {"y": Quantity("1")}
        parameters = {n: Quantity("1", 0.0) for n in ("a", "b", "c")}

        def derivative(self, t, x, u, p):
            return {"x": 0.0 * p.a}

        def output(self, t, x, u, p):
            return {"y": maths.sin(p.a) + 7 * maths.sin(p.b) ** 2 + 0.1 * p.c**4 * maths.sin(p.a)}

    model = compile_model(Ishigami())
    asked = question(
        scenarios=(Scenario("same"),), members=4096, horizon_s=2.0, points=3, kpis=(Kpi("y", "last", "y"),),
        uncertain=tuple(Uncertain(n, np.pi, relative=False, law="uniform") for n in "abc"),
    )  # fmt: skip
    found = indices(model, start(model), asked, "baseline")["y"]
    published = {"a": (0.3139, 0.5576), "b": (0.4424, 0.4424), "c": (0.0, 0.2437)}
    for name, true in published.items():
        assert found[name] == pytest.approx(true, abs=0.02), name


def test_sensitivity_names_what_matters_most(decay):
    asked = question(members=256, uncertain=(Uncertain("k", 0.2), Uncertain("x", 0.02)))
    share = ask(decay, start(decay), asked).futures[0].sensitivity["area"]
    assert share.explained > 0.98
    assert share.coefficients["k"] < -0.9 and 0 < share.coefficients["x"] < 0.3


@pytest.mark.parametrize(
    ("text", "how", "value"),
    [("load=+15%", "scale", 1.15), ("load = -10 %", "scale", 0.9), ("load=*1.2", "scale", 1.2), ("load=+3", "add", 3.0),
     ("load=-3", "add", -3.0), ("load=0.4", "set", 0.4), ("load==-3", "set", -3.0), ("load=90%", "scale", 0.9)],
)  # fmt: skip
def test_a_change_is_read_from_words(text, how, value):
    assert parse_change(text) == (Change("load", how, pytest.approx(value)), None)
    assert parse_change("flow=12.5 m3/h") == (Change("flow", "set", 12.5), "m3/h")


@pytest.mark.parametrize("text", ["load", "load=", "load=much", "=3", "load=+", "load=1 2"])
def test_words_that_say_no_change_are_refused(text):
    with pytest.raises(ModelError, match="says no change"):
        parse_change(text)


@pytest.mark.parametrize(
    "given",
    [{"scenarios": ()}, {"scenarios": tuple(Scenario(str(i)) for i in range(6))}, {"members": 0}, {"step_s": 0.0},
     {"horizon_s": 1e9}, {"points": 1}, {"scenarios": (Scenario("baseline"),)}],
)  # fmt: skip
def test_a_question_without_bounds_is_refused(given):
    with pytest.raises(ModelError):
        question(**given)


def test_an_unknown_quantity_is_told_with_what_there_is(decay):
    with pytest.raises(ModelError, match="'kk'"):
        ask(decay, start(decay), question(scenarios=(Scenario("s", (Change("kk", "set", 1.0),)),)))
    with pytest.raises(ModelError, match="'y'"):
        ask(decay, start(decay), question(kpis=(Kpi("y", "last", "y"),)))
