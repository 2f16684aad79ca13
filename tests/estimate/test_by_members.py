"""Who is wrong, of a model that only moves as a whole: members of each explanation are weighed by the readings."""

import math

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.estimate import Noise
from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case, blame
from gemel.estimate.particles import Particles, Whole
from gemel.estimate.residuals import Raised
from gemel.estimate.suspects import Usual

DT, SENSOR, DRAWN, MANY, ONSET = 10.0, 0.2, 1.0, 200, 120
KEPT = math.exp(-DT / 60.0), math.exp(-DT / 120.0)


class Heater:
    """A core that follows what it is supplied with, a shell that follows the core."""

    states = {"core": Quantity("K", 320.0), "shell": Quantity("K", 320.0)}
    inputs = {"supply": Quantity("K", 60.0)}
    outputs = {"core": Quantity("K", 320.0), "shell": Quantity("K", 320.0)}
    parameters = {"gain": Quantity("1", 1.0, low=0.1, high=3.0)}


class Tool:
    """Moves it, and tells nobody how."""

    tunable, movable = ("gain",), ()

    def begin(self, x, u, p):
        return np.ascontiguousarray(x).view(np.uint8), np.hstack((x, x))

    def show(self, memory, given, shown):
        return shown

    def step(self, memory, times, dt, given, moved):
        return self.begin(moving(memory.copy().view(np.float64), given[0][:, 0], given[1][:, 0]), *given)


def moving(x, supply, gain):
    core, shell = x[:, 0], x[:, 1]
    rest = 260.0 + gain * supply
    return np.column_stack((rest + (core - rest) * KEPT[0], core + (shell - core) * KEPT[1]))


def record(seed, *, gain=1.0, supplied=0.0):
    """Give what is read of it: from an instant on its gain is another, or what it gets is not what is read of it."""
    rng = np.random.default_rng(seed)
    u = 60.0 + np.repeat(rng.uniform(-12, 12, MANY // 10), 10)
    x, true = np.array([[320.0, 320.0]]), []
    for at in range(MANY):
        true.append(x[0])
        then = at >= ONSET
        x = moving(x, u[at] + DRAWN * rng.standard_normal() + supplied * then, gain if then else 1.0)
    return u[:, None], np.array(true) + SENSOR * rng.standard_normal((MANY, 2))


def case():
    u, y = record(1)
    problem = Whole(compile_model(Heater()), ("gain",), Noise(np.zeros(2), np.full(1, 1e-4), np.full(2, SENSOR), np.full(2, 5.0), np.full(1, 0.05)),
                    DT, method=Particles(Tool(), (DRAWN,)))  # fmt: skip
    good = Excerpt(u, y, np.ones(1), problem.start[0])
    return Case(problem, Usual(u.mean(0), u.std(0), y.mean(0), y.std(0)), np.abs(y).mean(0), good, {"gain": 0.1})


def blamed(u, y):
    found = Raised(ONSET + 40, ONSET + 2, np.zeros((2, 2)))
    return blame(case(), Excerpt(u, y, np.ones(1), np.array([320.0, 320.0, 1.0])), found)


def off(y, by, output):
    wrong = y.copy()
    wrong[ONSET:, output] += by
    return wrong


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize("how", ["off", "drifting", "stuck"])
def test_a_sensor_is_blamed(output, how):
    u, y = record(2)
    wrong = {"off": off(y, 4.0, output), "drifting": off(y, np.linspace(0.0, 8.0, MANY - ONSET), output), "stuck": off(y, 0.0, output)}[how]
    if how == "stuck":
        wrong[ONSET:, output] = wrong[ONSET, output]
    verdict = blamed(u, wrong)
    assert verdict.first == ("sensor", ("core", "shell")[output])
    assert verdict.suspects[0][1] > 0.9 and verdict.against > 4
    if how == "off":
        assert verdict.size[0] == pytest.approx(4.0, abs=1.0)


@pytest.mark.parametrize(("fault", "first"), [({"gain": 1.1}, "gain"), ({"supplied": 12.0}, "input/supply")])
def test_what_both_sensors_say_is_the_process(fault, first):
    """A gain that changed, or more coming in than is read: each explains best what it did, and no sensor does."""
    verdict = blamed(*record(3, **fault))
    assert verdict.first.kind == "process"
    assert verdict.of_kind("sensor") < 0.05 and verdict.against > 4
    assert first in {s.name for s, _ in verdict.suspects[:2]}


def test_nothing_explains_better_than_nothing_where_nothing_is_wrong():
    verdict = blamed(*record(4))
    assert verdict.against < 4
    assert len(verdict.fired.fired) == 0


def test_the_same_readings_give_the_same_verdict_to_the_last_bit():
    u, y = record(2)
    first, again = (blamed(u, off(y, 4.0, 0)) for _ in range(2))
    assert first.suspects == again.suspects and first.against == again.against
