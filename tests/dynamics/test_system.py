"""Components joined by their ports are one model: balances close, circles are solved, what cannot be is refused in words."""

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model, maths
from gemel.dynamics.fixed import trajectory
from gemel.dynamics.ports import Port
from gemel.dynamics.solve import solve
from gemel.dynamics.system import System
from gemel.errors import ModelError

GRAVITY = 9810.0


class Tank:
    """An open tank: it gives the pressure at its floor and takes a flow there."""

    states = {"level": Quantity("m", 2.0)}
    inputs = {"flow": Quantity("m3/s", nominal=0.01)}
    outputs = {"pressure": Quantity("Pa", nominal=1e4)}
    parameters = {"area": Quantity("m2", 1.0)}
    ports = {"floor": Port("hydraulic", "pressure", "flow")}

    def derivative(self, t, x, u, p):
        return {"level": u.flow / p.area}

    def output(self, t, x, u, p):
        return {"pressure": GRAVITY * x.level}


class Low(Tank):
    states = {"level": Quantity("m", 1.0)}


class Stateless:
    states = {}

    def derivative(self, t, x, u, p):
        return {}


class Resistance(Stateless):
    """Laminar: the flow is proportional to the difference of pressures."""

    inputs = {"before": Quantity("Pa", 1e4), "after": Quantity("Pa", 1e4)}
    outputs = {"flow": Quantity("m3/s", nominal=0.01)}
    parameters = {"resistance": Quantity("Pa.s/m3", 1e6)}
    ports = {"inlet": Port("hydraulic", "before", "flow"), "outlet": Port("hydraulic", "after", "flow", out=True)}

    def output(self, t, x, u, p):
        return {"flow": (u.before - u.after) / p.resistance}


class Valve(Resistance):
    """Turbulent: with the root of the difference."""

    parameters = {"opening": Quantity("m3/s/Pa0.5", 1e-4)}

    def output(self, t, x, u, p):
        return {"flow": p.opening * maths.signed_root(u.before - u.after, 1.0)}


class Pump(Stateless):
    """It takes its flow and gives its pressure, and a torque."""

    inputs = {"suction": Quantity("Pa"), "flow": Quantity("m3/s", 0.01), "speed": Quantity("rad/s", 150.0)}
    outputs = {"discharge": Quantity("Pa", nominal=1e5), "torque": Quantity("N.m", nominal=10.0)}
    parameters = {"shutoff": Quantity("Pa.s2", 10.0), "fall": Quantity("Pa.s2/m6", 4e8)}
    ports = {
        "inlet": Port("hydraulic", "suction", "flow"),
        "outlet": Port("hydraulic", "discharge", "flow", out=True),
        "shaft": Port("rotational", "speed", "torque"),
    }

    def output(self, t, x, u, p):
        rise = p.shutoff * u.speed**2 - p.fall * u.flow * maths.abs(u.flow)
        return {"discharge": u.suction + rise, "torque": rise * u.flow / u.speed}


class Motor(Stateless):
    """Its speed falls with the load."""

    inputs = {"load": Quantity("N.m", 5.0)}
    outputs = {"speed": Quantity("rad/s", nominal=100.0)}
    parameters = {"free": Quantity("rad/s", 157.0), "slip": Quantity("rad/(N.m.s)", 0.5)}
    ports = {"shaft": Port("rotational", "speed", "load", out=True)}

    def output(self, t, x, u, p):
        return {"speed": p.free - p.slip * u.load}


class Reservoir(Stateless):
    inputs = {}
    outputs = {"pressure": Quantity("Pa")}
    parameters = {"head": Quantity("Pa", 5e4)}
    ports = {"here": Port("hydraulic", "pressure")}

    def output(self, t, x, u, p):
        return {"pressure": p.head}


def at_start(system):
    model = compile_model(system)
    import jax

    y = np.asarray(jax.jit(model.observe)(0.0, model.x0, model.u0, model.p0))
    return dict(zip(model.outputs, y, strict=True)), model


