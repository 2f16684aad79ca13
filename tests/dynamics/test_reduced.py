"""Of a model some states may be followed alone: what is read is given, the rest stays where it begins, and the equations are the same."""

import numpy as np
import pytest

pytest.importorskip("jax")

from gemel.dynamics import compile_model
from gemel.dynamics.components import CentrifugalPump, PumpSet
from gemel.dynamics.reduced import Reduced

WHOLE = compile_model(PumpSet())
FOLLOWED, READ = ("bearing_temperature", "worn"), ("speed",)


def test_its_rates_and_outputs_are_those_of_the_whole_model():
    few = compile_model(Reduced(PumpSet(), FOLLOWED, READ, ("flow", "bearing_temperature", "worn")))
    assert few.states == FOLLOWED and few.inputs == (*WHOLE.inputs, "speed")
    assert few.outputs == ("bearing_temperature", "worn", "flow")
    rng = np.random.default_rng(3)
    for _ in range(3):
        x, u = WHOLE.x0.copy(), WHOLE.u0 * rng.uniform(0.95, 1.05, len(WHOLE.u0))
        for name, value in (("bearing_temperature", rng.uniform(300, 330)), ("worn", rng.uniform(0, 0.1)), ("speed", rng.uniform(200, 290))):
            x[WHOLE.place("states", name)] = value
        mine = [x[WHOLE.place("states", n)] for n in FOLLOWED], np.append(u, x[WHOLE.place("states", "speed")])
        rate, seen = WHOLE.rate(0.0, x, u, WHOLE.p0), WHOLE.observe(0.0, x, u, WHOLE.p0)
        assert few.rate(0.0, np.array(mine[0]), mine[1], WHOLE.p0) == pytest.approx([float(rate[WHOLE.place("states", n)]) for n in FOLLOWED], rel=1e-9)
        told = dict(zip(few.outputs, few.observe(0.0, np.array(mine[0]), mine[1], WHOLE.p0), strict=True))
        assert float(told["flow"]) == pytest.approx(float(seen[WHOLE.place("outputs", "flow")]), rel=1e-9)
        assert float(told["worn"]) == x[WHOLE.place("states", "worn")]


def test_all_states_followed_it_is_the_whole():
    one = compile_model(Reduced(CentrifugalPump(), ("worn",), (), ("head",)))
    assert (one.states, one.inputs, one.outputs) == (("worn",), tuple(CentrifugalPump.inputs), ("head",))
