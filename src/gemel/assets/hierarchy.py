"""Where assets stand in the ISA-95 hierarchy, as columns: only the different places are looked at as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gemel.assets.fleet import Fleet
from gemel.samples.batch import I32


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The places that assets stand at.

    Args:
        root: enterprise/site.
        at: the different places, below the root.
        of: which of `at` each asset's is.
        whole: row of the asset that each one is part of by its place; -1: none.
    """

    root: str
    at: Sequence[str]
    of: I32
    whole: I32

    @classmethod
    def of_fleet(cls, fleet: Fleet) -> Self:
        """Read the places of a fleet."""
        codes = fleet.at.plain.dictionary_encode()
        at, of = codes.dictionary.to_pylist(), codes.indices.to_numpy().astype(np.int32)
        whole = np.array([_whole(fleet, place) for place in at] or [-1], np.int32)
        return cls(fleet.root, at, of, whole[of] if len(of) else np.empty(0, np.int32))

    def under(self, path: str) -> npt.NDArray[np.bool_]:
        """Tell which assets stand under a path: a level of the hierarchy, or an asset."""
        head = path.rstrip("/") + "/"
        fits = [(f"{self.root}/{at}/" if at else f"{self.root}/").startswith(head) for at in self.at]
        return np.array(fits or [False], np.bool_)[self.of]


def _whole(fleet: Fleet, place: str) -> int:
    """Give the row of the nearest asset that a place is in, or -1."""
    while place:
        row = fleet.find(f"{fleet.root}/{place}")
        if row is not None:
            return row
        place = place.rpartition("/")[0]
    return -1
