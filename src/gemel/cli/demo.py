"""`gemel demo`: a pumping station that speaks MQTT, a broker for it, and its twin."""

import contextlib
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
import msgspec

from gemel.bus.server import die_with_parent, free_port
from gemel.cli.run import announce, watched
from gemel.config import Settings, data_dir
from gemel.config.settings import READY, integer
from gemel.config.supervise import prepare
from gemel.durable import write_atomic
from gemel.operate.family import python
from gemel.operate.places import Places
from gemel.serve.users import Role, Users
from gemel.testing.broker import Broker
from gemel.testing.station import PLANT

PEOPLE: Final[dict[str, Role]] = {"olga": "operator", "emil": "engineer"}


@click.command(epilog="Example: gemel demo --speed 10")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data directory [default: ~/.local/share/gemel/gemel-riverside].",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Port of the page and the API.")
@click.option("--broker-port", type=int, help="Port of the demo's MQTT broker [default: a free one].")
@click.option(
    "--speed", default=1.0, show_default=True, help="How many times faster than real time the station lives."
)
@click.option("--seed", default=1, show_default=True, help="Of the station's noise.")
def command(
    data: Path | None, host: str, port: int, broker_port: int | None, speed: float, seed: int
) -> None:
    """Start a pumping station and its twin, and say where to look."""
    folder = data_dir(PLANT, data)
    if data is None and speed != 1:  # another clock: data of its own
        folder = folder.with_name(f"{folder.name}-x{speed:g}")
    places = Places(folder)
    places.make()
    broker_port = broker_port or _former_port(places) or free_port()
    plant = _plant(places, broker_port, speed)
    settings = Settings(
        plant=str(plant), data=str(folder), host=host, port=port, reserve_bytes=integer("GEMEL_RESERVE_BYTES", 5 << 30),
        log_bytes=integer("GEMEL_LOG_BYTES", 4 << 30), ready=integer("GEMEL_READY", READY),
    )  # fmt: skip
    site = prepare(settings)
    announce(settings, site.plant, site.additions, site.first)
    _people(places)
    _reason()
    with _plant_processes(places, broker_port, speed, seed):
        click.echo(
            f"  broker   mqtt://127.0.0.1:{broker_port}  (try: mosquitto_sub -p {broker_port} -t '{site.plant.root}/#' -v)"
        )
        sys.exit(watched(settings))


def _former_port(places: Places) -> int | None:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return int(msgspec.json.decode((places.data / "demo.json").read_bytes())["broker_port"])
    return None


def _plant(places: Places, broker_port: int, speed: float) -> Path:
    """Copy the station's plant file, with the broker's address filled in."""
    folder = places.data / "plant"
    folder.mkdir(exist_ok=True)
    for file in PLANT.iterdir():
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    text = (folder / "plant.yaml").read_text(encoding="utf-8")
    text = text.replace("mqtt://127.0.0.1:1883", f"mqtt://127.0.0.1:{broker_port}")
    if speed != 1:
        text = text.replace("clock: wall", "clock: data")
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    write_atomic(places.data / "demo.json", msgspec.json.encode({"broker_port": broker_port}))
    return folder


def _people(places: Places) -> None:
    """Make an operator and an engineer, and print their passwords once."""
    users = Users(places.data / "users.json")
    known = set(users.all())
    if known:
        click.echo(
            "  people   "
            + ", ".join(sorted(known))
            + "  (passwords were printed at the first start; gemel user add sets a new one)"
        )
        return
    for name, role in PEOPLE.items():
        password = secrets.token_urlsafe(9)
        users.add(name, role, password)
        click.echo(f"  {role:<9}{name}  password {password}")


def _reason() -> None:
    """Say what there is not to be seen where nothing can be computed with the pumps' dynamic model."""
    if find_spec("jax") is None:
        click.echo("  estimates  none: JAX is not installed. Virtual sensors, what-ifs and calibration need: pip install 'gemel[reason]'")


@contextlib.contextmanager
def _plant_processes(places: Places, broker_port: int, speed: float, seed: int) -> Iterator[None]:
    """Run the broker and the station beside the twin; start the station again where it ends."""
    ending = threading.Event()
    station: list[subprocess.Popen[bytes]] = []

    def live() -> None:
        while not ending.is_set():
            with (places.logs / "station.log").open("ab") as out:
                argv = python(
                    "gemel.testing.station",
                    "--broker",
                    f"mqtt://127.0.0.1:{broker_port}",
                    "--speed",
                    str(speed),
                    "--seed",
                    str(seed),
                )
                station[:] = [
                    subprocess.Popen(
                        argv,
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        preexec_fn=die_with_parent(),
                        start_new_session=True,
                    )
                ]
            station[0].wait()
            ending.wait(1)

    broker = Broker(places.data / "broker", broker_port)
    broker.start()
    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        for process in station:
            process.terminate()
        thread.join(5)
        broker.stop()
