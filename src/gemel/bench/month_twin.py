"""A pump set as `gemel bench judge --attribution` knows it: the library's component, fitted by the bench to a day in which all was right.

The judged month has no model of its own: it is followed by the demo's plant file (`month_shipped`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.bench.month_plant import READ_S, Life
from gemel.dynamics import Compiled, Quantity, maths
from gemel.dynamics.components import PumpSet
from gemel.dynamics.fixed import trajectory

Vector = npt.NDArray[np.float64]
MEASURED: Final = (
    "flow", "discharge_pressure", "power", "current", "torque", "motor_temperature", "drive_temperature",
    "bearing_temperature", "vibration",
)  # fmt: skip
PLANT_FILE: Final = {"rated_head": 26.94, "density": 1000.0, "npsh_rated": 8.0}
HELD: Final = ("speed", "energy", "bearing_damage", "worn")
FITTED: Final = (
    "wear", "wear_rate", "best_efficiency", "riser_loss", "motor_rated_voltage", "motor_magnetising_reactance", "motor_winding_to_housing",
    "motor_housing_to_air", "motor_housing_capacity", "motor_drive_lag", "motor_drive_to_air", "bearing_friction",
    "bearing_heat_capacity", "v_turn", "v_off", "v_wear", "motor_iron_loss", "motor_stator_resistance", "motor_drive_loss_current",
)  # fmt: skip
SI: Final = {  # unit of the plant file -> SI: scale, offset
    "speed_setpoint": (np.pi / 30, 0.0), "suction_pressure": (1e5, 0.0), "outlet_pressure": (1e5, 0.0),
    "water_temperature": (1.0, 273.15), "ambient_temperature": (1.0, 273.15), "flow": (1 / 3600.0, 0.0),
    "discharge_pressure": (1e5, 0.0), "power": (1e3, 0.0), "current": (1.0, 0.0), "torque": (1.0, 0.0),
    "motor_temperature": (1.0, 273.15), "drive_temperature": (1.0, 273.15), "bearing_temperature": (1.0, 273.15),
    "vibration": (1e-3, 0.0),
}  # fmt: skip
STUCK: Final = 30  # readings
EVERY: Final = 5  # readings that one instant of the twin is the median of
DT_S: Final = EVERY * READ_S
SUBSTEPS: Final = 5
QUICKEST: Final = 4e-3  # K/W from winding to housing: below, a step of the solver would be too long for it
TURNS: Final = 16
STEP: Final = 1e-3  # of a logarithm
WARMING: Final = 24  # instants until the housing is where it would be
ROUGH: Final = np.array([3e-4, 1.5e3, 100.0, 0.3, 0.4, 1.0, 1.0, 1.0, 1.5e-4])  # of a reading against a model not yet fitted
WEAR: Final = 0.015


class Watched:
    """A pump set as far as its instruments tell of it once a minute: its drive is where it was told, its sums stand still."""

    def __init__(self, outputs: tuple[str, ...]) -> None:
        self._set = PumpSet()
        self.states: Mapping[str, Quantity] = {n: q for n, q in PumpSet.states.items() if n not in HELD}
        self.inputs = PumpSet.inputs
        self.outputs: Mapping[str, Quantity] = {n: PumpSet.outputs[n] for n in outputs}
        known = PumpSet.parameters
        self.parameters: Mapping[str, Quantity] = {
            **known,
            # a filter's points reach below zero where wear is nearly none; held there they would pull its mean up
            "wear": replace(known["wear"], low=-0.2),
            "motor_winding_to_housing": replace(known["motor_winding_to_housing"], low=QUICKEST),
            "bearing_damage": Quantity("1", 0.0, low=-0.5, nominal=0.1),  # it stands still: no state here
        }

    def derivative(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give the rates of what moves."""
        found = self._set.derivative(t, _whole(x, u, p), u, p)
        return {name: found[name] for name in self.states}

    def output(self, t: Any, x: Any, u: Any, p: Any) -> Mapping[str, Any]:
        """Give what the instruments show."""
        found = self._set.output(t, _whole(x, u, p), u, p)
        return {name: found[name] for name in self.outputs}


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


@lru_cache(4)
def _runs(model: Compiled) -> Callable[..., Any]:
    """Give what runs free from a start under inputs with many parameters side by side, compiled once."""
    maths.loaded()
    import jax

    return jax.jit(jax.vmap(lambda x, u, p: trajectory(model, x, u, p, DT_S, SUBSTEPS)[1], (None, None, 0)))
