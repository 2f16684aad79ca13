"""Signatures of faults: what each would do to the residuals of a filter, and nothing of the noise that is in them."""

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import line_problem

from gemel.estimate.accused import Case
from gemel.estimate.bank import Excerpt
from gemel.estimate.courses import Should, answers, during, since, strikes
from gemel.estimate.signatures import Strike, signatures
from gemel.estimate.suspects import Usual, placed

STRIKES = {"bias/upper": 0.1, "bias/lower": 0.1, "bias/sum": 0.1, "source/upper": 0.1, "source/lower": 0.1}
def read(noise):
    problem = line_problem()
    u = np.repeat([0.2, 0.5, 0.3, 0.6], 40)
    x, y = np.array([1.0, 1.0]), np.empty((160, 3))
    for k in range(160):
        for _ in range(10):
            x = x + 0.05 * np.array([u[k] - 0.2 * x[0], 0.2 * (x[0] - x[1])])
        y[k] = [*x, x.sum()]
    usual = Usual(u[:1], np.ones(1), np.ones(2), np.ones(2))
    return Excerpt(u[:, None], y + noise, placed(problem.model, usual, problem.model.p0, ()), problem.start[0])


def told(record, those):
    off, signs = signatures(line_problem(), (), record, STRIKES, those)
    return off, dict(zip(those, signs.reshape(len(those), -1), strict=True))


def case(record):
    usual = Usual(record.u[:1, 0], np.ones(1), np.ones(2), np.ones(2))
    return Case(line_problem(), usual, record.y.mean(0), record)


def test_a_filter_answers_to_a_course_as_to_its_pieces_together():
    record, many = read(np.zeros((160, 3))), 160
    whole, later = Strike("bias/lower", "fault", 20), Strike("bias/lower", "fault", 60)
    places = ["bias/lower", "source/upper"]
    signs = told(record, [one for place in places for one in strikes(place, many, 1)])[1]
    of = answers(signs, places, many, 1)
    assert np.allclose(of.to("bias/lower", since(many, 60)), signs[later], atol=1e-9)
    assert np.allclose(of.to("bias/lower", during(many, 20, 40)), signs[whole] - signs[later], atol=1e-9)
    assert np.allclose(of.to("source/upper", since(many, 60)), signs[Strike("source/upper", "fault", 60)], atol=1e-9)
    assert np.abs(signs[later]).max() > 0.5


def test_what_a_sensor_should_show_knows_nothing_of_its_own_readings():
    """Else the very error that is weighed, and the noise of each instant, are in what a gain or a lag would do."""
    right, wrong = read(np.zeros((160, 3))), read(np.zeros((160, 3)))
    wrong.y[80:, 1] += 0.5 * wrong.y[80:, 1] + np.random.default_rng(3).standard_normal(80)
    plain, struck = (Should.of(case(one), one, [0, 1, 2]) for one in (right, wrong))
    assert np.allclose(plain.shown[:, 1], struck.shown[:, 1], atol=1e-9)
    assert np.abs(plain.shown[20:, 1] - right.y[20:, 1]).max() < 0.02
    assert np.abs(plain.shown[90:, 0] - struck.shown[90:, 0]).max() > 0.05  # of the others it is heard


def test_a_gain_goes_with_what_the_sensor_should_show_and_a_slow_sensor_is_behind_it():
    record = read(np.zeros((160, 3)))
    should = Should.of(case(record), record, [1])
    shown = record.y[:, 1]
    assert np.allclose(should.gain(1)[20:], (shown / shown.mean())[20:], atol=0.02)
    assert abs(should.moved(1)[20:].mean()) < 1e-12 and np.allclose(np.diff(should.moved(1)), np.diff(should.shown[:, 1]))
    followed = [shown[0]]
    for now in shown[1:]:
        followed.append(followed[-1] + (now - followed[-1]) / 12.0)
    assert np.abs(should.behind(1, 12.0) - (np.array(followed) - shown))[20:].max() < 0.02
    assert np.abs(should.behind(1, 12.0)).max() > 0.1
