"""Versions of parameters as serve sees them: the twin decides."""

from collections.abc import Mapping
from typing import Any, Protocol

Told = dict[str, Any]


class Released(Protocol):
    """What may be asked of the versions of parameters."""

    async def releases(self, asset: str | None = None) -> list[Told]:
        """Give all versions, of one asset or of all, in the order of the record."""

    async def judgements(self, asset: str | None = None) -> list[Told]:
        """Give how faithful models proved over time, of one asset or of all, the oldest first."""

    async def judgement(self, asset: str) -> Told | None:
        """Give the last judgement of an asset, whole; None where there is none."""

    async def release(
        self, asset: str, user: str, body: Mapping[str, Any], reason: str, *, despite_gate: bool
    ) -> list[Told]:
        """Put values in force and give the versions of the asset.

        Raises RefusedError where the gate says no, ConflictError where another version than ``body["champion"]`` is in force.
        """

    async def roll_back(self, asset: str, user: str, reason: str, kind: str | None = None) -> list[Told]:
        """Take back what is in force of a kind, or what the model got last, and give the versions of the asset; raises RefusedError where none is."""
