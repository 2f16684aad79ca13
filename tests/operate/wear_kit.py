"""The demo's pumps over weeks: what their instruments showed, minute by minute, and what nobody but the rig knows."""

from dataclasses import replace

import numpy as np
from life_kit import START, Remembered

from gemel.samples.clock import SECOND
from gemel.samples.expression import Column
from gemel.testing.station.model import Station, step, truth
from gemel.testing.station.sensors import Sensors

ROOT = "gemel/riverside/waterworks/pumping"
MINUTE = 60.0
SHOWN = ("speed", "flow", "torque", "suction_pressure", "discharge_pressure")


def lived(days, seed, orders=(), worn=0.01):
    """Run the rig; orders are (day, pump, rpm). Gives readings [minutes, signals] by asset and signal, and wear [minutes] by pump."""
    rng = np.random.default_rng(seed)
    station = Station(START / SECOND)
    station = replace(station, pumps={n: replace(p, wear=worn) for n, p in station.pumps.items()})
    signals = tuple((p, s) for p in station.pumps for s in SHOWN)
    sensors, held, rows, wear = Sensors.of(signals), None, [], {p: [] for p in station.pumps}
    waiting = sorted(orders)
    for i in range(int(days * 1440)):
        while waiting and i >= waiting[0][0] * 1440:
            _, pump, rpm = waiting.pop(0)
            station = station.ordered(pump, "speed", rpm)
        station = step(station, MINUTE, rng)
        now = truth(station)
        true = np.array([now[s] for s in signals])
        held, shown = sensors.read(true if held is None else held, true, MINUTE, rng)
        rows.append(shown)
        for p in wear:
            wear[p].append(station.pumps[p].wear)
    table = np.array(rows)
    return {s: table[:, i] for i, s in enumerate(signals)}, {p: np.array(w) for p, w in wear.items()}


def remembered(plant, pump, readings, days):
    """Give a twin's history of one pump over the first days, its derived signals made by the plant file's own expressions."""
    n = int(days * 1440)
    columns = {s: readings[pump, s][:n] for s in SHOWN}
    known = {k: float(v[plant.assets.find(f"{ROOT}/{pump}")]) for k, v in plant.assets.parameters.items()}
    known = {k: v for k, v in known.items() if not np.isnan(v)} | {"shutoff_head": 32.0}
    for name in ("head", "head_loss"):
        program = next(p for p in plant.own_derivations.programs if p.type == "PumpSet" and p.name == name)
        good = np.zeros(n, np.uint32)
        given = [Column(columns.get(leaf.path[-1], np.full(n, known.get(leaf.path[-1], np.nan))), good) for leaf in program.expression.leaves]
        columns[name] = program.expression.evaluate(given, n)[0]
    return Remembered(plant, columns)
