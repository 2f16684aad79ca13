"""What the numbers and values of a frame mean under another registry than the one that numbered it.

Signals are found by uid. One that meanwhile goes on as another (its unit was changed while the frame was on its way)
is counted to that one, and its value is put as that one's source would have sent it: declared = source x scale +
offset, by the unit of the source on either side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from gemel.samples import Batch, Registry, units
from gemel.samples.batch import F64, I32
from gemel.samples.lineage import continues


@dataclass(frozen=True, eq=False)
class Numbering:
    """From the rows of one registry to those of another.

    Args:
        numbers: by former number; -1 where there is none here.
        scale, offset: by former number, ``value here = value there x scale + offset``; None where no value changes.

    """

    numbers: I32
    scale: F64 | None = None
    offset: F64 | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, former: Registry, now: Registry) -> Self:
        """Compare two registries, once; signals by uid, and those that go on by who they became."""
        numbers = now.mapping_from(former).copy()
        successors = successions(now)
        for number in np.flatnonzero(np.isin(numbers, np.fromiter(successors, np.int32))).tolist():
            numbers[number] = successors[int(numbers[number])]
        rescaled = _rescaled(former, now, numbers)
        if not rescaled:
            return cls(numbers)
        scale, offset = np.ones(len(numbers)), np.zeros(len(numbers))
        for number, (a, b) in rescaled.items():
            scale[number], offset[number] = a, b
        return cls(numbers, scale, offset)

    def rows(self, batch: Batch) -> Batch:
        """Give the rows that mean something here, under the numbers and in the source units of here."""
        mapped = self.numbers[batch.signal]
        known = mapped >= 0
        found = batch if known.all() else batch.take(known)
        value, sigma = found.value, found.sigma
        if self.scale is not None and self.offset is not None:
            value = value * self.scale[found.signal] + self.offset[found.signal]
            if sigma is not None:
                sigma = (sigma * np.abs(self.scale[found.signal])).astype(np.float32)
        return found.with_columns(signal=mapped[known], value=value, sigma=sigma)


def successions(registry: Registry) -> Mapping[int, int]:
    """Give for each retired signal the one that goes on from it now, where its numbers can be read as that one's."""
    direct = {
        earlier: later
        for later, earlier in registry.formers.items()
        if registry.retired[earlier] and continues(registry.row(earlier), registry.row(later))
    }
    found = {}
    for earlier, later in direct.items():
        last = later
        while last in direct and last != earlier:
            last = direct[last]
        if not registry.retired[last]:
            found[earlier] = last
    return found


def _rescaled(former: Registry, now: Registry, numbers: I32) -> dict[int, tuple[float, float]]:
    known = np.flatnonzero(numbers >= 0)
    differ: npt.NDArray[np.bool_] = np.zeros(len(known), np.bool_)
    for name in ("unit", "source"):
        mine, theirs = former.table.column(name).take(known), now.table.column(name).take(numbers[known])
        differ |= pc.not_equal(mine, theirs).to_numpy(zero_copy_only=False).astype(np.bool_)
    found = {}
    for number in known[differ].tolist():
        was, is_ = former.row(number), now.row(int(numbers[number]))
        there, here = _sent(was), _sent(is_)
        if units.fits(there, here) and (factors := units.conversion(there, here)) != (1.0, 0.0):
            found[number] = factors
    return found


def _sent(row: Mapping[str, Any]) -> str:
    return str(row["source"] or row["unit"])
