"""What the supervisor is made of: the log's server and the other processes, kept alive, under the data directory's lock."""

import contextlib
import os
import time
from typing import Final

import msgspec

from gemel.bus import Server, ServerSettings
from gemel.bus.server import free_port, new_token
from gemel.config.lock import lock
from gemel.config.running import settings_of
from gemel.config.settings import Settings
from gemel.durable import write_atomic
from gemel.operate.family import Child, Family, python
from gemel.operate.places import Places, Running
from gemel.operate.reasoning import REASON_BUS
from gemel.operate.sealed import log_key
from gemel.twin import record

BALLAST: Final = (
    32 << 20
)  # a file given back when the disk is full, so that the log and catalogue can still write
# Columns of some MB come and go many times a second: kept by the allocator instead of given back to the kernel each
# time, conditioning costs half (mallopt(3)). Those of all signals of a large plant are larger and live long.
ALLOCATOR: Final = {"MALLOC_TRIM_THRESHOLD_": "100000000", "MALLOC_MMAP_THRESHOLD_": "33554432"}


async def run(places: Places) -> None:
    """Supervise the others until cancelled."""
    with lock(places):
        await _family(places, settings_of(places))


async def _family(places: Places, settings: Settings) -> None:
    _ballast(places, settings)
    token_file = places.data / "token"
    if not token_file.exists():
        write_atomic(token_file, new_token().encode())
    server = Server(
        ServerSettings(
            places.streams,
            free_port(),
            token_file.read_text(),
            settings.log_bytes + record.MAX_BYTES + (1 << 30),
            key=log_key(places),
        )
    )
    environment = {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    children = [
        Child(name, python("gemel.config", name, str(places.data)), places.logs, environment)
        for name in ("twin", "ingest", "serve")
    ]
    reason = Child(
        "reason", python("gemel.config", "reason", str(places.data)), places.logs,
        {**environment, REASON_BUS: server.settings.reason_url},
    )  # fmt: skip
    running = Running(
        pid=os.getpid(),
        url=settings.url,
        bus=server.settings.url,
        plant=settings.plant,
        started=time.time_ns(),
    )
    write_atomic(places.run, msgspec.json.encode(running))
    kin = Family(server, children, places.logs, [reason])
    try:
        await kin.start()
        await kin.run()
    finally:
        await kin.stop()
        places.run.unlink(missing_ok=True)


def _ballast(places: Places, settings: Settings) -> None:
    """Hold a file that can be given back: where the disk is full at a start, it is given back first."""
    file = places.data / "ballast"
    disk = os.statvfs(places.data)
    free = disk.f_bavail * disk.f_frsize
    if free < BALLAST and file.exists():
        file.unlink()
    elif not file.exists() and free > 20 * BALLAST:
        with contextlib.suppress(OSError), file.open("wb") as out:  # not every file system can
            os.posix_fallocate(out.fileno(), 0, BALLAST)
