"""A data frame through the twin's own fold: judged, folded, with its alarms, as live readings would have been.

frame → batches between ticks → the partition that runs live → rows as judged, last state, what happened
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gemel.assets import Plant
from gemel.bus import FrameHeader
from gemel.errors import AssetError
from gemel.face.table import Table
from gemel.history import Existing
from gemel.history.formats import TIME, Long
from gemel.history.resolve import newest
from gemel.operate.partition import Partition
from gemel.samples import Batch, Draft, Registry
from gemel.samples import status as statuses

MOST_TICKS: Final = 5_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What came of a frame.

    Args:
        rows: every reading as it was judged in the end, in declared units, and what was derived.
        state: what each property's signal showed at the end.
        facts: what happened: alarms raised, returned.
        counts: how many readings were found to be what; see ``docs/packages/condition.md``.
    """

    rows: Table
    state: Table
    facts: Table
    counts: dict[str, int]


class Rerun:
    """A partition of its own for one frame."""

    def __init__(self, plant: Plant, registry: Registry) -> None:
        self._plant, self._registry = plant, registry
        checks = plant.checks(registry)
        self._partition = Partition(0, registry, checks, plant.alarms(registry), plant.derivations(registry))
        self._rows: list[Batch] = []
        self._drafts: list[Draft] = []

    def run(self, batch: Batch, tick: int) -> Replayed:
        """Fold a batch in the order of receipt, the plant's time passing in ticks [ns]."""
        for n, (part, time) in enumerate(_between(batch, tick, self._lateness)):
            effects = [self._partition.fold(part, 2 * n + 1, self._lookup)] if len(part) else []
            header = FrameHeader(
                kind="tick", partition=0, producer="rerun", sequence=n + 1, version="", time=time, facts=0
            )
            effects.append(self._partition.tick(header, 2 * n + 2, ()))
            for effect in effects:
                self._rows.append(effect.rows)
                self._drafts += effect.drafts
        return Replayed(
            self._judged(), self._state(), _facts(self._drafts), self._partition.conditioner.totals()
        )

    @property
    def _lateness(self) -> int:
        return int(self._partition.checks.lateness)

    def _lookup(self, rows: Batch) -> Existing:
        """Tell what was stored before for late rows: here, among what came out so far."""
        stored = newest(Batch.concat(self._rows))
        n = len(rows)
        found = Existing(
            np.zeros(n, np.bool_), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64)
        )
        keys = {
            key: i for i, key in enumerate(zip(stored.signal.tolist(), stored.time.tolist(), strict=True))
        }
        for i, key in enumerate(zip(rows.signal.tolist(), rows.time.tolist(), strict=True)):
            if (at := keys.get(key)) is not None and stored.received[at] < rows.received[i]:
                found.found[i], found.value[i] = True, stored.value[at]
                found.status[i], found.received[i] = stored.status[at], stored.received[at]
        return found

    def _judged(self) -> Table:
        rows = newest(Batch.concat(self._rows))
        return Table(pa.Table.from_batches([self._long(rows)]))

    def _state(self) -> Table:
        p = self._partition
        seen = np.flatnonzero(p.lanes.latest.time != np.iinfo(np.int64).min).astype(np.int32)
        table = pa.Table.from_batches([self._long(p.lanes.shown(seen))])
        names = [statuses.name(s) for s in table["status"].to_pylist()]
        return Table(
            table.append_column("status_name", pa.array(names, pa.string())).append_column(
                "stale", pa.array(p.stale[seen])
            )
        )

    def _long(self, rows: Batch) -> pa.RecordBatch:
        units = self._registry.codes("unit")
        present = np.unique(rows.signal).tolist()
        return Long(present, [self._registry.paths[s] for s in present], [units[s] for s in present])(rows)


def _between(batch: Batch, tick: int, lateness: int) -> Iterator[tuple[Batch, int]]:
    """Cut a batch at the ticks: rows received up to a tick, and the tick's time; at the end, time for late ones passes."""
    if not len(batch):
        return
    first, last = int(batch.received[0]), int(batch.received[-1])
    if (last - first) // tick > MOST_TICKS:
        raise AssetError(
            f"more than {MOST_TICKS} ticks", code="frame", remedy="give a longer tick, or less at a time"
        )
    ticks = np.append(
        np.arange(first // tick * tick + tick, last + tick, tick, dtype=np.int64), last + tick + lateness + 1
    )
    edges = [0, *np.searchsorted(batch.received, ticks[:-1]).tolist(), len(batch)]
    for i, time in enumerate(ticks.tolist()):
        yield batch[edges[i] : edges[i + 1]], time


def _facts(drafts: list[Draft]) -> Table:
    columns: dict[str, Any] = {
        "kind": pa.array([d.kind for d in drafts], pa.string()),
        "at": pa.array(np.array([d.at for d in drafts], np.int64).view("datetime64[ns]"), TIME),
        "subject": pa.array([d.subject for d in drafts], pa.string()),
        "level": pa.array([d.body.get("level") for d in drafts], pa.string()),
    }
    return Table(pa.table(columns))
