"""The twin's side of the judged month: library components as models, calibrated at commissioning, then filtered.

`Watched` is `PumpSet` with the outputs that the station's instruments show, and a few that none shows; `Tower` is `Tank`
with its level. What is fitted, is fitted on a commissioning record of its own (another seed), and the sizes of what the
fitted model gets wrong are read off that record too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.bench.month_plant import PUMPS, READ_S, Life
from gemel.dynamics import Compiled, Quantity, compile_model, maths
from gemel.dynamics.components import PumpSet, Tank
from gemel.dynamics.components import tank as tanks
from gemel.dynamics.components.water import GRAVITY
from gemel.dynamics.fixed import trajectory
from gemel.estimate import Noise, Problem
from gemel.estimate.discrepancy import Discrepancy, discrepant, variogram
from gemel.estimate.read_inputs import Reading, reading, with_read

Vector = npt.NDArray[np.float64]
MEASURED: Final = (
    "flow", "discharge_pressure", "power", "current", "torque", "motor_temperature", "drive_temperature",
    "bearing_temperature", "vibration",
)  # fmt: skip
PLANT_FILE: Final = {"rated_head": 26.94, "density": 1000.0, "npsh_rated": 8.0}
FOLLOWS: Final = ("head", "efficiency", "wear")
HELD: Final = ("speed", "energy", "bearing_damage", "worn")
AT_ONCE: Final = ("flow", "discharge_pressure", "power", "current", "torque")  # what follows the inputs within seconds
READ: Final = ("suction_pressure", "outlet_pressure")  # inputs that are read by gauges of some noise
FITTED: Final = (
    "wear", "wear_rate", "best_efficiency", "riser_loss", "motor_rated_voltage", "motor_magnetising_reactance", "motor_winding_to_housing",
    "motor_housing_to_air", "motor_housing_capacity", "motor_drive_lag", "motor_drive_to_air", "bearing_friction",
    "bearing_heat_capacity", "v_turn", "v_off", "v_wear", "motor_iron_loss", "motor_stator_resistance", "motor_drive_loss_current",
)  # fmt: skip
LAWS: Final = ("best_efficiency", "riser_loss", "v_turn", "v_off", "v_wear")  # of another pump of the make they may be others
FOLLOWED: Final = (*LAWS, "wear_rate", "wear", "wear_unseen")  # goes on being doubted
TOLERANCE: Final = 0.02  # by so much, relative, pumps of a make differ
AGES: Final = ("best_efficiency", "v_turn", "v_off")
AGEING: Final = 0.01  # by so much, relative, a law is another after a day; √days make √ times as much
SI: Final = {  # unit of the plant file -> SI: scale, offset
    "speed_setpoint": (np.pi / 30, 0.0), "suction_pressure": (1e5, 0.0), "outlet_pressure": (1e5, 0.0),
    "water_temperature": (1.0, 273.15), "ambient_temperature": (1.0, 273.15), "flow": (1 / 3600.0, 0.0),
    "discharge_pressure": (1e5, 0.0), "power": (1e3, 0.0), "current": (1.0, 0.0), "torque": (1.0, 0.0),
    "motor_temperature": (1.0, 273.15), "drive_temperature": (1.0, 273.15), "bearing_temperature": (1.0, 273.15),
    "vibration": (1e-3, 0.0),
}  # fmt: skip
STUCK: Final = 30  # readings
DAY_S: Final = 86_400.0
EVERY: Final = 5  # readings that one instant of the twin is the median of
MEDIAN: Final = 0.536  # standard deviation of the median of five normal readings, of that of one
DT_S: Final = EVERY * READ_S
SUBSTEPS: Final = 5
QUICKEST: Final = 4e-3  # K/W from winding to housing: below, a step of the solver would be too long for it
TURNS: Final = 16
STEP: Final = 1e-3  # of a logarithm
WARMING: Final = 24  # instants until the housing is where it would be
DOUBT: Final = 0.5  # of what is fitted, relative, before anything is read
ROUGH: Final = np.array([3e-4, 1.5e3, 100.0, 0.3, 0.4, 1.0, 1.0, 1.0, 1.5e-4])  # of a reading against a model not yet fitted
WEAR, WEAR_START = 0.015, 0.01  # not known better than so
WORN_WALK, WEAR_WALK = 5e-6, 1e-8  # per √s: what the law of wear lacks, 0.0015 in a day; what wear was before, hardly


class Watched:
    """A pump set as far as its instruments tell of it once a minute: its drive is where it was told, its sums stand still."""

    def __init__(self, outputs: tuple[str, ...], starts: Mapping[str, float] | None = None, *, wears: bool = False) -> None:
        self._set, held = PumpSet(), HELD[:-1] if wears else HELD
        self.states: Mapping[str, Quantity] = {n: q for n, q in PumpSet.states.items() if n not in held}
        if wears:
            self.states = {**self.states, "worn": replace(self.states["worn"], low=-0.1)}
        self.inputs = PumpSet.inputs
        self.outputs: Mapping[str, Quantity] = {n: PumpSet.outputs[n] for n in outputs}
        told = starts or {}
        known = {n: replace(q, start=float(told.get(n, q.start))) for n, q in PumpSet.parameters.items()}
        self.parameters: Mapping[str, Quantity] = {
            **known,
            # a filter's points reach below zero where wear is nearly none; held there they would pull its mean up
            "wear": replace(known["wear"], low=-0.2),
            "motor_winding_to_housing": replace(known["motor_winding_to_housing"], low=QUICKEST),
            "bearing_damage": Quantity("1", 0.0, low=-0.5, nominal=0.1),  # it stands still: no state here
            # what wear was when the curve of the new pump was fitted shows in nothing that is read: told, never learned
            "wear_unseen": Quantity("1", 0.0, nominal=0.01),
        }

    def derivative(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give the rates of what moves."""
        found = self._set.derivative(t, _whole(x, u, p), u, p)
        return {name: found[name] for name in self.states}

    def output(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give what the instruments show."""
        found = self._set.output(t, _whole(x, u, p), u, p)
        return {name: found[name] for name in self.outputs}


class Efficient:
    """Beside what is measured, what follows from it: head and efficiency, from the outputs with their slow errors; wear."""

    def __init__(self, base: Compiled) -> None:
        self._base, model = base, base.model
        self.states, self.inputs, self.parameters = model.states, model.inputs, model.parameters
        self.outputs: Mapping[str, Quantity] = {**model.outputs, **{n: PumpSet.outputs[n] for n in FOLLOWS}}

    def derivative(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give the rates."""
        return self._base.model.derivative(t, x, u, p)

    def output(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give the outputs and the two."""
        found = self._base.model.output(t, x, u, p)
        lifted = found["discharge_pressure"] - found["suction_pressure"]
        efficiency = maths.clip(found["flow"] * lifted / maths.positive(found["power"], 1.0), 0.0, 1.0)
        return {**found, "head": lifted / (p.density * GRAVITY), "efficiency": efficiency, "wear": p.wear + x.worn + p.wear_unseen}


def _whole(x: Any, u: Any, p: Any) -> Any:
    """Give the states with the speed that was told and the damage that stands still."""
    return _With(x, u.speed_setpoint, p.bearing_damage)


class _With:
    """States, with the speed that was told and a damage; the others that stand still are zero."""

    def __init__(self, values: Any, speed: Any, damage: Any) -> None:
        self._values, self._held = values, {"speed": speed, "bearing_damage": damage}

    def __getattr__(self, name: str) -> Any:
        return self._values[name] if name in set(self._values) else self._held.get(name, 0.0)

    __getitem__ = __getattr__


class Tower:
    """The tank's water: its level is measured, what it loses is not."""

    states: Mapping[str, Quantity] = {"level": Quantity("m", 5.0, low=0.0, high=12.0)}
    inputs: Mapping[str, Quantity] = {"inflow": Quantity("m3/s", 0.027), "outflow": Quantity("m3/s", 0.027)}
    outputs: Mapping[str, Quantity] = {"level": Quantity("m"), "leak": Quantity("m3/s", nominal=5e-4)}
    parameters: Mapping[str, Quantity] = Tank.parameters

    def derivative(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give the balance of `Tank`."""
        out = tanks.delivered(x.level, u.outflow, p) + tanks.spill(x.level, p)
        return {"level": (u.inflow - out) / p.area}

    def output(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give the level and what runs out through the leak."""
        return {"level": x.level, "leak": tanks.delivered(x.level, 0.0, p)}


@dataclass(frozen=True, eq=False)
class Twin:
    """What commissioning left.

    Args:
        pump: problem of a pump set: states, slow errors, wear.
        p: its parameters.
        tower: problem of the water.
        errors: sizes of what the fitted pump model gets wrong.
        fitted: what was fitted, with its standard deviation, by name.
    """

    pump: Problem
    p: Vector
    tower: Problem
    errors: Mapping[str, Discrepancy]
    fitted: Mapping[str, tuple[float, float]]


def readings(life: Life, asset: str, names: tuple[str, ...]) -> Vector:
    """Give what is read at each instant of the twin, in SI [instants, names]; NaN columns of what no instrument shows."""
    many = len(next(iter(life.readings.values()))) // EVERY
    found = np.full((many, len(names)), np.nan)
    for i, name in enumerate(names):
        if (asset, name) in life.readings:
            scale, offset = SI[name]
            values = life.readings[asset, name]
            found[:, i] = middle(moving(values) if name in MEASURED else values) * scale + offset
    return found


def middle(values: Vector) -> Vector:
    """Give the median of each few readings: what is wild among them is not seen; NaN where half of them are missing."""
    each = np.sort(values[: len(values) // EVERY * EVERY].reshape(-1, EVERY), axis=1)  # NaN last
    there = np.isfinite(each).sum(1)
    low, high = (np.take_along_axis(each, np.maximum(at, 0)[:, None], 1)[:, 0] for at in ((there - 1) // 2, there // 2))
    return np.where(2 * there > EVERY, 0.5 * (low + high), np.nan)


def moving(values: Vector) -> Vector:
    """Leave out what has been the same to the last bit for longer than the plant file's `stuck_after`, as conditioning does."""
    same = np.concatenate(([False], values[1:] == values[:-1]))
    since = np.maximum.accumulate(np.where(same, 0, np.arange(len(values))))
    return np.where(np.arange(len(values)) - since >= STUCK, np.nan, values)


def tower_readings(life: Life) -> tuple[Vector, Vector]:
    """Give inputs and outputs of the tower in SI."""
    of, many = life.readings, len(life.readings["tank-1", "level"]) // EVERY
    # what fills a tank is the mean of what flows, not its median
    u = np.stack([of["tank-1", name][: many * EVERY].reshape(many, EVERY).mean(1) / 3600.0 for name in ("inflow", "outflow")], 1)
    return u, np.stack((middle(moving(of["tank-1", "level"])), np.full(len(u), np.nan)), 1)


def commissioned(life: Life) -> Twin:
    """Fit the pump set to a time in which all was right, running free, and read off it what is still wrong.

    Least squares by Levenberg's and Marquardt's method (Marquardt, D. W. (1963)) on the logarithms of the parameters, its
    slopes by differences, all of them one batch of free runs. How surely a parameter is known is widened for residuals
    that follow their predecessors, by the number of readings that one slow error lasts.
    """
    maths.loaded()
    asset, model = PUMPS[0], compile_model(Watched(MEASURED, wears=True))
    u, y = readings(life, asset, model.inputs), readings(life, asset, MEASURED)
    p = model.with_parameters({**PLANT_FILE, "wear": WEAR, "wear_rate": 2e-8})
    places = [model.place("parameters", name) for name in FITTED]
    shown, slopes = fit(model, p, places, u, y)
    off = y - shown
    errors = {name: _error(off[:, i], life, (asset, name)) for i, name in enumerate(MEASURED)}
    size = np.array([np.hypot(e.sd, e.noise) for e in errors.values()])
    lasting = np.array([max(1.0, 2.0 * e.time_s / DT_S) for e in errors.values()])
    weighted = slopes / (size * np.sqrt(lasting))[:, None]
    curvature = np.einsum("kop,koq->pq", weighted, weighted) + np.eye(len(places)) / DOUBT**2
    spread = np.sqrt(np.diagonal(np.linalg.inv(curvature))) * p[places]
    known = dict(zip(FITTED, zip(p[places].tolist(), spread.tolist(), strict=True), strict=True))
    inputs = {name: _gauge(life, asset, name) for name in READ}
    return Twin(_pump(p, known, errors, inputs), p, _tower(), errors, known)


def fit(model: Compiled, p: Vector, places: list[int], u: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Fit p in place; give the free run's outputs [instants, outputs] and their slopes by log parameter [..., parameters]."""
    start = model.x0.copy()
    for state, output in (("motor_winding_temperature", "motor_temperature"), ("motor_housing_temperature", "motor_temperature"),
                          ("motor_drive_temperature", "drive_temperature"), ("bearing_temperature", "bearing_temperature")):  # fmt: skip
        start[model.place("states", state)] = y[0, MEASURED.index(output)]
    run = _runs(model)
    steps = np.vstack((np.zeros(len(places)), STEP * np.eye(len(places))))
    low, high = (bound[places] for bound in model.bounds("parameters"))
    damping, best, told = 1e-2, np.inf, np.log(p[places])
    tried = told
    for _ in range(TURNS):
        many = np.tile(p, (len(steps), 1))
        many[:, places] = np.clip(np.exp(tried + steps), low, high)
        found = np.asarray(run(start, u, many))[:, WARMING:]
        off = ((y[WARMING:] - found[0]) / ROUGH).reshape(-1)
        cost = float(off @ off)
        if cost < best:
            best, told, damping = cost, tried, damping / 4.0
            slopes = np.moveaxis(found[1:] - found[0], 0, -1) / STEP
            shown = found[0]
            jacobian = (slopes / ROUGH[:, None]).reshape(len(off), -1)
            normal, pull = jacobian.T @ jacobian, jacobian.T @ off
        else:
            damping *= 8.0
        tried = told + np.clip(np.linalg.solve(normal + damping * np.diag(np.diagonal(normal) + 1.0), pull), -0.5, 0.5)
    p[places] = np.clip(np.exp(told), low, high)
    return np.concatenate((y[:WARMING], shown)), np.concatenate((np.zeros((WARMING, *slopes.shape[1:])), slopes))


def _error(off: Vector, life: Life, signal: tuple[str, str]) -> Discrepancy:
    """Read the error of an output off residuals; where these hold the noise of the inputs' gauges too, its own is its gauge's."""
    found = variogram(off, DT_S)
    if signal[1] not in AT_ONCE:
        return found
    noise = min(found.noise, _gauge(life, *signal).noise)
    return Discrepancy(found.sd if found.sd > found.noise else noise, found.time_s, noise)


def _gauge(life: Life, asset: str, name: str) -> Reading:
    """Read noise and walk of a gauge off its single readings: at the instants of the twin the jumps of set-points would hide them."""
    found = reading(life.readings[asset, name] * SI[name][0], READ_S)
    return Reading(MEDIAN * found.noise, found.walk)


@lru_cache(4)
def _runs(model: Compiled) -> Callable[..., Any]:
    """Give what runs free from a start under inputs with many parameters side by side, compiled once."""
    maths.loaded()
    import jax

    return jax.jit(jax.vmap(lambda x, u, p: trajectory(model, x, u, p, DT_S, SUBSTEPS)[1], (None, None, 0)))


def _pump(p: Vector, known: Mapping[str, tuple[float, float]], errors: Mapping[str, Discrepancy],
          inputs: Mapping[str, Reading]) -> Problem:  # fmt: skip
    starts = {**dict(zip(PumpSet.parameters, p.tolist(), strict=False)), "wear": WEAR}
    model = compile_model(Watched(MEASURED, starts, wears=True))
    worn, named = np.array(model.states) == "worn", np.array(FOLLOWED)
    known = {**known, "wear_unseen": (0.0, known["wear"][1])}
    value, spread = np.array([known[name] for name in FOLLOWED]).T
    start = np.where(np.isin(named, LAWS), np.hypot(spread, TOLERANCE * value), spread)
    start = np.where(named == "wear", WEAR_START, start)
    start = np.where(named == "wear_rate", 0.3 * value, start)  # of another pump, in another month
    walk = np.where(named == "wear", WEAR_WALK, 0.0)
    walk = np.where(np.isin(named, AGES), AGEING * value / DAY_S**0.5, walk)
    noise = Noise(np.where(worn, WORN_WALK, 2e-3), walk, np.ones(len(model.outputs)), np.where(worn, 1e-5, 5.0), start)
    problem = with_read(discrepant(Problem(model, FOLLOWED, noise, DT_S, SUBSTEPS), errors), inputs)
    sensor = np.concatenate((problem.noise.sensor, np.ones(len(FOLLOWS))))
    return replace(problem, model=compile_model(Efficient(problem.model)), noise=replace(problem.noise, sensor=sensor))


def _tower() -> Problem:
    noise = Noise(np.array([2e-5]), np.array([1e-9]), np.array([0.004, 1.0]), np.array([0.05]), np.array([1e-4]))
    problem = Problem(compile_model(Tower()), ("orifice_area",), noise, DT_S)
    return discrepant(problem, {"level": Discrepancy(0.02, 6 * 3600.0, 0.004)})  # as good as such gauges are said to be
