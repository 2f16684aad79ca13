"""An FMU for co-simulation goes on from what it remembered: bytes that any process of it can take up, to the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from fmu_kit import ZERO, lag, third

from gemel.errors import ModelError
from gemel.operate.fmi import Limits, fmu
from gemel.operate.fmi.remembered import Remembered

ABLE = {"canGetAndSetFMUState": "true", "canSerializeFMUState": "true"}
P = np.array([[120.0, 1.0], [60.0, 0.5]])


def twice(model, seen, x, u, p):
    """Begin members and go two steps."""
    of = Remembered(model, seen)
    memory, first = of.begin(x, u, p)
    memory, second = of.step(memory, np.zeros(len(x)), 10.0, (u, p))
    return of, memory, (first, second, of.step(memory, np.full(len(x), 10.0), 10.0, (u, p))[1])


def test_members_go_on_as_fmpy_runs_each_from_its_beginning(tmp_path):
    import fmpy

    model = fmu(lag(tmp_path, "CoSimulation", saves=True))
    x, u = np.array([[ZERO + 30], [ZERO + 60]]), np.array([[ZERO + 80], [ZERO + 90]])
    _, _, shown = twice(model, ("x",), x, u, P)
    for i in range(2):
        given = np.array([(0.0, u[i, 0] - ZERO), (99.0, u[i, 0] - ZERO)], [("time", float), ("u", float)])
        starts = {"x": x[i, 0] - ZERO, "lag": P[i, 0] / 60, "gain": P[i, 1]}
        want = fmpy.simulate_fmu(str(model.path), stop_time=20, output_interval=10, input=given, start_values=starts, output=["x"], validate=False)
        assert np.array([s[i, 0] for s in shown]) - ZERO == pytest.approx(want["x"], abs=1e-9)


def test_one_of_fmi_3_too_with_a_parameter_that_changes_on_the_way(tmp_path):
    model = fmu(third(tmp_path, "TANK", **ABLE))
    u, p = np.full((3, 1), 0.02), np.array([[1.0], [2.0], [4.0]])
    of, memory, shown = twice(model, ("level", "outflow"), np.zeros((3, 0)), u, p)
    level = shown[1][:, 0] - 1.0
    assert level[0] > 1.9 * level[1] > 3.6 * level[2] > 0
    slower = of.step(memory, np.full(3, 10.0), 10.0, (u, 10 * p))[1][:, 0] - shown[1][:, 0]
    assert slower == pytest.approx((shown[2] - shown[1])[:, 0] / 10, rel=0.05)


def test_another_process_takes_up_the_same_bytes_to_the_same_bits(tmp_path):
    model = fmu(lag(tmp_path, "CoSimulation", saves=True))
    x, u = np.array([[ZERO + 30.1]]), np.array([[ZERO + 80]])
    of, memory, (_, _, third_shown) = twice(model, ("x",), x, u, P[:1])
    model.child.close()
    assert of.step(memory, np.full(1, 10.0), 10.0, (u, P[:1]))[1] == third_shown


def test_one_that_saves_nothing_is_refused_with_what_would_do(tmp_path):
    with pytest.raises(ModelError, match="cannot save its state") as refused:
        Remembered(fmu(lag(tmp_path, "CoSimulation")), ("x",))
    assert refused.value.code == "model-foreign"
    assert "model exchange" in refused.value.remedy


@pytest.mark.parametrize(("body", "words"), [("for (;;) {}", "did not end within 4 s"), ("*(volatile int *)0 = 1; return 0;", "SIGSEGV")])
def test_one_that_hangs_or_crashes_on_its_way_is_an_error_and_the_next_step_has_a_new_child(tmp_path, body, words):
    body = f"if (m->u > 50) {{ {body} }} return 1.0;"
    model = replace(fmu(lag(tmp_path, "CoSimulation", body=body, saves=True)), limits=Limits(time_s=4.0 if "for" in body else 60.0))
    of = Remembered(model, ("x",))
    cold, hot = np.array([[ZERO + 20.0]]), np.array([[ZERO + 80.0]])
    memory, _ = of.begin(cold, cold, P[:1])
    with pytest.raises(ModelError, match=words):
        of.step(memory, np.zeros(1), 10.0, (hot, P[:1]))
    assert of.step(memory, np.zeros(1), 10.0, (cold, P[:1]))[1][0, 0] == pytest.approx(ZERO + 30.0)
