"""A model written on a napkin is integrated, batched and differentiated; a wrong one is refused in words."""

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model, find_model, maths
from gemel.dynamics.fixed import trajectory
from gemel.errors import ModelError


class Decay:
    """dx/dt = −x/τ + u, whose solution is an exponential."""

    states = {"level": Quantity("m", 1.0)}
    inputs = {"inflow": Quantity("m/s")}
    outputs = {"twice": Quantity("m")}
    parameters = {"tau": Quantity("s", 2.0, low=0.1)}

    def derivative(self, t, x, u, p):
        return {"level": -x.level / p.tau + u.inflow}

    def output(self, t, x, u, p):
        return {"twice": 2 * x.level}


def end(steps, span=4.0):
    model = compile_model(Decay())
    xs, ys = trajectory(model, model.x0, np.zeros((steps + 1, 1)), model.p0, span / steps)
    assert np.allclose(ys, 2 * np.asarray(xs))
    return float(xs[-1, 0])


def test_a_free_run_follows_the_analytic_solution_with_order_four():
    errors = [abs(end(n) - np.exp(-2)) for n in (8, 16, 32)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(np.abs(orders - 4) < 0.3), orders


def test_a_model_is_batched_and_differentiated():
    import jax

    model = compile_model(Decay())
    u = np.zeros((11, 1))

    def last(p):
        return trajectory(model, model.x0, u, p, 0.1)[0][-1, 0]

    taus = np.array([[1.0], [2.0], [4.0]])
    assert np.allclose(jax.vmap(last)(taus), np.exp(-1 / taus[:, 0]), rtol=1e-6)
    assert np.allclose(jax.grad(last)(model.p0), np.exp(-0.5) / 4, rtol=1e-5)


def test_other_names_than_the_declared_are_refused():
    class Wrong(Decay):
        def derivative(self, t, x, u, p):
            return {"levle": -x.level}

    model = compile_model(Wrong())
    with pytest.raises(ModelError, match="missing: \\['level'\\], not declared: \\['levle'\\]"):
        model.rate(0.0, model.x0, model.u0, model.p0)
    with pytest.raises(AttributeError, match="'depth' is not declared: level"):
        compile_model(type("Deep", (Decay,), {"output": lambda s, t, x, u, p: {"twice": x.depth}})()).observe(0.0, model.x0, model.u0, model.p0)


def test_parameters_are_replaced_by_name():
    model = compile_model(Decay())
    assert model.with_parameters({"tau": 3.0}).tolist() == [3.0]
    with pytest.raises(ModelError, match="no 'tua' among its parameters"):
        model.with_parameters({"tua": 3.0})


@pytest.mark.parametrize(
    ("reference", "words"), [("gemel.nowhere:Pump", "no dynamic model"), ("gemel.dynamics:Quantity", "no dynamic model"), ("builtins:dict", "is not a dynamic model")]
)
def test_what_is_no_model_is_refused_in_words(reference, words):
    with pytest.raises(ModelError, match=words):
        find_model(reference)


@pytest.mark.parametrize(("x", "want"), [(4.0, 2.0), (-4.0, -2.0), (0.0, 0.0)])
def test_the_signed_root_has_a_finite_slope_everywhere(x, want):
    import jax

    assert float(maths.signed_root(x)) == pytest.approx(want, abs=1e-6)
    assert np.isfinite(jax.grad(maths.signed_root)(x))
    assert np.isfinite(jax.grad(maths.root)(x))
