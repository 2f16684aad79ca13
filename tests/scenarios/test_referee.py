"""Figures are those of a hand calculation, whichever engine ran the members, and whether days were leapt over or not."""

from types import SimpleNamespace

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.dynamics.solution import Solution
from gemel.errors import ModelError
from gemel.scenarios import Kpi, Question, Scenario, Start, ask
from gemel.scenarios.scenario import DAY_S

HOUR = 3600.0


class Press:
    """Takes feed and power, gives product, wears evenly: all of it by hand from the one input `run`."""

    states = {"wear": Quantity("1", 0.1)}
    inputs = {"run": Quantity("1", 0.0)}
    outputs = {"power": Quantity("W"), "feed": Quantity("kg/s"), "product": Quantity("kg/s"), "warmth": Quantity("K")}
    parameters = {"loss": Quantity("1", 0.2)}

    def derivative(self, t, x, u, p):
        return {"wear": 1e-6 * u.run}

    def output(self, t, x, u, p):
        feed = 2.0 * u.run
        return {"power": 1000.0 * u.run, "feed": feed, "product": feed * (1.0 - p.loss) - 0.1, "warmth": 293.15 + 10.0 * u.run}


RUN = ((0.0, 1.0), (2 * HOUR, 4.0), (3 * HOUR, 1.0), (5 * HOUR, 0.0), (6 * HOUR, 4.0), (8 * HOUR, 2.0))  # until 12 h
KPIS = (
    Kpi("energy", "integral", "power", factor=1 / 3.6e6, unit="kWh"),
    Kpi("cost", "integral", "power", factor=1 / 3.6e6, unit="EUR", price=((0.0, 0.1), (2.5 * HOUR, 0.3), (7 * HOUR, 0.2))),
    Kpi("yield", "ratio", "product", factor=100.0, unit="%", per="feed"),
    Kpi("warm", "mean", "warmth", unit="degC", offset=-273.15),
    Kpi("hot", "time_outside", "warmth", factor=1 / HOUR, unit="h", above=293.15 + 30.0),
    Kpi("times hot", "times_outside", "warmth", above=293.15 + 30.0),
    Kpi("outside", "time_outside", "warmth", factor=1 / HOUR, unit="h", below=293.15 + 5.0, above=293.15 + 15.0),
    Kpi("times outside", "times_outside", "warmth", below=293.15 + 5.0, above=293.15 + 15.0),
    Kpi("life", "life", "wear", limit=1.0, factor=1 / DAY_S, unit="d"),
    Kpi("order", "met", "feed", limit=2 * 6 * HOUR, until_s=4 * HOUR),
    Kpi("missed", "met", "feed", limit=2 * 6 * HOUR, from_s=2 * HOUR, until_s=4 * HOUR),
    Kpi("missing", "missing", "feed", limit=2 * 26 * HOUR, factor=1 / HOUR, from_s=2 * HOUR, until_s=4 * HOUR),
    Kpi("dear", "integral", "power", factor=1 / 3.6e6, price=((0.0, 1.0), (2.5 * HOUR, 3.0)), until_s=3 * HOUR),
    Kpi("both", "sum", "", factor=2.0, offset=1.0, parts=(
        Kpi("energy", "integral", "power", factor=1 / 3.6e6), Kpi("hot", "times_outside", "warmth", above=293.15 + 30.0),
    )),
)
BY_HAND = {
    "energy": 1 * 2 + 4 * 1 + 1 * 2 + 0 + 4 * 2 + 2 * 4,  # kW by h
    "cost": 0.1 * (2 + 2) + 0.3 * (2 + 2 + 0 + 4) + 0.2 * (4 + 8),  # the dear hours begin within the first full load
    "yield": 100 * (0.8 * 2 * 24 - 0.1 * 12) / (2 * 24),
    "warm": 20 + 10 * 24 / 12,
    "hot": 3.0, "times hot": 2.0,
    "outside": 1 + 1 + 2 + 4, "times outside": 3.0,  # hot, idle, hot; the warm hours after that are still above
    "life": (1.0 - 0.1) / (1e-6 * 24 / 12) / DAY_S,
    "order": 1.0, "missed": 0.0, "missing": 52.0 - 10.0,  # 2 + 4 + 1 h of full load until the fourth, 4 + 1 since the second
    "dear": 2.0 + 0.5 * 4.0 + 3.0 * 0.5 * 4.0, "both": 2.0 * (24.0 + 2.0) + 1.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def press():
    return compile_model(Press())


def asked(model, profile, **given):
    usual = {"horizon_s": 12 * HOUR, "step_s": 60.0, "members": 3, "points": 13, "kpis": KPIS}
    return ask(model, Start(model.x0, model.u0, model.p0, None, {"run": profile}), Question((Scenario("same"),), **{**usual, **given}))


@pytest.mark.parametrize("given", [{"precision": "float64"}, {"precision": "float32"}, {"engine": "jax"}], ids=["float64", "float32", "JAX"])
def test_every_figure_is_that_of_a_hand_calculation_in_every_engine(press, given):
    answer = asked(press, RUN, **given)
    figures = answer.futures[0].figures
    assert {name: figures[name].mean for name in BY_HAND} == pytest.approx(BY_HAND, rel=2e-6)
    assert ("JAX" in answer.engine) == ("engine" in given)


class Foreign(Press):
    """The same from another tool: run as a whole, and read off its trajectory."""

    traceable = False

    def free_runs(self, runs, at):
        for x0, profile, p in runs:
            run = profile.values[np.clip(np.searchsorted(profile.times, at, "right") - 1, 0, None), 0]
            states = x0[0] + 1e-6 * np.concatenate([[0.0], np.cumsum(run[:-1] * np.diff(at))])
            y = self.output(at, None, SimpleNamespace(run=run), SimpleNamespace(loss=p[0]))
            yield Solution(at, states[:, None], np.column_stack([y[name] for name in self.outputs]), "complete", "", len(at), at[-1])


def test_a_model_that_is_run_as_a_whole_is_judged_alike():
    """Between its instants outputs are taken as lines: a step of the input counts half of the solver's step."""
    model = compile_model(Foreign())
    answer = asked(model, RUN, step_s=10.0)
    figures = answer.futures[0].figures
    assert {name: figures[name].mean for name in BY_HAND} == pytest.approx(BY_HAND, rel=2e-3)
    assert figures["times outside"].mean == 3.0 and "process of its own" in answer.engine


def test_what_begins_outside_counts_once_and_a_ratio_to_nothing_is_no_figure(press):
    kpis = (Kpi("times", "times_outside", "run", above=1.5), Kpi("yield", "ratio", "product", per="feed"))
    busy, idle = (asked(press, ((0.0, run),), kpis=kpis).futures[0].figures for run in (2.0, 0.0))
    assert (busy["times"].mean, idle["times"].mean) == (1.0, 0.0)
    assert idle["yield"].never == 1.0 and busy["yield"].never == 0.0


DAILY = {
    "within a day": [(6.0, 4.0), (9.0, 1.0), (15.0, 4.0), (18.0, 1.0)],
    "over midnight": [(0.0, 4.0), (3.0, 1.0), (20.0, 4.0)],
    "from midnight": [(0.0, 4.0), (3.0, 1.0)],
    "always": [(0.0, 4.0)],
}


@pytest.mark.parametrize(("day", "times"), [("within a day", 120), ("over midnight", 61), ("from midnight", 60), ("always", 1)])
def test_leapt_days_count_how_often_as_marched_ones_do(press, day, times):
    """What lasts over midnight is counted once, also where the days between were never solved."""
    profile = tuple((DAY_S * d + HOUR * h, v) for d in range(60) for h, v in ((0.0, 1.0), *DAILY[day]))
    kpis = (Kpi("times", "times_outside", "warmth", above=293.15 + 30.0),)
    given = {"horizon_s": 60 * DAY_S, "step_s": 600.0, "kpis": kpis, "precision": "float64"}
    marched, leapt = (asked(press, profile, **given, leap=leap) for leap in ("never", "auto"))
    assert leapt.leaps is not None and not leapt.leaps.reason and leapt.leaps.longest_s > 0
    assert marched.futures[0].figures["times"].mean == times
    assert leapt.futures[0].figures["times"].mean == pytest.approx(times)


@pytest.mark.parametrize(("wrong", "words"), [({"statistic": "ratio"}, "ratio to nothing"), ({"statistic": "times_outside"}, "no limit")])
def test_a_figure_that_says_too_little_is_refused(wrong, words):
    with pytest.raises(ModelError, match=words) as refused:
        Kpi("k", of="power", **wrong)
    assert refused.value.code == "bad-scenario"


def test_what_a_ratio_is_divided_by_must_be_there(press):
    with pytest.raises(ModelError, match="no 'fed'") as refused:
        asked(press, RUN, kpis=(Kpi("yield", "ratio", "product", per="fed"),))
    assert refused.value.code == "unknown-quantity"
    assert np.isfinite(asked(press, RUN, kpis=KPIS[2:3]).futures[0].figures["yield"].mean)
