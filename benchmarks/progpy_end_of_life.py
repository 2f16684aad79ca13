"""Two ends of life, two libraries: when will a worn pump and an ageing cell have failed, said from the middle of their lives?

The pump is one of the demo's, whose wheel wears by a law that neither library is told (the first power of the speed; both
are told the third); readings are six-hour means of what its wear shows in the head. The cell is NASA's B0006, with the rate
of B0005 as prior knowledge. ProgPy follows each with its own unscented Kalman filter (wear and pace as states; its particle
filter fell onto one particle with the same model) and foretells with its own Monte Carlo predictor (200 samples; two days
or two discharges a step); gemel as it does in a running twin (pump) and in `estimate.cell_life` (cell). Same data, same prior
spread of the pace; load known, noise as gemel finds it.

Run: pip install 'gemel[reason,peers]' && python benchmarks/progpy_end_of_life.py FOLDER   (of the NASA battery data)
"""

import csv
import io
import os
import sys
import tarfile
import time
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
QUARTER = 21_600.0
LIMIT, RATE = 0.15, 1.5e-4 / 3600.0
SPREAD = 0.5


def pump(seed, days=62):
    """Six-hour means of speed and of the wear that the head shows, the true wear; of pump 1 of the rig."""
    from gemel.testing.station.model import Station, step, truth
    from gemel.testing.station.sensors import Sensors

    rng = np.random.default_rng(seed)
    speed, worn = 2250.0 + 200 * rng.random(), 0.005 + 0.02 * rng.random()
    station = Station(1_767_225_600.0)
    station = replace(station, pumps={n: replace(p, wear=worn) for n, p in station.pumps.items()}).ordered("pump-1", "speed", speed)
    signals = tuple(("pump-1", s) for s in ("speed", "flow", "suction_pressure", "discharge_pressure"))
    sensors, held, rows, wear = Sensors.of(signals), None, [], []
    for i in range(days * 720):
        if i in (5 * 720, 9 * 720):
            station = station.ordered("pump-1", "speed", speed * (0.95 if i == 5 * 720 else 1.0))
        station = step(station, 120.0, rng)
        true = np.array([truth(station)[s] for s in signals])
        held, shown = sensors.read(true if held is None else held, true, 120.0, rng)
        rows.append(shown)
        wear.append(station.pumps["pump-1"].wear)
    n, q, low, high = np.array(rows).T
    head = (high - low) / 0.0981
    loss = 1 - (head + (32 - 26.94) * (q / 75) ** 2) / (32 * (n / 2900) ** 2)
    means = lambda v: v.reshape(-1, 180).mean(axis=1)  # noqa: E731
    return means((n / 2900) ** 3) * RATE, means(loss), np.array(wear)


def of_gemel(rate, shown):
    from gemel.estimate.ageing import Exposure, Prior, follow
    from gemel.estimate.prognosis import Outlook, Size, foretell

    aged = follow(Exposure(QUARTER, rate, shown), Prior(0.0, LIMIT, spread=SPREAD, accuracy=0.005))
    whole = len(rate) // 4 * 4
    (course,) = foretell(aged, [Outlook(86_400.0, rate[-whole:].reshape(-1, 4))], Size(300 * 86_400.0, 2000))
    return [course.quantile(q) / 86_400 for q in (0.05, 0.5, 0.95)]


def of_progpy(first, rates, shown, noise, steps):
    """Quantiles of the time of event, in steps of the record, from ProgPy's unscented filter and Monte Carlo predictor."""
    from progpy import PrognosticsModel
    from progpy.predictors import MonteCarlo
    from progpy.state_estimators import UnscentedKalmanFilter
    from progpy.uncertain_data import MultivariateNormalDist

    class Wear(PrognosticsModel):
        inputs, states, outputs, events = ["rate"], ["level", "pace"], ["shown"], ["failed"]
        is_vectorized = True
        default_parameters = {"process_noise": {"level": 0.0, "pace": 0.01}, "measurement_noise": {"shown": noise}, "x0": {"level": first, "pace": 0.0}}

        def next_state(self, x, u, dt):
            return self.StateContainer({"level": x["level"] + np.exp(x["pace"]) * u["rate"] * dt, "pace": x["pace"]})

        def output(self, x):
            return self.OutputContainer({"shown": x["level"]})

        def event_state(self, x):
            return {"failed": np.maximum(1.0 - x["level"], 0.0)}

        def threshold_met(self, x):
            return {"failed": x["level"] >= 1.0}

    np.random.seed(0)  # noqa: NPY002 - ProgPy draws from the global generator
    model = Wear()
    start = MultivariateNormalDist(["level", "pace"], [first, 0.0], [[(2 * noise) ** 2, 0.0], [0.0, SPREAD**2]])
    known = UnscentedKalmanFilter(model, start, Q=np.diag([1e-8, 1e-4]), R=np.array([[noise**2]]))
    for i, (rate, seen) in enumerate(zip(rates, shown, strict=True)):
        if i:
            known.estimate(float(i), model.InputContainer({"rate": rates[i - 1]}), model.OutputContainer({"shown": seen}), dt=1.0)
    held = model.InputContainer({"rate": float(np.mean(rates))})
    predictor = MonteCarlo(model)
    found = predictor.predict(known.x, lambda t, x=None: held, n_samples=200, dt=steps, horizon=2000.0, save_freq=1e9)
    return np.quantile([2000.0 if t["failed"] is None else t["failed"] for t in found.time_of_event], [0.05, 0.5, 0.95])


