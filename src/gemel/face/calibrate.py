"""Calibration in a notebook: worked on in this process, on a history that is read; nothing comes into force by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gemel.assets import Plant
from gemel.errors import ModelError
from gemel.face.missing import Missing
from gemel.face.table import Table
from gemel.operate import calibrate_job as job
from gemel.operate.following import terms_of
from gemel.operate.machine import Line, machine_of
from gemel.operate.readings_kept import packed
from gemel.samples.batch import F64, I64, U32

Rows = Callable[[Line], pa.Table]
"""The history of a signal: time, value, status."""


@dataclass(frozen=True)
class Calibrated:
    """What a calibration found.

    Args:
        told: all of it, as ``GET /api/v1/calibrations/{id}`` gives it under ``result``.
        missing: spans of the history whose readings were lost to damage: it was fitted to the rest.
    """

    told: Mapping[str, Any]
    missing: tuple[Missing, ...] = ()

    @property
    def values(self) -> dict[str, float]:
        """The values found, by name, in the plant file's units."""
        return dict(self.told["release"]["values"])

    @property
    def passed(self) -> bool:
        """Whether the gate would let it into force."""
        return bool(self.told["gate"]["passed"])

    @property
    def against(self) -> list[str]:
        """What speaks against it, in words."""
        return list(self.told["gate"]["against"])

    def parameters(self) -> Table:
        """Give the parameters: name, value, low, high (95 %), unit, before, and whether the data can tell it."""
        rows = [{"name": n, **{k: e[k] for k in ("value", "low", "high", "unit", "before", "told")}}
                for n, e in self.told["parameters"].items()]  # fmt: skip
        return Table(pa.Table.from_pylist(rows))


def answer(
    plant: Plant, asset: str, wish: Mapping[str, Any], rows: Rows, champion: Mapping[str, Any] | None, told: Callable[[float], bool]
) -> Calibrated:
    """Calibrate here and now; raises ModelError."""
    given, data = asked(plant, asset, wish, rows, champion)
    return Calibrated(job.run({**given, "bytes": data}, told))


def asked(
    plant: Plant, asset: str, wish: Mapping[str, Any], rows: Rows, champion: Mapping[str, Any] | None
) -> tuple[dict[str, Any], bytes]:
    """Give the spec of a calibration, its attachment not yet named, and the readings that it works on."""
    machine = machine_of(plant, asset)
    columns = [_columns(rows(line)) for line in (*machine.inputs, *machine.outputs)]
    times = np.concatenate([c[0] for c in columns])
    if not len(times):
        raise ModelError(
            f"the history has nothing of {machine.asset} in that time", code="no-readings", remedy="give start and end"
        )
    span = int(times.min()), int(times.max()) + 1
    return job.spec(machine, job.wish(wish, terms_of(plant, machine.asset)), span, "", champion), packed(columns)


def _columns(rows: pa.Table) -> tuple[I64, F64, U32]:
    rows = rows.sort_by("time")
    time = np.asarray(rows["time"].cast(pa.int64()).to_numpy(), np.int64)
    newest = np.append(time[1:] != time[:-1], True)[: len(time)]
    value, status = np.asarray(rows["value"].to_numpy(), np.float64), np.asarray(rows["status"].to_numpy(), np.uint32)
    return time[newest], value[newest], status[newest]
