"""What misbehaves in the month by which `gemel bench judge` judges."""

import numpy as np

from gemel.bench.month_plant import Fault, strike
from gemel.bench.month_twin import moving


def test_the_kinds_of_misbehaviour_do_what_they_are_called():
    rng, value = np.random.default_rng(1), np.linspace(1.0, 2.0, 200)
    shown = {kind: strike(value, Fault(("a", "b"), kind, size, 100, 150), rng) for kind, size in
             {"bias": 0.5, "drift": 0.5, "stuck": 0.0, "noise": 0.1, "gain": 0.1, "deadband": 0.03, "dropout": 0.5,
              "intermittent": 0.5}.items()}  # fmt: skip
    for kind, seen in shown.items():
        away = ~(seen == value)
        assert away[100:150].sum() >= 10 and not away[:100].any() and not away[150:].any(), kind
    assert np.isnan(moving(shown["stuck"])[135:150]).all() and np.isfinite(moving(shown["bias"])).all()
