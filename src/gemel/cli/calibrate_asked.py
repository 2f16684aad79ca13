"""A calibration that the running twin works on as a job, asked for from the command line."""

import asyncio
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import pyarrow as pa

from gemel.assets import Plant
from gemel.bus import Bus
from gemel.cli.calibrate_release import bus_of
from gemel.cli.lost import tell_lost
from gemel.errors import GemelError
from gemel.face import open as open_twin
from gemel.face.calibrate import asked
from gemel.face.missing import together
from gemel.operate.jobs import Job
from gemel.operate.jobs_ended import ended
from gemel.operate.machine import Line
from gemel.operate.places import Places
from gemel.operate.view_jobs import JobsView

LOOK_S: Final = 0.2


def by_twin(
    data: Path, plant: Plant, asset: str, span: tuple[str | None, str | None], wish: Mapping[str, Any], champion: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Ask for a calibration, wait for its end, give its result with its ``calibration`` (id); raises what it failed by."""
    with open_twin(data) as twin:

        lost = []

        def rows(line: Line) -> pa.Table:
            found = twin.history(line.path, *span, lane=line.spec.lane)
            lost.append(found.missing)
            return found.arrow

        spec, readings = asked(plant, asset, wish, rows, champion)
    tell_lost(together(lost))
    job = asyncio.run(_worked_on(data, spec, readings))
    assert job.ended is not None
    if job.state != "done":
        raise GemelError(job.ended.problem, code=job.ended.code, remedy=job.ended.remedy)
    return {**job.ended.result, "calibration": job.asked.id, "seconds": job.ended.seconds}


async def _worked_on(data: Path, spec: dict[str, Any], readings: bytes) -> Job:
    bus = await Bus.open(bus_of(data), "calibrate")
    try:
        jobs = JobsView(bus, Places(data).jobs)
        spec["attached"] = jobs.kept.attach(readings)
        job = await jobs.ask("calibrate", spec, "gemel calibrate", getpass.getuser())
        job = await ended(jobs, job, every_s=LOOK_S, told=_show)
        if job.ended is None:
            raise GemelError(f"the calibration was {job.state}", code="job-not-done", remedy="ask for it again")
        return job
    finally:
        await bus.close()


def _show(job: Job) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r  {job.state} {100 * job.progress:3.0f} %", nl=job.state == "done", err=True)
