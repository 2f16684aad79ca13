"""A port says what is equal and what sums to zero where components touch; one that cannot be joined is refused in words."""

import pytest

from gemel.dynamics.declare import Quantity
from gemel.dynamics.ports import Component, Port, check_ports, gives_potential
from gemel.errors import ModelError


class Pump:
    """A pump that takes shaft speed, suction pressure and flow, and gives discharge pressure and torque."""

    states = {}
    inputs = {"speed": Quantity("rad/s", 150.0), "suction_pressure": Quantity("Pa"), "flow": Quantity("m3/s", 0.01)}
    outputs = {"discharge_pressure": Quantity("Pa"), "torque": Quantity("N.m")}
    parameters = {}
    ports = {
        "shaft": Port("rotational", "speed", "torque"),
        "suction": Port("hydraulic", "suction_pressure", "flow"),
        "discharge": Port("hydraulic", "discharge_pressure", "flow", out=True),
    }

    def derivative(self, t, x, u, p):
        return {}

    def output(self, t, x, u, p):
        return {"discharge_pressure": u.suction_pressure + 10 * u.speed**2, "torque": 0.1 * u.speed}


def test_a_port_gives_its_potential_or_takes_it():
    pump = Pump()
    check_ports(pump)
    assert isinstance(pump, Component)
    assert [gives_potential(pump, port) for port in pump.ports.values()] == [False, False, True]
    assert [port.sign for port in pump.ports.values()] == [1, 1, -1]


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (Port("magnetic", "speed"), "no kind of port 'magnetic'"),
        (Port("rotational", "spead"), "'spead' is no input, output or state"),
        (Port("rotational", "flow"), "'flow' is in m3/s, a rotational port needs rad/s"),
        (Port("rotational", "speed", "flow"), "'flow' is in m3/s, a rotational port needs N.m"),
    ],
)
def test_a_port_that_cannot_be_joined_is_refused_in_words(port, words):
    wrong = type("Wrong", (Pump,), {"ports": {"here": port}})()
    with pytest.raises(ModelError, match=words) as refused:
        check_ports(wrong, "pump-1")
    assert refused.value.code == "model-port"
    assert str(refused.value).startswith("pump-1: port 'here': ")


def test_a_port_that_gives_or_takes_both_is_refused():
    taking = type("Taking", (Pump,), {"ports": {"suction": Port("hydraulic", "suction_pressure", "flow")}})()
    with pytest.raises(ModelError, match="takes 'suction_pressure' and 'flow' too"):
        check_ports(taking)
    giving = type("Giving", (Pump,), {"outputs": {**Pump.outputs, "leak": Quantity("m3/s")},
                                      "ports": {"discharge": Port("hydraulic", "discharge_pressure", "leak")}})()
    with pytest.raises(ModelError, match="gives 'discharge_pressure' and 'leak' too"):
        check_ports(giving)
