"""A lake written in any order, rolled up in between, and brute force beside it."""

import math

import numpy as np

from gemel.history import Reader, Store
from gemel.history.roller import Terms
from gemel.history.summary import Span, picks
from gemel.samples import Batch

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_700_000_000 * SECOND // (24 * HOUR) * 24 * HOUR
HOLDS = np.array([5 * SECOND, 90 * SECOND, 1800 * SECOND])
TERMS = Terms(HOLDS, np.array(["default", "fast", "default"]))
COLUMNS = ("signal", "time", "received", "value", "status")


def readings(seed, n, hours, fast=True):
    """Signal 0 in bursts at 10 Hz, signal 1 at about 1 Hz, signal 2 now and then; some times again, corrected."""
    r = np.random.default_rng(seed)
    signal = r.choice([0, 1, 2] if fast else [2], n, p=[0.6, 0.3, 0.1] if fast else [1.0])
    hour = START + r.integers(hours[0], hours[1], n) * HOUR
    within = np.select([signal == 0, signal == 1], [r.integers(0, 100, n) * (SECOND // 10), r.integers(0, 60, n) * SECOND], r.integers(0, 3600, n) * SECOND)
    late_in_hour = r.random(n) < 0.2  # some hold into the next hour
    time = hour + np.where(late_in_hour, HOUR - SECOND - within % (60 * SECOND), within)
    value = np.where(signal == 2, r.normal(size=n), r.integers(0, 50, n) / 10)
    value[r.random(n) < 0.02] = np.nan
    return Batch.of(signal=signal, time=time, received=time + r.integers(0, 10**6, n), value=value,
                    status=r.choice([0, 0, 0, 0x40000000, 0x80000000, 0x803C0000], n))  # fmt: skip


def winners(batch):
    """For one (signal, time) the latest received, sorted by both."""
    if not len(batch):
        return batch
    b = batch.take(np.lexsort((batch.value, batch.status, batch.received, batch.time, batch.signal)))
    return b.take(np.append((b.signal[1:] != b.signal[:-1]) | (b.time[1:] != b.time[:-1]), True))


def brute(rows, signal, start, end, width, hold):
    """Per interval: what Python, reading after reading, says."""
    mine = [(t, v, q) for s, t, v, q in zip(*(getattr(rows, c).tolist() for c in ("signal", "time", "value", "status")), strict=True) if s == signal]
    found = []
    for low in range(start, end, width):
        high = min(low + width, end)
        inside = [(t, v, q) for t, v, q in mine if low <= t < high]
        good = [v for _, v, q in inside if q < 0x80000000 and not math.isnan(v)]
        area = held = 0.0
        for i, (t, v, q) in enumerate(mine):
            until = min(t + hold, mine[i + 1][0] if i + 1 < len(mine) else end, high)
            if q < 0x80000000 and not math.isnan(v) and until > max(t, low):
                held += until - max(t, low)
                area += v * (until - max(t, low))
        found.append({
            "count": len(good), "min": min(good, default=math.nan), "max": max(good, default=math.nan), "first": good[0] if good else math.nan,
            "last": good[-1] if good else math.nan, "sum": sum(good) if good else math.nan, "mean": sum(good) / len(good) if good else math.nan,
            "worst": max((q for _, _, q in inside), default=math.nan), "time_weighted_mean": area / held if held else math.nan,
        })  # fmt: skip
    return found


class Model:
    """A lake and all that was ever committed to it."""

    def __init__(self, path):
        self.path = path
        self.store = Store.open(path)
        self.reader = Reader(path)
        self.epoch = self.store.take_over(0)
        self.sequence = 0
        self.all = Batch.empty()
        self.now = START

    def commit(self, batch):
        self.sequence += 1
        self.store.commit(0, self.epoch, self.sequence, batch, TERMS.retention)
        self.all = Batch.concat([self.all, batch])

    def roll(self, hours, budget_s=1e9):
        self.now = max(self.now, START + hours * HOUR + 120 * SECOND)
        return self.store.roll_up(self.now, budget_s, TERMS)

    def reopen(self):
        self.store.close()
        self.store = Store.open(self.path)
        self.epoch = self.store.take_over(0)

    def close(self):
        self.reader.close()
        self.store.close()

    def check_aggregates(self, signal, start, end, width, tail=None):
        rows = winners(self.all if tail is None else Batch.concat([self.all, tail]))
        want = brute(rows, signal, start, end, width, int(HOLDS[signal]))
        for aggregate in want[0]:
            found = self.reader.aggregated(signal, start, end, width, aggregate, tail=tail, hold_ns=int(HOLDS[signal]))
            np.testing.assert_allclose(found.values, [w[aggregate] for w in want], rtol=1e-9, err_msg=aggregate)
            assert found.counts.tolist() == [w["count"] for w in want]

    def check_drawing(self, signal, start, end, levels, width):
        """What is drawn from roll-ups is what would be drawn from all readings."""
        rows = winners(self.all)
        rows = rows.take((rows.signal == signal) & (rows.time >= start) & (rows.time < end))
        span = Span(start, end, width)
        drawn = self.reader._session.look(lambda m: self.reader._history(signal, m, None).drawn(start, end, levels))
        got = drawn.take(picks(drawn, span))
        want = rows.take(picks(rows, span))
        assert bits(got) == bits(want)


def bits(batch):
    return list(zip(*((getattr(batch, c).view(np.int64) if c == "value" else getattr(batch, c)).tolist() for c in COLUMNS), strict=True))
