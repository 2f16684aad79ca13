"""`gemel init`: look at a broker or at files, and write a first plant file that runs."""

import asyncio
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from gemel.assets import Problem, check
from gemel.assets.draft import Draft, written
from gemel.cli.check import counted
from gemel.cli.init_broker import Found, assets_of, is_filter, listen
from gemel.cli.init_files import assets_in
from gemel.connect.mqtt import mqtt_settings
from gemel.errors import ConfigError
from gemel.sealing.secrets import variable_of

ADDRESS: Final = re.compile(r"^(?:(?:mqtt|mqtts|tcp|ssl)://[^\s/]+|[\w.-]+:\d{1,5})$")
ROOT: Final = re.compile(r"^[\w-]+/[\w-]+$")
SECRET: Final = "field"  # noqa: S105 - the name of a secret
PAST_S: Final = 86_400  # readings older than a day are a replay
SHOWN: Final = 10


@click.command(epilog="Example: gemel init mqtt://127.0.0.1:1883 --out plant")
@click.argument("source", nargs=-1, required=True, metavar="BROKER|FILES...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("plant"),
    show_default=True,
    help="Folder to write to.",
)
@click.option(
    "--plant", "root", default="my/plant", show_default=True, help="Enterprise/site: the head of every path."
)
@click.option(
    "--listen",
    "seconds",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Seconds to listen to a broker.",
)
@click.option(
    "--user", help=f"User at the broker; the password comes from {variable_of(SECRET)}, or is asked for."
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="FILTER",
    help="Listen only to topics that match, such as hall-1/#; repeat it for several [default: all].",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Authority of the broker's certificate (mqtts://).",
)
def command(
    source: tuple[str, ...], out: Path, root: str, seconds: float, user: str | None, topics: tuple[str, ...], ca: Path | None
) -> None:  # fmt: skip
    """Look at a BROKER (mqtt://host:port) or at FILES (CSV, Parquet), and write a first plant file that runs.

    Exit code 1: nothing was found of which a plant could be made.
    """
    if not ROOT.match(root):
        raise click.BadParameter("write it like acme/riverside", param_hint="--plant")
    if wrong := [topic for topic in topics if not is_filter(topic)]:
        raise click.BadParameter(f"{wrong[0]!r} is no topic filter; write it like hall-1/#", param_hint="--topic")
    if (out / "plant.yaml").exists():
        raise ConfigError(f"{out / 'plant.yaml'} is there already", remedy="name another folder with --out")
    if len(source) == 1 and ADDRESS.match(source[0]) and not Path(source[0]).exists():
        found, connection, heard = _broker(source[0], seconds, (user, ca), topics)
        origin = source[0]
    elif topics:
        raise click.UsageError("--topic goes with a broker")
    else:
        files = _files(source)
        found, connection, heard = (
            assets_in(files),
            {"mqtt": "mqtt://127.0.0.1:1883"},
            counted(len(files), "file"),
        )
        origin = ", ".join(f.name for f in files[:3]) + (", …" if len(files) > 3 else "")
    if not found.assets:
        _left_out(found.left_out)
        click.echo(f"nothing to make a plant of in {heard}", err=True)
        sys.exit(1)
    past = found.newest is not None and found.newest < time.time_ns() - PAST_S * 1_000_000_000
    draft = Draft(root, origin, "data" if past else "wall", connection, found.assets)
    problems = _write(draft, out)
    _tell(draft, out, heard, found.left_out, problems)
    _next(source, out, connection)


def _files(names: Sequence[str]) -> list[Path]:
    missing = [name for name in names if not Path(name).is_file()]
    if missing:
        raise click.BadParameter(
            f"{missing[0]!r} is neither a file nor an address such as mqtt://127.0.0.1:1883",
            param_hint="BROKER|FILES",
        )
    return [Path(name) for name in names]


def _broker(
    address: str, seconds: float, who: tuple[str | None, Path | None], topics: Sequence[str]
) -> tuple[Found, dict[str, Any], str]:
    user, ca = who
    url = address if "://" in address else f"mqtt://{address}"
    connection: dict[str, Any] = {"mqtt": url}
    if user is not None:
        connection |= {"user": user, "password": {"secret": SECRET}}
    if ca is not None:
        connection["ca"] = str(ca.absolute())
    options = {key: value for key, value in connection.items() if key != "mqtt"}
    settings = mqtt_settings(url, options, f"gemel-init-{os.getpid()}", _password)
    ears, level = asyncio.run(listen(settings, seconds, topics or ("#",)))
    if level == 4:
        connection["version"] = "3.1.1"
    heard = f"{ears.messages} messages of {len(ears.topics)} topics in {seconds:g} s"
    if ears.beyond:
        heard += f" ({ears.beyond} of further topics not looked at)"
    return assets_of(ears.topics), connection, heard


def _password(name: str) -> str:
    return os.environ.get(variable_of(name)) or click.prompt("Password", hide_input=True, err=True)


def _write(draft: Draft, out: Path) -> list[Problem]:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in written(draft).items():
        (out / name).write_text(text, encoding="utf-8")
    _, problems = check(out)
    return problems


def _tell(draft: Draft, out: Path, heard: str, left_out: Sequence[str], problems: Sequence[Problem]) -> None:
    signals = [s for asset in draft.assets for s in asset.signals]
    click.echo(f"{heard}: {counted(len(draft.assets), 'asset')} with {counted(len(signals), 'signal')}")
    click.echo(f"  wrote    {out / 'plant.yaml'}")
    unknown = sum(s.unit is None and not s.states for s in signals)
    if unknown:
        click.echo(
            f"  units    not known of {counted(unknown, 'signal')}: they stand as 1; put them in before history fills"
        )
    _left_out(left_out)
    for problem in problems:
        click.echo(f"  {problem}", err=True)


def _left_out(places: Sequence[str]) -> None:
    if places:
        more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
        click.echo(f"  left out, neither numbers nor changing words: {', '.join(places[:SHOWN])}{more}")


def _next(source: Sequence[str], out: Path, connection: Mapping[str, Any]) -> None:
    if "password" in connection:
        click.echo(
            f"  secret   set {variable_of(SECRET)} for the twin, or write the password into DATA/secrets/{SECRET}"
        )
    click.echo(f"  next     gemel check {out} && gemel run {out}")
    if Path(source[0]).is_file():
        click.echo(
            f"           with a broker at {connection['mqtt']}, then: gemel replay {out} {source[0]}{' …' if len(source) > 1 else ''}"
        )
