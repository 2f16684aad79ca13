"""What `gemel calibrate` asks of a running twin: its history, and which version of the parameters is in force."""

import asyncio
import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from gemel.bus import Bus
from gemel.errors import ConfigError, ModelError
from gemel.estimate.record import Readings, Record, on_grid
from gemel.operate import view_calibrations
from gemel.operate.following import beside, put
from gemel.operate.machine import Line, Machine
from gemel.operate.places import Places, alive, read_running
from gemel.twin.releases import PARAMETERS

PATIENCE_S: Final = 15.0


def in_force(data: Path, asset: str) -> dict[str, Any] | None:
    """Give the version in force and all others; None where no twin runs."""
    running = read_running(data)
    if running is None or not alive(running.pid):
        return None
    return asyncio.run(_asked(running.bus, {"do": "releases", "asset": asset}))


def release(
    data: Path, asset: str, body: dict[str, Any], *, reason: str, despite_gate: bool
) -> dict[str, Any]:
    """Put parameters in force; raises RefusedError where the gate says no."""
    said = {"do": "release", "asset": asset, "body": body, "despite_gate": despite_gate}
    return asyncio.run(_asked(bus_of(data), {**said, "user": getpass.getuser(), "reason": reason}))


def proposed(data: Path, assets: Sequence[str]) -> list[dict[str, Any]]:
    """Give who runs beside the versions in force of assets: ``asset``, the ``release`` that it would be; raises ConfigError where no twin runs."""
    return asyncio.run(_beside(bus_of(data), assets))


async def _beside(address: str, assets: Sequence[str]) -> list[dict[str, Any]]:
    bus = await Bus.open(address, "release")
    try:
        judged = msgspec.json.decode(await bus.ask("twin.ask", {"do": "judged_until"}, timeout_s=PATIENCE_S))
        found = []
        for asset in (a for a in assets if a in judged):
            last = msgspec.json.decode(await bus.ask("twin.ask", {"do": "judgement", "asset": asset}, timeout_s=PATIENCE_S))
            versions = msgspec.json.decode(await bus.ask("twin.ask", {"do": "releases", "asset": asset}, timeout_s=PATIENCE_S))
            if shadow := beside(last, view_calibrations.in_force(versions["items"])):
                found.append({"asset": asset, "release": put(shadow)})
        return found
    finally:
        await bus.close()


def words(told: Mapping[str, Any]) -> str:
    """Say what is in force, as the twin tells it after a release or a roll-back."""
    values = ", ".join(f"{name} {value:.6g}" for name, value in told["values"].items())
    learned = [f"version {v['version']} of its {v['kind']}" for v in told["items"] if v["state"] == "in_force" and v["kind"] != PARAMETERS]
    first = f"version {told['version']} is in force: {values}" if told["version"] else "what the plant file says is in force"
    return "; with ".join([first, *learned])


def roll_back(data: Path, asset: str, reason: str) -> dict[str, Any]:
    """Take back what is in force."""
    body = {"do": "roll_back", "asset": asset, "user": getpass.getuser(), "reason": reason}
    return asyncio.run(_asked(bus_of(data), body))


def from_history(
    data: Path, machine: Machine, start: str | None, end: str | None, step_s: float | None
) -> list[Record]:
    """Read records of a machine from the history of its twin, whether it runs or not, weighted by status."""
    from gemel.cli.lost import tell_lost
    from gemel.face import open as open_twin
    from gemel.face.missing import together

    if not Places(data).registry.exists():
        raise ConfigError(
            f"no data of a twin in {data}", code="no-data", remedy="give files with --data, or run it first"
        )
    lines = (*machine.inputs, *machine.outputs)
    with open_twin(data) as twin:
        tables = [twin.history(line.path, start, end, lane=line.spec.lane) for line in lines]
    read = [_readings(line, table.arrow) for line, table in zip(lines, tables, strict=True)]
    tell_lost(together(table.missing for table in tables))
    if not all(len(r.times) for r in read):
        empty = next(line.path for line, r in zip(lines, read, strict=True) if not len(r.times))
        raise ModelError(
            f"the history has nothing of {empty} in that time",
            code="no-readings",
            remedy="give --start and --end",
        )
    inputs, outputs = read[: len(machine.inputs)], read[len(machine.inputs) :]
    dt = step_s or float(np.median(np.diff(outputs[0].times))) / 1e9
    hold = max(line.spec.stale_after_ns for line in machine.inputs) / 1e9 if machine.inputs else dt
    return on_grid(inputs, outputs, dt, max(hold, dt))


def _readings(line: Line, rows: pa.Table) -> Readings:
    rows = rows.sort_by("time")
    times = np.asarray(rows["time"].cast(pa.int64()).to_numpy(), np.int64)
    newest = np.append(times[1:] != times[:-1], True) if len(times) else np.zeros(0, np.bool_)
    values = np.asarray(rows["value"].to_numpy(), np.float64)
    status = np.asarray(rows["status"].to_numpy(), np.uint32)
    return Readings(times[newest], line.si(values[newest]), status[newest])


def bus_of(data: Path) -> str:
    """Give the way to the bus of the twin that runs; raises ConfigError where none does."""
    running = read_running(data)
    if running is None or not alive(running.pid):
        raise ConfigError(
            "the twin does not run: its record takes no facts", code="twin-away", remedy="gemel run PLANT"
        )
    return running.bus


async def _asked(address: str, body: dict[str, Any]) -> dict[str, Any]:
    bus = await Bus.open(address, "calibrate")
    try:
        return dict(msgspec.json.decode(await bus.ask("twin.ask", body, timeout_s=PATIENCE_S)))
    finally:
        await bus.close()
