"""What was measured: the time-series store on DuckLake, its queries, its export.

Flow: `Store.commit` (one writer) → sorted Parquet files + progress in one transaction → `Reader` (any process,
read-only) answers lake and hot tail together.
"""

from gemel.history.answers import AGGREGATES, Aggregated, Existing
from gemel.history.export import Exported, export_csv
from gemel.history.holes import Hole
from gemel.history.lake import Bounds
from gemel.history.reader import Reader
from gemel.history.roller import Terms
from gemel.history.rollups import RolledUp
from gemel.history.series import Series
from gemel.history.store import Committed, Progress, Store
from gemel.history.upkeep import Compacted

__all__ = [
    "AGGREGATES",
    "Aggregated",
    "Bounds",
    "Committed",
    "Compacted",
    "Existing",
    "Exported",
    "Hole",
    "Progress",
    "Reader",
    "RolledUp",
    "Series",
    "Store",
    "Terms",
    "export_csv",
]
