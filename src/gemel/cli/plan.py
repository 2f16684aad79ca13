"""`gemel plan`: what a changed plant file would do, and what would be lost; with --apply it is done, also while the twin runs."""

import asyncio
import getpass
import json as jsonlib
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from gemel.assets import Plant, load
from gemel.bus import Bus
from gemel.config import data_dir
from gemel.config.apply import apply, check_plan, former_site
from gemel.config.lock import lock
from gemel.config.versions import Versions
from gemel.operate.applying import SUBJECT, told
from gemel.operate.places import Places, Running, alive, read_running

PATIENCE_S: Final = 120.0  # a million assets are read by the twin, too
MARKS: Final = {"added": "+", "removed": "-", "impossible": "!"}


@click.command(epilog="Example: gemel plan examples/water-loop --apply")
@click.argument("plant", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data directory of the twin.")
@click.option("--apply", "doing", is_flag=True, help="Apply it; a running twin goes on running.")
@click.option("--accept-loss", is_flag=True, help="Apply also what loses something.")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    plant: Path, data: Path | None, doing: bool, accept_loss: bool, reason: str, as_json: bool
) -> None:
    """Compare PLANT, a folder with a plant.yaml, with what its twin has applied: what changes, what would be lost.

    Exit code 0: nothing is to be done, or it was done; 1: there are changes; 2: they cannot be applied, or what they
    lose was not accepted.
    """
    folder = plant if plant.is_dir() else plant.parent
    places = Places(data_dir(folder, data))
    read, running = load(folder), _running(places)
    former = former_site(places, Versions(places))
    if former is None:
        click.echo(f"nothing is applied on {places.data} yet; gemel run {folder} does it", err=True)
        sys.exit(1)
    found = read.planned_from(former.plant)
    report = {**told(found, read.digest, applied=False), "running": running is not None}
    if not as_json:
        _show(report)
    if doing:
        check_plan(found, folder, accept_loss=accept_loss)
        report |= _applied(folder, read, places, running, {"accept_loss": accept_loss, "reason": reason})
        if not as_json:
            _say_applied(report)
    if as_json:
        click.echo(jsonlib.dumps(report))
    sys.exit(1 if report["changes"] and not report["applied"] else 0)


def _running(places: Places) -> Running | None:
    running = read_running(places.data)
    return running if running is not None and alive(running.pid) else None


def _applied(
    folder: Path, plant: Plant, places: Places, running: Running | None, how: dict[str, Any]
) -> dict[str, Any]:
    if running is None:
        with lock(places):
            site = apply(
                folder, places, accept_loss=how["accept_loss"], actor=getpass.getuser(), reason=how["reason"]
            )
        return {"applied": bool(site.additions), "registry": site.registry.digest}
    Versions(places).stage(folder, plant)
    body = {"do": "apply", "digest": plant.digest, "user": getpass.getuser(), **how}
    return asyncio.run(_asked(running, body))


async def _asked(running: Running, body: dict[str, Any]) -> dict[str, Any]:
    bus = await Bus.open(running.bus, "plan")
    try:
        return dict(msgspec.json.decode(await bus.ask(SUBJECT, body, timeout_s=PATIENCE_S)))
    finally:
        await bus.close()


def _show(report: dict[str, Any]) -> None:
    for step in report["steps"]:
        click.echo(f"{MARKS.get(step['kind'], '~')} {step['words']}")
        if step["loss"]:
            click.secho(f"    {step['loss']}", fg="red" if step["kind"] == "impossible" else "yellow")
    if not report["changes"]:
        click.echo("nothing changes")


def _say_applied(report: dict[str, Any]) -> None:
    if not report["applied"]:
        return
    when = (
        "in force; the twin went on running" if report["running"] else "it takes effect when the twin starts"
    )
    click.secho(f"applied: {when}", fg="green")
