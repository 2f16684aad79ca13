"""One cell, two libraries: what does each say of a discharge that it was not fitted to, and how long does that take?

Fitted to discharge 1 of NASA's B0005 (three parameters each, from each library's own defaults), judged on discharge 10,
whose capacity is nearly the same, both by SciPy's least squares (eight steps at most for ProgPy, whose run takes most of a
second; its own `estimate_params` left the range where its voltage has a meaning). Time is one simulated discharge, warm, median of
five. Pumps: `progpy_pump.py`.

Run: pip install 'gemel[reason,peers]' && python benchmarks/progpy_side_by_side.py FOLDER   (of the NASA battery data)
"""

import csv
import io
import json
import sys
import tarfile
import time
import warnings
from pathlib import Path

import numpy as np
from progpy_pump import timed

warnings.filterwarnings("ignore")
DT = 10.0


def discharge(folder, number):
    """Time [s], current [A, positive out] and voltage [V] under load, on an even grid."""
    with tarfile.open(Path(folder) / "B0005_discharge.tar.gz") as tar:
        rows = [r for r in csv.DictReader(io.TextIOWrapper(tar.extractfile(tar.getmembers()[0]), "utf-8")) if int(r["cycle_num"]) == number]
    t, i, v = (np.array([float(r[k]) for r in rows]) for k in ("Time", "Current_measured", "Voltage_measured"))
    loaded = i < -1.8
    t, i, v = t[loaded] - t[loaded][0], -i[loaded], v[loaded]
    grid = np.arange(0, t[-1], DT)
    return grid, np.interp(grid, t, i), np.interp(grid, t, v)


def of_gemel(fit, judge):
    import jax
    from scipy.optimize import least_squares

    from gemel.dynamics import compile_model, maths
    from gemel.dynamics.components import LithiumCell
    from gemel.dynamics.fixed import trajectory

    maths.loaded()
    model = compile_model(LithiumCell())
    names = ("new_capacity", "resistance", "slow_resistance")
    run = jax.jit(lambda u, p: trajectory(model, model.x0, u, p, DT)[1][:, 0])

    def voltage(z, current):
        u = np.stack([current, np.full(len(current), 297.15)], axis=1)
        return np.asarray(run(u, model.with_parameters({"fade_factor": 0.0, **dict(zip(names, z, strict=True))})))

    start = model.p0[[model.place("parameters", n) for n in names]]
    began = time.perf_counter()
    z = least_squares(lambda z: voltage(z * start, fit[1]) - fit[2], np.ones(3), bounds=(0.3, 3.0)).x * start
    took = time.perf_counter() - began
    error = np.sqrt(np.mean((voltage(z, judge[1]) - judge[2]) ** 2))
    return {"fit_s": took, "rmse_mv": 1e3 * error, "discharge_s": timed(lambda: voltage(z, judge[1]))}


def of_progpy(fit, judge):
    from progpy.models import BatteryCircuit

    model = BatteryCircuit(process_noise=0, measurement_noise=0)

    def load_of(record):
        return lambda t, x=None: model.InputContainer({"i": float(np.interp(t, record[0], record[1]))})

    def voltage(record):
        found = model.simulate_to(float(record[0][-1]) + DT, load_of(record), dt=1, save_freq=DT)
        times, v = np.array(found.times), np.array([y["v"] for y in found.outputs])
        return np.interp(record[0], times, v)

    from scipy.optimize import least_squares

    names = ("qMax", "Rs", "Rcp0")
    start = np.array([model.parameters[n] for n in names])

    def misfit(z):
        for name, value in zip(names, z * start, strict=True):
            model.parameters[name] = value
        return voltage(fit) - fit[2]

    began = time.perf_counter()
    misfit(least_squares(misfit, np.ones(3), bounds=(0.3, 3.0), diff_step=1e-3, max_nfev=8).x)
    took = time.perf_counter() - began
    error = np.sqrt(np.mean((voltage(judge) - judge[2]) ** 2))
    return {"fit_s": took, "rmse_mv": 1e3 * error, "discharge_s": timed(lambda: voltage(judge))}


if __name__ == "__main__":
    fit, judge = discharge(sys.argv[1], 1), discharge(sys.argv[1], 10)
    found = {"gemel": of_gemel(fit, judge), "progpy": of_progpy(fit, judge)}
    for name, row in found.items():
        print(f"{name:8s} rmse {row['rmse_mv']:6.1f} mV   one discharge {1e3 * row['discharge_s']:9.2f} ms   fit {row['fit_s']:6.1f} s")
    print(json.dumps(found))
