"""What the process *twin* is made of: the partition, its log, lake and record, and who asks them."""

import asyncio
import logging
from typing import Any

import msgspec
import numpy as np

from gemel.bus import Bus
from gemel.config.apply import Applied, applied, project
from gemel.config.heartbeat import heartbeat
from gemel.config.memory import settle
from gemel.config.outlived import give_up
from gemel.config.running import running_of, settings_of
from gemel.config.versions import Versions
from gemel.history import Reader, Series, Store
from gemel.operate import applying as applying_at
from gemel.operate import forking, releases_out, residuals_in
from gemel.operate.answers import Answers
from gemel.operate.applying import Applying
from gemel.operate.commanding import Commanding
from gemel.operate.fold import Owner
from gemel.operate.fork import Forks
from gemel.operate.partition import PLANT_APPLIED, Partition
from gemel.operate.places import Places
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.stored import StoredRows
from gemel.operate.tracing import Arrivals, tracer_of
from gemel.operate.watchdog import Watchdog
from gemel.samples import plant_clock
from gemel.twin.record import Record

log = logging.getLogger(__name__)


async def run(places: Places) -> None:
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
    owner.look_ahead = series.look_ahead
    partition.stored = StoredRows(series, owner.tail)
    owner.arrivals = Arrivals(tracer_of("twin"))
    await owner.start()
    commanding = Commanding(bus, site.plant, partition, record, clock)
    await commanding.start()
    applying = Applying(
        versions, lambda: partition.version, record, clock,
        [lambda now: owner.keep_for(now.plant.retention, now.plant.rollups), lambda now: commanding.follow(now.plant),
         lambda _: settle(), lambda _: give_up(places, versions)],
        lambda now: project(now, places),
    )  # fmt: skip
    owner.on_plant = applying.took_effect
    await applying.begin()
    watchdog = Watchdog(site.plant.root, owner, record)
    watchdog.start()
    await bus.hear("health.*", watchdog.hear)
    answers = Answers(owner, record, commanding, clock, watchdog)
    await bus.answer("twin.ask", answers.answer)
    await bus.answer(
        residuals_in.SUBJECT, lambda body: residuals_in.take_residual(body, versions.site(partition.version).plant, record, partition.time)
    )
    await bus.answer(releases_out.SUBJECT, releases_out.ReleasesOut(record).answer)
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
            group.create_task(heartbeat(bus, "twin", told))
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


async def _news(bus: Bus, record: Record) -> None:
    queue = record.listen()
    while True:
        await bus.tell("news.fact", msgspec.json.encode(await queue.get()))