def test_two_tanks_level_out_as_the_analytic_solution_says():
    """One circle: the pressure between two resistances, which nobody gives."""
    system = System(
        {"high": Tank(), "one": Resistance(), "two": Resistance(), "low": Low()},
        [("high/floor", "one/inlet"), ("one/outlet", "two/inlet"), ("two/outlet", "low/floor")],
    )
    assert list(system.states) == ["high/level", "low/level"]
    assert list(system.inputs) == []
    assert {"one/flow", "high/flow", "two/before"} <= set(system.outputs)
    model = compile_model(system)
    found = solve(model, model.x0, model.u0, model.p0, np.linspace(0, 400, 5))
    assert found.ok
    rate = 2 * GRAVITY / 2e6
    assert np.allclose(found.states[:, 0] - found.states[:, 1], np.exp(-rate * found.times), atol=1e-5)
    assert np.allclose(found.states.sum(1), 3.0, atol=1e-9), "what leaves one tank enters the other"
    between = found.outputs[:, model.place("outputs", "one/after")]
    assert np.allclose(between, GRAVITY * found.states.mean(1), rtol=1e-9)


def test_a_pump_meets_its_system_curve_with_a_gradient():
    """Flow Q from shutoff·n² + tank − fall·Q² = Q²/opening²."""
    import jax

    system = System(
        {"source": Reservoir(), "pump": Pump(), "valve": Valve(), "tank": Tank()},
        [("source/here", "pump/inlet"), ("pump/outlet", "valve/inlet"), ("valve/outlet", "tank/floor")],
    )
    assert set(system.inputs) == {"pump/speed"}
    found, model = at_start(system)
    ahead = 10.0 * 150**2 + 5e4 - 2 * GRAVITY
    flow = np.sqrt(ahead / (4e8 + 1e8))
    assert found["valve/flow"] == pytest.approx(flow, rel=1e-6)
    assert found["pump/flow"] == found["tank/flow"] == pytest.approx(flow, rel=1e-6)

    def flow_of(u):
        return model.observe(0.0, model.x0, u, model.p0)[model.place("outputs", "valve/flow")]

    slope = jax.grad(flow_of)(model.u0)[0]
    assert slope == pytest.approx(2 * 10 * 150 / (2 * flow * 5e8), rel=1e-6)
    speeds = np.array([[110.0], [150.0], [190.0]])
    batch = jax.vmap(flow_of)(speeds)
    assert np.allclose(batch, np.sqrt((10 * speeds[:, 0] ** 2 + 5e4 - 2 * GRAVITY) / 5e8), rtol=1e-6)
    broadcast = model.observe(0.0, np.tile(model.x0, (3, 1)), speeds, np.tile(model.p0, (3, 1)))
    assert np.allclose(broadcast[:, model.place("outputs", "valve/flow")], batch, rtol=1e-12)


def test_two_driven_pumps_in_parallel_balance_flow_and_torque():
    system = System(
        {
            "source": Reservoir(), "m1": Motor(), "p1": Pump(), "m2": Motor(), "p2": Pump(), "valve": Valve(), "tank": Tank(),
        },
        [
            ("source/here", "p1/inlet"), ("source/here", "p2/inlet"), ("m1/shaft", "p1/shaft"), ("m2/shaft", "p2/shaft"),
            ("p1/outlet", "valve/inlet"), ("p2/outlet", "valve/inlet"), ("valve/outlet", "tank/floor"),
        ],
    )  # fmt: skip
    import jax

    model = compile_model(system)
    uneven = model.with_parameters({"m2/free": 165.0})
    y = dict(zip(model.outputs, np.asarray(jax.jit(model.observe)(0.0, model.x0, model.u0, uneven)), strict=True))
    assert y["p1/flow"] + y["p2/flow"] == pytest.approx(y["valve/flow"], rel=1e-9)
    assert y["p2/flow"] > y["p1/flow"] > 0
    for m, p in (("m1", "p1"), ("m2", "p2")):
        assert y[f"{m}/load"] == pytest.approx(y[f"{p}/torque"], rel=1e-9)
        assert y[f"{p}/speed"] == y[f"{m}/speed"]
    assert y["p1/discharge"] == pytest.approx(y["p2/discharge"], rel=1e-9)
    left = system.imbalance(0.0, *model.named(model.x0, model.u0, uneven))
    assert float(left) < 1e-9
    xs, _ = trajectory(model, model.x0, np.zeros((3, 0)), uneven, 1.0)
    assert np.all(np.diff(np.asarray(xs)[:, 0]) > 0)
    assert max(len(block.unknown) for block in system.order.blocks) <= 4


