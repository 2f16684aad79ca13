"""The assets as lists give them: found by parameters, looked at as columns, an object only for what is on the page."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets import Found, Plant
from gemel.assets.problem import did_you_mean
from gemel.errors import AssetError
from gemel.samples import Registry
from gemel.samples.batch import F64, I32
from gemel.serve import frames
from gemel.serve.latest import Latest
from gemel.serve.port import LiveValues
from gemel.twin import properties
from gemel.twin.properties import Properties


class Listing:
    """The assets in the order of the plant, and which signals are theirs."""

    def __init__(self, plant: Plant, registry: Registry) -> None:
        self.plant = plant
        self._registry = registry

    @cached_property
    def numbers(self) -> I32:
        """Number of each signal of the layout."""
        return self.plant.numbers(self._registry)

    @cached_property
    def in_order(self) -> bool:
        """Whether the registry numbers the signals just so: what is asked of all of them needs no picking then."""
        return bool(np.all(np.diff(self.numbers) == 1))

    @cached_property
    def properties(self) -> Properties:
        """Which signals are lanes of which property."""
        return Properties.of_registry(self._registry)

    @cached_property
    def shown_properties(self) -> I32:
        """All properties that the plant has, in the order of the registry."""
        live = np.flatnonzero(~self._registry.retired).astype(np.int32)
        return np.unique(self.properties.of(live)).astype(np.int32)

    @cached_property
    def latest(self) -> Latest:
        """What makes a table of what they show."""
        return Latest(self._registry)

    def items(self, found: Found) -> Iterator[dict[str, Any]]:
        """Give what was found as it stands in a list, with the values that were looked at."""
        values = {name: column.tolist() for name, column in found.values.items()}
        for i, row in enumerate(found.rows.tolist()):
            yield {**self._brief(row), "values": {name: column[i] for name, column in values.items()}}

    def table(self, found: Found) -> pa.RecordBatch:
        """Give what was found as columns: path, name, title, type, parent, and the values that were looked at."""
        fleet, rows = self.plant.assets, pa.array(found.rows)
        columns = {
            "path": fleet.paths.plain.take(rows), "name": fleet.names.plain.take(rows), "title": fleet.titles.plain.take(rows),
            "type": fleet.types.plain.take(rows),
        }  # fmt: skip
        at = fleet.at.plain.take(rows)
        below = pc.binary_join_element_wise(fleet.root, at, "/")
        columns["parent"] = pc.if_else(pc.equal(at, ""), fleet.root, below)
        for name, column in found.values.items():
            columns[f"{name}.value" if name in columns else name] = pa.array(column, from_pandas=True)
        return pa.record_batch(columns)

    def _brief(self, row: int) -> dict[str, Any]:
        fleet, template = self.plant.assets, self.plant.template(row)
        path = fleet.paths[row]
        return {
            "path": path, "name": fleet.names[row], "title": fleet.titles[row], "type": fleet.types[row], "kind": "asset",
            "parent": path.rpartition("/")[0], "signals": len(template.signals), "commands": len(template.commands),
        }  # fmt: skip


class Shown:
    """What the twin shows now, as `find` asks for it."""

    def __init__(self, listing: Listing, values: LiveValues, *, heard: bool) -> None:
        self._listing, self._values, self._heard = listing, values, heard

    def values(self, positions: npt.NDArray[np.int64]) -> F64:
        """Give the shown values; NaN where nothing was ever seen."""
        signals = self._listing.numbers[positions]
        if self._plain:
            return self._values.value[signals]
        return self._resolved(signals).value

    def quality(self, word: str) -> npt.NDArray[np.int64]:
        """Give the positions of the signals that are of a quality."""
        if word not in frames.WORDS:
            raise AssetError(
                f"{word[:100]!r} is no quality", code="condition", remedy=did_you_mean(word, frames.WORDS)
            )
        codes = frames.qualities(self._resolved(self._listing.numbers), heard=self._heard)
        return np.flatnonzero(codes == frames.WORDS.index(word))

    @property
    def _plain(self) -> bool:
        """Whether every property has one lane and none is overridden: then a property shows what its signal does."""
        return not len(self._listing.properties.several) and not self._values.held

    def _resolved(self, signals: I32) -> properties.Shown:
        table, v = self._listing.properties, self._values
        if self._plain and self._listing.in_order and len(signals) == len(self._listing.numbers):
            part = slice(int(signals[0]), int(signals[-1]) + 1) if len(signals) else slice(0)
            lanes = table.lane_of(signals)
            return properties.Shown(
                signals,
                lanes,
                v.value[part],
                v.status[part],
                v.time[part],
                v.received[part],
                v.stale[part],
                v.seen[part],
            )
        return table.resolve(v, table.of(signals), v.held)
