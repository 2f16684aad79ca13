"""Motor, pump, pipe, valve and tank in one line: two loops, solved over the range in which the machines are valid."""

import numpy as np

from gemel.dynamics import compile_model, newton
from gemel.dynamics.components import CentrifugalPump, ControlValve, InductionMotor, Pipe, Tank
from gemel.dynamics.system import System

MACHINES = {"motor": InductionMotor, "pump": CentrifugalPump, "pipe": Pipe, "valve": ControlValve, "tank": Tank}
JOINTS = [
    ("motor/shaft", "pump/shaft"), ("pump/discharge", "pipe/inlet"), ("pipe/outlet", "valve/inlet"), ("valve/outlet", "tank/inlet"),
]  # fmt: skip


def test_the_loops_of_a_line_are_solved_from_standstill_to_one_and_a_half_times_the_rated_flow():
    """A quarter of such points was not solved while every step was taken in full: the valve's root was overshot."""
    import jax

    line = System({name: kind() for name, kind in MACHINES.items()}, JOINTS)
    model, rng, n = compile_model(line), np.random.default_rng(0), 2000
    assert [len(block.unknown) for block in line.order.blocks] == [1, 1]
    x = np.tile(model.x0, (n, 1))
    turning = rng.uniform(100, 314, n)
    for name, values in {
        "motor/synchronous_speed": turning, "valve/position": rng.uniform(0.05, 1, n), "tank/level": rng.uniform(0.2, 9, n),
        "pipe/flow": rng.uniform(0, 1.5, n) * 0.02083 * turning / 303.7,
    }.items():  # fmt: skip
        x[:, model.place("states", name)] = values
    left = np.asarray(jax.jit(jax.vmap(lambda at: line.imbalance(0.0, *model.named(at, model.u0, model.p0))))(x))
    solved = left < 1e-6
    assert solved.mean() > 0.995, (solved.mean(), x[~solved][:3])


def test_a_root_begun_a_hundred_thousand_times_too_high_is_found():
    for start in (1e-6, 1.0, 1e2, 1e5):
        flow = lambda z: [np.float64(1.0) * z[0] / (z[0] ** 2 + 1e-10) ** 0.25 - 0.5]  # noqa: E731 - an opening, and what must pass it
        (found,) = newton.roots(flow, flow, [np.float64(start)], [1.0], 14)
        assert abs(float(found) - 0.25) < 1e-6, start
