"""The plant file as serve sees it: the twin plans and applies."""

from typing import Any, Protocol

Told = dict[str, Any]


class Changing(Protocol):
    """What may be asked of the plant file."""

    async def plant_version(self) -> Told:
        """Give ``{"digest", "registry", "applied_by"}`` of what is in force."""

    async def plant_fmu(self, data: bytes) -> Told:
        """Keep an FMU that a plant file is to name; give what it is. Raises ModelError for a file that is none."""

    async def plant_plan(self, files: dict[str, str]) -> Told:
        """Give ``{"digest", "changes", "applied", "steps", "losses", "impossible"}``; raises AssetError for a file that is none."""

    async def plant_apply(self, files: dict[str, str], user: str, *, accept_loss: bool, reason: str) -> Told:
        """Apply it, and give the plan once it is in force; raises RefusedError for a loss that was not accepted."""
