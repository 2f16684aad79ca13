"""The tools that `gemel bench whatif` stands beside are given the same equations: their futures end where ours do."""

import shutil

import numpy as np
import pytest

from gemel.bench.whatif import station
from gemel.bench.whatif_fmu import runner
from gemel.bench.whatif_peers import plain


@pytest.fixture(scope="module")
def asked():
    return station()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
def test_a_day_in_fmpys_hands_ends_where_the_plain_equations_end_and_where_ours_does(asked):
    pytest.importorskip("fmpy")
    model, start, _ = asked
    rate, u, p = plain(model), list(start.u), list(start.p)
    level, demand = model.states.index("level"), model.inputs.index("demand")

    def f(x):
        return np.array(rate(x.tolist(), u, p))

    x, h = np.array(start.x), 10.0
    for k in range(8640):
        u[demand] = start.profiles["demand"][k // 360][1]
        k1 = f(x)
        k2 = f(x + h / 2 * k1)
        k3 = f(x + h / 2 * k2)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(x + h * k3))
    with runner(model, start) as one:
        assert one() == pytest.approx(x[level], rel=1e-9)
        assert one() == pytest.approx(x[level], rel=1e-9), "a second future begins where the first began"
