"""What properties show now, as columns: a hundred thousand in one answer, without an object each."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from gemel.history.formats import TIME
from gemel.samples import LANES, Registry
from gemel.samples.batch import I64
from gemel.serve import frames
from gemel.twin.properties import Shown

WORDS: Final = pa.dictionary(pa.int8(), pa.string())
SCHEMA: Final = pa.schema(
    [("signal", pa.string()), ("unit", pa.dictionary(pa.int32(), pa.string())), ("value", pa.float64()), ("quality", WORDS),
     ("status", pa.uint32()), ("lane", WORDS), ("time", TIME), ("received", TIME)]
)  # fmt: skip
ROWS: Final = 65_536  # in one piece
QUALITIES: Final = pa.array(frames.WORDS)
LANE_WORDS: Final = pa.array(LANES)


class Latest:
    """Makes the table; its texts are those of the registry, not copies."""

    def __init__(self, registry: Registry) -> None:
        self._paths = registry.paths.array
        self._units = registry.codes("unit")
        self._words = pa.array(self._units.words, pa.string())

    def pieces(self, shown: Shown, *, heard: bool) -> Iterator[pa.RecordBatch]:
        """Give what is shown, a row a property, piece by piece; what was never seen is null."""
        quality = frames.qualities(shown, heard=heard).astype(np.int8)
        unit = np.asarray(self._units.code)[shown.signal].astype(np.int32)
        columns = [
            self._paths_of(shown), pa.DictionaryArray.from_arrays(pa.array(unit), self._words),
            pa.array(shown.value, mask=~np.isfinite(shown.value)), pa.DictionaryArray.from_arrays(pa.array(quality), QUALITIES),
            pa.array(shown.status), pa.DictionaryArray.from_arrays(pa.array(shown.lane), LANE_WORDS),
            _times(shown.time, shown), _times(shown.received, shown),
        ]  # fmt: skip
        whole = pa.record_batch(columns, schema=SCHEMA)
        for start in range(0, len(shown), ROWS):
            yield whole.slice(start, ROWS)

    def _paths_of(self, shown: Shown) -> pa.Array:
        s = shown.signal
        if len(s) and int(s[-1]) - int(s[0]) + 1 == len(s) and np.all(np.diff(s) == 1):
            return self._paths.slice(int(s[0]), len(s))
        return self._paths.take(pa.array(s))


def _times(times: I64, shown: Shown) -> pa.Array:
    return pa.array(times.view("datetime64[ns]"), TIME, mask=~shown.seen)
