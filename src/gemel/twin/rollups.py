"""Roll-ups over time and hierarchy: all kinds of windows of one partition, advanced at each tick."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gemel.assets.rollups import RollupPlan
from gemel.samples.batch import I64, Batch
from gemel.twin.derived_rows import Stored
from gemel.twin.rollup_track import Track


class Rollups:
    """All roll-ups of one partition.

    A row stands at the end of its window, and is received at the tick that gave it.

    Args:
        plans: what is brought together, by kind of window.
        stale_after: of each signal of the registry [ns].
    """

    def __init__(self, plans: Sequence[RollupPlan], stale_after: I64) -> None:
        self.tracks = [Track(plan, stale_after) for plan in plans]
        self._stamp = 0

    def on_rows(self, rows: Batch) -> None:
        """Take rows in, measured and derived."""
        if len(rows):
            for track in self.tracks:
                track.take(rows)

    def on_tick(self, now: int, watermark: int, ask: Stored | None = None) -> Batch:
        """Sum up what is settled; give rows, sorted by signal and time.

        Args:
            now: plant time [ns].
            watermark: up to when late readings are no longer waited for [ns].
            ask: gives what is stored, for windows that a late reading falls into; without it they stay as they are.
        """
        given = Batch.concat(track.settle(watermark, ask) for track in self.tracks)
        if not len(given):
            return given
        self._stamp = max(self._stamp + 1, now)
        given = given.take(
            np.lexsort((given.time, given.signal))
        )  # stable: the last word for a time stands last
        again = (given.signal[1:] == given.signal[:-1]) & (given.time[1:] == given.time[:-1])
        given = given.take(np.append(~again, True))
        return given.with_columns(received=np.full(len(given), self._stamp))

    @property
    def missed(self) -> int:
        """How many late readings changed nothing, because nothing was stored to sum up from."""
        return sum(track.missed for track in self.tracks)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name."""
        if not self.tracks:
            return {}
        found = {f"{_name(t)}|{k}": v for t in self.tracks for k, v in t.state().items()}
        return {"stamp": np.array([self._stamp]), **found}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what was remembered, of the windows and signals that there still are."""
        if "stamp" in arrays:
            self._stamp = int(arrays["stamp"][0])
        for track in self.tracks:
            head = f"{_name(track)}|"
            track.restore({k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)})


def _name(track: Track) -> str:
    kind = track.plan.windows
    return f"{kind.width_ns}-{'_'.join(kind.starts)}-{kind.timezone}".replace("/", "_")
