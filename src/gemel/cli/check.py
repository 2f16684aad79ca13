"""`gemel check`: everything that is wrong in a plant file, and what the plant will write."""

import json as jsonlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gemel.assets import Plant, Problem, check
from gemel.assets.schema import printed
from gemel.assets.volume import ASSUMED_S, DAY_S, lasts_days
from gemel.config import data_dir
from gemel.operate.models_check import model_problems

COLOURS = {"error": "red", "warning": "yellow"}


def _print_schema(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(printed(), nl=False)
        ctx.exit()


@click.command(epilog="Example: gemel check examples/water-loop")
@click.argument("plant", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data directory whose disk is looked at.")
@click.option("--models", is_flag=True, help="Compute with its dynamic models too: shapes, dimensions, numbers, jumps.")
@click.option("--json", "as_json", is_flag=True, help="Report as one JSON object.")
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_print_schema,
    help="Print the JSON Schema of plant files, for an editor, and end.",
)  # fmt: skip
def command(plant: Path, data: Path | None, models: bool, as_json: bool) -> None:
    """Read PLANT, a folder with a plant.yaml, and report everything that is wrong, with file and line.

    Exit code 0: it can be run (warnings may stand); 1: it cannot; 2: no such file.
    """
    folder = plant if plant.is_dir() else plant.parent
    read, problems = check(folder)
    if read is not None:
        problems = sorted([*problems, *model_problems(read, folder, models)], key=lambda p: (p.file, p.line))
        read = None if any(p.severity == "error" for p in problems) else read
    report = _report(read, problems, folder, data)
    if as_json:
        click.echo(jsonlib.dumps(report))
    else:
        _tell(problems)
        click.echo("\n".join(_words(report)))
    sys.exit(0 if read is not None else 1)


def _report(
    plant: Plant | None, problems: Sequence[Problem], folder: Path, data: Path | None
) -> dict[str, Any]:
    counts = {kind: sum(p.severity == kind for p in problems) for kind in COLOURS}
    report: dict[str, Any] = {
        "ok": plant is not None, "errors": counts["error"], "warnings": counts["warning"],
        "problems": [p.as_dict() for p in problems],
    }  # fmt: skip
    if plant is None:
        return report
    volume, place = plant.volume(), data_dir(folder, data)
    free = _free(place)
    return report | {
        "plant": plant.root, "examples": _examples(plant), "assets": len(plant.assets), "signals": len(plant.layout), "commands": len(plant.commands),
        "values_per_day": round(volume.values_per_day), "bytes_per_day": round(volume.bytes_per_day),
        "signals_without_interval": volume.unknown, "kept_bytes": round(volume.kept_bytes),
        "retention_days": {name: seconds / DAY_S for name, seconds in plant.retention.items()},
        "data": str(place), "free_bytes": free, "disk_lasts_days": lasts_days(volume, free),
    }  # fmt: skip


def _examples(plant: Plant) -> int:
    """Count the examples that were run, those of a type once."""
    kinds = {t.type: t for t in plant.templates}
    return sum(lane.examples for t in kinds.values() for s in t.signals for lane in s.lanes)


def _free(place: Path) -> int:
    """Give the free bytes of the disk that a directory lies on or will lie on."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _tell(problems: Sequence[Problem]) -> None:
    for problem in problems:
        where = f"{_short(problem.file)}:{problem.line}" if problem.line else _short(problem.file)
        severity = click.style(problem.severity, fg=COLOURS[problem.severity])
        click.echo(f"{where}: {severity}: {problem.message}\n    {problem.remedy}")


def _short(file: str) -> str:
    here = Path.cwd()
    path = Path(file).absolute()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _words(report: dict[str, Any]) -> list[str]:
    found = f"{counted(report['errors'], 'error')}, {counted(report['warnings'], 'warning')}"
    if not report["ok"]:
        return [f"{found}: this plant cannot be run"]
    kept = ", ".join(f"{name} {days:g} days" for name, days in report["retention_days"].items())
    parts = (counted(report[f"{kind}s"], kind) for kind in ("asset", "signal", "command"))
    held = report["examples"]
    examples = [f"  examples {held:,} beside expressions and rules, all hold"] if held else []
    return [
        f"{report['plant']}: {', '.join(parts)}; {found}",
        *examples,
        f"  writes   about {report['values_per_day']:,} values and {_size(report['bytes_per_day'])} a day"
        + _assumed(report["signals_without_interval"]),
        f"  history  kept: {kept}; that is up to {_size(report['kept_bytes'])}",
        f"  disk     {_size(report['free_bytes'])} free for {report['data']}: {_lasting(report['disk_lasts_days'])}",
    ]


def counted(n: int, word: str) -> str:
    """Give a number of things in words."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _assumed(unknown: int) -> str:
    if not unknown:
        return ""
    return f" ({counted(unknown, 'signal')} without interval: one reading each {ASSUMED_S:g} s assumed)"


def _lasting(days: float | None) -> str:
    if days is None:
        return "it holds all that is kept"
    return click.style(f"it is full after {days:,.0f} days", fg="yellow") + "; shorten retention, or add disk"


def _size(n: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:,.0f} {unit}" if unit == "bytes" else f"{n:,.3g} {unit}"
        n /= 1000
    return f"{n:,.3g} TB"
