"""A degradation that is a state of its type's dynamic model: what its rate follows from, gathered of plant, versions and history.

    plant file, releases ─► Binding ─► which signals feed the model, parameters in force ┐
    history ─► steps of what drives it ─► Loads: cells of alike steps, how many a bin    ├─► part `state` of a job's spec
                                                                                         ┘
No line of the model is run here; whoever computes runs it (`gemel.operate.life_duty`), once for each cell. A cell is at its
mean, so that what is lost to it is of second order in its width (1/32 of the range, as long as few cells do).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Plant
from gemel.errors import ModelError
from gemel.operate.binding import Binding, Bound, bind
from gemel.operate.life_law import Wearing
from gemel.samples import units
from gemel.samples.batch import F64
from gemel.twin.releases import Releases

LEVELS: Final = (32, 16, 8, 4, 2)  # of each quantity, over its range
MOST_CELLS: Final = 500  # from which on they are made coarser
HALF: Final = 0.5  # of a bin must be known


@dataclass(frozen=True, eq=False)
class StateLaw:
    """A degradation and the model whose state it is.

    Args:
        one: what wears.
        binding: of the asset to its model, with the parameters in force.
        state: which of its states.
    """

    one: Wearing
    binding: Binding
    state: Bound

    @property
    def driven(self) -> tuple[str, ...]:
        """Names of the signals that drive it."""
        return tuple(sorted({b.signal.name for b in self.fed if b.signal is not None}))

    @property
    def fed(self) -> tuple[Bound, ...]:
        """The inputs of the model that signals of the asset feed."""
        return tuple(b for b in self.binding.inputs if b.signal is not None)

    @property
    def measured(self) -> tuple[Bound, ...]:
        """The other states of the model that signals show."""
        return tuple(b for b in self.binding.states if b.signal is not None and b is not self.state)

    def loads(self, values: Mapping[str, F64]) -> list[list[float]]:
        """Give inputs of the model, SI, a row a load."""
        columns = [values[b.signal.name] * b.scale + b.offset for b in self.fed if b.signal]
        return [[float(f"{v:.9g}") for v in row] for row in np.column_stack(columns).tolist()]


@dataclass(frozen=True, eq=False)
class Loads:
    """What was asked of a machine, as few loads.

    Args:
        mean: of each cell, by signal [cells].
        bins: cells of each bin and how many steps were in each; None where too little is known.
    """

    mean: Mapping[str, F64]
    bins: list[list[list[int]] | None]


def state_law(plant: Plant, one: Wearing, releases: Releases | None = None, at: int | None = None) -> StateLaw:
    """Bind a degradation to the state of its model that it is.

    Raises ModelError: the model cannot be used, has no such state (`unknown-quantity`), or one that measures something
    else (`model-unit`), or no signal of the asset feeds it (`no-law`).
    """
    binding, name, asset = bind(plant, one.asset, releases, at), one.spec.state, one.asset
    found = next((b for b in binding.states if b.name == name), None)
    if found is None:
        raise ModelError(
            f"{one.spec.name} of {asset} is said to be {name!r}, and its model has no such state",
            code="unknown-quantity", remedy=f"it has: {', '.join(b.name for b in binding.states) or 'none'}",
        )  # fmt: skip
    if not units.fits(one.spec.unit, found.quantity.unit):
        raise ModelError(
            f"{one.spec.name} of {asset} is in {one.spec.unit or '1'}, {name!r} of its model in {found.quantity.unit}",
            code="model-unit", remedy="give it a unit: that measures the same",
        )  # fmt: skip
    law = StateLaw(one, binding, found)
    if not law.fed:
        raise ModelError(
            f"{one.spec.name} of {asset} follows its model, and no signal of {asset} feeds an input of that",
            code="no-law", remedy="name signals after the model's inputs, or map them by names: under dynamics:",
        )  # fmt: skip
    return law


def loads_of(values: Mapping[str, F64], many: int) -> Loads:
    """Put alike steps together.

    Args:
        values: by signal [steps]; NaN where nothing is known.
        many: steps of a bin.
    """
    rows = np.column_stack(list(values.values()))
    rows = rows[: len(rows) // many * many]
    known = np.isfinite(rows).all(axis=1)
    cell = np.full(len(rows), -1)
    cells, cell[known] = _cells(rows[known])
    count = np.maximum(np.bincount(cell[known], minlength=cells), 1)
    mean = {n: np.bincount(cell[known], rows[known, j], minlength=cells) / count for j, n in enumerate(values)}
    return Loads(mean, list(_bins(cell.reshape(-1, many))))


def of_spec(law: StateLaw, loads: Loads, states: Mapping[str, float]) -> dict[str, Any]:
    """Give the part of a spec that the law's rates follow from; `states`: means of measured ones, in their units."""
    b, x = law.binding, {s.name: s.value for s in law.binding.states}
    for s in law.measured:
        if np.isfinite(shown := states.get(s.name, np.nan)):
            x[s.name] = s.si(shown)
    si, unit = law.state.quantity.unit, law.one.spec.unit
    return {
        "model": b.reference, "name": law.state.name, "rate_scale": units.conversion(si, unit)[0],
        "to_si": list(units.conversion(unit, si)), "x": x,
        "u": {i.name: i.value for i in b.inputs}, "p": dict(zip((p.name for p in b.parameters), b.p.tolist(), strict=True)),
        "fed": [i.name for i in law.fed], "bins": loads.bins,
    }  # fmt: skip


def readings(spec: Mapping[str, Any]) -> int:
    """Give how many bins of a spec tell something: of the indicator, else of the load."""
    shown: Sequence[Any] = spec["state"]["bins"] if spec.get("state") else spec["rate"]
    return sum(v is not None for v in (shown if spec["indicator"] is None else spec["indicator"]))


def _cells(rows: F64) -> tuple[int, npt.NDArray[np.intp]]:
    """Give how many cells there are, and which one each row is in."""
    if not len(rows):
        return 0, np.empty(0, np.intp)
    low, width = rows.min(axis=0), np.ptp(rows, axis=0)
    part = (rows - low) / np.where(width > 0.0, width, 1.0)
    for levels in LEVELS:
        grid = np.minimum((part * levels).astype(np.int64), levels - 1)
        found, which = np.unique(grid, axis=0, return_inverse=True)
        if len(found) <= MOST_CELLS:
            break
    return len(found), which.reshape(-1)


def _bins(cells: npt.NDArray[np.intp]) -> Iterator[list[list[int]] | None]:
    for row in cells:
        known = row[row >= 0]
        if len(known) < HALF * len(row):
            yield None
        else:
            found, count = np.unique(known, return_counts=True)
            yield [found.tolist(), count.tolist()]
