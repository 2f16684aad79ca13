"""What serve asks about remaining life; times are [ns]."""

from collections.abc import Mapping
from typing import Any, Protocol

from gemel.serve.port_jobs import Job


class Living(Protocol):
    """The part of a twin that tells of remaining life."""

    async def life_declared(self, asset: str) -> list[dict[str, Any]]:
        """Give what wears out of an asset; raises NotFoundError where there is no such asset."""

    async def life_last(self, asset: str, of: str, at: int) -> Job | None:
        """Give the newest kept prognosis that the twin made by itself up to a plant time; raises NotFoundError."""

    async def life_spec(self, asset: str, of: str, question: Mapping[str, Any], at: int) -> dict[str, Any]:
        """Give all that a prognosis follows from; raises NotFoundError."""

    async def maintained(self, asset: str, of: str, body: Mapping[str, Any], user: str) -> None:
        """Have maintenance recorded; raises NotFoundError."""
