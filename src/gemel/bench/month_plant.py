"""A month of the demo plant's life, faster than time: its own equations, its own sensors, and what misbehaves.

set-points, weather and thirst drawn from a seed -> steps of 2 s -> sensors every 10 s -> a reading a minute -> faults of sensors

No process, no broker, no clock: `gemel.testing.station`'s `step` is called directly. What is returned as truth is the
plant's state, which the twin is never handed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.bench.month_beyond import BENDS, GOING, beyond, heated, orders
from gemel.testing.station.model import Signal, Station, air, step, truth
from gemel.testing.station.pump import GRAVITY
from gemel.testing.station.sensors import Sensors
from gemel.testing.station.water import ambient

Vector = npt.NDArray[np.float64]
MIDNIGHT: Final = 20_600 * 86_400.0
STEP_S: Final = 2.0
SENSED_S: Final = 10.0
READ_S: Final = 60.0
DAY: Final = 1440  # readings
PUMPS: Final = ("pump-1", "pump-2")
GROWING: Final = ("wear", "blockage", "air", "damage", "trim", "recirculation", "choked", "rub", "hanging", "misaligned")
LAWS: Final[Mapping[str, Mapping[str, float]]] = {  # a law of the machine -> the signals that it shows in, and how much
    "power": {"power": 1.0, "current": 1.0, "torque": 1.0}, "vibration": {"vibration": 1.0}, "motor_c": {"motor_temperature": 1.0},
    "bearing_c": {"bearing_temperature": 1.0}, "head": {"flow": 1.0, "discharge_pressure": 0.2},
    "pressure": {"discharge_pressure": 1.0}, "bearing_rpm": {"bearing_temperature": 1.0}, "vibration_c": {"vibration": 1.0},
    "vibration_fast": {"vibration": 1.0},
}  # fmt: skip
WARM: Final = ("motor_c", "bearing_c", "vibration_c")  # those that are off by how warm the air is; the others by how fast the pump runs
ABOVE_AIR: Final = ("motor_temperature", "bearing_temperature")  # of these a share of what they are above the air
RAG: Final = (15, 25)  # readings that a rag lies before the riser, and that it is away
HUNT: Final = 20  # readings in which a loose valve swings to and fro
COMING: Final[Mapping[str, tuple[str, Callable[[int], float]]]] = {  # what comes and goes -> of the pump set, and how much of it at a reading since
    "rag": ("blockage", lambda at: float(at % sum(RAG) < RAG[0])),
    "hunting": ("blockage", lambda at: math.sin(math.pi * at / HUNT) ** 2),
    "vortex": ("air", lambda at: max(math.sin(math.tau * at / 17) + math.sin(math.tau * at / 29), 0.0) / 2.0),  # in bursts that differ
}
USUAL_RPM, USUAL_C = 2400.0, 17.0
HIDDEN: Final = ("wear", "flow_m3h", "head_m", "power_kw", "motor_c", "drive_c", "bearing_c", "vibration_mms")


@dataclass(frozen=True)
class Fault:
    """A sensor that misbehaves for a while.

    Args:
        signal: asset and signal.
        kind: `bias`, `drift`, `stuck`, `noise`, `gain`, `deadband`, `dropout`, `intermittent`, `spikes`, `slow`, `clipped`,
            `scaling`, `sticking`, `noisier`, `delayed`, `mirrored`, `coarse`, `crossed`, `rooted`, `warmed`, `bit`, `peaks`.
        size: in the signal's unit; for `gain` and (at the end) `scaling` a share, for `dropout`, `intermittent` and `spikes` the
            share of readings struck, of `sticking` too; for `slow` a lag in readings, for `delayed` how many late; for `clipped`
            the share of readings that are beyond what it can show; for `rooted` the span; for `warmed` per degree of the air; for
            `peaks` readings until a peak is forgotten; `mirrored` and `crossed` have none.
        since, until: readings.
    """

    signal: Signal
    kind: str
    size: float
    since: int
    until: int


@dataclass(frozen=True)
class Mishap:
    """Something that befalls the machine itself.

    Args:
        pump: whom.
        kind: an attribute of the rig's pump set (of `GROWING`) that grows, or what comes and goes (of `COMING`); a law of the
            machine (of `LAWS`) that is another from then on, off the usual: `power` (with torque and current), `vibration`, `motor_c`,
            `bearing_c`, `head` (flow and pressure), `pressure`, `bearing_rpm`, `vibration_c`, `vibration_fast` (no slower than usual);
            or how the machine goes where it never was (`GOING`: `faster`, `hotter`), with a law that was always another there (`BENDS`).
        size: what the attribute grows by; of a law its share where the pump runs a tenth faster than usual, or (`WARM`) the air
            is ten degrees warmer (of `BENDS`: than ever before); `faster` and `hotter` have none.
        since: reading at which it begins, or at which the machine goes there.
        over: readings until it has grown.
    """

    pump: str
    kind: str
    size: float
    since: int
    over: int = 1


@dataclass(frozen=True, eq=False)
class Life:
    """What was read and what was true; first axis: one a minute.

    Args:
        readings: by signal, in the units of the plant file; NaN where a reading is missing.
        true: by pump or ``tank-1`` and name, in the units of the rig.
        faults: the sensors that misbehaved.
    """

    readings: Mapping[Signal, Vector]
    true: Mapping[tuple[str, str], Vector]
    faults: tuple[Fault, ...] = ()


def live(seed: int, days: float, unrest: float = 1.0, mishaps: tuple[Mishap, ...] = (), restless: float = 1.0) -> Life:
    """Live so many days; `unrest` scales how far load and weather leave what is usual, `restless` how often set-points move."""
    rng = np.random.default_rng(seed)
    station = Station.at_rest(MIDNIGHT, rng)
    station = replace(station, pumps={n: replace(p, wear=float(rng.uniform(0.005, 0.03))) for n, p in station.pumps.items()})
    weather, thirst = _weather(rng, days, unrest), _thirst(rng, days, unrest)
    season = np.array([ambient(MIDNIGHT + READ_S * k) for k in range(len(weather))])
    faster, hotter = ({one.pump: one.since for one in mishaps if GOING.get(one.kind) == how} for how in ("faster", "hotter"))
    weather, hottest_c = heated(weather, season, min(hotter.values(), default=None))
    signals = tuple(truth(station))
    sensors, held = Sensors.of(signals), np.array(list(truth(station).values()))
    shown, hidden = np.empty((round(days * DAY), len(signals))), []
    for k in range(len(shown)):
        water = replace(station.water, thirst=float(thirst[k]))
        station = _operated(replace(station, warmer_c=float(weather[k]), water=water), k, rng, restless, faster)
        station = _befallen(station, mishaps, k, hottest_c)
        for _ in range(round(READ_S / SENSED_S)):
            for _ in range(round(SENSED_S / STEP_S)):
                station = step(station, STEP_S, rng)
            held, read = sensors.read(held, np.array(list(rebuilt(station, truth(station), mishaps, k).values())), SENSED_S, rng)
        shown[k] = read
        hidden.append(_hidden(station))
    true = {key: np.array([one[key] for one in hidden]) for key in hidden[0]}
    return Life({s: shown[:, i] for i, s in enumerate(signals)}, true)


def _befallen(station: Station, mishaps: tuple[Mishap, ...], k: int, hottest_c: float) -> Station:
    for one in mishaps:
        pump, name, value = station.pumps[one.pump], one.kind, None
        if one.kind in COMING and k >= one.since:
            name, share = COMING[one.kind]
            value = one.size * share(k - one.since)
        elif one.kind in BENDS:
            name, value = BENDS[one.kind], one.size * beyond(station, one.pump, one.kind, hottest_c)
        elif one.kind in GROWING and one.since <= k < one.since + one.over:
            value = getattr(pump, name) + one.size / one.over
        if value is not None:
            station = replace(station, pumps={**station.pumps, one.pump: replace(pump, **{name: value})})
    return station


def rebuilt(station: Station, values: dict[Signal, float], mishaps: tuple[Mishap, ...], k: int) -> dict[Signal, float]:
    """Give the true values where a law of a machine is another: the readings of all that it shows in move together."""
    found = dict(values)
    for one in mishaps:
        if one.kind in LAWS and k >= one.since:
            fast, warm = station.pumps[one.pump].speed_rpm / USUAL_RPM - 1.0, air(station) - USUAL_C
            away = warm / 10.0 if one.kind in WARM else (max(fast, 0.0) if one.kind.endswith("_fast") else fast) / 0.1
            for name, share in LAWS[one.kind].items():
                base = air(station) if name in ABOVE_AIR else 0.0
                found[one.pump, name] += share * one.size * away * (found[one.pump, name] - base)
    return found


def struck(life: Life, faults: tuple[Fault, ...], seed: int) -> Life:
    """Let sensors misbehave."""
    rng, readings = np.random.default_rng(seed), dict(life.readings)
    for fault in faults:
        if fault.kind == "crossed":
            pump, name = fault.signal
            shown, other = readings[fault.signal].copy(), next(one for one in PUMPS if one != pump)
            shown[fault.since : fault.until] = life.readings[other, name][fault.since : fault.until]
            readings[fault.signal] = shown
        elif fault.kind == "warmed":  # a transmitter whose zero goes with the air
            on, air_c = slice(fault.since, fault.until), life.readings[fault.signal[0], "ambient_temperature"]
            shown = readings[fault.signal].copy()
            shown[on] += fault.size * (air_c[on] - air_c[fault.since])
            readings[fault.signal] = shown
        else:
            readings[fault.signal] = strike(readings[fault.signal], fault, rng)
    return replace(life, readings=readings, faults=faults)


def strike(values: Vector, fault: Fault, rng: np.random.Generator) -> Vector:
    """Give what a sensor shows that misbehaves."""
    shown, on = values.copy(), slice(fault.since, fault.until)
    part, size = shown[on].copy(), fault.size
    chance = rng.random(len(part))
    if fault.kind == "bias":
        part += size
    elif fault.kind == "drift":
        part += size * np.arange(len(part)) / max(len(part), 1)
    elif fault.kind == "stuck":
        part[:] = part[0]
    elif fault.kind == "noise":
        part += size * rng.standard_normal(len(part))
    elif fault.kind == "gain":
        part *= 1.0 + size
    elif fault.kind == "deadband":
        for i in range(1, len(part)):
            part[i] = part[i] if abs(part[i] - part[i - 1]) > size else part[i - 1]
    elif fault.kind == "dropout":
        part[chance < size] = np.nan
    elif fault.kind == "intermittent":  # falls to zero now and then, as a loose contact does
        part[chance < size] = 0.0
    elif fault.kind == "spikes":  # wild single readings, as by induction from a drive
        part = np.where(chance < size, part * (1.0 + rng.uniform(0.2, 1.0, len(part))), part)
    elif fault.kind == "slow":  # a fouled probe, a blocked impulse line
        for i in range(1, len(part)):
            part[i] = part[i - 1] + (part[i] - part[i - 1]) / size
    elif fault.kind == "scaling":  # a gain that grows, as a probe that is coated
        part *= 1.0 + size * np.arange(len(part)) / max(len(part), 1)
    elif fault.kind == "sticking":  # a float or a valve of a gauge that sticks for some minutes and comes loose
        held = rng.integers(5, 30, len(part))
        i = 0
        while i < len(part):
            if chance[i] < size:
                part[i : i + held[i]] = part[i]
            i += held[i]
    elif fault.kind == "noisier":
        part += size * np.arange(len(part)) / max(len(part), 1) * rng.standard_normal(len(part))
    elif fault.kind == "delayed":  # a queue before the line, a clock that is behind
        part = values[max(fault.since - round(size), 0) : fault.until - round(size)].copy()
    elif fault.kind == "mirrored":  # two wires changed over: what it should show more it shows less
        part = 2.0 * part[0] - part
    elif fault.kind == "coarse":  # a converter that lost its lower bits
        part = np.round(part / size) * size
    elif fault.kind == "rooted":  # the root of a differential pressure taken twice, by transmitter and controller
        part = np.sqrt(size * np.maximum(part, 0.0))
    elif fault.kind == "bit":  # of a converter, stuck at what it was not
        bits = np.floor(part / size) % 2
        part += size * ((1.0 - bits[0]) - bits)
    elif fault.kind == "peaks":  # a meter set to hold peaks
        for i in range(1, len(part)):
            part[i] = max(part[i], part[i - 1] - (part[i - 1] - part[i]) / size)
    elif fault.kind == "clipped":
        part = np.minimum(part, np.quantile(part, 1.0 - size))
    else:
        raise ValueError(fault.kind)
    shown[on] = part
    return shown


def _weather(rng: np.random.Generator, days: float, unrest: float) -> Vector:
    """How much warmer than the season has it [degC]: comes and goes over two days, and a heat wave of four."""
    at = np.arange(round(days * DAY)) / DAY
    wave = rng.uniform(0.2, 0.7) * days
    return unrest * (_wander(rng, len(at), 2.0 * DAY, 2.5) + 9.0 * np.exp(-0.5 * ((at - wave) / 1.5) ** 2))


def _thirst(rng: np.random.Generator, days: float, unrest: float) -> Vector:
    """What the town draws, relative to the usual of the hour: wanders, and three days of a feast or a burst main."""
    at = np.arange(round(days * DAY)) / DAY
    feast = rng.uniform(0.1, 0.9) * days
    return np.exp(unrest * (_wander(rng, len(at), 1.0 * DAY, 0.08) + 0.25 * (np.abs(at - feast) < 1.5)))


def _wander(rng: np.random.Generator, many: int, lasting: float, sd: float) -> Vector:
    keep, shocks = np.exp(-1.0 / lasting), rng.standard_normal(many)
    found = np.empty(many)
    now = sd * shocks[0]
    for k in range(many):
        now = keep * now + sd * np.sqrt(1 - keep**2) * shocks[k]
        found[k] = now
    return found


def _operated(station: Station, k: int, rng: np.random.Generator, restless: float, faster: Mapping[str, int] = MappingProxyType({})) -> Station:
    """Let the operator act: every half hour by the level, every few hours as he pleases; `faster`: since when pumps go beyond what they did."""
    for pump in PUMPS:
        low, high, least, most = orders(k, faster.get(pump))
        now = station.pumps[pump].setpoint_rpm
        if rng.random() < restless / 180 or not least <= now <= most:
            station = station.ordered(pump, "speed", float(rng.uniform(low, high)))
        elif k % 30 == 0 and not 3.5 < station.water.level_m < 7.5:
            told = now + (70.0 if station.water.level_m < 3.5 else -70.0)
            station = station.ordered(pump, "speed", min(max(told, least), most))
    if rng.random() < restless / 360:
        station = station.ordered("valve-1", "position", float(rng.uniform(45.0, 75.0)))
    return station


def _hidden(station: Station) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], Any] = {
        (name, what): getattr(pump, what) for name, pump in station.pumps.items() for what in HIDDEN
    }
    for name, pump in station.pumps.items():
        found[name, "efficiency"] = GRAVITY * pump.flow_m3h * pump.head_m / 3600.0 / max(pump.power_kw, 1e-6)
        found[name, "discharge_bar"] = truth(station)[name, "discharge_pressure"]
    water = station.water
    found["tank-1", "level_m"] = water.level_m
    found["tank-1", "leak_m3h"] = water.leak_m3h * (max(water.level_m, 0.0) / 5.0) ** 0.5
    return found
