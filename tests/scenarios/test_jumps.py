"""A state can be set: at the beginning or at an instant, in every engine alike, and over a year of leaps."""

import numpy as np
import pytest
from scenariokit import Decay

from gemel.dynamics import Quantity, compile_model
from gemel.errors import ModelError
from gemel.scenarios import Change, Kpi, Question, Scenario, Start, Uncertain, ask
from gemel.scenarios.jumps import jumps

DAY = 86_400.0
KPIS = (Kpi("end", "last", "x"), Kpi("most", "max", "x"), Kpi("area", "integral", "x"), Kpi("risen", "first_above", "x", limit=1.5))
ENGINES = [{"precision": "float32"}, {"precision": "float64"}, {"engine": "jax"}]


class Lasting(Decay):
    """The state lies from 0 to 3."""

    states = {"x": Quantity("1", 1.0, low=0.0, high=3.0)}


@pytest.fixture(scope="module")
def decay():
    return compile_model(Lasting())


def asked(model, *changes, **given):
    usual = {"horizon_s": 500.0, "step_s": 1.0, "members": 16, "seed": 3, "kpis": KPIS, "points": 26, "watch": ("x",), "precision": "float64"}
    question = Question(**{"scenarios": (Scenario("s", changes),), **usual, **given})
    return ask(model, Start(model.x0, model.u0, model.p0), question)


@pytest.mark.parametrize("how", ENGINES)
def test_a_state_set_at_the_beginning_and_at_an_instant_goes_on_from_there(decay, how):
    answer = asked(decay, Change("x", "set", 2.0), Change("x", "add", 0.5, start_s=190.0), **how)
    base, future = answer.futures
    t = answer.times
    true = 2.0 * np.exp(-0.01 * t) + np.where(t >= 190, 0.5 * np.exp(-0.01 * (t - 190)), 0.0)
    np.testing.assert_allclose(future.bands[2][:, 0], true, rtol=2e-6)
    np.testing.assert_allclose(base.bands[2][:, 0], np.exp(-0.01 * t), rtol=2e-6)
    assert future.figures["most"].mean == pytest.approx(2.0, rel=1e-6)
    area = 100 * (2.0 * (1 - np.exp(-5)) + 0.5 * (1 - np.exp(-3.1)))
    assert future.figures["area"].mean == pytest.approx(area, rel=2e-6)
    assert future.figures["risen"].mean == 0.0


def test_it_is_set_at_the_instant_that_is_shown(decay):
    """An instant shown (every 20 s) is shown with what was set at it, as one at the beginning is."""
    answer = asked(decay, Change("x", "set", 3.0, start_s=200.0))
    shown = answer.futures[1].bands[2][:, 0]
    assert shown[answer.times.tolist().index(200.0)] == 3.0 and shown[answer.times.tolist().index(180.0)] < 0.2


@pytest.mark.parametrize("how", ENGINES)
def test_a_profile_sets_it_at_each_of_its_instants_within_its_span(decay, how):
    often = Change("x", "set", profile=((0.0, 0.0), (40.0, 2.0)), repeat_s=100.0, start_s=100.0, end_s=300.0)
    shown = asked(decay, often, **how).futures[1].bands[2][:, 0]
    t = np.arange(26) * 20.0
    last = np.where(t >= 240, 240.0, np.where(t >= 140, 140.0, 0.0))
    true = np.select([t < 100, (t >= 100) & (t < 140) | (t >= 200) & (t < 240)], [np.exp(-0.01 * t), 0.0], 2 * np.exp(-0.01 * (t - last)))
    np.testing.assert_allclose(shown, true, rtol=2e-6, atol=1e-12)


def test_what_it_is_scaled_to_differs_from_member_to_member_and_what_it_is_set_to_does_not(decay):
    doubt = (Uncertain("x", 0.2),)
    scaled, set_ = (asked(decay, c, uncertain=doubt, members=256).futures[1].bands[:, 0, 0] for c in (Change("x", "scale", 1.5), Change("x", "set", 1.5)))
    assert scaled[4] - scaled[0] == pytest.approx(2 * 1.645 * 0.3, rel=0.05) and (set_ == 1.5).all()


@pytest.mark.parametrize("how", ENGINES)
def test_it_stays_in_its_range(decay, how):
    answer = asked(decay, Change("x", "scale", 50.0, start_s=20.0), Change("x", "add", -9.0, start_s=300.0), **how)
    shown = answer.futures[1].bands[2][:, 0]
    assert shown[1] == pytest.approx(3.0, rel=1e-6) and shown[15:].max() == 0.0


