"""A fit listens to no reading twice and to what the plant file names; what nothing depends on that is read is left out of it."""

import numpy as np
import pytest

from gemel.assets import load
from gemel.dynamics import compile_model
from gemel.dynamics.components import PumpSet
from gemel.dynamics.dependence import moving
from gemel.dynamics.narrowed import Narrowed
from gemel.operate.machine import machine_of

PLANT = """
plant: a/b
connections: {field: {mqtt: "mqtt://127.0.0.1:1"}}
types:
  Rig:
    dynamics: {model: "gemel.dynamics.components:CascadedTanks", names: {upper: top}}
    %s
    source: {from: field, topic: "{asset}/{signal}", path: "$"}
    signals:
      pump: {unit: V}
      lower: {unit: V}
      doubled: {unit: V, derived: lower * 2}
      top: {unit: V, derived: "%s"}
    parameters: {k1: {unit: V^0.5/s, calibrate: true}}
assets: {rig: {type: Rig}}
"""


@pytest.mark.parametrize(
    ("said", "derived", "listened"),
    [
        ("", "doubled / 2", ("lower",)),  # the same sensor, once more, however far back
        ("", "pump * 1.5", ("upper", "lower")),  # of an input: it is another word on the tanks
        ("calibration: {sensors: [upper]}", "doubled / 2", ("upper",)),
        ("calibration: {sensors: [lower]}", "pump * 1.5", ("lower",)),
    ],
)
def test_what_is_derived_of_a_sensor_has_no_second_voice_unless_the_plant_file_says_so(tmp_path, said, derived, listened):
    (tmp_path / "plant.yaml").write_text(PLANT % (said, derived))
    machine = machine_of(load(tmp_path), "a/b/rig", computing=False)
    assert sorted(machine.model.outputs) == sorted(listened)
    assert len(machine.outputs) == len(listened)


def test_of_a_pump_set_of_which_only_the_water_is_read_the_motor_and_the_bearing_need_not_be_there():
    assert moving(PumpSet(), ("flow", "power")) == ("speed", "worn")
    assert "motor_winding_temperature" in moving(PumpSet(), ("motor_temperature",))
    assert "motor_winding_temperature" not in moving(PumpSet(), ("bearing_temperature",))
    whole, few = (compile_model(Narrowed(PumpSet(), {}, ("flow", "power"), states)) for states in (None, ("speed", "worn")))
    kept = [whole.place("states", name) for name in few.states]
    x = whole.x0 * np.linspace(0.9, 1.1, len(whole.x0))
    for of_whole, of_few in ((whole.rate, few.rate), (whole.observe, few.observe)):
        one, other = (np.asarray(f(0.0, at, m.u0, m.p0)) for f, at, m in ((of_whole, x, whole), (of_few, x[kept], few)))
        np.testing.assert_allclose(other, one[kept] if of_few == few.rate else one, rtol=1e-12)
