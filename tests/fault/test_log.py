"""A broken frame in the log, a disk that is full, a state that must equal its replay."""

import asyncio

import numpy as np
from kit import Sender, check, connected, get, rig, settled

from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.server import free_port
from gemel.config.apply import applied
from gemel.history import Reader
from gemel.operate.replay import replay
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Batch
from gemel.bench.ingest import ask
from gemel.bench.site import wait
from gemel.twin.record import Record


def test_a_broken_frame_is_said_and_stepped_over(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()

        async def spoil():
            bus = await Bus.open(site.running.bus, "spoiler")
            await bus.append("samples.0", b"GMF1 this is no frame at all")
            await bus.close()

        try:
            assert wait(lambda: len(sender.acknowledged) > 50, 60)
            asyncio.run(spoil())
            mark = len(sender.sent) + 100
            assert wait(lambda: len(sender.acknowledged) > mark, 60)
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)
        assert wait(lambda: get(site, "facts?kind=FrameBroken")["items"], 60)
        assert [f["kind"] for f in get(site, "facts?kind=FrameBroken")["items"]] == ["FrameBroken"]


def test_the_state_equals_a_replay_of_the_log(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port, rate=500).start()
        assert wait(lambda: len(sender.acknowledged) > 600, 60)
        sender.stop()
        assert settled(site, sender)
        site.stop()
        kept = SnapshotFolder(site.places.snapshots / "0").newest()
        server = Server(ServerSettings(site.places.streams, free_port(), "replay"))
        part = applied(site.places)

        async def fold():
            await server.start(tmp_path / "nats.out")
            bus = await Bus.open(server.settings.url, "replay")
            record = Record(bus, site.places.heads)
            await record.open()
            fresh = part.partition()
            try:
                with Reader(site.places.lake) as reader:
                    folded = await replay(bus, record, fresh, None, kept.sequence, reader.existing)
                    return folded.snapshot()
            finally:
                await bus.close()

        try:
            replayed = asyncio.run(fold())
        finally:
            server.stop()
        assert (replayed.sequence, replayed.facts, replayed.time) == (kept.sequence, kept.facts, kept.time)
        assert replayed.notes == kept.notes
        assert set(replayed.arrays) == set(kept.arrays)
        for name, column in kept.arrays.items():
            assert np.asarray(replayed.arrays[name]).tobytes() == column.tobytes(), name


def test_rows_of_an_unknown_registry_are_refused_aloud(tmp_path):
    from gemel.bus import FrameHeader, encode_frame

    with rig(tmp_path) as (_broker, site):

        async def send():
            bus = await Bus.open(site.running.bus, "stranger")
            rows = Batch.of(signal=[0], time=[1], received=[1], value=[1], status=[0])
            header = FrameHeader(kind="samples", partition=0, producer="stranger", sequence=1, registry="unknown")
            await bus.append("samples.0", encode_frame(header, rows))
            await bus.close()
            return await ask(site.places, "counts")

        asyncio.run(send())
        assert wait(lambda: get(site, "facts?kind=FrameBroken")["items"], 60)