@pytest.mark.parametrize("how", ENGINES[:2])
def test_a_state_without_a_range_goes_wherever_it_is_set(how):
    shown = asked(compile_model(Decay()), Change("x", "set", -1e6, start_s=20.0), **how).futures[1].bands[2][:, 0]
    assert shown[1] == pytest.approx(-1e6) and shown[2] == pytest.approx(-1e6 * np.exp(-0.2), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [(Change("x", "set", 4.0), "lies from 0 to 3"), (Change("x", "set", 1.0, end_s=100.0), "cannot be held"),
     (Change("x", "set", profile=((0.0, 0.0), (9.0, 1.0)), shape="linear"), "cannot follow a ramp")],
)  # fmt: skip
def test_what_a_state_cannot_do_is_refused(decay, change, words):
    with pytest.raises(ModelError, match=words) as refused:
        asked(decay, change)
    assert refused.value.code == "bad-scenario" and refused.value.remedy


def test_each_instant_is_met_once_wherever_it_lies_between_steps():
    rng = np.random.default_rng(5)
    for at, dt, every in zip(rng.uniform(0, 500, 60), rng.choice([0.1, 1.0, 7.0, 86_400 / 1234], 60), rng.uniform(600, 900, 60), strict=True):
        steps = int(np.ceil(3 * every / dt))
        once = Scenario("s", (Change("x", "add", 1.0, start_s=at),))
        often = Scenario("s", (Change("x", "add", 1.0, profile=((at, 1.0),), repeat_s=every),))
        found = [jumps(s, ["x"], 0, steps, dt)[:, 0, 1] for s in (once, often)]
        assert found[0].sum() == 1.0 and found[1].sum() == 3.0
        k = int(found[0].argmax())
        assert 0 <= k * dt - at + 1e-6 * dt < dt * 1.01
        whole = np.concatenate([jumps(often, ["x"], first, 100, dt) for first in range(0, steps, 100)])[:steps, 0, 1]
        np.testing.assert_array_equal(whole, found[1])


class Worn:
    """Wear grows by the load of the day; a room follows it within the hour."""

    states = {"wear": Quantity("1", 0.1, low=0.0, high=10.0), "heat": Quantity("K", 300.0)}
    inputs = {"load": Quantity("1", 1.0)}
    outputs = {"play": Quantity("1")}
    parameters = {"rate": Quantity("1/s", 2e-9), "tau": Quantity("s", 1800.0)}

    def derivative(self, t, x, u, p):
        return {"wear": p.rate * u.load * (1.0 + x.wear), "heat": (300.0 + 20.0 * u.load - x.heat) / p.tau}

    def output(self, t, x, u, p):
        return {"play": 2.0 * x.wear}


@pytest.mark.parametrize(
    "change",
    [Change("wear", "set", 0.8), Change("wear", "set", 0.8, start_s=100.25 * DAY), Change("wear", "set", profile=((3 * DAY, 0.1),), repeat_s=7 * DAY)],
    ids=["at the beginning", "on a day", "every week"],
)
def test_over_a_year_leaps_come_to_what_every_step_comes_to(change):
    model = compile_model(Worn())
    usual = {"horizon_s": 365 * DAY, "step_s": 600.0, "kpis": (Kpi("end", "last", "wear"), Kpi("mean", "mean", "wear")), "watch": ("wear",), "points": 74, "members": 8}
    fast, slow = (asked(model, change, leap=leap, **usual) for leap in ("auto", "never"))
    assert fast.leaps is not None and not fast.leaps.reason, "and it did leap"
    assert fast.leaps.solved_s < 0.5 * 365 * DAY
    for kpi in ("end", "mean"):
        bound = max(fast.leaps.errors[kpi], 1e-4 * slow.futures[1].figures[kpi].mean)
        assert abs(fast.futures[1].figures[kpi].mean - slow.futures[1].figures[kpi].mean) <= bound, kpi


@pytest.mark.parametrize(
    "change",
    [
        Change("k", "set", 2.0), Change("k", "set", -0.1, start_s=60.0), Change("k", "scale", 150.0), Change("k", "add", 1.0, end_s=60.0),
        Change("k", "set", profile=((0.0, 0.5), (60.0, 3.0)), shape="linear"),
    ],
)  # fmt: skip
def test_a_parameter_stays_in_the_range_that_the_model_was_said_to_hold_in(change):
    with pytest.raises(ModelError, match="'k' would be .* its declared range is 0 to 1") as refused:
        asked(compile_model(Decay()), change)
    assert refused.value.code == "bad-scenario"


def test_a_parameter_changed_within_its_range_is_taken():
    assert asked(compile_model(Decay()), Change("k", "set", 1.0, start_s=60.0)).futures[1].failed == 0
