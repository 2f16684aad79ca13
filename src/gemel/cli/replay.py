"""`gemel replay`: files of the past, sent through a broker as the plant would have sent them."""

import asyncio
import json as jsonlib
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from gemel.assets import Plant, load, secret
from gemel.cli.columns import mapped, pairs, timed
from gemel.config import data_dir
from gemel.connect.columns import match_columns
from gemel.connect.compose import Shape, shapes
from gemel.connect.files import FileOptions, Files
from gemel.connect.mqtt import MqttSettings, Publisher, mqtt_settings
from gemel.connect.pace import Pace
from gemel.connect.replay import play
from gemel.errors import ConfigError

CONNECT_S = 10.0


class _Speed(click.ParamType[float]):
    name = "X|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip().lower()
        try:
            speed = math.inf if text in ("max", "inf") else float(text.removesuffix("x"))
        except ValueError:
            speed = math.nan
        if not speed > 0:
            self.fail(f"{value!r} is no speed: write a number of times real time, or max", param, ctx)
        return speed


class _Seconds(click.ParamType[float]):
    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(str(value).strip().removesuffix("s").strip())
        except ValueError:
            seconds = math.nan
        if not seconds >= 0:
            self.fail(f"{value!r} is no pause: write seconds, as 5 s", param, ctx)
        return seconds


@click.command(epilog="Example: gemel replay examples/water-loop skab/valve1/*.csv --speed 100")
@click.argument("plant", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--speed", type=_Speed(), default=1.0, help="Times real time, or max.  [default: 1]")
@click.option("--broker", help="Address of the broker [default: that of the connection].")
@click.option("--connection", help="Connection of the plant file [default: the only one].")
@mapped
@click.option("--max-pause", type=_Seconds(), default=5.0, help="Longest pause on the wall.  [default: 5 s]")
@timed
@click.option("--time-format", help="Of times that are not ISO 8601, as in '%d.%m.%Y %H:%M'.")
@click.option(
    "--direct", is_flag=True, help="Straight into the log of the running twin, as fast as it takes them."
)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory, where secrets may lie.")
@click.option("--json", "as_json", is_flag=True, help="Report as one JSON object on the last line.")
def command(
    plant: Path, files: tuple[Path, ...], speed: float, broker: str | None, connection: str | None,
    mapping: tuple[str, ...], max_pause: float, time_column: str | None, time_unit: str | None,
    time_format: str | None, direct: bool, data: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Send FILES (CSV, Parquet) through a broker, as the devices of PLANT would have sent them.

    Rows are sorted by time across files; a column is matched with a signal by path, by the last key of its JSON
    path, or by name.
    """
    described = load(plant)
    name = _connection(described, connection)
    options = FileOptions(time_column, time_unit, time_format)
    found = Files(files, options)
    sources = described.sources(name, described.registry())
    matched = match_columns(found.names, sources, described.registry(), pairs(mapping))
    if not matched.row_of:
        raise ConfigError(
            f"no column of the files is a signal of {name}",
            remedy=f"say which with --map COLUMN=SIGNAL; the columns are {', '.join(found.names)}",
        )
    if matched.left_over:
        click.echo(f"not sent, for no signal asks for them: {', '.join(matched.left_over)}", err=True)
    if direct:
        from gemel.cli.replay_direct import direct as send

        report = send(described, data_dir(plant, data), files, options, name, matched.row_of)
        words = f"{report['rows']} rows, {report['acknowledged']} values durable in the log, in {report['seconds']:.1f} s"
    else:
        settings = _settings(described, name, broker, data_dir(plant, data))
        planned = shapes(sources, matched.row_of)
        report = asyncio.run(_replay(found, planned, Pace(speed, max_pause), settings))
        words = _words(report, settings)
    report |= {"columns": sorted(matched.row_of), "left_over": list(matched.left_over)}
    click.echo(jsonlib.dumps(report) if as_json else words)
    if report["acknowledged"] < report["sent"]:
        sys.exit(1)


async def _replay(
    files: Files, planned: Sequence[Shape], pace: Pace, settings: MqttSettings
) -> dict[str, Any]:
    publisher = Publisher(settings)
    await publisher.open(CONNECT_S)
    began = time.monotonic()
    try:
        with click.progressbar(
            length=files.length, label="replay", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            played = await play(files, planned, pace, publisher, progress=bar.update)
        delivery = await publisher.settle()
    finally:
        await publisher.close()
    return {
        "rows": played.rows, "values": played.values, "sent": delivery.sent, "acknowledged": delivery.acknowledged,
        "refused": delivery.refused, "rows_without_time": files.timeless, "topics": [s.topic for s in planned],
        "first": _iso(files.first), "last": _iso(files.last), "seconds": round(time.monotonic() - began, 3),
    }  # fmt: skip


def _connection(plant: Plant, wanted: str | None) -> str:
    names = [name for name, c in plant.connections.items() if c.protocol == "mqtt"]
    if wanted is not None and wanted not in names:
        raise ConfigError(
            f"the plant has no MQTT connection {wanted!r}", remedy=f"it has {', '.join(names) or 'none'}"
        )
    if wanted is None and len(names) != 1:
        raise ConfigError(
            f"the plant has {len(names)} MQTT connections",
            remedy="say which with --connection " + "|".join(names),
        )
    return wanted or names[0]


def _settings(plant: Plant, name: str, broker: str | None, data: Path) -> MqttSettings:
    connection = plant.connections[name]
    settings = mqtt_settings(
        broker or connection.url,
        connection.options,
        f"gemel-replay-{os.getpid()}",
        lambda wanted: secret(wanted, data),
    )
    return replace(
        settings, client_id=f"gemel-replay-{os.getpid()}"
    )  # never the twin's own: it would throw it out


def _words(report: dict[str, Any], settings: MqttSettings) -> str:
    return (
        f"{report['rows']} rows from {report['first']} to {report['last']}: {report['sent']} messages with "
        f"{report['values']} values sent to {settings.host}:{settings.port}, {report['acknowledged']} acknowledged, "
        f"in {report['seconds']:.1f} s"
    )


def _iso(time_ns: int) -> str:
    return f"{np.datetime64(time_ns, 'ns')}Z"
