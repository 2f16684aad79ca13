"""The machines that come with gemel make a pumping station: twenty states, one unknown a shaft, balances closed."""

import numpy as np
import pytest

from gemel.dynamics import compile_model
from gemel.dynamics.components import CentrifugalPump, InductionMotor, Pipe, RollingBearing, Tank
from gemel.dynamics.system import System


@pytest.mark.slow
def test_two_pump_sets_fill_a_tank():
    import jax

    machines, joints = {"tank": Tank()}, []
    for i in "12":
        machines |= {f"motor-{i}": InductionMotor(), f"pump-{i}": CentrifugalPump(), f"bearing-{i}": RollingBearing(), f"pipe-{i}": Pipe()}
        joints += [
            (f"motor-{i}/shaft", f"pump-{i}/shaft"), (f"motor-{i}/shaft", f"bearing-{i}/shaft"),
            (f"pump-{i}/discharge", f"pipe-{i}/inlet"), (f"pipe-{i}/outlet", "tank/inlet"),
        ]  # fmt: skip
    station = System(machines, joints)
    assert len(station.states) == 20
    assert [len(block.unknown) for block in station.order.blocks] == [1, 1]
    model = compile_model(station)
    x = model.x0 * np.linspace(0.98, 1.02, 20)
    y = dict(zip(model.outputs, np.asarray(jax.jit(model.observe)(0.0, x, model.u0, model.p0)), strict=True))
    at = dict(zip(model.states, x, strict=True))
    for i in "12":
        assert y[f"motor-{i}/load_torque"] == pytest.approx(y[f"pump-{i}/torque"] + y[f"bearing-{i}/torque"], rel=1e-9)
        assert y[f"pump-{i}/flow"] == at[f"pipe-{i}/flow"]
        assert y[f"pipe-{i}/inlet_pressure"] == y[f"pump-{i}/discharge_pressure"]
        shaft = y[f"pump-{i}/power"] + y[f"bearing-{i}/friction_power"]
        assert y[f"motor-{i}/shaft_power"] == pytest.approx(shaft, rel=1e-6), "no power is lost between them"
    assert y["tank/inflow"] == pytest.approx(at["pipe-1/flow"] + at["pipe-2/flow"], rel=1e-12)
