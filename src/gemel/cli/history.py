"""`gemel history`: ask the history, or export it; where the twin runs, its last seconds are in it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import numpy as np

from gemel.cli.lost import tell_lost
from gemel.cli.source import asking, opened
from gemel.connect.times import parse_iso
from gemel.errors import NotFoundError
from gemel.samples import status as statuses
from gemel.samples.clock import SECOND, iso
from gemel.samples.units import quantity

if TYPE_CHECKING:
    from gemel.face import Table, Twin
    from gemel.face.transport import Answer

FORMS: Final = ("csv", "parquet", "arrow")


@click.command(epilog="Example: gemel history plant --signal pump-1/flow --start 2026-11-21 --interval 1min --aggregate mean")
@asking
@click.option("--signal", "signals", multiple=True, metavar="PATH", help="A signal; its last parts are enough, * stands for any.")
@click.option("--start", help="First time, such as 2026-11-21T08:00:00Z [default: an hour before the end].")
@click.option("--end", help="The time after the last [default: after the newest reading].")
@click.option("--points", type=click.IntRange(2), help="Decimate as for a trend so many pixels wide; spikes stay.")
@click.option("--interval", help="One value an interval, such as 60s or 1min.")
@click.option("--aggregate", default="mean", show_default=True, type=click.Choice(["mean", "time_weighted_mean", "min", "max", "count", "last", "worst"]), help="With --interval.")
@click.option("--how", type=click.Choice(["last", "linear", "mean"]), help="Signals side by side, each --interval or --on a signal: the newest usable reading, between two, or the mean.")
@click.option("--on", metavar="PATH", help="With --how: a row at each reading of this signal.")
@click.option("--tolerance", help="With --how: how long a reading holds [default: each signal's stale_after].")
@click.option("--lane", type=click.Choice(["override", "measured", "estimated", "simulated"]), help="Of these properties [default: measured].")
@click.option("--csv", metavar="FILE", help="Write all readings, or the table of --how, as CSV; - is the output.")
@click.option("--parquet", metavar="FILE", help="The same as Parquet.")
@click.option("--arrow", metavar="FILE", help="The same as an Arrow stream.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the output.")
def command(
    plant: str, data: Path | None, user: str | None, password_stdin: bool, ca: Path | None, signals: tuple[str, ...],
    **asked: Any,
) -> None:  # fmt: skip
    """Show what was measured. Without --signal: what there is."""
    files = [(form, asked[form]) for form in FORMS if asked[form]]
    _check(asked, files)
    with opened(plant, data, user, password_stdin, ca) as twin:
        if not signals:
            _show_list(twin, asked["as_json"])
            return
        until = twin.now + 1 if asked["end"] is None else _time(asked["end"])
        since = until - 3600 * SECOND if asked["start"] is None else _time(asked["start"])
        try:
            _answer(twin, list(signals), (since, until), asked, files)
        except NotFoundError as e:
            raise NotFoundError(e.message, code=e.code, remedy="gemel history PLANT lists them") from e


def _check(asked: dict[str, Any], files: list[tuple[str, str]]) -> None:
    if asked["points"] and asked["interval"]:
        raise click.UsageError("give --points or --interval, not both")
    if len(files) > 1:
        raise click.UsageError("give one of --csv, --parquet and --arrow")
    if (asked["on"] or asked["tolerance"]) and not asked["how"]:
        raise click.UsageError("--on and --tolerance go with --how")


def _answer(
    twin: "Twin", signals: list[str], span: tuple[int, int], asked: dict[str, Any], files: list[tuple[str, str]]
) -> None:
    width = None if asked["interval"] is None else quantity(asked["interval"], "s")
    lane = asked["lane"]
    if asked["how"]:
        tolerance = None if asked["tolerance"] is None else quantity(asked["tolerance"], "s")
        pieces = twin.pieces(
            "/history/aligned", signals, span, files[0][0] if files else "csv", lane=lane, every=width, on=asked["on"],
            how=asked["how"], tolerance=tolerance,
        )  # fmt: skip
        _write(pieces, *(files[0] if files else ("csv", "-")), "rows")
        return
    if files:
        _write(twin.pieces("/history/export", signals, span, files[0][0], lane=lane), *files[0], "readings")
        return
    paths = twin.paths(signals, lane)
    tables = [
        (p, twin.history(p, *span, points=asked["points"], every=width, aggregate=asked["aggregate"], lane=lane)) for p in paths
    ]
    units = dict(zip(twin.signals()["path"], twin.signals()["unit"], strict=True)) if any(not len(t) for _, t in tables) else {}
    if asked["as_json"]:
        click.echo(json.dumps({"items": [_as_json(path, table, units) for path, table in tables]}))
    else:
        for path, table in tables:
            _show(path, table, units)
    sys.exit(0 if any(len(t) for _, t in tables) else 1)


def _time(text: str) -> int:
    try:
        return parse_iso(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-21T08:00:00Z") from error


def _show_list(twin: "Twin", as_json: bool) -> None:
    paths = list(dict.fromkeys(twin.signals()["path"]))
    if as_json:
        click.echo(json.dumps({"items": paths}))
        return
    for path in paths:
        click.echo(path)


def _rows(table: "Table") -> Iterator[tuple[str, float | None, int]]:
    times = table.arrow["time"].cast("int64").to_pylist()
    return zip(map(iso, times), table["value"], table["status"], strict=True)


def _unit(path: str, table: "Table", units: dict[str, str]) -> str:
    return str(table["unit"][0]) if len(table) else units.get(path, "")


def _as_json(path: str, table: "Table", units: dict[str, str]) -> dict[str, Any]:
    """Give a signal as GET /api/v1/history does, with times as text."""
    time, value, status = (list(column) for column in zip(*_rows(table), strict=True)) if len(table) else ([], [], [])
    missing = [{"start": f"{start}Z", "end": f"{end}Z"} for start, end in table.missing]
    return {"signal": path, "unit": _unit(path, table, units), "time": time, "value": value, "status": status, "missing": missing}


def _show(path: str, table: "Table", units: dict[str, str]) -> None:
    click.secho(f"{path} [{_unit(path, table, units) or '1'}]", bold=True)
    for time, value, status in _rows(table):
        shown = "-" if value is None or np.isnan(value) else f"{value:.10g}"
        click.echo(f"  {time}  {shown:>14}  {statuses.name(status)}")
    if not len(table):
        click.echo("  nothing in that time")
    tell_lost(table.missing)


def _write(pieces: "Answer", form: str, file: str, what: str) -> None:
    if file == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        tell_lost(pieces.missing)
        return
    lines = -1
    with Path(file).open("wb") as out:
        for piece in pieces:
            out.write(piece)
            lines += piece.count(b"\n")
    told = f"{lines} {what}" if form == "csv" else f"{Path(file).stat().st_size} bytes"
    click.echo(f"{told} written to {file}", err=True)
    tell_lost(pieces.missing)
