"""What serve asks of forks; times are [ns]."""

from collections.abc import Sequence
from typing import Protocol


class Fork(Protocol):
    """What is known of a fork; see `gemel.operate.fork.Fork`."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def by(self) -> str:
        """Who made it."""

    @property
    def why(self) -> str:
        """What for."""

    @property
    def made(self) -> int:
        """Wall time at which it was begun."""

    @property
    def at(self) -> int:
        """Plant time of its state."""

    @property
    def state(self) -> str:
        """``making``, ``ready`` or ``failed``."""

    @property
    def origin(self) -> str:
        """``live``, ``log`` or ``lake``."""

    @property
    def position(self) -> int:
        """How far of the log is in it."""

    @property
    def facts(self) -> int:
        """How far of the record is in it."""

    @property
    def problem(self) -> str:
        """Why it failed."""


class Kept(Protocol):
    """The forks there are."""

    def get(self, name: str) -> Fork:
        """Give a fork; raises NotFoundError."""

    def listed(self) -> Sequence[Fork]:
        """Give all, the newest first."""

    def delete(self, name: str) -> Fork:
        """Give one up; raises NotFoundError."""


class Forking(Protocol):
    """Makes and keeps forks."""

    @property
    def kept(self) -> Kept:
        """The forks there are."""

    async def now(self, name: str, by: str, why: str, plant_time: int) -> Fork:
        """Fork the state as it stands."""

    async def then(self, name: str, by: str, why: str, at: int) -> Fork:
        """Fork a past time."""
