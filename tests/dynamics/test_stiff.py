"""A model that says it is stiff is followed over its own slow times, exactly where its answer is known, batched and differentiated."""

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model, maths
from gemel.dynamics.check import check_model
from gemel.dynamics.declared import Declared
from gemel.dynamics.fixed import trajectory
from gemel.dynamics.narrowed import Narrowed
from gemel.dynamics.reduced import Reduced
from gemel.dynamics.solve import solve
from gemel.dynamics.system import System


class Plain:
    inputs = {}
    outputs = {}
    parameters = {}
    stiff = True

    def output(self, t, x, u, p):
        return {}


class Robertson(Plain):
    """Robertson (1966), The solution of a set of reaction rate equations: rate constants nine decades apart."""

    states = {"a": Quantity("1", 1.0), "b": Quantity("1", 0.0, nominal=1e-5), "c": Quantity("1", 0.0)}

    def derivative(self, t, x, u, p):
        slow, back, fast = 0.04 * x.a, 1e4 * x.b * x.c, 3e7 * x.b**2
        return {"a": back - slow, "b": slow - back - fast, "c": fast}


class VanDerPol(Plain):
    """Van der Pol with ε = 1e-6 (Hairer and Wanner 1996, IV.1, equation 1.5'; µ = 1000 on its slow time)."""

    states = {"x": Quantity("1", 2.0), "z": Quantity("1", 0.0, nominal=1.0)}

    def derivative(self, t, x, u, p):
        return {"x": x.z, "z": 1e6 * ((1 - x.x**2) * x.z - x.x)}


class ProtheroRobinson(Plain):
    """dx/dt = λ (x − cos t) − sin t with λ = −1e6 follows cos t (Prothero and Robinson 1974, equation 1.2)."""

    states = {"x": Quantity("1", 1.0)}

    def derivative(self, t, x, u, p):
        return {"x": -1e6 * (x.x - maths.cos(t)) - maths.sin(t)}


class Heated:
    """A thin wall (a time constant of 0.2 ms) between a heater and a tank (an hour): its answer is known, for it is linear."""

    stiff = True
    states = {"wall": Quantity("K", 300.0), "tank": Quantity("K", 300.0)}
    inputs = {"power": Quantity("W", 0.0)}
    outputs = {"loss": Quantity("W")}
    parameters = {"exchange": Quantity("W/K", 500.0, low=100.0, high=1000.0), "leak": Quantity("W/K", 1.0, low=0.1)}

    def derivative(self, t, x, u, p):
        over = p.exchange * (x.wall - x.tank)
        return {"wall": (u.power - over) / 0.1, "tank": (over - p.leak * (x.tank - 300.0)) / 4000.0}

    def output(self, t, x, u, p):
        return {"loss": p.leak * (x.tank - 300.0)}


def heated(power, times, exchange=500.0, leak=1.0):
    """Solve the same by its eigenvalues, from 300 K on."""
    matrix = np.array([[-exchange / 0.1, exchange / 0.1], [exchange / 4000, -(exchange + leak) / 4000]])
    rest = 300 + power / leak + np.array([power / exchange, 0.0])
    values, vectors = np.linalg.eig(matrix)
    weights = np.linalg.solve(vectors, 300 - rest)
    return (rest[:, None] + vectors @ (weights[:, None] * np.exp(np.outer(values, times)))).T


def ran(model, u, dt, p=None):
    model = compile_model(model)
    return np.asarray(trajectory(model, model.x0, np.asarray(u, float), model.p0 if p is None else p, dt)[0])


def test_robertsons_reactions_end_where_they_are_known_to_end():
    """Values at 40 s of Hindmarsh and Petzold (1995), Computers in Physics 9, table II, and of every code since."""
    found = ran(Robertson(), np.zeros((5, 0)), 10.0)
    assert found[-1] == pytest.approx([0.7158271, 9.185535e-6, 0.2841637], rel=2e-6)
    assert found.sum(1) == pytest.approx(1.0, abs=1e-9), "nothing is lost"


def test_van_der_pols_leaps_are_followed():
    """The end at t = 2 of the IVP test set (Mazzia and Magherini 2008, problem VDPOL)."""
    found = ran(VanDerPol(), np.zeros((21, 0)), 0.1)
    assert found[-1] == pytest.approx([1.7061677321704830, -0.89280970102479750], rel=1e-4)


def test_no_order_is_lost_where_what_is_stiff_is_driven():
    errors = []
    for steps in (2, 4):
        model = compile_model(ProtheroRobinson())
        found = trajectory(model, model.x0, np.zeros((steps + 1, 0)), model.p0, 2.0 / steps, method="rodas")[0]
        errors.append(abs(float(found[-1, 0]) - np.cos(2.0)))
    assert errors[0] < 1e-6 and errors[1] < errors[0] / 8, errors


def test_a_thin_wall_is_followed_minute_by_minute():
    power = np.full((61, 1), 2000.0)
    found = ran(Heated(), power, 60.0)
    assert np.abs(found - heated(2000.0, np.arange(61) * 60.0)).max() < 2e-3
    explicit = trajectory(compile_model(Heated()), np.full(2, 300.0), power, compile_model(Heated()).p0, 60.0, 64, "rk4")[0]
    assert not np.isfinite(np.asarray(explicit)).all()


