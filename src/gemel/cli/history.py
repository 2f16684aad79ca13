"""`gemel history`: ask the history, or export it; a running twin is asked, else its lake is read."""

import json
import sys
from pathlib import Path
from typing import TextIO

import click

from gemel.cli.ask_history import Answer, Source, choose, open_source
from gemel.config import data_dir
from gemel.connect.times import parse_iso
from gemel.samples.clock import SECOND
from gemel.samples.units import quantity


@click.command(epilog="Example: gemel history plant --signal pump-1/flow --start 2026-11-21 --interval 1min --aggregate mean")
@click.argument("plant", type=click.Path(path_type=Path))
@click.option("--signal", "signals", multiple=True, metavar="PATH", help="A signal; its last parts are enough, * stands for any.")
@click.option("--start", help="First time, such as 2026-11-21T08:00:00Z [default: an hour before the end].")
@click.option("--end", help="The time after the last [default: after the newest reading].")
@click.option("--points", type=click.IntRange(2), help="Decimate as for a trend so many pixels wide; spikes stay.")
@click.option("--interval", help="One value an interval, such as 60s or 1min.")
@click.option("--aggregate", default="mean", show_default=True, type=click.Choice(["mean", "min", "max", "count", "last", "worst"]), help="With --interval.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write all readings as CSV; - is the output.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the output.")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory of the twin [default: the plant's].")
def command(
    plant: Path, signals: tuple[str, ...], start: str | None, end: str | None, points: int | None, interval: str | None,
    aggregate: str, csv_file: str | None, as_json: bool, data: Path | None,
) -> None:  # fmt: skip
    """Show what was measured. Without --signal: what there is."""
    if points and interval:
        raise click.UsageError("give --points or --interval, not both")
    with open_source(data_dir(plant, data)) as source:
        if not signals:
            _show_list(source, as_json)
            return
        chosen = choose(source.registry, signals)
        until = source.newest() + 1 if end is None else _time(end)
        since = until - 3600 * SECOND if start is None else _time(start)
        if csv_file:
            _export(source, chosen, since, until, csv_file)
            return
        span = None if interval is None else int(quantity(interval, "s") * SECOND)
        answers = [source.ask(signal, since, until, points, span, aggregate) for signal in chosen]
    if as_json:
        click.echo(json.dumps({"items": [a.as_json() for a in answers]}))
    else:
        for answer in answers:
            _show(answer)
    sys.exit(0 if any(len(a.time) for a in answers) else 1)


def _time(text: str) -> int:
    try:
        return parse_iso(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-21T08:00:00Z") from error


def _show_list(source: Source, as_json: bool) -> None:
    paths = source.registry.paths
    if as_json:
        click.echo(json.dumps({"items": paths}))
        return
    for path in paths:
        click.echo(path)


def _show(answer: Answer) -> None:
    click.secho(f"{answer.path} [{answer.unit or '1'}]", bold=True)
    for time, value, status in answer.texts():
        click.echo(f"  {time}  {value:>14}  {status}")
    if not len(answer.time):
        click.echo("  nothing in that time")


def _export(source: Source, chosen: list[int], since: int, until: int, csv_file: str) -> None:
    def export(out: TextIO) -> int:
        return source.export(chosen, since, until, out)

    if csv_file == "-":
        export(sys.stdout)
        return
    with Path(csv_file).open("w", encoding="utf-8", newline="") as out:
        rows = export(out)
    click.echo(f"{rows} readings written to {csv_file}", err=True)


