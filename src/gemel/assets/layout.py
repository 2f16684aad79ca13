"""Which asset and which declared signal stand behind each signal of a plant: two columns, made once.

Fleet.template -> Layout.asset, Layout.spec -> whatever is derived is derived per declared signal and then taken.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.fleet import Fleet
from gemel.assets.spec import Signal, Template
from gemel.samples.batch import F64, I32
from gemel.samples.texts import Texts


@dataclass(frozen=True, eq=False)
class Layout:
    """The signals of a plant in the order of its file, asset by asset; each lane of a property is one.

    Args:
        specs: the declared signals of all templates, one template after another.
        asset: row of each signal's asset in the fleet.
        spec: which of `specs` each signal is.
    """

    specs: Sequence[Signal]
    asset: I32
    spec: I32

    @classmethod
    def of(cls, fleet: Fleet, templates: Sequence[Template]) -> "Layout":
        """Lay out what the templates of a fleet declare."""
        laid = [[lane for signal in t.signals for lane in signal.lanes] for t in templates]
        specs = [signal for signals in laid for signal in signals]
        sizes = np.array([len(signals) for signals in laid], np.int64)
        first = np.cumsum(sizes) - sizes
        per_asset = sizes[fleet.template] if len(fleet) else np.zeros(0, np.int64)
        asset = np.repeat(np.arange(len(fleet)), per_asset)
        within = np.arange(len(asset)) - np.repeat(np.cumsum(per_asset) - per_asset, per_asset)
        spec = first[fleet.template[asset]] + within if len(asset) else within
        return cls(specs, asset.astype(np.int32), spec.astype(np.int32))

    def __len__(self) -> int:
        return len(self.asset)

    def where(self, wanted: Callable[[Signal], bool]) -> npt.NDArray[np.int64]:
        """Give the positions of the signals whose declaration is wanted."""
        chosen = np.array([wanted(s) for s in self.specs], bool)
        return np.flatnonzero(chosen[self.spec]) if len(self.specs) else np.zeros(0, np.int64)

    def numbers(self, of: Callable[[Signal], float | None]) -> F64:
        """Give a number of each signal; NaN where its declaration has none."""
        told = (of(s) for s in self.specs)
        return np.array([np.nan if n is None else n for n in told], np.float64)[self.spec]

    def integers(self, of: Callable[[Signal], int]) -> npt.NDArray[np.int64]:
        """Give a whole number of each signal."""
        return np.array([of(s) for s in self.specs], np.int64)[self.spec]

    def texts(self, of: Callable[[Signal], str]) -> pa.Array:
        """Give a text of each signal, as a column."""
        return pa.array([of(s) for s in self.specs], pa.string()).take(pa.array(self.spec))

    def paths(self, fleet: Fleet, rows: slice = slice(None)) -> Texts:
        """Give the path of each signal, or of a run of them: that of its asset, and its name."""
        heads = fleet.paths.plain.take(pa.array(self.asset[rows]))
        names = pa.array([s.name for s in self.specs], pa.string()).take(pa.array(self.spec[rows]))
        return Texts(pc.binary_join_element_wise(heads, names, "/"))

    def pairs(self, positions: Iterable[int]) -> Iterable[tuple[int, Signal]]:
        """Give row of the asset and declaration of some signals."""
        for at in positions:
            yield int(self.asset[at]), self.specs[self.spec[at]]
