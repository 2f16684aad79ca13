"""Days of the demo plant, sensed every 10 s, put to the calibration that its plant file asks for by night."""

from dataclasses import replace

import msgspec
import numpy as np

from gemel.assets import load
from gemel.bench.month_plant import MIDNIGHT, READ_S, SENSED_S, STEP_S, _operated
from gemel.condition import Conditioner
from gemel.operate import calibrate_job as job
from gemel.operate import following
from gemel.operate.machine import machine_of
from gemel.operate.readings_kept import packed
from gemel.samples import Batch
from gemel.samples.clock import SECOND
from gemel.testing.station import PLANT
from gemel.testing.station.model import Station, step, truth
from gemel.testing.station.sensors import Sensors

PUMP = "gemel/riverside/waterworks/pumping/pump-1"
BEGAN = round(MIDNIGHT) * SECOND


def day(seed, hours, wear=0.02):
    """Live some hours: what the sensors show every 10 s, by asset and signal."""
    rng = np.random.default_rng(seed)
    station = Station.at_rest(MIDNIGHT, rng)
    station = replace(station, pumps={n: replace(p, wear=wear) for n, p in station.pumps.items()})
    signals = tuple(truth(station))
    sensors, held, shown = Sensors.of(signals), np.array(list(truth(station).values())), []
    for k in range(round(hours * 3600 / SENSED_S)):
        if k % round(READ_S / SENSED_S) == 0:
            station = _operated(station, k // round(READ_S / SENSED_S), rng, 1.0)
        for _ in range(round(SENSED_S / STEP_S)):
            station = step(station, STEP_S, rng)
        held, read = sensors.read(held, np.array(list(truth(station).values())), SENSED_S, rng)
        shown.append(read)
    return dict(zip(signals, np.array(shown).T, strict=True))


def rows_of(plant, machine, readings):
    """Give the rows of a machine's signals after the checks of the plant file: times, values, statuses a line."""
    registry = plant.registry()
    lines = (*machine.inputs, *machine.outputs)
    numbers = [registry.index(line.path, line.spec.lane) for line in lines]
    columns = np.stack([readings[tuple(line.path.split("/")[-2:])] for line in lines], 1)
    conditioner, found = Conditioner(plant.checks(registry)), []
    for k, row in enumerate(columns):
        at = BEGAN + round(k * SENSED_S * SECOND)
        there = np.isfinite(row)
        many = int(there.sum())
        batch = Batch.of(
            signal=np.asarray(numbers, np.int32)[there], time=np.full(many, at), received=np.full(many, at), value=row[there], status=np.zeros(many)
        )
        found.append(conditioner.process(batch).rows)
        conditioner.advance(at)
    all_ = [np.concatenate([getattr(rows, name) for rows in found]) for name in ("signal", "time", "value", "status")]
    return [tuple(part[all_[0] == number] for part in all_[1:]) for number in numbers]


def night(readings, folder=PLANT):
    """Calibrate as the first night of a plant file does, by default of the demo's, by its terms."""
    plant = load(folder)
    machine = machine_of(plant, PUMP)
    terms = plant.template(plant.assets.find(PUMP)).calibration
    rows = rows_of(plant, machine, readings)
    spec = job.spec(machine, job.wish(following.wish(terms)), (int(rows[0][0][0]), int(rows[0][0][-1]) + 1), "d")
    told = job.run({**msgspec.json.decode(msgspec.json.encode(spec)), "bytes": packed(rows)}, lambda done: True)
    return told, following.decide(following.proposed(told), None, terms)
