"""What each process is made of. ``python -m gemel.config NAME DATA`` runs one; the supervisor starts them so."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gemel.assets import secret
from gemel.bus import Bus
from gemel.config.apply import Applied, applied, project
from gemel.config.follow import Follower, site_in_force
from gemel.config.memory import settle
from gemel.config.settings import Settings
from gemel.config.supervise import run_family
from gemel.config.versions import Versions
from gemel.config.way_in import WayIn
from gemel.errors import ConfigError, GemelError, StorageError
from gemel.history import Reader, Series, Store
from gemel.operate import applying as applying_at
from gemel.operate import forking
from gemel.operate.answers import Answers
from gemel.operate.applying import Applying
from gemel.operate.commanding import Commanding
from gemel.operate.fold import Owner
from gemel.operate.fork import Forks
from gemel.operate.ingest import clock_for
from gemel.operate.measures import Vitals
from gemel.operate.notify import Notifier
from gemel.operate.partition import PLANT_APPLIED, Partition
from gemel.operate.places import Places, Running, read_running
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.stored import StoredRows
from gemel.operate.tracing import Arrivals, tracer_of
from gemel.operate.view import View
from gemel.operate.watchdog import Watchdog
from gemel.samples import plant_clock
from gemel.serve import ServeSettings, run
from gemel.twin.record import Record

log = logging.getLogger(__name__)
REFUSED: Final = 2


def settings_of(places: Places) -> Settings:
    """Read what the supervisor wrote down."""
    return msgspec.json.decode((places.data / "settings.json").read_bytes(), type=Settings)


def running_of(places: Places) -> Running:
    """Read where the family's bus is."""
    running = read_running(places.data)
    if running is None:
        raise ConfigError(f"nothing runs on {places.data}", remedy="gemel run PLANT")
    return running


async def twin(places: Places) -> None:
    """Own the partition: condition, fold, the lake, the record."""
    versions = Versions(places)
    site, running, settings = applied(places, versions), running_of(places), settings_of(places)
    bus = await Bus.open(running.bus, "twin")
    record = Record(bus, places.heads)
    await record.open()
    store = await asyncio.to_thread(Store.open, places.lake)
    reader = await asyncio.to_thread(Reader, places.lake)
    clock = plant_clock(site.plant.clock)
    folder = SnapshotFolder(places.snapshots / "0")
    partition = versions.fresh(site) if folder.oldest_position() else first_partition(versions, site, record)
    classes = partition.registry.codes("retention").by_signal()

    series = Series(reader, partition)

    def lookup(rows: Any) -> Any:
        own = np.unique(rows.signal)
        parts = series.numbers(own)
        span = int(rows.time.min()), int(rows.time.max()) + 1
        tail = owner.tail.around(rows) if len(parts) == len(own) else owner.tail.find(parts, *span)
        return series.existing(rows, tail=tail)

    owner = Owner(bus, partition, store, record, clock, folder, lookup, classes,
                  site.plant.retention, settings.log_bytes, site.plant.rollups)  # fmt: skip
    partition.stored = StoredRows(series, owner.tail)
    owner.arrivals = Arrivals(tracer_of("twin"))
    await owner.start()
    commanding = Commanding(bus, site.plant, partition, record, clock)
    await commanding.start()
    applying = Applying(
        versions, lambda: partition.version, record, clock,
        [lambda now: owner.keep_for(now.plant.retention, now.plant.rollups), lambda now: commanding.follow(now.plant),
         lambda _: settle()],
        lambda now: project(now, places),
    )  # fmt: skip
    owner.on_plant = applying.took_effect
    await applying.begin()
    watchdog = Watchdog(site.plant.root, owner, record)
    watchdog.start()
    await bus.hear("health.*", watchdog.hear)
    answers = Answers(owner, record, commanding, clock, watchdog)
    await bus.answer("twin.ask", answers.answer)
    await bus.answer(applying_at.SUBJECT, applying.answer)
    await bus.answer(forking.SUBJECT, forking.ForkNow(owner, Forks(places.forks)).answer)
    if record.verdict is not None and not record.verdict.ok:
        log.error("the record's chain is broken: %s", record.verdict.reason)
    settle()

    def told() -> dict[str, Any]:
        problems = [
            {"code": "twin", "message": message, "remedy": "see the log twin.log"}
            for message in (*owner.problems.values(), *filter(None, [record.problem, applying.problem]))
        ]
        if record.verdict is not None and not record.verdict.ok:
            problems.append(
                {
                    "code": "record-broken",
                    "message": record.verdict.reason,
                    "remedy": "restore the record from a back-up",
                }
            )
        return {"behind_s": owner.behind_s, "tail_rows": owner.tail.rows, "position": partition.position,
                "broken_frames": owner.broken, "plant": partition.version, "problems": problems, "measures": watchdog.told()}  # fmt: skip

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(owner.run())
            group.create_task(commanding.run())
            group.create_task(applying.run(bus))
            group.create_task(watchdog.run())
            group.create_task(_news(bus, record))
            group.create_task(_heartbeat(bus, "twin", told))
    finally:
        store.close()
        reader.close()
        await bus.close()


