"""Machine code computes what JAX computes, and elementary functions to a few units in the last place."""

import numpy as np
import pytest
from scenariokit import Decay, Gauge, members_of, plan_of, shapeless

from gemel.bench.station import Station
from gemel.dynamics import compile_model, maths
from gemel.scenarios.batched import BATCH, SHARE, WIDE, BatchedEngine, wide
from gemel.scenarios.engine import MachineEngine, engine_for
from gemel.scenarios.machine import FLOAT32, FLOAT64
from gemel.scenarios.plan import Plan

RANGES = {
    "exp": (-80, 80), "expm1": (-5, 5), "log": (1e-12, 1e9), "log1p": (-0.9, 50), "tanh": (-12, 12), "sin": (-300, 300),
    "cos": (-300, 300), "sinh": (-8, 8), "cosh": (-8, 8), "atan": (-40, 40), "cbrt": (-50, 50), "sqrt": (0, 1e6),
    "floor": (-9, 9), "ceil": (-9, 9), "round": (-9.4, 9.4), "sign": (-1, 1), "square": (-3, 3), "abs": (-3, 3),
}  # fmt: skip


@pytest.mark.parametrize(("of", "units"), [(FLOAT64, 12), (FLOAT32, 12)], ids=["float64", "float32"])
def test_elementary_functions_are_right_to_a_few_units_in_the_last_place(of, units):
    model = shapeless({name: (lambda f: lambda v, w: getattr(maths, f)(v))(name) for name in RANGES})
    engine = MachineEngine(plan_of(model), of)
    for name, (low, high) in RANGES.items():
        v = np.linspace(low, high, 1001).astype(of.dtype).astype(float)
        found = engine.run(members_of(model, v=v)).kept[0, model.outputs.index(name)]
        true = getattr(np, "arctan" if name == "atan" else name)(v)
        floor = 1.0 if name in ("sin", "cos") else 1e-30  # near its zeros a sine is right to the unit of one
        assert np.all(np.abs(found - true) <= units * np.finfo(of.dtype).eps * np.maximum(np.abs(true), floor)), name


def test_what_models_are_written_with_is_translated():
    table = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 5.0, 2.0, 1.0])
    model = shapeless({
        "interp": lambda v, w: maths.interp(v, *map(maths.asarray, table)),
        "where": lambda v, w: maths.where((v > 1) & ~(v > 2) | (w == v), v, -w),
        "clip": lambda v, w: maths.clip(v, 0.5, 2.5),
        "mod": lambda v, w: maths.mod(v, 0.7),
        "power": lambda v, w: maths.abs(v) ** 1.37 + v**3 + (v * v) ** 0.25 + w ** (v / 3),
        "scattered": lambda v, w: maths.zeros(3).at[1].set(v).sum() * w,
        "product": lambda v, w: maths.stack([v, w]) @ maths.array([[1.0, 2.0], [3.0, v_of(v)]]).sum(0),
        "softened": lambda v, w: maths.logaddexp(v, 0.0) + maths.hypot(v, w),
        "root": lambda v, w: maths.root(v) + maths.signed_root(v),
        "most": lambda v, w: maths.max(maths.stack([v, w, 0.3])),
        "polynomial": lambda v, w: maths.polyval(maths.array([1.0, -2.0, 3.0]), v),
    })  # fmt: skip
    members = members_of(model, v=np.linspace(-1.3, 5.3, 67), w=np.linspace(0.5, 2, 67))
    plan = plan_of(model)
    found, true = MachineEngine(plan, FLOAT64).run(members).kept[0], BatchedEngine(plan).run(members).kept[0]
    for name, a, b in zip(model.outputs, found, true, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13, err_msg=name)


def v_of(v):
    return 4.0


@pytest.mark.parametrize(("of", "close"), [(FLOAT64, 1e-10), (FLOAT32, 2e-4)], ids=["float64", "float32"])
def test_a_station_of_twenty_states_runs_as_in_jax(of, close, station):
    plan, members, true = station
    found = MachineEngine(plan, of).run(members)
    scale = np.abs(true.kept).max((0, 2), keepdims=True)
    assert np.abs((found.kept - true.kept) / scale).max() < close
    np.testing.assert_allclose(found.gauges, true.gauges, rtol=close)


