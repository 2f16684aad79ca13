"""What each process is made of. ``python -m gemel.config NAME DATA`` runs one; the supervisor starts them so."""

import asyncio
import contextlib
import dataclasses
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

from gemel.assets import secret
from gemel.bus import Bus
from gemel.config.apply import Applied, applied
from gemel.config.connections import connectors, publisher
from gemel.config.registries import registries
from gemel.config.settings import Settings
from gemel.config.supervise import run_family
from gemel.connect import Connector, WriteOrder
from gemel.errors import ConfigError, GemelError, StorageError
from gemel.history import Reader, Store
from gemel.operate import forking
from gemel.operate.answers import Answers
from gemel.operate.commanding import Commanding
from gemel.operate.fold import Owner
from gemel.operate.fork import Forks
from gemel.operate.ingest import DiskGuard, Framer, Ingest, clock_for
from gemel.operate.measures import Vitals
from gemel.operate.notify import Notifier
from gemel.operate.partition import Partition
from gemel.operate.places import Places, Running, read_running
from gemel.operate.publish import Namespace
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.stored import StoredRows
from gemel.operate.telemetry import take_rows
from gemel.operate.tracing import Arrivals, Departures, tracer_of
from gemel.operate.view import View
from gemel.operate.watchdog import Watchdog
from gemel.samples import Draft, Fact, plant_clock
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
    site, running, settings = applied(places), running_of(places), settings_of(places)
    bus = await Bus.open(running.bus, "twin")
    record = Record(bus, places.heads)
    await record.open()
    store = await asyncio.to_thread(Store.open, places.lake)
    reader = await asyncio.to_thread(Reader, places.lake)
    clock = plant_clock(site.plant.clock)
    partition = Partition(
        0, site.registry, site.plant.checks(site.registry), site.plant.alarms(site.registry),
        site.plant.derivations(site.registry),
    )  # fmt: skip
    for digest, former in registries(places):
        if digest != site.registry.digest:
            partition.know(former, digest)
    classes = site.registry.codes("retention").by_signal()

    def lookup(rows: Any) -> Any:
        return reader.existing(rows, tail=owner.tail.around(rows))

    owner = Owner(bus, partition, store, record, clock, SnapshotFolder(places.snapshots / "0"), lookup, classes,
                  site.plant.retention, settings.log_bytes, site.plant.rollups)  # fmt: skip
    partition.stored = StoredRows(reader, lambda: partition.checks.each("stale_after"), owner.tail)
    owner.arrivals = Arrivals(tracer_of("twin"))
    await owner.start()
    applied_at = clock.now() or time.time_ns()
    if (taken := plant_applied(site, record.last("PlantApplied"), applied_at)) is not None:
        await record.append(taken)
    commanding = Commanding(bus, site.plant, partition, record, clock)
    await commanding.start()
    watchdog = Watchdog(site.plant.root, owner, record)
    watchdog.start()
    await bus.hear("health.*", watchdog.hear)
    answers = Answers(owner, record, commanding, clock, watchdog)
    await bus.answer("twin.ask", answers.answer)
    await bus.answer(forking.SUBJECT, forking.ForkNow(owner, Forks(places.forks)).answer)
    if record.verdict is not None and not record.verdict.ok:
        log.error("the record's chain is broken: %s", record.verdict.reason)

    def told() -> dict[str, Any]:
        problems = [
            {"code": "twin", "message": message, "remedy": "see the log twin.log"}
            for message in (*owner.problems.values(), *filter(None, [record.problem]))
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
                "broken_frames": owner.broken, "problems": problems, "measures": watchdog.told()}  # fmt: skip

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(owner.run())
            group.create_task(commanding.run())
            group.create_task(watchdog.run())
            group.create_task(_news(bus, record))
            group.create_task(_heartbeat(bus, "twin", told))
    finally:
        store.close()
        reader.close()
        await bus.close()


def plant_applied(site: Applied, last: Fact | None, now: int) -> Draft | None:
    """Say which plant file is in force, where it is not the one that was said last."""
    body = {"digest": site.plant.digest, "registry": site.registry.digest, "signals": len(site.registry)}
    if last is not None and dict(last.body) == body:
        return None
    after = last.seq if last is not None else 0
    return Draft(
        id=f"plant-{site.plant.digest[:20]}-{site.registry.digest[:20]}-{after}", kind="PlantApplied", at=now, actor="gemel",
        subject=site.plant.root, body=body,
    )  # fmt: skip


async def ingest(places: Places) -> None:
    """Run the connectors; publish the namespace."""
    site, running, settings = applied(places), running_of(places), settings_of(places)
    bus = await Bus.open(running.bus, "ingest")
    clock = await clock_for(bus, site.plant.clock)
    framer = Framer(bus, site.registry, clock)
    framer.departures = Departures(tracer_of("ingest"))
    guard = DiskGuard(places.data, settings.reserve_bytes)
    found = connectors(site.plant, site.registry, lambda name: secret(name, places.data), clock)
    way_in = Ingest(found, framer, guard)
    await bus.answer("ingest.rows", lambda body: take_rows(body, site.registry, framer, guard))
    await bus.answer("ingest.write", lambda body: _write(found, body))

    def told() -> dict[str, Any]:
        problems = [
            {
                "code": "connection",
                "message": f"{c.name}: {error}",
                "remedy": "look at the device or broker; it is retried",
            }
            for c in found
            if (error := c.status().error)
        ]
        if not guard.open.is_set():
            problems.append({"code": "disk-nearly-full", "message": f"only {guard.free >> 20} MB free: nothing more is taken from the sources",
                             "remedy": "free disk space, or lower --reserve"})  # fmt: skip
        if framer.refusing:
            problems.append(
                {"code": "log-refuses", "message": framer.refusing, "remedy": "it is retried; see nats.log"}
            )
        return {"connections": [dataclasses.asdict(c.status()) for c in found], "frames": framer.frames, "values": framer.values,
                "free_bytes": guard.free, "problems": problems, "measures": way_in.measures()}  # fmt: skip

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(way_in.run())
            group.create_task(_heartbeat(bus, "ingest", told))
            if site.plant.namespace:
                group.create_task(_namespace(bus, site, places))
    finally:
        await bus.close()


async def _namespace(bus: Bus, site: Applied, places: Places) -> None:
    client = publisher(site.plant, lambda name: secret(name, places.data))
    await client.open()
    try:
        while True:
            try:
                await Namespace(bus, site.registry, client).run()
            except GemelError as e:
                log.info("namespace: %s", e)
                await asyncio.sleep(1)
    finally:
        await client.close()


async def _write(found: list[Connector], body: dict[str, Any]) -> bytes:
    by_name = {c.name: c for c in found}
    outcome = await by_name[body["connection"]].write(WriteOrder(body["topic"], body["payload"].encode()))
    return msgspec.json.encode(outcome)


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
