"""`gemel replay --direct`: files of the past straight into the log of a running twin, without a broker."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gemel import sealing
from gemel.assets import Plant, Sources
from gemel.bus import Bus
from gemel.connect.files import FileOptions, FilesConnector
from gemel.errors import ConfigError
from gemel.operate.ingest import Framer, clock_for
from gemel.operate.places import Places, read_running
from gemel.samples import Registry


def direct(
    plant: Plant,
    data: Path,
    files: Sequence[Path],
    options: FileOptions,
    connection: str,
    row_of: Mapping[str, int],
) -> dict[str, Any]:
    """Send files as fast as the log takes them; give how many rows and values are durable.

    `row_of` says for each column of the files which row of the connection's sources it is.
    """
    running = read_running(data)
    if running is None:
        raise ConfigError(f"no twin runs on {data}", remedy="start it first: gemel run PLANT")
    registry = Registry.from_bytes(sealing.read(Places(data).registry))
    sources = by_column(plant.sources(connection, registry), row_of)
    return asyncio.run(_send(running.bus, plant, registry, files, options, sources))


def by_column(sources: Sources, row_of: Mapping[str, int]) -> Sources:
    """Give the sources of the matched signals, addressed by the columns of the files."""
    rows = list(row_of.values())
    none: list[str | None] = [None] * len(rows)
    return replace(
        sources, signal=np.asarray(sources.signal)[rows], topic=list(row_of), path=none, time_path=none, time_unit=none,
        status_path=none,
    )  # fmt: skip


async def _send(
    url: str, plant: Plant, registry: Registry, files: Sequence[Path], options: FileOptions, sources: Sources
) -> dict[str, Any]:
    bus = await Bus.open(url, "replay")
    clock = await clock_for(bus, plant.clock)
    framer = Framer(bus, registry, clock)
    connector = FilesConnector("replay", files, sources, registry, options=options, clock=clock)
    began = time.monotonic()
    cutting = asyncio.create_task(framer.run())
    try:
        await framer.learn()
        await connector.open()
        while not (reading := await connector.read()).ended:
            await framer.add(reading.rows)
            await connector.acknowledge(reading.receipt)
        told = connector.status()
    finally:
        cutting.cancel()
        await asyncio.gather(cutting, return_exceptions=True)
        await connector.close()
        await bus.close()
    return {
        "rows": told.messages, "values": told.values, "sent": told.values, "acknowledged": framer.values,
        "refused": dict(told.refused), "seconds": round(time.monotonic() - began, 3),
    }  # fmt: skip