def cell(folder, name):
    with tarfile.open(Path(folder) / f"{name}_discharge.tar.gz") as tar:
        first = {}
        for row in csv.DictReader(io.TextIOWrapper(tar.extractfile(tar.getmembers()[0]), "utf-8")):
            first.setdefault(int(row["cycle_num"]), (row["cycle_time_start"], float(row["Capacity"])))
    at = [datetime.fromisoformat(t) for t, _ in first.values()]
    hours = [0.0, *((b - a).total_seconds() / 3600 for a, b in zip(at, at[1:], strict=False))]
    return np.array([c for _, c in first.values()]), np.array(hours)


def timed(run):
    began = time.perf_counter()
    found = run()
    return found, time.perf_counter() - began


def told(what, name, found, took, end):
    low, median, high = found
    held = "holds" if low <= end <= high else "MISSES"
    print(f"{what:22s} {name:7s} {median:6.1f} [{low:6.1f} … {high:6.1f}]  error {median - end:+6.1f}  {held:6s}  {1e3 * took:8.0f} ms", flush=True)
    return abs(median - end), low <= end <= high, took


def pumps(seeds=(11, 12, 13), days=(14, 21, 35)):
    scores = {"gemel": [], "ProgPy": []}
    for seed in seeds:
        rate, shown, wear = pump(seed)
        truth = (len(wear) + max(LIMIT - wear[-1], 0.0) / (wear[-1] - wear[-720]) * 720 if wear[-1] < LIMIT else np.argmax(wear >= LIMIT)) / 720
        for day in days:
            r, s, end = rate[: day * 4], shown[: day * 4], truth - day
            what = f"pump {seed}, day {day}"
            noise = float(np.median(np.abs(np.diff(s)))) / 0.954
            scores["gemel"].append(told(what, "gemel", *timed(lambda: of_gemel(r, s)), end))  # noqa: B023 - called at once
            theirs, took = timed(lambda: of_progpy(s[0] / LIMIT, r * QUARTER / LIMIT, s / LIMIT, noise / LIMIT, 8.0))  # noqa: B023
            scores["ProgPy"].append(told(what, "ProgPy", theirs / 4, took, end))
    return scores


def cells(folder, starts=(50, 70, 90)):
    from gemel.estimate.cell_life import Discharges, learn_cell
    from gemel.estimate.degradation import follow
    from gemel.estimate.life import project

    (c5, h5), (c6, h6) = cell(folder, "B0005"), cell(folder, "B0006")
    ends = [int(np.argmax(c < 1.4)) + 1 for c in (c5, c6)]
    kind = learn_cell(c5[: ends[0]], h5[: ends[0]])
    scores = {"gemel": [], "ProgPy": []}
    for start in starts:
        end = ends[1] - start

        def ours(start=start):
            found = project(follow(kind.law, kind.record(c6, h6).first(start)), Discharges(kind, h6[1:start]), 1.4, np.random.default_rng(1))
            return [*found.interval(0.9)[:1], found.median, found.interval(0.9)[1]]

        def theirs(start=start):
            lost, way = (c6[0] - c6[:start]) / (c6[0] - 1.4), c6[0] - 1.4
            per = (c5[0] - c5[ends[0] - 1]) / ends[0] / way  # of B0005, a discharge
            return of_progpy(0.0, np.full(start, per), lost, float(np.median(np.abs(np.diff(lost)))) / 0.954, 2.0)

        scores["gemel"].append(told(f"B0006, discharge {start}", "gemel", *timed(ours), end))
        scores["ProgPy"].append(told(f"B0006, discharge {start}", "ProgPy", *timed(theirs), end))
    return scores


if __name__ == "__main__":
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for what, unit, scores in (("pump", "d", pumps()), *((("cell", "discharges", cells(sys.argv[1])),) if len(sys.argv) > 1 else ())):
        for name, rows in scores.items():
            error, held, took = (np.array(v, float) for v in zip(*rows, strict=True))
            print(f"{what}: {name:7s} mean error {error.mean():.1f} {unit}, {int(held.sum())} of {len(held)} intervals hold, {1e3 * np.median(took):.0f} ms")
