"""Forks are kept under a name: taken once, looked at while they are made, given up whole."""

import asyncio

import numpy as np
import pytest
from fold_kit import REGISTRY, SECOND, frame, partition, rows, tick
from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.link import SAMPLES
from gemel.bus.server import free_port, new_token
from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.history import Reader, Store
from gemel.operate.chronicle import Chronicle
from gemel.operate.fork import Forks, from_history, from_log
from gemel.operate.replay import differing
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Batch
from gemel.twin.record import MAX_BYTES, SUBJECT


def state():
    part = partition()
    part.fold(rows(3), 1, None)
    return part.snapshot()


def test_a_fork_is_begun_made_loaded_and_given_up(tmp_path):
    forks = Forks(tmp_path / "forks")
    assert forks.listed() == []
    begun = forks.begin("before-repair", "ann", "to try", 7)
    with pytest.raises(ConflictError) as told:
        forks.load("before-repair")
    assert told.value.code == "fork-not-ready"
    made = forks.end(begun, state(), "live")
    assert (made.state, made.origin, made.position, made.by, made.why) == ("ready", "live", 1, "ann", "to try")
    assert differing(forks.load("before-repair"), state()) == []
    assert forks.listed() == [made]
    forks.delete("before-repair")
    assert list((tmp_path / "forks").iterdir()) == []
    for ask in (forks.get, forks.load, forks.delete):
        with pytest.raises(NotFoundError):
            ask("before-repair")


def test_a_name_is_taken_once_and_must_be_one(tmp_path):
    forks = Forks(tmp_path)
    forks.begin("one", "ann", "", 0)
    with pytest.raises(ConflictError):
        forks.begin("one", "bob", "", 0)
    for name in ("", "../one", "One", "a" * 65, "a b"):
        with pytest.raises(RefusedError):
            forks.begin(name, "ann", "", 0)
        with pytest.raises(NotFoundError):
            forks.get(name)


def test_a_fork_whose_maker_died_has_failed(tmp_path):
    forks = Forks(tmp_path)
    begun = forks.begin("one", "ann", "", 0)
    assert forks.get("one").state == "making"
    forks.made_by(begun, 2**22 - 1)  # nobody has this number
    assert (forks.get("one").state, forks.get("one").problem) == ("failed", "who made it ended before it was done")


def test_one_deleted_while_it_is_made_does_not_come_back(tmp_path):
    forks = Forks(tmp_path)
    begun = forks.begin("one", "ann", "", 0)
    forks.delete("one")
    forks.fail(begun, "too late")
    forks.end(begun, state(), "log")
    assert forks.listed() == [] and list(tmp_path.iterdir()) == []


def with_log(tmp_path, body):
    async def run():
        server = Server(ServerSettings(tmp_path / "log", free_port(), new_token()))
        await server.start(tmp_path / "nats.out")
        bus = await Bus.open(server.settings.url, "test")
        try:
            await bus.ensure_stream(SAMPLES.format(0), "samples.0", 1 << 20)
            await bus.ensure_stream("FACTS", SUBJECT, MAX_BYTES)
            await body(bus)
        finally:
            await bus.close()
            server.stop()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_past_time_is_replayed_from_the_snapshot_before_it(tmp_path):
    """Up to the last tick that is not after it, and exactly: the state is the one that was live then."""

    async def body(bus):
        live, kept = partition(), SnapshotFolder(tmp_path / "snapshots")
        wanted = {}
        for n in range(1, 21):
            for data in (frame(n), tick(n)):
                position = await bus.append("samples.0", data)
                from gemel.bus import decode_frame

                read = decode_frame(data)
                if read.header.kind == "tick":
                    live.tick(read.header, position, [])
                else:
                    live.fold(live.rows_of(read), position, None)
            wanted[n] = live.snapshot()
            if n in (5, 12):
                kept.save(wanted[n])
        chronicle = Chronicle(bus, tmp_path)
        for at in (2, 5, 11, 12, 17, 20):
            found = await from_log(bus, chronicle, partition(), kept, at * SECOND + SECOND // 2, None)
            # a frame between two ticks is in it: nothing says that it came later
            again = partition()
            again.restore(wanted[at])
            if at < 20:
                again.fold(rows(at + 1), wanted[at].sequence + 1, None)
            assert (found.time, found.sequence) == (at * SECOND, wanted[at].sequence + (at < 20)), at
            for name in ("lanes.latest.value", "lanes.latest.time"):
                assert np.array_equal(found.arrays[name], again.snapshot().arrays[name], equal_nan=True)
        await bus.trim(SAMPLES.format(0), 15)
        assert await from_log(bus, chronicle, partition(), kept, 8 * SECOND, None) is None
        assert (await from_log(bus, chronicle, partition(), kept, 13 * SECOND, None)).time == 13 * SECOND

    with_log(tmp_path, body)


def test_beyond_the_log_history_and_the_record_give_what_stood(tmp_path):
    async def body(bus):
        with Store.open(tmp_path / "lake") as store:
            many = Batch.concat(rows(n, n % 3) for n in range(1, 31))
            store.commit(0, store.take_over(0), 9, many, np.array(["default"] * len(REGISTRY)))
            with Reader(tmp_path / "lake") as reader:
                found = await from_history(Chronicle(bus, tmp_path), partition(), reader, 20 * SECOND)
        live = partition()
        live.fold(many.take(many.time <= 20 * SECOND), 1, None)
        for name in ("time", "received", "value", "status"):
            assert np.array_equal(found.arrays[f"lanes.latest.{name}"], live.lanes.arrays()[f"latest.{name}"])
        assert (found.time, found.sequence, found.notes["newest"]) == (20 * SECOND, 0, 20 * SECOND)

    with_log(tmp_path, body)
