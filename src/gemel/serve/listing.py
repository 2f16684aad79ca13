"""The assets as lists give them: found by parameters, looked at as columns, an object only for what is on the page."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

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
        return self._resolved(self._listing.numbers[positions]).value

    def quality(self, word: str) -> npt.NDArray[np.int64]:
        """Give the positions of the signals that are of a quality."""
        if word not in frames.WORDS:
            raise AssetError(
                f"{word[:100]!r} is no quality", code="condition", remedy=did_you_mean(word, frames.WORDS)
            )
        codes = frames.qualities(self._resolved(self._listing.numbers), heard=self._heard)
        return np.flatnonzero(codes == frames.WORDS.index(word))

    def _resolved(self, signals: I32) -> properties.Shown:
        table = self._listing.properties
        return table.resolve(self._values, table.of(signals), self._values.held)