@pytest.mark.parametrize(("steps", "status"), [(6, "complete"), (1, "loops")])
def test_a_result_says_where_the_loops_of_a_system_were_not_solved(steps, status):
    joints = [("high/floor", "valve/inlet"), ("valve/outlet", "pipe/inlet"), ("pipe/outlet", "low/floor")]
    system = System({"high": Tank(), "low": Low(), "valve": Valve(), "pipe": Resistance()}, joints, steps=steps)
    model = compile_model(system)
    assert system.order.blocks, "there is a loop to solve"
    found = solve(model, np.array([20.0, 1.0]), model.u0, model.p0, np.linspace(0.0, 1.0, 3), method="rk4")
    assert found.status == status, found.words
    assert found.ok == (status == "complete")
    assert ("not solved at" in found.words) == (status == "loops")


def test_signals_are_joined_with_their_units():
    class Controller(Stateless):
        inputs = {"level": Quantity("cm", 100.0)}
        outputs = {"speed": Quantity("rad/s")}
        parameters = {}

        def output(self, t, x, u, p):
            return {"speed": 300.0 - u.level}

    system = System({"tank": Tank(), "control": Controller(), "pump": Pump()}, [("tank/level", "control/level"), ("control/speed", "pump/speed")])
    found, _ = at_start(system)
    assert found["control/level"] == 200.0
    assert found["pump/speed"] == 100.0
    assert set(system.inputs) == {"tank/flow", "pump/suction", "pump/flow"}, "what is not joined stays an input"


class Shaft(Stateless):
    inputs = {"torque": Quantity("N.m")}
    outputs = {"speed": Quantity("rad/s")}
    parameters = {}
    ports = {"end": Port("rotational", "speed", "torque")}

    def output(self, t, x, u, p):
        return {"speed": 0 * u.torque}


@pytest.mark.parametrize(
    ("components", "joints", "code", "words"),
    [
        ({"a": Tank(), "b": Tank()}, [("a/floor", "b/floor")], "system-loop", "nothing can make this true: the potentials of a/floor, b/floor must be equal"),
        ({"a": Reservoir(), "b": Reservoir()}, [("a/here", "b/here")], "system-joint", "two fix the potential of a/here, b/here"),
        ({"a": Tank(), "b": Motor()}, [("a/floor", "b/shaft")], "system-joint", "ports of different kinds are joined: a/floor is hydraulic, b/shaft is rotational"),
        ({"a": Tank()}, [("a/floor", "c/floor")], "system-joint", "no component 'c' in 'c/floor'"),
        ({"a": Tank(), "b": Valve()}, [("a/rim", "b/inlet")], "system-joint", "a has no port, input or output 'rim'"),
        ({"a": Tank(), "b": Valve()}, [("a/floor", "b/before")], "system-joint", "a port is joined to a port only"),
        ({"a": Tank(), "b": Motor()}, [("a/level", "b/load")], "system-joint", "cannot become"),
        ({"a": Tank(), "b": Tank()}, [("a/pressure", "b/level")], "system-joint", "an output is joined to an input"),
        ({"a": Motor(), "b": Motor(), "p": Pump()}, [("a/speed", "p/speed"), ("b/speed", "p/speed")], "system-joint", "p/speed is given twice"),
        ({"a": Shaft(), "b": Motor()}, [("a/end", "b/shaft")], "", ""),
    ],
)
def test_joints_that_cannot_be_are_refused_in_words(components, joints, code, words):
    if not code:
        found, _ = at_start(System(components, joints))
        assert found["b/speed"] == pytest.approx(0.0, abs=1e-9)
        return
    with pytest.raises(ModelError, match=words) as refused:
        _ = System(components, joints).order
    assert refused.value.code == code
    assert refused.value.remedy


def test_a_loop_without_a_solution_is_refused_in_words():
    tight = System({"a": Motor(), "b": Shaft2()}, [("a/shaft", "b/end")])
    with pytest.raises(ModelError, match="no solution at the declared starts") as refused:
        at_start(tight)
    assert refused.value.code == "system-loop"


class Shaft2(Stateless):
    """A load that asks for a torque at which there is no speed."""

    inputs = {"speed": Quantity("rad/s", 100.0)}
    outputs = {"torque": Quantity("N.m")}
    parameters = {}
    ports = {"end": Port("rotational", "speed", "torque")}

    def output(self, t, x, u, p):
        return {"torque": 400.0 + u.speed**2}
