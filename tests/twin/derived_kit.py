"""A small plant with derived signals, a partition of it, and a plain recomputation to hold them to."""

import bisect
from pathlib import Path

import numpy as np

from gemel.assets import Plant, check
from gemel.bus import Frame, FrameHeader
from gemel.history import Existing
from gemel.operate.partition import Partition
from gemel.samples import Batch

SECOND = 1_000_000_000
PLANT = """\
plant: acme/riverside
types:
  Pump:
    signals:
      flow: {unit: m3/h, interval: 1 s, stale_after: 10 s}
      head: {unit: m, interval: 1 s, stale_after: 10 s}
      power: {unit: kW, interval: 1 s, stale_after: 10 s}
      efficiency: {unit: "%", derived: "9.81 kN/m3 * flow * head / power"}
      loss: {unit: kW, derived: "power * (1 - efficiency)", range: [0, 100]}
  Conveyor:
    signals:
      state: {states: [running, jammed, stopped], stale_after: 1 h}
      blocked: {states: ["no", "yes"], derived: "state == jammed or any(downstream.blocked)"}
  Line:
    signals:
      power: {unit: W, derived: sum(parts.power)}
assets:
  line-1: {type: Line, at: area}
  pump-1: {type: Pump, at: area/line-1}
  pump-2: {type: Pump, at: area/line-1}
  c1: {type: Conveyor}
  c2: {type: Conveyor}
  c3: {type: Conveyor}
relations: [c1 feeds c2, c2 feeds c3]
"""


def plant_of(text: str, folder: Path) -> Plant:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    plant, problems = check(folder)
    assert plant is not None, problems
    return plant


def partition_of(plant: Plant) -> Partition:
    registry = plant.registry()
    return Partition(0, registry, plant.checks(registry), plant.alarms(registry), plant.derivations(registry))


def nothing_stored(rows):
    n = len(rows)
    return Existing(np.zeros(n, bool), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64))


class Feed:
    """Gives a partition frames and ticks as its log would, and keeps all rows and drafts that come out."""

    def __init__(self, part: Partition) -> None:
        self.part = part
        self.rows: list[Batch] = []
        self.drafts = []
        self.position = 0
        self.frames = 0

    def signal(self, path: str) -> int:
        return self.part.registry.index(f"acme/riverside/{path}")

    def send(self, *readings, received=None):
        """Send (path, time [s], value) or (path, time [s], value, status)."""
        at = max(r[1] for r in readings) if received is None else received
        self.frame(Batch.of(
            signal=[self.signal(r[0]) for r in readings], time=[int(r[1] * SECOND) for r in readings], received=[int(at * SECOND)] * len(readings),
            value=[r[2] for r in readings], status=[r[3] if len(r) > 3 else 0 for r in readings],
        ))  # fmt: skip

    def frame(self, batch):
        self.frames += 1
        self.position += 1
        header = FrameHeader(kind="samples", partition=0, producer="p", sequence=self.frames, registry=self.part.registry.digest)
        self._take(self.part.fold(self.part.rows_of(Frame(header, batch)), self.position, nothing_stored))

    def tick(self, at, facts=()):
        self.position += 1
        header = FrameHeader(kind="tick", partition=0, producer="t", sequence=self.position, time=int(at * SECOND))
        return self._take(self.part.tick(header, self.position, facts))

    def _take(self, effects):
        self.rows.append(effects.rows)
        self.drafts += effects.drafts
        return effects.rows

    def history(self, path: str) -> dict[int, tuple[float, int]]:
        """Give value and status by time, of each time the row received last."""
        return resolved(Batch.concat(self.rows), self.signal(path))

    def series(self, path: str) -> list[tuple[float, float]]:
        return [(t / SECOND, v) for t, (v, _) in sorted(self.history(path).items())]


def resolved(rows: Batch, signal: int) -> dict[int, tuple[float, int]]:
    mine = rows.take(rows.signal == signal)
    found: dict[int, tuple] = {}
    for time, received, value, status in zip(mine.time.tolist(), mine.received.tolist(), mine.value.tolist(), mine.status.tolist()):
        rank = (received, np.float64(value).view(np.uint64), status)
        if time not in found or rank >= found[time][0]:
            found[time] = (rank, value, status)
    return {t: (v, s) for t, (_, v, s) in found.items()}


def plain_column(history: dict[int, tuple[float, int]], at: int, stale_after: int):
    """Read what a signal said last: (value or NaN, status)."""
    times = sorted(history)
    i = bisect.bisect_right(times, at) - 1
    if i < 0:
        return float("nan"), 0x80320000
    value, status = history[times[i]]
    status &= 0xFFFF0000
    if at - times[i] > stale_after and status < 0x80000000:
        status = max(status, 0x40900000)
    return value, status


def recomputed(plant: Plant, rows: Batch) -> dict[int, dict[int, tuple[float, int]]]:
    """Give every derived signal's history from the raw rows alone, one evaluation at a time."""
    from gemel.samples.expression import Column

    registry = plant.registry()
    stale = plant.checks(registry).each("stale_after")
    derivations = plant.derivations(registry)
    history = {s: resolved(rows, s) for s in range(len(registry)) if s not in set(derivations.target.tolist())}
    for level in range(int(derivations.level.max()) + 1):
        for program, first in zip(derivations.programs, derivations.first):
            for place, target in enumerate(program.target.tolist()):
                if derivations.level[first + place] != level:
                    continue
                read = []
                for i in program.inputs:
                    start = int(program.counts[i.over][:place].sum()) if i.over else place
                    count = int(program.counts[i.over][place]) if i.over else 1
                    read.append(i.signal[start : start + count].tolist())
                times = sorted({t for signals in read for s in signals for t in history[s]})
                found = {}
                for t in times:
                    columns = [[plain_column(history[s], t, int(stale[s])) for s in signals] for signals in read]
                    value, status = program.expression.evaluate(
                        [Column(np.array([v for v, _ in c], float), np.array([s for _, s in c], np.uint32)) for c in columns],
                        1, {over: np.array([counts[place]]) for over, counts in program.counts.items()},
                    )  # fmt: skip
                    if value[0] < program.low:
                        status[0] = max(int(status[0]), 0x803C0500)
                    if value[0] > program.high:
                        status[0] = max(int(status[0]), 0x803C0600)
                    if status[0] != 0x80320000:
                        found[t] = (float(value[0]), int(status[0]))
                history[target] = found
    return {s: history[s] for s in derivations.target.tolist()}


def same_histories(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        np.float64(found[t][0]).tobytes() == np.float64(expected[t][0]).tobytes() and found[t][1] == expected[t][1] for t in found
    )


def stored_of(feed):
    """Answer as the store does: rows with start <= time < end, and the last before, each time the one received last."""

    def ask(signals, start, end, known, back):
        rows = Batch.concat(feed.rows)
        rows = rows.take(np.isin(rows.signal, signals) & (rows.time < end) & (rows.received <= known))
        rows = rows.take(np.lexsort((rows.received, rows.time, rows.signal)))
        last = np.append((rows.signal[1:] != rows.signal[:-1]) | (rows.time[1:] != rows.time[:-1]), True)
        rows = rows.take(last)
        keep = rows.time >= start
        before = np.flatnonzero(~keep)
        keep[before[np.append(rows.signal[before][1:] != rows.signal[before][:-1], True)[: len(before)]]] = True
        return rows.take(keep)

    return ask
