"""Calibrations as serve sees them: the history of a machine is read here, and worked on by *reason*."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from gemel.assets import Plant
from gemel.errors import ModelError
from gemel.operate import calibrate_job, following
from gemel.operate.jobs import Job
from gemel.operate.machine import Machine, machine_of
from gemel.operate.readings_kept import of_rows, packed
from gemel.operate.view_jobs import JobsView
from gemel.samples import Batch, Registry
from gemel.samples.clock import SECOND
from gemel.twin.releases import HYBRID, PARAMETERS

NOTHING: Final = "no-readings"


class _Sees(Protocol):
    plant: Plant
    registry: Registry

    async def _good(
        self, machine: Machine, champion: Mapping[str, Any] | None, span: tuple[int, int]
    ) -> Batch | None: ...

    @property
    def jobs(self) -> JobsView: ...
    async def releases(self, asset: str | None = None) -> list[dict[str, Any]]: ...
    async def history_rows(
        self, signals: Sequence[int], start: int, end: int, limit: int | None = None, known: int | None = None
    ) -> Batch: ...


class CalibrationsView:
    """The part of `View` that calibrates."""

    async def calibration_ask(
        self: _Sees, asset: str, wish: Mapping[str, Any], span: tuple[int, int], title: str, by: str, *,
        shadow: Mapping[str, Any] | None = None,
    ) -> Job:  # fmt: skip
        """Ask for a calibration on the history of a span; who runs in shadow is judged beside.

        Raises NotFoundError, ModelError, RefusedError.
        """
        asked = calibrate_job.wish(wish, following.terms_of(self.plant, asset))
        machine = await asyncio.to_thread(machine_of, self.plant, asset, computing=False)
        champion = in_force(await self.releases(machine.asset))
        spec = calibrate_job.spec(machine, asked, span, "", champion, shadow=shadow)  # refused before the history is read
        rows = await self.history_rows(numbers_of(self.registry, machine), *span)
        if not len(rows):
            raise ModelError(f"the history has nothing of {machine.asset} in that time", code=NOTHING, remedy="give start and end")
        before = await self._good(machine, champion, span)
        spec["good"] = before is not None
        data = await asyncio.to_thread(_packed, numbers_of(self.registry, machine), *([rows] if before is None else [rows, before]))
        spec["attached"] = await asyncio.to_thread(self.jobs.kept.attach, data)
        return await self.jobs.ask("calibrate", spec, title, by)


    async def _good(
        self: _Sees, machine: Machine, champion: Mapping[str, Any] | None, span: tuple[int, int]
    ) -> Batch | None:
        """Give the newest readings that the champion was fitted to, as long as the span; none where they are gone."""
        data = (champion or {}).get("data") or {}
        if data.get("to_s") is None:
            return None
        first, last = (round(data[key] * SECOND) for key in ("from_s", "to_s"))
        rows = await self.history_rows(numbers_of(self.registry, machine), max(first, last - (span[1] - span[0])), last)
        return rows if len(rows) else None


def numbers_of(registry: Registry, machine: Machine) -> list[int]:
    """Give the numbers of the signals that a machine's model reads, inputs first."""
    return [registry.index(line.path, line.spec.lane) for line in (*machine.inputs, *machine.outputs)]


def in_force(versions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give what a machine's model goes by, of its versions: the parameters in force with the hybrid in force.

    Returns:
        The version of the parameters; ``hybrid`` the corrections by output, whoever released them, ``hybrid_version`` that of those released
        alone, ``learned_to_s`` the end of what they were learned from. None: what the plant file says, and nothing learned.
    """
    standing = {v.get("kind", PARAMETERS): v for v in versions if v["state"] == "in_force"}
    parameters, alone = standing.get(PARAMETERS), standing.get(HYBRID)
    if alone is None:
        return parameters
    found = parameters or {"version": 0, "values": {}, "data": alone.get("data")}
    learned_to = (alone.get("data") or {}).get("to_s")
    return {**found, "hybrid": alone.get("hybrid"), "hybrid_version": alone["version"], "learned_to_s": learned_to}


def _packed(signals: Sequence[int], *batches: Batch) -> bytes:
    return packed([columns for rows in batches for columns in of_rows(rows, signals)])
