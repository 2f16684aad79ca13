"""What a fit changed is confirmed by the other sensors where the machine changed, and denied by them where a sensor is off."""

import numpy as np
import pytest
from works_kit import Fault, Works, plant

from gemel.dynamics import compile_model
from gemel.estimate.calibrate import Settings, fit
from gemel.estimate.elimination import eliminated
from gemel.estimate.record import of_columns

FREE = ("discharge", "wear")
STEPS = 600


@pytest.fixture(scope="module")
def model():
    return compile_model(Works())


def asked(model, fault, seed=31):
    """Fit a plant of other equations, and leave each of its sensors out."""
    u, y = plant(seed, STEPS, fault)
    record = of_columns(1.0, u, y)
    found = fit(model, FREE, [record], sigma=np.array([0.3, 3e-4, 0.02, 0.2, 3e-4]), settings=Settings(starts=1, substeps=2))
    return found, eliminated(model, found, [record], model.p0)


class Gauged(Works):
    """Of which nothing but the level is read."""

    outputs = {"level": Works.outputs["level"]}

    def output(self, t, x, u, p):
        return {"level": x.level}


def test_wear_is_what_all_others_say_too(model):
    found, answers = asked(model, Fault("wear", "", 0.12, -60))
    assert {a.parameter for a in answers} == {"wear"}, "the orifice is as it was"
    assert {a.output for a in answers} == set(Works.outputs)
    assert all(a.told and not a.denied for a in answers), answers


@pytest.mark.parametrize("fault", [Fault("bias", "level", 0.5, 0), Fault("gain", "level", 0.2, 0), Fault("drift", "outflow", 0.0008, 0)])
def test_a_sensor_that_is_off_is_denied_by_the_others(model, fault):
    _, answers = asked(model, fault)
    worst = max((a for a in answers if a.denied), key=lambda a: a.off)
    assert worst.output == fault.at, answers
    assert worst.kept < 0.5


def test_what_one_sensor_alone_tells_is_said_to_be_so():
    """With the level and nothing else read, no second reading tells the orifice."""
    model = compile_model(Gauged())
    u, y = plant(31, STEPS, Fault("bias", "level", 0.5, 0))
    record = of_columns(1.0, u, y[:, 2:3])
    found = fit(model, ("discharge",), [record], sigma=np.array([0.02]), settings=Settings(starts=1, substeps=2))
    (alone,) = eliminated(model, found, [record], model.p0)
    assert (alone.parameter, alone.output) == ("discharge", "level") and not alone.told and not alone.denied


def test_what_did_not_change_needs_no_second_word(model):
    _, answers = asked(model, Fault())
    assert answers == ()
