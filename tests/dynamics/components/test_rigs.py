"""The two rigs of the library, of which records were published: what they hold is what came in and did not leave."""

import numpy as np
import pytest
from component_kit import Bench

from gemel.dynamics.components.cascaded_tanks import CascadedTanks
from gemel.dynamics.components.steam_exchanger import USUAL, SteamExchanger

WATER = 4.18e6  # J/(m3 K)


# --- steam exchanger: each cell holds half of the liquid, 1/(2 turnover)


def test_heat_that_steam_gives_is_stored_or_carried_away():
    inlet, steam, ua, turnover, flow = 290.0, 400.0, 0.2, 400.0, 2e-4
    exchanger = Bench(SteamExchanger, inlet=inlet, steam=steam, ua=ua, turnover=turnover, exponent=0.8)
    ys = exchanger.run(8.0, 800, middle=300.0, outlet=310.0, flow=flow)
    cell = WATER / (2 * turnover)  # J/K
    stored = cell * (ys["middle"][-1] - ys["middle"][0] + ys["outlet"][-1] - ys["outlet"][0])
    carried = WATER * flow * np.trapezoid(ys["outlet"] - inlet, dx=0.01)
    given = cell * ua * (flow / USUAL) ** 0.8 * np.trapezoid(2 * steam - ys["middle"] - ys["outlet"], dx=0.01)
    assert given == pytest.approx(stored + carried, rel=1e-5)
    assert min(given, stored, carried) > 0.02 * given, "each of them matters here"


def test_two_stirred_cells_come_to_rest_where_the_textbook_says():
    # n stirred tanks in a row (Levenspiel 1999, Chemical Reaction Engineering, 3rd ed., chapter 14): 1/(1 + k tau/n)^n is left
    exchanger = Bench(SteamExchanger, inlet=290.0, steam=400.0, ua=0.2, turnover=400.0)
    ys = exchanger.run(400.0, 800, flow=USUAL)
    units = 0.2 / (400.0 * USUAL)
    assert (400.0 - ys["outlet"][-1]) / 110.0 == pytest.approx((1 + units / 2) ** -2, rel=1e-6)
    slow = Bench(SteamExchanger, inlet=290.0, steam=400.0, ua=0.2, turnover=400.0, exponent=0.0)
    assert slow.run(400.0, 800, flow=1e-7)["outlet"][-1] == pytest.approx(400.0, abs=0.01), "what hardly flows is as warm as steam"


# --- cascaded tanks: a volt of the upper tank is k2/k1 volts of the lower one


@pytest.mark.parametrize("caught", [0.0, 0.4, 1.0])
def test_water_of_both_tanks_is_what_was_pumped_less_what_left(caught):
    p = {"k1": 0.05, "k2": 0.06, "k3": 0.055, "k4": 0.07, "caught": caught, "drop": 2.0, "bend": 0.05}
    rig, dt, pump = Bench(CascadedTanks, **p), 0.25, 5.0
    ys = tanks(rig, 200.0, dt, upper=8.5, lower=4.0, pump=pump)
    upper, lower = ys["upper"], ys["below"]
    assert upper.max() > 10.05, "it runs over"
    weir = 0.3 * 0.1 * np.logaddexp((upper - 10.0) / 0.1, 0.0)
    spill = 0.3 * 0.1 * np.logaddexp((lower - 10.1) / 0.1, 0.0)
    drained = 0.055 * np.sqrt(lower + 2.0)
    pumped = 0.07 * pump * (1 - 0.05 * (pump - 3.0)) * 200.0
    held = 1.2 * (upper[-1] - upper[0]) + lower[-1] - lower[0]
    left = 1.2 * (1 - caught) * np.trapezoid(weir, dx=dt) + np.trapezoid(drained + spill, dx=dt)
    assert 1.2 * pumped == pytest.approx(held + left, rel=2e-4)
    assert np.trapezoid(weir, dx=dt) > 0.05 * pumped


def tanks(rig, seconds, dt, **given):
    """Free-run, the level of the lower tank beside what its sensor reads, which has the same name."""
    import jax

    from gemel.dynamics import maths
    from gemel.dynamics.fixed import trajectory

    maths.loaded()
    x = rig.vector("states", {k: given[k] for k in ("upper", "lower")})
    us = np.full((int(seconds / dt) + 1, 1), given["pump"])
    xs, _ = jax.jit(lambda x, u, p: trajectory(rig.model, x, u, p, dt))(x, us, rig.p)
    return dict(zip(("upper", "below"), np.asarray(xs).T, strict=True))
