"""Versions of parameters as serve sees them: the twin decides."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec


class _Asks(Protocol):
    async def _ask(self, do: str, **body: Any) -> bytes: ...


class ReleasesView:
    """The part of `View` that asks about versions of parameters."""

    async def releases(self: _Asks, asset: str | None = None) -> list[dict[str, Any]]:
        """Give all versions, of one asset or of all, in the order of the record."""
        told = msgspec.json.decode(await self._ask("releases", **({} if asset is None else {"asset": asset})))
        return list(told if asset is None else told["items"])

    async def judgements(self: _Asks, asset: str | None = None) -> list[dict[str, Any]]:
        """Give how faithful models proved over time, of one asset or of all, the oldest first."""
        return list(msgspec.json.decode(await self._ask("judgements", asset=asset)))

    async def judgement(self: _Asks, asset: str) -> dict[str, Any] | None:
        """Give the last judgement of an asset, whole; None where there is none."""
        found: dict[str, Any] | None = msgspec.json.decode(await self._ask("judgement", asset=asset))
        return found

    async def judged_until(self: _Asks) -> dict[str, int]:
        """Give up to when each asset's model was judged [ns]."""
        return dict(msgspec.json.decode(await self._ask("judged_until")))

    async def judge(self: _Asks, asset: str, body: Mapping[str, Any]) -> None:
        """Have a judgement recorded."""
        await self._ask("judge", asset=asset, body=dict(body))

    async def release(
        self: _Asks, asset: str, user: str, body: Mapping[str, Any], reason: str, *, despite_gate: bool
    ) -> list[dict[str, Any]]:
        """Put values in force and give the versions of the asset; raises RefusedError, ConflictError."""
        said = {"asset": asset, "user": user, "body": dict(body), "reason": reason, "despite_gate": despite_gate}
        return list(msgspec.json.decode(await self._ask("release", **said))["items"])

    async def roll_back(self: _Asks, asset: str, user: str, reason: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Take back what is in force of a kind, or what the model got last, and give the versions of the asset."""
        told = await self._ask("roll_back", asset=asset, user=user, reason=reason, kind=kind)
        return list(msgspec.json.decode(told)["items"])
