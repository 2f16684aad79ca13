"""What damage took of the history, as seen from another process of the family."""

import asyncio
from collections.abc import Sequence

from gemel.history import Hole, Series


class HolesView:
    """The part of a view that tells what is missing."""

    _series: Series

    async def history_holes(self, signals: Sequence[int], start: int, end: int) -> list[Hole]:
        """Give what damage took of some signals' readings with start <= time < end [ns]."""
        return await asyncio.to_thread(self._series.holes, signals, start, end)
