"""What serve asks of the past; times are [ns], `known` is up to when what was received or recorded counts."""

from collections.abc import Mapping
from typing import Any, Protocol

from gemel.samples import Batch, Fact
from gemel.samples.batch import F64, I32, I64

Told = dict[str, Any]


class Stood(Protocol):
    """Signals as they stood, one row a signal in the order asked for."""

    @property
    def shown(self) -> Batch:
        """The latest usable value and its times, with the status of the latest reading."""

    @property
    def heard(self) -> I64:
        """Source time of the latest reading, usable or not [ns]."""


class Past(Protocol):
    """What was so at a time, and what was believed then."""

    async def stood(self, signals: I32, at: int, known: int) -> Stood:
        """Give signals as they stood."""

    async def quality(self, signals: I32, start: int, end: int, known: int) -> dict[str, F64]:
        """Give counts of what came from a time up to another, by signal."""

    async def alarms(self, at: int, known: int, under: str | None = None) -> list[Told]:
        """Give the alarms that were not normal."""

    async def commands(self, at: int, known: int, asset: str | None = None) -> list[Told]:
        """Give the commands as far as they had come, the newest first."""

    async def command(self, command_id: str, at: int, known: int) -> Told:
        """Give one command as far as it had come."""

    async def applied(self, at: int, known: int) -> Told | None:
        """Tell which plant file was in force: ``{"digest", "since", "by", "fact"}``."""

    async def facts(
        self, at: int, known: int, *, kind: str = "", under: str | None = None, after: int = 0
    ) -> list[Fact]:
        """Give the facts up to there."""

    async def newest(
        self, limit: int, before: int, until: int, wanted: Mapping[str, str | None]
    ) -> list[Fact]:
        """Give facts backwards from a position."""