def test_it_is_batched_and_differentiated():
    import jax

    model, power = compile_model(Heated()), np.full((11, 1), 2000.0)
    ends = jax.vmap(lambda p: trajectory(model, model.x0, power, p, 60.0)[0][-1])
    several = np.array([[300.0, 1.0], [500.0, 0.8], [800.0, 1.4]])
    assert np.allclose(ends(several), [heated(2000.0, [600.0], *p)[0] for p in several], atol=2e-3)
    _, push = jax.linearize(lambda p: trajectory(model, model.x0, power, p, 60.0)[0][-1], model.p0)
    for i, by in enumerate((1.0, 1e-3)):
        moved = [heated(2000.0, [600.0], *(model.p0 + sign * by * np.eye(2)[i]))[0] for sign in (1, -1)]
        want = (moved[0] - moved[1]) / (2 * by)
        assert np.allclose(push(np.eye(2)[i]), want, rtol=1e-3, atol=1e-4), (i, push(np.eye(2)[i]), want)


def test_what_cannot_be_solved_is_no_number_soon():
    class Blown(Plain):
        states = {"x": Quantity("1", 1.0)}

        def derivative(self, t, x, u, p):
            return {"x": x.x**2}

    found = ran(Blown(), np.zeros((4, 0)), 0.6)
    assert found[1, 0] == pytest.approx(2.5, rel=1e-4)
    assert np.isnan(found[2:]).all()


def test_who_solves_it_in_python_names_no_method():
    model = compile_model(Robertson())
    found = solve(model, model.x0, np.zeros(0), model.p0, [0.0, 40.0])
    assert found.ok and found.steps < 3_000
    assert found.states[-1] == pytest.approx([0.7158271, 9.185535e-6, 0.2841637], rel=1e-4)


def test_whatever_has_a_stiff_part_is_stiff():
    soft = type("Soft", (Heated,), {"stiff": False})
    assert compile_model(Heated()).stiff and not compile_model(soft()).stiff
    assert compile_model(System({"a": soft(), "b": Heated()})).stiff
    assert not compile_model(System({"a": soft()})).stiff
    assert compile_model(Narrowed(Heated(), {}, ["loss"])).stiff
    assert compile_model(Reduced(Heated(), ["tank"], (), ["loss"])).stiff
    assert Declared.of(Heated()).stiff and not Declared.of(soft()).stiff


def test_a_word_that_is_no_answer_is_refused():
    assert not check_model(Heated())
    (found,) = check_model(type("Odd", (Heated,), {"stiff": "very"})())
    assert found.severity == "error" and "stiff" in found.message


class Source:
    """A heater behind a resistance: the more it gives, the warmer what it heats is at its surface."""

    states = {}
    inputs = {"surface": Quantity("K", 300.0)}
    outputs = {"heat": Quantity("W", nominal=1000.0)}
    parameters = {"gain": Quantity("W/K", 20.0), "hot": Quantity("K", 600.0)}

    def derivative(self, t, x, u, p):
        return {}

    def output(self, t, x, u, p):
        return {"heat": p.gain * (p.hot - u.surface)}


class Wall:
    stiff = True
    states = {"wall": Quantity("K", 300.0), "tank": Quantity("K", 300.0)}
    inputs = {"heat": Quantity("W", 1000.0)}
    outputs = {"surface": Quantity("K", nominal=300.0)}
    parameters = {"exchange": Quantity("W/K", 500.0), "bend": Quantity("K/W2", 1e-5), "capacity": Quantity("J/K", 0.1)}

    def derivative(self, t, x, u, p):
        flow = p.exchange * (x.wall - x.tank)
        return {"wall": (u.heat - flow) / p.capacity, "tank": (flow - 1e-5 * (x.tank - 300.0) ** 3) / 40000.0}

    def output(self, t, x, u, p):
        return {"surface": x.wall + 0.01 * u.heat + p.bend * u.heat**2}


def test_sensitivities_are_right_where_a_loop_is_solved_for():
    """The Jacobian of the step holds derivatives of the loop's solution; its sensitivities, their derivatives."""
    import jax

    model = compile_model(System({"source": Source(), "wall": Wall()}, [("source/heat", "wall/heat"), ("wall/surface", "source/surface")]))
    run = jax.jit(lambda p: trajectory(model, model.x0, np.zeros((6, 0)), p, 600.0, method="rodas")[0][-1])
    for name in ("source/gain", "wall/bend"):
        i = model.place("parameters", name)
        by = 1e-4 * model.p0[i] * np.eye(len(model.p0))[i]
        want = (np.asarray(run(model.p0 + by)) - np.asarray(run(model.p0 - by))) / (2e-4 * model.p0[i])
        found = jax.jvp(run, (model.p0,), (np.eye(len(model.p0))[i],))[1]
        assert np.allclose(found, want, rtol=1e-5), (name, found, want)
