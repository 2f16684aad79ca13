"""`gemel bench estimate`: a filter for each of a thousand machines, once a second.

A motor with its pump, four states and two parameters that walk, is filtered for every asset from the readings of that
second: predict, meet the readings, state, parameters and virtual sensors with their standard deviations out as NumPy
arrays. What is measured is the processor time of a second of plant time, with all threads; the truth is simulated, so
that the width of the bands is judged too.
"""

import resource
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from gemel.bench.ingest import machine
from gemel.dynamics import Quantity, compile_model, maths
from gemel.estimate import Instant, Noise, Problem, Robust, Unscented, coverage, step

WARM: Final = 5  # ticks not counted: compiled in the first


class Machine:
    """A motor that turns a pump: speed, winding, bearing and water temperature; wear and friction walk."""

    states: Mapping[str, Quantity] = {
        "speed": Quantity("rad/s", 150.0, low=0.0, high=400.0),
        "winding": Quantity("K", 340.0, low=200.0, high=500.0),
        "bearing": Quantity("K", 320.0, low=200.0, high=500.0),
        "flow": Quantity("m3/s", 0.02, low=0.0, high=1.0),
    }
    inputs: Mapping[str, Quantity] = {"torque": Quantity("N.m", 40.0), "ambient": Quantity("K", 293.0)}
    outputs: Mapping[str, Quantity] = {
        "speed": Quantity("rad/s"), "winding": Quantity("K"), "bearing": Quantity("K"), "flow": Quantity("m3/s"),
        "head": Quantity("m"), "loss": Quantity("W"),
    }  # fmt: skip
    parameters: Mapping[str, Quantity] = {
        "wear": Quantity("1", 0.05, low=0.0, high=0.6),
        "friction": Quantity("N.m.s", 0.03, low=0.0, high=1.0),
        "inertia": Quantity("kg.m2", 1.5, low=0.01),
    }

    def derivative(self, t: Any, x: Any, u: Any, p: Any) -> dict[str, Any]:
        """Turn, warm and push water."""
        loss = 0.02 * u.torque * x.speed + 0.5 * p.friction * x.speed**2
        return {
            "speed": (u.torque - p.friction * x.speed - 7.5e4 * x.flow**2 - 0.05 * x.speed) / p.inertia,
            "winding": (0.5 * loss - 6.0 * (x.winding - u.ambient)) / 3000.0,
            "bearing": (0.5 * p.friction * x.speed**2 - 8.0 * (x.bearing - u.ambient)) / 800.0,
            "flow": (self._head(x, p) - 12.0 - 3.0e4 * x.flow**2) * 2e-4,
        }

    def output(self, t: Any, x: Any, u: Any, p: Any) -> dict[str, Any]:
        """Say what sensors see, and the head and the loss that none sees."""
        loss = 0.02 * u.torque * x.speed + 0.5 * p.friction * x.speed**2
        seen = {name: x[name] for name in ("speed", "winding", "bearing", "flow")}
        return {**seen, "head": self._head(x, p), "loss": loss}

    def _head(self, x: Any, p: Any) -> Any:
        return (1.0 - p.wear) * 1.2e-3 * x.speed**2


def problem() -> Problem:
    """Give what is estimated of one machine: six numbers, four sensors."""
    noise = Noise(
        state=np.array([0.05, 0.01, 0.01, 2e-5]), parameter=np.array([2e-5, 1e-5]),
        sensor=np.array([0.3, 0.4, 0.4, 2e-4, 1.0, 1.0]),
        state_start=np.array([1.0, 2.0, 2.0, 1e-3]), parameter_start=np.array([0.02, 0.005]),
    )  # fmt: skip
    return Problem(compile_model(Machine()), ("wear", "friction"), noise, dt=1.0)


def measure(assets: int, ticks: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Filter so many machines for so many seconds; give what was measured, with the unit in each key."""
    import jax

    what, method = problem(), Unscented(Robust())
    maths.loaded()
    told("living the truth")
    truth, readings, inputs = lived(what, assets, WARM + ticks)
    told("compiling")
    began = time.perf_counter()
    many = jax.jit(jax.vmap(lambda belief, now: step(what, method, belief, now), (0, Instant(None, 0, 0, 0))))
    mean, sd = what.start
    belief = jax.vmap(lambda m: method.start(what, m, sd))(np.tile(mean, (assets, 1)))
    p = np.tile(what.model.p0, (assets, 1))
    wall, used, found = [], [], []
    for k in range(WARM + ticks):
        start, before = time.perf_counter(), cpu_s()
        belief, estimate = many(belief, Instant(np.int64(k), inputs[k], readings[k], p))
        shown = tuple(
            np.asarray(part) for part in (estimate.mean, estimate.sd, estimate.output, estimate.output_sd)
        )
        if k >= WARM:
            wall.append((time.perf_counter() - start) * 1000)
            used.append((cpu_s() - before) * 1000)
            found.append(shown)
        elif k == 0:
            first_s = time.perf_counter() - began
            told(f"{ticks} seconds of {assets:,} machines")
    means, sds = (np.array([shown[i] for shown in found]) for i in (0, 1))
    return {
        "bench": "estimate", "assets": assets, "filter_numbers": what.size, "sensors": 4, "virtual_sensors": 2, "ticks": ticks,
        "cpu_ms_per_tick": round(float(np.mean(used)), 2), "core_share_at_1hz_percent": round(float(np.mean(used)) / 10, 2),
        "p50_ms": round(float(np.percentile(wall, 50)), 2), "p99_ms": round(float(np.percentile(wall, 99)), 2),
        "filters_per_s": round(assets / float(np.mean(wall)) * 1000), "first_tick_s": round(first_s, 2),
        "band_90_holds_percent": round(100 * coverage(truth[WARM:], means, sds), 1),
        "failed": int(np.sum(~np.isfinite(means))), **machine(), "jax": jax.__version__,
    }  # fmt: skip


def cpu_s() -> float:
    """Give the processor time of this process, with all threads [s]."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def lived(what: Problem, assets: int, ticks: int) -> tuple[Any, Any, Any]:
    """Live a truth of the model's own kind: joint vectors, readings, inputs; the first two axes are tick and asset."""
    import jax

    rng = np.random.default_rng(1)
    mean, sd = what.start
    p, nothing = what.model.p0, np.zeros(0)
    go = jax.jit(jax.vmap(lambda z, u: what.possible(what.advance(Instant(0, u, nothing, p), z))))
    see = jax.jit(jax.vmap(lambda z, u: what.seen(Instant(0, u, nothing, p), z)))
    z = mean + sd * rng.standard_normal((assets, what.size))
    truth, readings, inputs = [], [], []
    for k in range(ticks):
        torque = 40.0 + 8.0 * np.sin(k / 30 + np.arange(assets))
        u = np.stack((torque, np.full(assets, 293.0)), 1)
        y = np.array(see(z, u)) + rng.standard_normal((assets, 6)) * what.noise.sensor
        y[:, 4:] = np.nan
        y[rng.random(y.shape) < 0.02] = np.nan
        truth.append(z)
        readings.append(y)
        inputs.append(u)
        z = np.asarray(go(z, u)) + rng.standard_normal(z.shape) * what.walk
    return np.array(truth), np.array(readings), np.array(inputs)
