"""Overrides as serve sees them: the twin decides."""

from typing import Any, Protocol

import msgspec


class _Asks(Protocol):
    async def _ask(self, do: str, **body: Any) -> bytes: ...


class OverridesView:
    """The part of `View` that asks about overrides."""

    async def origins(self: _Asks, signals: list[int]) -> list[dict[str, Any]]:
        """Give where the shown samples of some signals came from."""
        return list(msgspec.json.decode(await self._ask("origins", signals=signals)))

    async def desired(self: _Asks, asset: str) -> list[dict[str, Any]]:
        """Give what the properties of an asset shall be, and what is reported."""
        return list(msgspec.json.decode(await self._ask("desired", asset=asset)))

    async def version(self: _Asks, asset: str) -> int:
        """Give the version of an asset."""
        return int(msgspec.json.decode(await self._ask("version", asset=asset)))

    async def override(self: _Asks, user: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Put a value in the place of a property's lanes."""
        return dict(msgspec.json.decode(await self._ask("override", user=user, **wish)))

    async def override_clear(self: _Asks, override_id: str, user: str, reason: str) -> dict[str, Any]:
        """End an override."""
        told = await self._ask("override_clear", id=override_id, user=user, reason=reason)
        return dict(msgspec.json.decode(told))

    async def override_get(self: _Asks, override_id: str) -> dict[str, Any]:
        """Give one override."""
        return dict(msgspec.json.decode(await self._ask("overrides", id=override_id)))

    async def override_list(self: _Asks) -> list[dict[str, Any]]:
        """Give the overrides, the newest first."""
        return list(msgspec.json.decode(await self._ask("overrides")))
