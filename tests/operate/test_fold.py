"""What the owner of a partition makes of the log, message by message."""

import asyncio
import contextlib
from dataclasses import replace

import numpy as np
import pytest
from fold_kit import NO_FRAME, SECOND, Recording, frame, messages, owner, partition, rows

from gemel.assets import Checks
from gemel.bus import FrameHeader, Message, encode_frame
from gemel.bus.frame import _seal
from gemel.errors import StorageError
from gemel.history import Compacted, Hole, RolledUp
from gemel.samples import Registry


def values(part):
    return part.tail.upto(1 << 40).value.tolist()


def test_what_stands_before_a_broken_frame_is_folded(tmp_path):
    """Frames that come together with a broken one at their end are not passed over with it."""
    part = owner(tmp_path)
    part._digest(messages(frame(1), frame(2), NO_FRAME))
    assert values(part) == [1.0, 2.0]
    assert part.partition.lanes.latest.value[0] == 2.0
    assert part.partition.position == 3


def test_a_broken_frame_where_the_lake_ends_stores_nothing_twice(tmp_path):
    """After a restart, rows the lake has are folded again but not stored again."""
    part = owner(tmp_path)
    part._commits.stored = 2
    part._digest(messages(frame(1), NO_FRAME, frame(3)))
    assert values(part) == [3.0]


def test_what_the_log_left_out_is_said_with_its_span_of_time(tmp_path):
    part = owner(tmp_path)
    first, second, *_, last = (Message(sequence=n, data=frame(n), stored=n * 10) for n in range(1, 6))
    part._digest([first, second, last])
    told = [d for d in part._outbox.waiting if d.kind == "LogHole"]
    assert [dict(d.body) for d in told] == [{"after": 2, "upto": 5, "from_time": 20, "to_time": 50}]
    assert values(part) == [1.0, 2.0, 5.0]


def strange(kind):
    header = FrameHeader(kind="samples", partition=0, producer="s", sequence=9, registry="unknown")
    batch = rows(9)
    if kind == "a signal that does not exist":
        return frame(9, rows(9, signal=77), producer="s")
    if kind == "a signal below zero":
        return frame(9, rows(9, signal=-1), producer="s")
    if kind == "an unknown registry":
        return encode_frame(header, batch)
    if kind == "a header of another form":
        head = b'{"sort": 1}'
        return _sealed(head, b"")
    if kind == "a kind from the future":
        return _seal(FrameHeader(kind="matrix", partition=0, producer="s", sequence=9), memoryview(b""))
    return _seal(FrameHeader(kind="samples", partition=0, producer="s", sequence=9, rows=1), memoryview(b"no arrow"))


def _sealed(head, body):
    import zlib

    rest = len(head).to_bytes(4, "little") + head + body
    return b"GMF1" + zlib.crc32(rest).to_bytes(4, "little") + rest


@pytest.mark.parametrize(
    "kind",
    [
        "a signal that does not exist",
        "a signal below zero",
        "an unknown registry",
        "a header of another form",
        "a kind from the future",
        "no columns",
    ],
)
def test_a_frame_that_cannot_be_used_is_said_and_stepped_over(tmp_path, kind):
    """Else the twin would end at it at every start, for ever."""
    part = owner(tmp_path)
    part._digest(messages(frame(1), strange(kind), frame(2)))
    assert values(part) == [1.0, 2.0]
    assert part.broken == 1
    assert part.partition.position == 3


def test_frames_of_a_former_registry_are_read_under_the_digest_they_carry(tmp_path):
    """The digest is what was written on that day: another version of Arrow may lay the same table out otherwise."""
    part = owner(tmp_path)
    former = Registry.of([{"path": "a/b/rig/s1"}])
    part.partition.know(former, "written then")
    part._digest(messages(frame(1, registry="written then")))
    assert part.tail.upto(1).signal.tolist() == [1]


class Slow(Recording):
    """A record whose log is away until it is let."""

    def __init__(self):
        super().__init__()
        self.let = asyncio.Event()

    async def append(self, draft):
        await self.let.wait()
        await super().append(draft)


class Lake:
    """Remembers how far it was told to store."""

    def __init__(self):
        self.upto = 0

    def commit(self, number, epoch, upto, rows, classes):
        self.upto = upto


