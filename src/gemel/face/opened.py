"""Opening a twin: by its address, its data directory, or its plant file alone."""

import asyncio
import os
import time
from pathlib import Path
from typing import Final

from gemel.assets import load
from gemel.bus import Bus
from gemel.config import data_dir
from gemel.config.apply import applied
from gemel.config.follow import Follower
from gemel.config.versions import Versions
from gemel.errors import ConfigError
from gemel.face.inside import Inside, Loop
from gemel.face.offline import offline
from gemel.face.transport import Network
from gemel.face.twin import Twin
from gemel.history import Reader, Series
from gemel.operate.places import Places, Running, read_running
from gemel.operate.view import View

REACHED_S: Final = 3.0
HEARD_S: Final = 10.0


def open(  # noqa: A001 - as in `gemel.open`
    where: str | Path, *, data: str | Path | None = None, user: str | None = None, password: str = "", ca: str | Path | None = None
) -> Twin:  # fmt: skip
    """Open a twin to look at it; close it when done, or use it in a ``with``.

    A data directory is read as it is, and where its twin runs, the last seconds are asked of it. A plant folder is opened
    with its data directory where it has one, else alone: then there is nothing measured.

    Args:
        where: address of a running twin (``https://…``), a data directory, or a folder with a `plant.yaml`.
        data: data directory of a plant folder; where gemel would put it, if left out.
        user: who asks a running twin by its address; None: a viewer.
        password: theirs.
        ca: PEM file that the certificate at an address must come from, or that very certificate.

    >>> import gemel
    >>> with gemel.open("examples/water-loop") as twin:
    ...     twin.find(under="skoltech/water-loop/bench")["name"]
    ['rig']
    """
    if str(where).startswith(("http://", "https://")):
        return Twin(Network(str(where), user, password, ca))
    folder = Path(where)
    places = Places(
        folder
        if (folder / "registry.arrow").exists()
        else data_dir(folder, None if data is None else Path(data))
    )
    if places.registry.exists():
        return _with_data(places)
    if data is not None:
        raise ConfigError(
            f"no data of a twin in {data}", remedy="start it once with gemel run, or leave data out"
        )
    plant = load(folder if folder.is_dir() else folder.parent)
    alone = offline(plant, plant.registry(), None)
    return Twin(Inside(alone, _nobody(), Loop()), alone)


def _with_data(places: Places) -> Twin:
    site, reader = applied(places), Reader(places.lake)
    loop = Loop()
    running = read_running(places.data)
    view = None if running is None else loop.do(_view(running, places, reader))
    twin = offline(site.plant, site.registry, Series(reader, site)) if view is None else view

    async def ending() -> None:
        if view is not None:
            await view.bus.close()
        reader.close()

    return Twin(Inside(twin, _nobody(), loop, ending), twin)


async def _view(running: Running, places: Places, reader: Reader) -> View | None:
    """Give the running twin, None where only its note was left behind.

    A twin that runs and does not answer yet is waited for, and never taken for one that does not run: its data alone
    would lack what it has not stored yet.
    """
    site = applied(places)
    try:
        os.kill(running.pid, 0)  # nothing is sent: it only asks whether there is such a process
        bus = await asyncio.wait_for(Bus.open(running.bus, "reader"), REACHED_S)
    except Exception:  # whatever a note that was left behind says, the data can be read without its twin
        return None
    view = View(bus, site.plant, site.registry, reader)
    await view.start()
    ends = time.monotonic() + HEARD_S
    while not view.link()["up"] and time.monotonic() < ends:  # noqa: ASYNC110 - it is heard by its next delta
        await asyncio.sleep(0.05)
    await Follower(Versions(places), site.version, view.follow).listen(bus)
    return view


def _nobody() -> Path:
    """Give a folder in which no people are: who can read the data may read all of it."""
    return Path(__file__).parent / "nobody"
