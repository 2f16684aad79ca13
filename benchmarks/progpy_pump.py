"""One pump, two libraries: what does each say of a record that it was not fitted to, and how long does that take?

The plant is ProgPy's own `CentrifugalPump` (Daigle and Goebel 2013), run in steps of 1/16 s with four parameters off its
defaults; speed, flow and three temperatures are read every 10 s with noise. On one half hour each library fits the four
parameters from ProgPy's defaults, and runs free over another half hour with other inputs, in steps of 1 s:

    ProgPy     its own model (forward Euler, all it has), SciPy's least squares, the initial state given
    gemel      the same equations written as a dynamic model (Runge-Kutta 4), `gemel.estimate.calibrate.fit`, which finds the
               initial state too
    library    gemel's `CentrifugalPump` and `Pipe` joined, whose equations are not the plant's: flow only, the speed given

Errors are against the plant without noise, in units of the noise's standard deviation.

Run: pip install 'gemel[reason,peers]' && python benchmarks/progpy_pump.py
"""

import json
import time
import warnings
from statistics import median

import numpy as np

warnings.filterwarnings("ignore")
READ, STEPS, FINE = 10.0, 180, 0.0625  # a binary fraction: instants are met exactly
INPUTS = ("Tamb", "V", "pdisch", "psuc", "wsync")
OUTPUTS = ("w", "Qout", "Tt", "Tr", "To")
NOISE = np.array([0.1, 2e-4, 0.1, 0.1, 0.1])  # rad/s, m3/s, K
TRUTH = {"c": 1.15, "a1": 0.9, "HThrust1": 1.3, "HRadial2": 0.8}  # of ProgPy's defaults
STATES = ("w", "Q", "Tt", "Tr", "To")


def inputs(seed):
    """Five levels, each held for five to ten minutes: a drive at volts per hertz, and what lies before and behind the pump."""
    rng, rows = np.random.default_rng(seed), []
    while len(rows) < STEPS + 1:
        turn, level = rng.uniform(0.8, 1.0), rng.uniform(-1, 1, 3)
        row = [290 + 8 * level[0], 471.2389 * turn, 928_654 * turn**2 * (1 + 0.1 * level[1]), 239_179 * (1 + 0.1 * level[2]), 376.9911 * turn]
        rows += [row] * int(rng.integers(30, 60))
    return np.array(rows[: STEPS + 1])


class Peer:
    """ProgPy's pump."""

    def __init__(self):
        from progpy.models import CentrifugalPump

        self.model = CentrifugalPump(process_noise=0, measurement_noise=0)
        self.start = {n: self.model.parameters[n] for n in TRUTH}

    def run(self, factors, u, dt):
        for name, factor in zip(TRUTH, factors, strict=True):
            self.model.parameters[name] = self.start[name] * factor
        held = [self.model.InputContainer(dict(zip(INPUTS, row, strict=True))) for row in u]
        found = self.model.simulate_to(
            STEPS * READ + dt / 2, lambda t, x=None: held[min(int(t / READ + 1e-6), STEPS)], dt=dt, save_pts=[*np.arange(0, STEPS + 1) * READ]
        )
        outputs = {round(t / READ): [y[n] for n in OUTPUTS] for t, y in zip(found.times, found.outputs, strict=True) if abs(t / READ - round(t / READ)) < 0.02}
        return np.array([outputs[i] for i in range(STEPS + 1)], float)


def same_equations(defaults, x0):
    """ProgPy's equations as a dynamic model of gemel."""
    from gemel.dynamics import Quantity, compile_model, maths

    d = defaults

    class Pump:
        states = {n: Quantity("1", float(x0[n]), nominal=s) for n, s in zip(STATES, (300.0, 0.1, 10.0, 10.0, 10.0), strict=True)}
        inputs = {n: Quantity("1", 1.0) for n in INPUTS}
        outputs = {n: Quantity("1", nominal=s) for n, s in zip(OUTPUTS, NOISE, strict=True)}
        parameters = {n: Quantity("1", float(d[n]), low=0.3 * d[n], high=3 * d[n]) for n in TRUTH}

        def derivative(self, t, x, u, p):
            slip = maths.clip((u.wsync - x.w) / u.wsync, 1e-6, 1.0)
            electric = d["n"] * d["p"] * d["R2"] * u.V**2 / (slip * u.wsync * ((d["R1"] + d["R2"] / slip) ** 2 + (u.wsync * d["L1"]) ** 2))
            flow = self.output(t, x, u, p)["Qout"]
            friction = (d["r"] + x0["rThrust"] + x0["rRadial"]) * x.w
            load = -d["a2"] * flow**2 + p.a1 * x.w * flow + d["a0"] * x.w**2
            rise = x0["A"] * x.w**2 + d["b"] * x.w * x.Q + u.psuc - u.pdisch
            return {
                "w": (electric - friction - load) / d["I"],
                "Q": (p.c * maths.signed_root(rise, 1.0) - x.Q) / d["FluidI"],
                "Tt": (x0["rThrust"] * x.w**2 - p.HThrust1 * (x.Tt - u.Tamb) - d["HThrust2"] * (x.Tt - x.To)) / d["mcThrust"],
                "Tr": (x0["rRadial"] * x.w**2 - d["HRadial1"] * (x.Tr - u.Tamb) - p.HRadial2 * (x.Tr - x.To)) / d["mcRadial"],
                "To": (d["HOil1"] * (x.Tt - x.To) + d["HOil2"] * (x.Tr - x.To) + d["HOil3"] * (u.Tamb - x.To)) / d["mcOil"],
            }

        def output(self, t, x, u, p):
            leak = d["cLeak"] * d["ALeak"] * maths.signed_root(u.psuc - u.pdisch, 1.0)
            return {"w": x.w, "Qout": maths.maximum(x.Q - leak, 0.0), "Tt": x.Tt, "Tr": x.Tr, "To": x.To}

    return compile_model(Pump())


