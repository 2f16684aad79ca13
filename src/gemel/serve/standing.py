"""How things stood at a moment, now or past: one way of asking for both, so that no route knows them apart twice."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from gemel.samples import Batch
from gemel.samples.batch import I32
from gemel.serve import times
from gemel.serve.names import Names
from gemel.serve.port import Twin

EVER: Final = 2**62  # received at any time


class InForce(BaseModel):
    """The plant file that was in force."""

    digest: str
    since: times.Written
    by: str
    fact: int


@dataclass(frozen=True, slots=True)
class Moment:
    """When, and by what had been received.

    Args:
        twin: whose state.
        at: plant time [ns].
        known: up to when what was received counts [ns].
        live: whether it is now.
    """

    twin: Twin
    at: int
    known: int
    live: bool

    @classmethod
    def of(cls, twin: Twin, at: int | None, known: int | None) -> Self:
        """Take what was asked: now, where nothing is said."""
        now = twin.values.plant_time
        return cls(
            twin, now if at is None else at, EVER if known is None else known, at is None and known is None
        )

    async def rows(self, names: Names, signals: I32) -> tuple[Batch, npt.NDArray[np.bool_]]:
        """Give one row a signal, and which of them were stale."""
        if self.live:
            v = self.twin.values
            rows = Batch(signals, v.time[signals], v.received[signals], v.value[signals], v.status[signals])
            return rows, v.stale[signals]
        stood = await self.twin.past.stood(signals, self.at, self.known)
        silent = (stood.heard == times.NEVER) | (self.at - stood.heard > names.stale_after[signals])
        return stood.shown, silent

    async def alarms(self, under: str | None = None) -> list[dict[str, Any]]:
        """Give the alarms that were not normal."""
        if not self.live:
            return await self.twin.past.alarms(self.at, self.known, under)
        found = await self.twin.alarms()
        return found if under is None else [a for a in found if f"{a['asset']}/".startswith(f"{under}/")]

    async def commands(self, asset: str | None = None) -> list[dict[str, Any]]:
        """Give the commands as far as they had come, the newest first."""
        if not self.live:
            return await self.twin.past.commands(self.at, self.known, asset)
        return await self.twin.command_list(asset)

    async def plant(self) -> dict[str, Any] | None:
        """Tell which plant file was in force."""
        return await self.twin.past.applied(self.at, self.known)


async def of_asset(moment: Moment, asset: str, wanted: set[str]) -> dict[str, Any]:
    """Give what else stood of an asset: ``alarms``, ``commands``, ``plant``."""
    told: dict[str, Any] = {}
    if "alarms" in wanted:
        told["alarms"] = [_written(a) for a in await moment.alarms(asset)]
    if "commands" in wanted:
        told["commands"] = [_written(c) for c in await moment.commands(asset)]
    if "plant" in wanted:
        found = await moment.plant()
        told["plant"] = found and {**found, "since": times.text(found["since"])}
    return told


WRITTEN: Final = ("since", "raised", "cleared", "shelved_until", "requested", "sent", "confirmed", "at")


def _written(told: dict[str, Any]) -> dict[str, Any]:
    """Write times as text, at any depth."""
    return {key: times.as_text(value) if key in WRITTEN else _each(value) for key, value in told.items()}


def _each(value: Any) -> Any:
    return (
        [_written(v) for v in value]
        if isinstance(value, list) and value and isinstance(value[0], dict)
        else value
    )
