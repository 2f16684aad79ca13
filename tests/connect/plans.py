"""Small plans for tests of the decoder."""

import types

import numpy as np

from gemel.connect.plan import compile_plan
from gemel.samples import Registry


def plan(*rows, registry=None):
    """rows: (topic, path, time_path, time_unit[, states])."""
    registry = registry or Registry.of(
        [
            {"path": f"acme/site/a/s{i}", **({"kind": "state", "states": row[4]} if len(row) > 4 else {})}
            for i, row in enumerate(rows)
        ]
    )
    sources = types.SimpleNamespace(
        signal=np.arange(len(rows), dtype=np.int32),
        topic=[r[0] for r in rows], path=[r[1] for r in rows], time_path=[r[2] for r in rows], time_unit=[r[3] for r in rows],
    )
    return compile_plan(sources, registry)
