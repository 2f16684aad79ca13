"""Windows of time that follow one another without a gap: of a fixed width, local days, or shifts of a local day."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Final
from zoneinfo import ZoneInfo

from gemel.samples.clock import DAY, SECOND

_MIDNIGHT: Final = ("00:00",)


@dataclass(frozen=True, slots=True)
class Windows:
    """How time is divided.

    Args:
        width_ns: of each window, counted from 1970 UTC; 0: by the clock of the plant.
        starts: local times at which a window begins, such as ``06:00``, ascending.
        timezone: IANA name.

    >>> Windows(width_ns=60 * SECOND).around(90 * SECOND)
    (60000000000, 120000000000)
    """

    width_ns: int = 0
    starts: tuple[str, ...] = _MIDNIGHT
    timezone: str = "UTC"

    def around(self, time: int) -> tuple[int, int]:
        """Give start and end [ns] of the window that a time lies in; the end belongs to the next one."""
        if self.width_ns:
            start = time - time % self.width_ns
            return start, start + self.width_ns
        day = datetime.fromtimestamp(time // SECOND, ZoneInfo(self.timezone)).date()
        edges = [edge for n in (-1, 0, 1, 2) for edge in self._edges(day + timedelta(days=n))]
        at = bisect_right(edges, time)
        return edges[at - 1], edges[at]

    @property
    def usual_ns(self) -> int:
        """How long a window usually is [ns]: the longest on a day without a change of the clock."""
        if self.width_ns:
            return self.width_ns
        minutes = [int(s[:2]) * 60 + int(s[3:]) for s in self.starts]
        following = [*minutes[1:], minutes[0] + 24 * 60]
        return max(b - a for a, b in zip(minutes, following, strict=True)) * 60 * SECOND

    def _edges(self, day: date) -> list[int]:
        zone = ZoneInfo(self.timezone)
        local = (datetime.combine(day, clock_time.fromisoformat(s), zone) for s in self.starts)
        return [int(moment.astimezone(UTC).timestamp()) * SECOND for moment in local]


def windows(per: int | str, shifts: tuple[str, ...], timezone: str) -> Windows:
    """Make the windows of ``shift``, of ``day`` (as 24 h is, too) or of a width [ns]."""
    if per == "shift":
        return Windows(starts=shifts, timezone=timezone)
    if per in {"day", DAY}:
        return Windows(timezone=timezone)
    return Windows(width_ns=int(per))
