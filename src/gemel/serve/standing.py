"""How things stood at a moment, now or past: one way of asking for both, so that no route knows them apart twice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from gemel.samples import Batch, Fact
from gemel.samples.batch import F64, I32, I64, U32
from gemel.serve import times
from gemel.serve.names import Names
from gemel.serve.port import Twin
from gemel.twin.overrides import Override, held_at
from gemel.twin.properties import Held, Shown

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

    async def standing(self, names: Names, signals: I32, under: str | None = None) -> "Standing":
        """Give how some signals stood; `under` is a path that all of them are under."""
        if self.live:
            v = self.twin.values
            rows = Batch(signals, v.time[signals], v.received[signals], v.value[signals], v.status[signals],
                         sigma=None if v.sigma is None else v.sigma[signals])  # fmt: skip
            return Standing(rows, v.stale[signals], v.held)
        stood = await self.twin.past.stood(signals, self.at, self.known)
        silent = (stood.heard == times.NEVER) | (self.at - stood.heard > names.stale_after[signals])
        facts = await self.facts("Override", under)
        return Standing(stood.shown, silent, held_at(facts, self.at, names.registry).held)

    async def overrides(self, names: Names, under: str) -> list[Override]:
        """Give the overrides that were in force under a path."""
        return held_at(await self.facts("Override", under), self.at, names.registry).all()

    async def facts(self, kind: str = "", under: str | None = None) -> list[Fact]:
        """Give the facts of kinds that begin so; live, all of them: one may be told before the plant's time has come to it."""
        return await self.twin.past.facts(EVER if self.live else self.at, self.known, kind=kind, under=under)

    async def released(self, under: str | None = None) -> list[Fact]:
        """Give the facts of versions, of parameters and of what was learned, in the order of the record."""
        facts = [*await self.facts("Parameters", under), *await self.facts("Learner", under)]
        return sorted(facts, key=lambda f: f.seq)

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
        return await self.twin.past.applied(EVER if self.live else self.at, self.known)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How signals stand, a row each.

    Args:
        rows: what each shows.
        stale: which are silent for too long.
        held: overrides in force, by property.
    """

    rows: Batch
    stale: npt.NDArray[np.bool_]
    held: Mapping[int, Held]

    def __getitem__(self, part: slice) -> "Standing":
        return Standing(self.rows[part], self.stale[part], self.held)

    def shown(self, names: Names) -> tuple[list[str], Shown]:
        """Give the properties' paths and what they show, a row each."""
        signals, rows = self.rows.signal, self.rows
        table = names.properties.among(signals)
        places = np.unique(table.of(np.arange(len(signals), dtype=np.int32)))
        columns = _Columns(
            rows.value, rows.status, rows.time, rows.received, self.stale, rows.time != times.NEVER
        )
        held = (
            {p: self.held[s] for p in places.tolist() if (s := int(signals[p])) in self.held}
            if self.held
            else {}
        )
        shown = table.resolve(columns, places, held)
        paths = [names.registry.paths[s] for s in signals[places].tolist()]
        return paths, replace(shown, signal=signals[shown.signal])


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    value: F64
    status: U32
    time: I64
    received: I64
    stale: npt.NDArray[np.bool_]
    seen: npt.NDArray[np.bool_]


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
