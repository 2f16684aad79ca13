"""`gemel bench calibrate`: how long a calibration takes, beside SciPy in the same run.

Two cascaded tanks, eight parameters, none known: 1,024 readings of 4 s as in the benchmark of that rig, then a day of one
reading a second. The record is simulated (nothing is shipped), with noise; each fit starts from the declared values. SciPy fits the
same record by `least_squares` over `solve_ivp` with finite differences, as it is written first.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gemel.bench.ingest import machine
from gemel.dynamics import Compiled, compile_model, maths
from gemel.dynamics.components.cascaded_tanks import CascadedTanks
from gemel.dynamics.fixed import trajectory
from gemel.estimate.calibrate import Fit, Settings, fit
from gemel.estimate.record import Record, of_columns, side_by_side
from gemel.samples.batch import F64

TRUTH: Final = {
    "k1": 0.041, "k2": 0.06, "k3": 0.085, "k4": 0.038, "caught": 0.82, "slope": -0.005, "u0": -0.2, "bend": 0.04,
}  # fmt: skip
NOISE_V: Final = 0.02
POINTS: Final = 1024
DAY_S: Final = 86_400
PIECE_S: Final = 900
ONE: Final = Settings(starts=1, candidates=16)
SCIPY_CALLS: Final = 400  # evaluations of one model run by SciPy, at most


def measure(day_s: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Fit and time; give what was measured, with the unit in each key."""
    import jax
    import scipy

    maths.loaded()  # float64 from the first array on
    model = compile_model(CascadedTanks())
    told(f"{POINTS:,} readings, eight parameters")
    (first_s, _), _ = _timed(lambda: _fitted(model, [_lived(model, 4.0, POINTS, 1)]))
    record = _lived(model, 4.0, POINTS, 2)
    warm = [_timed(lambda: _fitted(model, [record])) for _ in range(5)]
    (fit_s, fit_cpu_s), found = min(s for s, _ in warm), warm[0][1]
    told("the same by SciPy")
    (scipy_s, scipy_cpu_s), scipy_rmse, calls = _scipy(model, record)
    told(f"{day_s:,} readings of one second")
    (day_first_s, _), _ = _timed(lambda: _fitted(model, _day(model, day_s, 3)))
    day = _day(model, day_s, 4)
    (day_fit_s, day_cpu_s), day_found = _timed(lambda: _fitted(model, day))
    return {
        "bench": "calibrate", "parameters": len(TRUTH), "points": POINTS, "fit_warm_s": round(fit_s, 4), "fit_cpu_s": round(fit_cpu_s, 4), "fit_first_s": round(first_s, 2),
        "fit_linearisations": found.iterations, "fit_rmse_mv": _mv(found.rms["lower"]), "fit_converged": found.converged,
        "intervals_hold": _holding(found),
        "scipy_s": round(scipy_s, 2), "scipy_cpu_s": round(scipy_cpu_s, 2), "scipy_rmse_mv": _mv(scipy_rmse), "scipy_model_runs": calls,
        "times_faster": round(scipy_s / fit_s, 1),
        "day_points": day_s // PIECE_S * PIECE_S, "day_pieces": day_s // PIECE_S, "day_fit_s": round(day_fit_s, 3), "day_cpu_s": round(day_cpu_s, 3), "day_first_s": round(day_first_s, 2),
        "day_rmse_mv": _mv(day_found.rms["lower"]), "day_converged": day_found.converged, "day_linearisations": day_found.iterations,
        "noise_mv": _mv(NOISE_V), **machine(), "jax": jax.__version__, "scipy": scipy.__version__,
    }  # fmt: skip


def _mv(volts: float) -> float:
    return round(1000 * volts, 2)


def _timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Give the seconds on the wall and of the processor (all threads), and what came of it."""
    began, used = time.perf_counter(), time.process_time()
    done = work()
    return (time.perf_counter() - began, time.process_time() - used), done


def _fitted(model: Compiled, records: list[Record]) -> Fit:
    return fit(model, tuple(TRUTH), records, settings=ONE)


def _holding(found: Fit) -> int:
    return sum(e.low <= TRUTH[name] <= e.high for name, e in found.parameters.items())


def _lived(model: Compiled, dt: float, steps: int, seed: int) -> Record:
    """Live a truth: the pump wanders between 0.5 and 6 V, so that both tanks run over now and then."""
    import jax

    rng = np.random.default_rng(seed)
    knots = rng.uniform(0.5, 5.5, round(steps * dt / 80) + 2)
    u = np.interp(np.arange(steps) * dt, np.arange(len(knots)) * 80.0, knots)[:, None]
    run = jax.jit(lambda x, held, p: trajectory(model, x, held, p, dt)[1])
    y = np.asarray(run(np.array([5.0, 5.0]), u, model.with_parameters(TRUTH)))
    return of_columns(dt, u, np.minimum(y + NOISE_V * rng.standard_normal(y.shape), 10.0))


def _day(model: Compiled, seconds: int, seed: int) -> list[Record]:
    return side_by_side(_lived(model, 1.0, seconds, seed).cut(PIECE_S), PIECE_S)


def _scipy(model: Compiled, record: Record) -> tuple[tuple[float, float], float, int]:
    from scipy.optimize import least_squares

    calls = 0

    def residuals(z: F64) -> F64:
        nonlocal calls
        calls += 1
        return np.asarray(_run(z, record) - record.outputs[:, 0])

    places = [model.place("parameters", name) for name in TRUTH]
    start = np.concatenate([model.p0[places], [5.0, record.outputs[0, 0]]])
    low, high = model.bounds("parameters")
    bounds = (np.append(low[places], [0, 0]), np.append(high[places], [15, 15]))
    seconds, found = _timed(
        lambda: least_squares(residuals, start, bounds=bounds, x_scale="jac", max_nfev=SCIPY_CALLS // 10)
    )
    return seconds, float(np.sqrt(np.mean(found.fun**2))), calls


def _run(z: F64, record: Record) -> F64:
    """Give the lower level by `solve_ivp`, the equations of the model written in plain Python."""
    from scipy.integrate import solve_ivp

    k1, k2, k3, k4, caught, slope, u0, bend = z[:8].tolist()
    held = record.inputs[:, 0]

    def over(above: float) -> float:
        return 0.03 * float(np.logaddexp(above / 0.1, 0.0))

    def rate(t: float, x: Any) -> list[float]:
        u = held[min(int(t / record.dt), len(held) - 1)]
        upper, lower = max(x[0], 0.0), max(x[1], 0.0)
        spilt, drain = over(x[0] - 10.0), upper / (upper + 1e-3) ** 0.5
        inflow = k4 * (u - u0) * (1 - bend * (u - 3.0))
        lost = k3 * lower / (lower + 1e-3) ** 0.5 + slope * x[1] + over(x[1] - 10.1)
        return [inflow - k1 * drain - spilt, k2 * (drain + caught * spilt / k1) - lost]

    times = np.arange(len(record)) * record.dt
    ran = solve_ivp(rate, (0.0, times[-1]), z[8:], t_eval=times, rtol=1e-4, atol=1e-6)
    y = ran.y[1] if ran.success else np.full(len(times), 1e3)
    return np.asarray(np.minimum(y, 10.0), np.float64)
