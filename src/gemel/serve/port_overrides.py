"""What serve needs of single values: origins, versions, overrides, what is desired."""

from typing import Any, Protocol


class Overridden(Protocol):
    """A twin whose properties people may override; refusals are raised as `port.Twin` says."""

    async def origins(self, signals: list[int]) -> list[dict[str, Any]]:
        """Give where the shown samples of some signals came from: ``frame``, ``producer``, ``version``; None: unknown."""

    async def desired(self, asset: str) -> list[dict[str, Any]]:
        """Give what the properties of an asset shall be, and what is reported."""

    async def version(self, asset: str) -> int:
        """Give the version of an asset: the position of the last decision about it."""

    async def override(self, user: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Put a value in the place of a property's lanes: ``path``, ``value``, ``reason``, ``until`` or ``seconds``."""

    async def override_clear(self, override_id: str, user: str, reason: str) -> dict[str, Any]:
        """End an override; give it as it was."""

    async def override_get(self, override_id: str) -> dict[str, Any]:
        """Give an override that is recorded and not over."""

    async def override_list(self) -> list[dict[str, Any]]:
        """Give the overrides that are recorded and not over, the newest first."""
