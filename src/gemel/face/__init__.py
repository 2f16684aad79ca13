"""What Python programs and notebooks see of gemel: open a plant, a data directory or a running twin, and ask.

open → Twin → a question of the HTTP API, answered in this process or by a server → Table (Arrow, pandas, polars)
"""

from gemel.face.opened import open  # noqa: A004 - as in `gemel.open`: there it never stands alone
from gemel.face.table import Table
from gemel.face.twin import Twin

__all__ = ["Table", "Twin", "open"]
