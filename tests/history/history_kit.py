"""Batches to store, and what brute force says of them."""

import numpy as np

from gemel.samples import Batch

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 1_700_000_000 * SECOND
COLUMNS = ("signal", "time", "received", "value", "status")


def rows(batch):
    """The rows as a sorted list; a NaN equals itself."""
    columns = [getattr(batch, c) if c != "value" else batch.value.view(np.int64) for c in COLUMNS]
    return sorted(zip(*(c.tolist() for c in columns), strict=True))


def winners(batch, known=None):
    """For one (signal, time) the latest received, by brute force; then the higher status, then the larger value."""
    best = {}
    for s, t, r, v, q in zip(*(getattr(batch, c).tolist() for c in COLUMNS), strict=True):
        if (known is None or r <= known) and (r, q, v) > best.get((s, t), (-1, 0, 0.0)):
            best[s, t] = (r, q, v)
    found = sorted((s, t, *x) for (s, t), x in best.items())
    columns = list(zip(*found, strict=True)) or [[]] * 5
    return Batch.of(signal=columns[0], time=columns[1], received=columns[2], status=columns[3], value=columns[4])


def random_batch(seed, n=400, signals=4, span=200):
    """Rows that collide often in (signal, time), with corrections and exact repeats."""
    r = np.random.default_rng(seed)
    time = START + r.integers(0, span, n) * SECOND
    batch = Batch.of(
        signal=r.integers(0, signals, n), time=time, received=time + r.integers(0, 5, n) * SECOND,
        value=np.round(r.normal(size=n), 1) + 0.0, status=r.choice([0, 0, 0, 0x40000000, 0x80000000], n),
    )  # fmt: skip
    return Batch.concat([batch, batch[: n // 10]])
