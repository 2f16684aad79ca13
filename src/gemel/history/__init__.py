"""What was measured: the time-series store on DuckLake, its queries, its export.

Flow: `Store.commit` (one writer) → sorted Parquet files + progress in one transaction → `Reader` (any process,
read-only) answers lake and hot tail together.
"""

from gemel.history.reader import AGGREGATES, Aggregated, Existing, Reader
from gemel.history.store import Committed, Progress, Store

__all__ = ["AGGREGATES", "Aggregated", "Committed", "Existing", "Progress", "Reader", "Store"]
