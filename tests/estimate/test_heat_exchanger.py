"""The steam-heated exchanger: fitted to 2,000 s of a real rig, run free over the rest."""

from pathlib import Path

import numpy as np
import pytest

from gemel.dynamics import compile_model
from gemel.dynamics.components.steam_exchanger import SteamExchanger
from gemel.estimate.calibrate import Settings, fit
from gemel.estimate.free_run import free_run
from gemel.estimate.record import of_columns

FILE = Path(__file__).resolve().parents[3] / "shared/data/sysid/heat_exchanger_first_3000.csv"
FREE = ("steam", "ua", "turnover", "exponent")


def read():
    if not FILE.exists():
        pytest.skip("the record of the heat exchanger is not here")
    d = np.genfromtxt(FILE, delimiter=",", skip_header=1)
    return of_columns(1.0, d[:, 1:2] / 1000, d[:, 2:3] + 273.15)


def test_physics_fitted_to_2000_seconds_runs_free_over_the_rest():
    record, model = read(), compile_model(SteamExchanger())
    found = fit(model, FREE, [record.part(0, 2000)], settings=Settings(starts=2, candidates=32))
    ran = free_run(model, found.vector, record.part(2000), lead=60)
    rest = record.outputs[2060:, 0]
    repeated = float(np.sqrt(np.mean((rest - record.outputs[:2000, 0].mean()) ** 2)))
    print(f"fit {found.rms['outlet']:.3f} K, free run {ran.rmse['outlet']:.3f} K, explained {ran.explained['outlet']:.3f}, mean {repeated:.3f} K",
          {n: (round(e.value, 4), round(e.low, 4), round(e.high, 4)) for n, e in found.parameters.items()})  # fmt: skip
    linear = arx(record, 2000, lead=60)
    print(f"linear model (ARX) {linear:.3f} K")
    assert ran.rmse["outlet"] < linear
    assert found.converged, found.why
    assert ran.rmse["outlet"] < 0.5 * repeated
    assert ran.explained["outlet"] > 0.5
    assert all(e.low < e.value < e.high for e in found.parameters.values())


def arx(record, seen, lead):
    """A linear black box run free over the rest: of orders 1 to 4 the one that runs best over the last quarter of what is fitted."""
    u, y = (v[:, 0] - v[:seen, 0].mean() for v in (record.inputs, record.outputs))
    orders = [(na, nb, delay) for na in (1, 2, 3, 4) for nb in (1, 2, 4) for delay in (0, 1, 5, 10)]
    quarter = seen * 3 // 4
    best = min(orders, key=lambda o: linear_run(y[:seen], u[:seen], o, quarter, lead))
    return linear_run(y, u, best, seen, lead)


def linear_run(y, u, order, seen, lead):
    """Fit y[k] to what was before, by least squares on the first part; root mean square error of its free run over the rest."""
    na, nb, delay = order
    k = np.arange(na + nb + delay, seen)
    columns = [*(y[k - i] for i in range(1, na + 1)), *(u[k - delay - i] for i in range(nb))]
    weights = np.linalg.lstsq(np.column_stack(columns), y[k], rcond=None)[0]
    run = y.copy()
    for k in range(seen + lead, len(y)):
        run[k] = weights @ np.r_[[run[k - i] for i in range(1, na + 1)], [u[k - delay - i] for i in range(nb)]]
    return float(np.sqrt(np.mean((y - run)[seen + lead :] ** 2)))
