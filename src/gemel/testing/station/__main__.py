"""Runs the station until it is told to stop."""

import asyncio
import signal

import click

from gemel.connect.mqtt.settings import mqtt_settings
from gemel.connect.times import parse_iso
from gemel.samples.clock import SECOND
from gemel.testing.station.faults import TARGETS
from gemel.testing.station.physics import Physics
from gemel.testing.station.process import StationProcess


@click.command(
    epilog="Example: python -m gemel.testing.station --broker mqtt://127.0.0.1:1883 --speed 10 --fault bearing"
)
@click.option("--broker", default="mqtt://127.0.0.1:1883", show_default=True, help="Address of the broker.")
@click.option(
    "--speed", default=1.0, show_default=True, type=click.FloatRange(0.01, 10_000), help="Times real time."
)
@click.option(
    "--rate",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.1, 10),
    help="Readings per second and signal.",
)
@click.option("--seed", default=1, show_default=True, help="Of noise and whims.")
@click.option("--start", help="Plant time to begin at, ISO 8601 [default: now, or where it stopped].")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice(sorted(TARGETS)),
    help="A fault that is on from the start.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(sorted(Physics.__dataclass_fields__)),
    help="An effect to leave out.",
)
@click.option("--client-id", default="gemel-station", show_default=True, help="Id at the broker.")
def main(
    broker: str,
    speed: float,
    rate: float,
    seed: int,
    start: str | None,
    faults: tuple[str, ...],
    without: tuple[str, ...],
    client_id: str,
) -> None:
    """Run the simulated pumping station."""
    settings = mqtt_settings(broker, {"version": "3.1.1"}, client_id)
    start_s = parse_iso(start) / SECOND if start else None
    physics = Physics(**dict.fromkeys(without, False))
    station = StationProcess(settings, speed=speed, rate_hz=rate, seed=seed, start_s=start_s, physics=physics)
    asyncio.run(_run(station, faults))


async def _run(station: StationProcess, faults: tuple[str, ...]) -> None:
    for fault in faults:
        station.faults.switch(fault, on=True)
    living = asyncio.ensure_future(station.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, living.cancel)
    await asyncio.wait([living])
    if not living.cancelled():
        living.result()


main()
