"""An FMU for model exchange computes inside of JAX: compiled, batched and differentiated, in SI, by a child that stands by."""

from dataclasses import replace

import numpy as np
import pytest
from fmu_kit import lag, third

from gemel.dynamics import compile_model, maths
from gemel.dynamics.fixed import trajectory
from gemel.errors import ModelError
from gemel.operate.fmi import Limits, fmu

ZERO = 273.15


@pytest.fixture(scope="module")
def heater(tmp_path_factory):
    return compile_model(fmu(lag(tmp_path_factory.mktemp("heater"))))


def test_rates_and_outputs_are_its_equations_in_si(heater):
    rate = heater.rate(0.0, np.array([ZERO + 20]), np.array([ZERO + 80]), np.array([120.0, 1.0]))
    assert float(rate[0]) == pytest.approx(0.5, rel=1e-12)
    assert float(heater.observe(0.0, np.array([ZERO + 20]), np.array([ZERO + 80]), np.array([120.0, 1.0]))[0]) == pytest.approx(ZERO + 20)


def test_it_is_batched_and_each_member_has_its_own_parameters(heater):
    maths.loaded()
    import jax

    x, u = ZERO + np.linspace(0, 50, 100)[:, None], np.array([ZERO + 80.0])
    p = np.column_stack([np.linspace(60, 600, 100), np.linspace(0.5, 1.5, 100)])
    rate = jax.jit(jax.vmap(lambda x, p: heater.rate(0.0, x, u, p)))(x, p)
    assert np.allclose(np.asarray(rate)[:, 0], (p[:, 1] * 80 - (x[:, 0] - ZERO)) / p[:, 0], rtol=1e-12)


def test_its_slopes_are_those_of_its_equations(heater):
    maths.loaded()
    import jax

    at = np.array([ZERO + 20.0]), np.array([ZERO + 80.0]), np.array([120.0, 1.1])
    by_x, by_u, by_p = (np.asarray(s).ravel() for s in jax.jacfwd(lambda x, u, p: heater.rate(0.0, x, u, p), argnums=(0, 1, 2))(*at))
    assert by_x == pytest.approx([-1 / 120], rel=1e-8)
    assert by_u == pytest.approx([1.1 / 120], rel=1e-8)
    assert by_p == pytest.approx([-(88 - 20) / 120**2, 80 / 120], rel=1e-7)


def test_a_free_run_inside_of_jax_is_what_fmpy_gives(heater):
    import fmpy

    u = np.full((241, 1), ZERO + 80.0)
    states, _ = trajectory(heater, np.array([ZERO + 20]), u, np.array([120.0, 1.0]), 1.0)
    given = np.array([(0.0, 80.0), (999.0, 80.0)], [("time", float), ("u", float)])
    want = fmpy.simulate_fmu(str(heater.model.path), fmi_type="ModelExchange", stop_time=240, output_interval=1, input=given, start_values={"lag": 2.0},
                             output=["x"], relative_tolerance=1e-10, validate=False)  # fmt: skip
    assert np.allclose(np.asarray(states)[:, 0] - ZERO, want["x"], atol=1e-6)


def test_one_of_fmi_3_computes_too(tmp_path):
    model = compile_model(fmu(third(tmp_path, "DECAY")))
    assert float(model.rate(0.0, np.array([2.0]), np.zeros(0), np.array([0.25]))[0]) == pytest.approx(-0.5)


def test_one_for_co_simulation_refuses_with_what_it_can_do(tmp_path):
    model = compile_model(fmu(lag(tmp_path, "CoSimulation")))
    with pytest.raises(ModelError, match="for co-simulation") as refused:
        model.rate(0.0, model.x0, model.u0, model.p0)
    assert refused.value.code == "model-foreign"


@pytest.mark.parametrize(("body", "words"), [("for (;;) {}", "did not end within 4 s"), ("*(volatile int *)0 = 1; return 0;", "SIGSEGV")])
def test_one_that_hangs_or_crashes_is_an_error_in_words_and_the_next_call_has_a_new_child(tmp_path, body, words):
    body = f"if (m->u > 50) {{ {body} }} return 1.0;"
    model = compile_model(replace(fmu(lag(tmp_path, body=body)), limits=Limits(time_s=4.0 if "for" in body else 60.0)))
    with pytest.raises(Exception, match=words):
        np.asarray(model.rate(0.0, model.x0, np.array([ZERO + 80.0]), model.p0))
    assert float(model.rate(0.0, model.x0, np.array([ZERO + 20.0]), model.p0)[0]) == 1.0