def test_no_snapshot_passes_a_fact_that_was_not_recorded(tmp_path):
    """Asked to end while a fact is on its way, its draft must not be forgotten with the snapshot saying it is known."""

    async def body():
        record = Slow()
        part = owner(tmp_path, record, store=Lake())
        part._digest(messages(frame(1), NO_FRAME))  # a FrameBroken to record
        writing = asyncio.create_task(part._outbox.run())
        await asyncio.sleep(0.05)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
        with contextlib.suppress(TimeoutError):
            await part.save()
        assert record.facts or part._folder.newest() is None
        record.let.set()
        await part.save()
        assert [f.kind for f in record.facts] == ["FrameBroken"]
        assert part._folder.newest().sequence == 2

    asyncio.run(body())


def test_a_snapshot_ahead_of_the_lake_is_not_gone_on_from(tmp_path):
    """A lake put back from a backup lacks rows that the log still holds: they are read again."""
    part = owner(tmp_path)
    for n in (1, 2):
        part._digest(messages(frame(n), first=n))
        part._folder.save(part.partition.snapshot())
    for stored, first, gone_on_from in ((2, 1, 2), (1, 1, 1), (0, 1, 0), (0, 2, 1)):
        fresh = owner(tmp_path)
        fresh._restore(max(stored, first - 1))
        assert fresh.partition.position == gone_on_from


def test_what_is_wrong_stays_said_while_something_else_goes_well(tmp_path):
    """A lake that takes no rows is not healed by a tick that the log took."""

    class Full(Lake):
        def commit(self, *_):
            raise StorageError("the disk is full")

    class Bus:
        async def append(self, *_, **__):
            ticked.set()
            return 1

    async def body():
        part = owner(tmp_path, store=Full(), bus=Bus())
        part._digest(messages(frame(1)))
        part._commits.due.set()
        tasks = [asyncio.create_task(part._commits.run()), asyncio.create_task(part._tick())]
        await ticked.wait()
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        assert "the disk is full" in part.problems.values()

    ticked = asyncio.Event()
    asyncio.run(body())


def test_tidying_that_fails_does_not_end_the_twin(tmp_path):
    class Torn:
        def compact(self, *_):
            raise OSError(28, "No space left on device")

    part = owner(tmp_path, store=Torn())
    asyncio.run(part.tend_quietly())
    assert "No space left" in part.problems["tidying"]


def test_a_damaged_file_of_the_history_is_a_fact_once_and_a_measure(tmp_path):
    class Holed:
        holes = (Hole("7-ab.parquet", "raw_default", "cut off", 12, 1, 9, 0, 3),)

        def compact(self, *_):
            return Compacted(0, 0, 0)

        def roll_up(self, *_):
            return RolledUp(0, 0, behind=False)

        def retain(self, *_):
            return 0

        def patrol(self):
            return True

    part = owner(tmp_path, store=Holed())
    for _ in range(2):
        asyncio.run(part.tend())
    (told,) = [d for d in part._outbox.waiting if d.kind == "HistoryDamaged"]
    assert told.id == "history-damaged-7-ab.parquet"
    assert (told.body["rows"], told.body["from_time"], told.body["to_time"], told.body["signals"]) == (12, 1, 9, [0, 3])
    assert (part.measures()["history_damaged_files"], part.measures()["history_lost_rows"]) == (1, 12)


def test_each_value_knows_its_frame_however_many_are_folded_at_once(tmp_path):
    """Two frames of one read of the log: each signal's origin is the frame that it came in, not the last one."""
    part = owner(tmp_path)
    part._digest(messages(frame(1, rows(1, signal=1), producer="q"), frame(1, rows(1, signal=0)), first=7))
    p = part.partition
    told = [p.origins.read(o) for o in p.lanes.origin(np.arange(3)).tolist()]
    assert [(o.position, o.producer) for o in told] == [(8, "p"), (7, "q"), (0, "")]
    again = partition()
    again.restore(p.snapshot())
    assert again.origins.read(int(again.lanes.origin(np.array([1]))[0])).position == 7


def test_roll_ups_hold_a_reading_as_long_as_its_own_signal_says(tmp_path):
    """A large plant's checks are kept once a kind of signal: what is told to the lake is by signal, not by kind."""

    class Rolling:
        holes = ()

        def compact(self, *_):
            return Compacted(0, 0, 0)

        def roll_up(self, now, budget, terms):
            self.terms = terms
            return RolledUp(0, 0, behind=False)

        def retain(self, *_):
            return 0

        def patrol(self):
            return True

    store = Rolling()
    part = owner(tmp_path, store=store)
    kinds = Checks.plain(2)
    kinds.stale_after[:] = 30 * SECOND, 10_800 * SECOND
    part.partition.checks = replace(kinds, kind=np.array([1, 0, 1], np.int32))
    asyncio.run(part.tend())
    assert store.terms.hold.tolist() == [10_800 * SECOND, 30 * SECOND, 10_800 * SECOND]