def first_partition(versions: Versions, site: Applied, record: Record) -> Partition:
    """Give the partition that the log begins under: of the first plant file that was said; a snapshot names its own."""
    for fact in record.between(0, record.position):
        if fact.kind == PLANT_APPLIED:
            named = str(fact.body.get("digest", "")), str(fact.body.get("registry", ""))
            if (found := versions.partition(named)) is not None:
                return found
    return versions.fresh(site)


async def ingest(places: Places) -> None:
    """Run the connectors; publish the namespace."""
    running, settings = running_of(places), settings_of(places)
    site = await site_in_force(places)
    bus = await Bus.open(running.bus, "ingest")
    way = WayIn(bus, places, site, await clock_for(bus, site.plant.clock), settings.reserve_bytes)
    follower = Follower(Versions(places), site.version, way.follow)

    def told() -> dict[str, Any]:
        found = way.told()
        if follower.problem:
            problem = {"code": "plant", "message": follower.problem, "remedy": "see the log ingest.log"}
            found["problems"].append(problem)
        return found

    await bus.answer("ingest.rows", way.rows)
    await bus.answer("ingest.write", way.write)
    await follower.listen(bus)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(way.run())
            group.create_task(_heartbeat(bus, "ingest", told))
    finally:
        await bus.close()


async def serve(places: Places) -> None:
    """Answer people and programs over HTTP."""
    site, running, settings = applied(places), running_of(places), settings_of(places)
    bus = await Bus.open(running.bus, "serve")
    for _ in range(100):  # the lake is made by the twin, at its first start
        try:
            reader = await asyncio.to_thread(Reader, places.lake)
            break
        except GemelError:
            await asyncio.sleep(0.1)
    else:
        raise StorageError("the lake does not open", remedy="see twin.log; it is tried again")
    view = View(bus, site.plant, site.registry, reader)
    await view.start()
    settle()
    await Follower(Versions(places), site.version, view.follow).listen(bus)
    given = ServeSettings(
        host=settings.host, port=settings.port, data=places.data, tls_certificate=settings.tls_certificate,
        tls_key=settings.tls_key,
    )  # fmt: skip
    notifier = Notifier(view, places.notices, lambda name: secret(name, places.data))

    def told() -> dict[str, Any]:
        return {"problems": notifier.problems(), "measures": notifier.measures()}

    beside = [asyncio.create_task(_heartbeat(bus, "serve", told)), asyncio.create_task(notifier.run())]
    try:
        await _run_once_free(view, given)
    finally:
        for task in beside:
            task.cancel()
        reader.close()
        await bus.close()


async def _run_once_free(view: View, settings: ServeSettings) -> None:
    """Serve; wait for the port where a former process of this family is still giving it up."""
    for patience in range(40, -1, -1):
        try:
            return await run(view, settings)
        except ConfigError as e:
            if e.code != "port-busy" or not patience:
                raise
            await asyncio.sleep(0.2)
    return None


async def family(places: Places) -> None:
    """Supervise the others."""
    await run_family(places, settings_of(places))


async def _news(bus: Bus, record: Record) -> None:
    queue = record.listen()
    while True:
        await bus.tell("news.fact", msgspec.json.encode(await queue.get()))


async def _heartbeat(bus: Bus, name: str, told: Callable[[], dict[str, Any]]) -> None:
    vitals, loop = Vitals(), asyncio.get_running_loop()
    while True:
        with contextlib.suppress(GemelError, OSError):
            body = {"process": name, "pid": os.getpid(), "bus_up": bus.up, "log_mute_s": round(bus.mute_s, 1),
                    "wall": time.time_ns(), **told()}  # fmt: skip
            body["measures"] = {**vitals.told(), **body.get("measures", {})}
            await bus.tell(f"health.{name}", json.dumps(body).encode())
        due = loop.time() + 1
        await asyncio.sleep(1)
        vitals.loop_lag_s = max(loop.time() - due, 0.0)


PROCESSES: Final[dict[str, Callable[[Places], Coroutine[Any, Any, None]]]] = {
    "twin": twin,
    "ingest": ingest,
    "serve": serve,
    "family": family,
}


async def until_told(work: Awaitable[None]) -> None:
    """Run until done or until SIGTERM or SIGINT asks to end."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def end() -> None:
        if not task.cancelling():  # a second one would cut the clean-up that the first began
            task.cancel()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, end)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main(argv: list[str]) -> int:
    """Run one process of the family."""
    name, data = argv
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    code = 0
    try:
        asyncio.run(until_told(PROCESSES[name](Places(Path(data)))))
    except* ConfigError as group:  # alone, or out of a group of tasks
        code = REFUSED
        for error in _single(group):
            log.error("%s", error)
    return code


def _single(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [one for part in error.exceptions for one in _single(part)]
    return [error]
