"""What conditioning costs a value: 64k-row batches through all checks, one core.

Beside it: the sort by signal alone, and a copy of the same columns, the floor of any work on them. Ten batches a
tick; the window holds what it would hold live. Run: python benchmarks/condition.py [--json]
"""

import json
import sys
import time

import numpy as np

from gemel.assets.checks import Checks
from gemel.condition import Conditioner
from gemel.condition.arrange import sorted_order
from gemel.samples import Batch
from gemel.samples.status import BAD

ROWS = 65_536
BATCHES = 40
SECOND = 1_000_000_000
START = 1_600_000_000 * SECOND


def checks_of(n):
    """All checks on for every signal; every second one in another unit."""
    i = np.arange(n)
    return Checks(
        scale=np.where(i % 2, 1.8, 1.0), offset=np.where(i % 2, 32.0, 0.0), low=np.full(n, -1e3), high=np.full(n, 1e4),
        max_rate=np.full(n, 1e5), stuck_after=np.full(n, 600 * SECOND), interval=np.full(n, 10_000_000), stale_after=np.full(n, 30 * SECOND),
    )


def stream(n, *, bad=0.0, late=0.0, spikes=0.0, shuffled=False, seed=1):
    """Walks of 12 bits, each signal every 10 ms of plant time."""
    rng = np.random.default_rng(seed)
    row = 0
    for _ in range(BATCHES):
        at = row + np.arange(ROWS)
        row += ROWS
        signal = (at % n).astype(np.int32)
        when = START + at // n * 10_000_000
        if shuffled:  # signals in any order, each signal's rows still in order
            signal = rng.permutation(signal)
        value = np.round(2000 + 50 * np.sin(when / 1e10) + rng.integers(-3, 4, ROWS)) / 4
        value = np.where(rng.random(ROWS) < spikes, 9e3, value)
        status = np.where(rng.random(ROWS) < bad, np.uint32(BAD), np.uint32(0))
        received = when + 20_000_000
        when = np.where(rng.random(ROWS) < late, when - 25_000_000, when)
        if shuffled:
            order = np.argsort(signal, kind="stable")
            first = np.r_[True, signal[order][1:] != signal[order][:-1]]
            nth = np.arange(ROWS) - np.maximum.accumulate(np.where(first, np.arange(ROWS), 0))
            when[order] = START + (at[0] // n * 8 + nth) * 10_000_000
            received = when + 20_000_000
        yield Batch.of(signal=signal, time=when, received=received, value=value, status=status)


def measure(name, n, **how):
    """Give the median and best cost of a batch [ns per value]."""
    c = Conditioner(checks_of(n))
    costs = []
    for i, batch in enumerate(stream(n, **how)):
        before = time.process_time_ns()
        c.process(batch)
        if i % 10 == 9:
            c.advance(int(batch.received[-1]))
        costs.append((time.process_time_ns() - before) / len(batch))
    totals = {k: v for k, v in c.totals().items() if v}
    return {"stream": name, "signals": n, "ns_per_value": round(float(np.median(costs[5:])), 1), "best_ns": round(min(costs), 1), "counted": totals}


def floor():
    """Give the cost of the sort alone and of a copy of the columns [ns per value]."""
    batch = next(iter(stream(10_000, shuffled=True)))
    out = {}
    for name, work in (("sort_ns", lambda: sorted_order(batch.signal)), ("copy_ns", lambda: [c.copy() for c in (batch.signal, batch.time, batch.received, batch.value, batch.status)])):
        costs = []
        for _ in range(30):
            before = time.process_time_ns()
            work()
            costs.append((time.process_time_ns() - before) / ROWS)
        out[name] = round(float(np.median(costs)), 1)
    return out


def main():
    """Measure, and print a line a stream; the last line is one JSON object."""
    runs = [
        measure("in order", 10_000),
        measure("in order, 5 % Bad from the source", 10_000, bad=0.05),
        measure("signals in any order", 10_000, shuffled=True),
        measure("1 % spikes", 10_000, spikes=0.01),
        measure("0.1 % late", 10_000, late=0.001),
        measure("5 % late", 10_000, late=0.05),
        measure("few signals", 8),
        measure("few signals, 1 % spikes", 8, spikes=0.01),
        measure("many signals", 1_000_000),
    ]
    result = {"bench": "condition", "rows_per_batch": ROWS, "runs": runs, **floor()}
    if "--json" not in sys.argv:
        for r in runs:
            print(f"{r['ns_per_value']:8.1f} ns/value   {r['signals']:>9,} signals   {r['stream']}   {r['counted']}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
