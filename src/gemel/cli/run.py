"""`gemel run`: the twin of a plant, until Ctrl-C."""

import os
import shlex
import sys
import threading
from pathlib import Path

import click

from gemel.assets import Plant
from gemel.config import Settings, data_dir
from gemel.config.memory import give_back
from gemel.config.settings import READY, integer
from gemel.config.supervise import guard, prepare, wait_ready
from gemel.errors import ConfigError
from gemel.operate.places import Places
from gemel.operate.sealed import check_sealed, seal_data, seal_log

DAY_S = 86_400


@click.command(epilog="Example: gemel run examples/water-loop --port 8090")
@click.argument("plant", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory [default: ~/.local/share/gemel/<plant>]."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Port of the page and the API.")
@click.option(
    "--reserve",
    type=int,
    help="Free bytes of disk below which nothing more is taken from the sources [default: the lesser of 10 % and 5 GB].",
)
@click.option("--key", default="", metavar="NAME", help="Secret that new data are sealed with, all of them.")
@click.option("--log-key", default="", metavar="NAME", help="Secret that only the log of new data is sealed with.")
@click.option("--tls-certificate", default="", help="PEM file, to serve HTTPS.")
@click.option("--tls-key", default="", help="PEM file with its key.")
def command(
    plant: Path,
    data: Path | None,
    host: str,
    port: int,
    reserve: int | None,
    key: str,
    log_key: str,
    tls_certificate: str,
    tls_key: str,
) -> None:
    """Run the twin of PLANT, a folder with a plant.yaml, until Ctrl-C."""
    settings = Settings(
        plant=str(plant.absolute()), data=str(data_dir(plant, data)), host=host, port=port,
        reserve_bytes=integer("GEMEL_RESERVE_BYTES", 5 << 30) if reserve is None else reserve,
        log_bytes=integer("GEMEL_LOG_BYTES", 16 << 30), ready=integer("GEMEL_READY", READY), tls_certificate=tls_certificate, tls_key=tls_key,
    )  # fmt: skip
    check_credentials(settings)
    _sealed(Places(Path(settings.data)), key, log_key)
    site = prepare(settings)
    announce(settings, site.plant, site.additions, site.first)
    if site.first:
        click.echo(
            f"  reboot   to start with the machine: a systemd unit with Restart=always and ExecStart={again(settings)}"
        )
    del site  # what it needed to look at the plant file is for the family
    give_back()
    sys.exit(watched(settings))


def _sealed(places: Places, key: str, log_key: str) -> None:
    """Seal new data where that is asked for; refuse here, in words, what could not be opened later."""
    if key:
        seal_data(places, key)
    elif log_key:
        seal_log(places, log_key)
    check_sealed(places)


def check_credentials(settings: Settings) -> None:
    """Refuse to be reachable from elsewhere while nobody has a password."""
    if settings.host in {"127.0.0.1", "::1", "localhost"} or (Path(settings.data) / "users.json").exists():
        return
    raise ConfigError(
        f"on {settings.host} anybody could come in, and no user is set", code="no-credentials",
        remedy=f"gemel user add NAME --role engineer --data {settings.data}",
    )  # fmt: skip


def announce(settings: Settings, plant: Plant, additions: list[str], first: bool) -> None:
    """Say where everything is, and what happens by default."""
    places = Places(Path(settings.data))
    click.echo(f"{plant.title or plant.root}")
    click.echo(f"  data     {places.data}" + ("" if first else "  (goes on from what is there)"))
    click.echo(f"  logs     {places.logs}")
    kept = ", ".join(f"{name} {seconds / DAY_S:g} days" for name, seconds in plant.retention.items())
    click.echo(f"  history  kept: {kept}; whole days are dropped after that")
    click.echo(
        f"  display  times in {plant.timezone}; stored in UTC"
        + ("; plant time follows the data" if plant.clock == "data" else "")
    )
    for addition in additions:
        click.echo(f"  applied  {addition}")


def again(settings: Settings) -> str:
    """Give the command line that runs this twin again, from anywhere."""
    words = [sys.executable, "-m", "gemel", "run", settings.plant, "--data", settings.data]
    words += ["--host", settings.host, "--port", str(settings.port)]
    if settings.tls_certificate:
        words += ["--tls-certificate", settings.tls_certificate, "--tls-key", settings.tls_key]
    return shlex.join(words)


def watched(settings: Settings) -> int:
    """Guard the family, and say when the page answers."""

    def ready() -> None:
        if wait_ready(settings, 60, lambda: not done.is_set()):
            click.secho(f"  page     {settings.url}", bold=True)
            click.echo("  Ctrl-C stops it cleanly")
        elif not done.is_set():
            click.secho(
                f"  the page does not answer; see {settings.data}/logs or: gemel doctor --data {settings.data}",
                fg="red",
            )

    done = threading.Event()
    threading.Thread(target=ready, daemon=True).start()
    try:
        return guard(settings, lambda words: click.echo(f"  {words}", err=True))
    finally:
        done.set()
        if os.isatty(1):
            click.echo("stopped")