def timed(run, times=5):
    run()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return median(took)


def of_progpy(peer, fit, judge):
    from scipy.optimize import least_squares

    began, last = time.perf_counter(), len(fit[1])
    z = least_squares(lambda z: ((peer.run(z, fit[0], 1.0)[:last] - fit[1]) / NOISE).ravel(), np.ones(4), bounds=(0.3, 3.0), diff_step=1e-3, max_nfev=8).x
    took = time.perf_counter() - began
    return told(peer.run(z, judge[0], 1.0), judge[2], z, took, timed(lambda: peer.run(z, judge[0], 1.0), 3))


def of_gemel(peer, x0, fit, judge):
    import jax

    from gemel.dynamics.fixed import trajectory
    from gemel.estimate.calibrate import Settings
    from gemel.estimate.calibrate import fit as calibrated
    from gemel.estimate.record import of_columns

    model = same_equations({**peer.model.parameters, **peer.start}, x0)
    record, settings = of_columns(READ, fit[0], fit[1]), Settings(starts=1, substeps=10)
    calibrated(model, tuple(TRUTH), [record], settings=settings)  # compiled
    began = time.perf_counter()
    found = calibrated(model, tuple(TRUTH), [record], settings=settings)
    took = time.perf_counter() - began
    run = jax.jit(lambda x, u, p: trajectory(model, x, u, p, READ, 10)[1])
    ran = np.asarray(run(model.x0, judge[0], found.vector))
    z = [found.parameters[n].value / peer.start[n] for n in TRUTH]
    return told(ran, judge[2], z, took, timed(lambda: np.asarray(run(model.x0, judge[0], found.vector))))


def of_library(fit, judge):
    from gemel.dynamics import compile_model
    from gemel.dynamics.components import CentrifugalPump, Pipe
    from gemel.dynamics.narrowed import Narrowed
    from gemel.dynamics.system import System
    from gemel.estimate.calibrate import Settings
    from gemel.estimate.calibrate import fit as calibrated
    from gemel.estimate.free_run import free_run
    from gemel.estimate.record import of_columns

    joined = System({"pump": CentrifugalPump(), "pipe": Pipe()}, [("pump/discharge", "pipe/inlet")])
    held = {n: q.start for n, q in joined.inputs.items() if n not in ("pump/speed", "pump/suction_pressure", "pipe/outlet_pressure")}
    model = compile_model(Narrowed(joined, held, ["pipe/flow"]))
    names = {"pump/speed": 4, "pump/suction_pressure": 3, "pipe/outlet_pressure": 2}
    columns = lambda part: np.column_stack([part[1][:, 0] if n == "pump/speed" else part[0][:, names[n]] for n in model.inputs])  # noqa: E731 - one line, used twice
    start = model.with_parameters({"pump/shutoff_head": 190.0, "pump/rated_head": 185.0, "pump/rated_speed": 377.0, "pump/rated_flow": 0.1, "pipe/diameter": 0.2})
    free, settings = ("pump/shutoff_head", "pump/rated_head", "pipe/minor_loss", "pipe/length"), Settings(starts=1, substeps=10)
    records = [of_columns(READ, columns(part), part[1][:, 1:2]) for part in (fit, judge)]
    found = calibrated(model, free, records[:1], start=start, settings=settings)
    ran = free_run(model, found.vector, records[1], substeps=10)
    error = np.sqrt(np.mean((ran.outputs[10:, 0] - judge[2][10:, 1]) ** 2))
    return {"flow_error": error, "in_noise": error / NOISE[1], "of_mean": error / judge[2][:, 1].mean(), "converged": found.converged}


def told(ran, truth, z, fit_s, run_s):
    error = np.sqrt(np.mean((ran[10:] - truth[10:]) ** 2, axis=0))
    wrong = max(abs(a / b - 1) for a, b in zip(z, TRUTH.values(), strict=True))
    return {"error": dict(zip(OUTPUTS, (error / NOISE).round(4).tolist(), strict=True)), "parameters_off": float(wrong), "fit_s": fit_s, "run_s": run_s}


if __name__ == "__main__":
    peer, parts = Peer(), []
    x0 = {n: float(v) for n, v in peer.model.parameters["x0"].items()}
    for seed in (1, 2):
        u = inputs(seed)
        truth = peer.run(list(TRUTH.values()), u, FINE)
        parts.append((u, truth + NOISE * np.random.default_rng(10 + seed).standard_normal(truth.shape), truth))
    found = {"gemel": of_gemel(peer, x0, *parts), "progpy": of_progpy(peer, *parts), "library": of_library(*parts)}
    for name in ("gemel", "progpy"):
        row = found[name]
        print(f"{name:8s} error/noise {row['error']}   parameters off by {row['parameters_off']:.2%}   fit {row['fit_s']:.2f} s   half an hour {1e3 * row['run_s']:.2f} ms")
    print("gemel's library, other equations:", found["library"])
    print(json.dumps(found))
