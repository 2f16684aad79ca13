"""Lanes that disagree are news: a pure state machine over pairs of lanes, moved by ticks.

    latest of both lanes, both good and fresh ─► apart or not ─► for long enough? ─► LanesDiverged, LanesAgreed

While one of them is Bad or stale nobody can tell: what was said stays said, and the time starts anew.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Pairs
from gemel.samples import Draft, Registry
from gemel.samples.clock import SECOND
from gemel.samples.status import is_bad
from gemel.twin.lanes import NEVER, Lanes

DIVERGED: Final = "LanesDiverged"
AGREED: Final = "LanesAgreed"
Mask = npt.NDArray[np.bool_]


class Agreement:
    """Whether the lanes of properties agree.

    Args:
        pairs: which are to.
        registry: what their numbers mean.

    """

    def __init__(self, pairs: Pairs, registry: Registry) -> None:
        self._pairs = pairs
        self._registry = registry
        self.apart: Mask = np.zeros(len(pairs), np.bool_)
        self._since = np.full(len(pairs), NEVER)  # since when they are otherwise than was said

    def on_tick(self, now: int, lanes: Lanes, stale: Mask) -> list[Draft]:
        """Compare the newest readings at a plant time [ns]; give the facts of what turned."""
        pairs = self._pairs
        if not len(pairs):
            return []
        first, other = lanes.latest.of(pairs.first), lanes.latest.of(pairs.other)
        with np.errstate(invalid="ignore"):
            distance = np.abs(first.value - other.value)
        known = ~(is_bad(first.status) | is_bad(other.status) | stale[pairs.first] | stale[pairs.other])
        known &= np.isfinite(distance)
        turning = known & ((distance > pairs.tolerance) != self.apart)
        self._since = np.where(turning, np.where(self._since == NEVER, now, self._since), NEVER)
        due = np.flatnonzero(turning & (now - np.where(turning, self._since, now) >= pairs.delay))
        drafts = [self._draft(i, float(first.value[i]), float(other.value[i])) for i in due.tolist()]
        self.apart[due] = ~self.apart[due]
        self._since[due] = NEVER
        return drafts

    def _draft(self, i: int, first: float, other: float) -> Draft:
        pairs, registry, since = self._pairs, self._registry, int(self._since[i])
        a, b = int(pairs.first[i]), int(pairs.other[i])
        path, within, delay = registry.paths[a], float(pairs.tolerance[i]), int(pairs.delay[i])
        kind = AGREED if self.apart[i] else DIVERGED
        row = registry.row(a)
        lanes = {row["lane"]: first, registry.lanes[b]: other}
        name = hashlib.sha256(f"{path}\0{registry.uid(b)}\0{kind}\0{since}".encode()).hexdigest()[:24]
        words = " and ".join(f"{lane} {value:g}" for lane, value in lanes.items()) + f" {row['unit']}"
        side = "are within" if kind == AGREED else "differ by more than"
        return Draft(
            id=f"lanes-{name}", kind=kind, at=since + delay, actor="gemel", subject=path,
            body={"lanes": lanes, "unit": row["unit"], "tolerance": within, "since": since},
            reason=f"{words.rstrip()} {side} {within:g} for {delay / SECOND:g} s",
        )  # fmt: skip

    # ---- snapshot

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give what is remembered of pairs that were ever apart, by the number of the other lane's signal."""
        kept = np.flatnonzero(self.apart | (self._since != NEVER))
        return {"signal": self._pairs.other[kept], "apart": self.apart[kept], "since": self._since[kept]}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what was remembered; pairs that are new agree, as far as is known."""
        if "signal" not in arrays or not len(self._pairs):
            return
        order = np.argsort(self._pairs.other)
        places = np.searchsorted(self._pairs.other[order], arrays["signal"])
        there = places < len(order)
        there[there] = self._pairs.other[order[places[there]]] == arrays["signal"][there]
        rows = order[places[there]]
        self.apart[rows], self._since[rows] = arrays["apart"][there], arrays["since"][there]