@pytest.fixture(scope="module")
def station():
    model = compile_model(Station())
    gauges = (Gauge("integral", "power"), Gauge("max", "level"), Gauge("min", "warmth"), Gauge("integral", "inflow", 0))
    plan = Plan(model, 10.0, 2160, 216, 1, ("level", "power", "used_a", "winding_b"), gauges, 1, (0, 1, 2, 3, 4))
    members = members_of(model, load=np.linspace(2000, 4000, 19), friction=np.linspace(3000, 4000, 19))
    gain = members.gain.copy()
    gain[:, :5] = 1.0
    t = np.arange(plan.steps) * plan.dt
    demand = 0.075 + 0.02 * np.sin(t / 4000)
    drive = np.column_stack([150 + 5 * np.sin(t / 700), 0 * t + 148, demand, 295 + t / 9000, 0 * t + 285, 1 + t / 9000])
    members = type(members)(members.x0, gain, members.bias, drive, members.limits)
    return plan, members, BatchedEngine(plan).run(members)


def test_a_wear_too_small_for_float32_is_not_lost():
    class Wear:
        states, inputs, outputs = {"wear": Decay.states["x"]}, {}, {}
        parameters = {"rate": Decay.parameters["k"]}

        def derivative(self, t, x, u, p):
            return {"wear": p.rate}

        def output(self, t, x, u, p):
            return {}

    model = compile_model(Wear())
    plan = plan_of(model, steps=8640, watch=("wear",))  # a step adds a hundredth of what float32 can tell beside one
    found = MachineEngine(plan, FLOAT32).run(members_of(model, rate=[1e-9, 2e-9]))
    np.testing.assert_allclose(found.kept[-1, 0] - 1.0, [8.64e-6, 17.28e-6], rtol=0.02)


def test_readings_are_those_of_the_analytic_solution():
    model = compile_model(Decay())
    gauges = [Gauge(r, "x") for r in ("integral", "min", "max", "time_above", "time_below", "first_below", "first_above")]
    members = members_of(model, k=np.linspace(0.005, 0.02, 9))
    members.limits[:] = 0.5
    k = members.gain[:, 1]
    for engine in (MachineEngine(plan_of(model, 1000, every=10, gauges=gauges), FLOAT64), BatchedEngine(plan_of(model, 1000, every=10, gauges=gauges))):
        area, least, most, above, below, first, never = engine.run(members).gauges
        np.testing.assert_allclose(area, (1 - np.exp(-1000 * k)) / k, rtol=1e-9)
        np.testing.assert_allclose(least, np.exp(-999 * k), rtol=1e-7)
        np.testing.assert_allclose(most, 1.0)
        half = np.log(2) / k
        for found in (above, 1000 - below, first):
            assert np.all(np.abs(found - half) <= 1.0)
        assert np.all(never == 0.0)


def test_what_has_no_translation_is_computed_by_jax():
    def erf(v, w):
        import jax

        return jax.scipy.special.erf(v)

    model = shapeless({"erf": erf})
    engine = engine_for(plan_of(model))
    assert engine.name == "JAX, float64"
    found = engine.run(members_of(model, v=np.array([0.5, 1.0])), lambda done: True).kept[0, 0]
    np.testing.assert_allclose(found, [0.5204998778, 0.8427007929], rtol=1e-9)


def test_fewer_members_than_lanes_and_one_more_give_the_same_each():
    model = compile_model(Decay())
    engine = MachineEngine(plan_of(model, 50), FLOAT32)
    k = np.linspace(0.01, 0.5, 33)
    whole = engine.run(members_of(model, k=k)).end
    parts = [engine.run(members_of(model, k=part)).end for part in (k[:1], k[1:16], k[16:])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_a_device_takes_as_many_members_at_once_as_its_memory_holds():
    plan = plan_of(Decay(), 1000, every=10)
    one = 8 * plan.points * len(plan.watch)
    assert one * wide(plan, 10**9) <= SHARE * 10**9 < 2 * one * wide(plan, 10**9)
    assert wide(plan, 2 * 10**9) == pytest.approx(2 * wide(plan, 10**9), abs=2)
    assert (wide(plan, 1), wide(plan, None)) == (BATCH, WIDE)
