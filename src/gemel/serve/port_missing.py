"""What serve needs to say what is missing of the history."""

from collections.abc import Sequence
from typing import Protocol


class Hole(Protocol):
    """Readings that damage took."""

    @property
    def start(self) -> int:
        """Time of the first [ns]."""

    @property
    def end(self) -> int:
        """The time after the last [ns]."""

    @property
    def rows(self) -> int:
        """How many, of all signals of the damaged file."""

    @property
    def why(self) -> str:
        """In words."""


class Lacking(Protocol):
    """A twin whose history may lack something."""

    async def history_holes(self, signals: Sequence[int], start: int, end: int) -> Sequence[Hole]:
        """Give what damage took of some signals' readings with start ≤ time < end [ns]; asked after the readings."""
