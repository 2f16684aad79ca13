"""What is old waits apart until the fold has room; what is live never stands behind it."""

import asyncio

import numpy as np
import pytest

from gemel.bus import decode_frame
from gemel.errors import DefectError, GemelError, StorageError
from gemel.operate.backlog import MOST, OLD, PAST, ROWS, FoldRoom, Heard
from gemel.operate.ingest import Framer
from gemel.operate.telemetry import take_rows
from gemel.samples import Batch, Registry
from gemel.samples.clock import DAY, SECOND

REGISTRY = Registry.of([{"path": f"a/b/rig/s{i}"} for i in range(3)])
NOW = 20_000 * DAY


class Clock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time

    def observe(self, newest):
        """A wall clock."""


class Twin:
    """A log and the twin that folds it: up to where it is let."""

    def __init__(self):
        self.frames = []
        self.folded = 1 << 40
        self.asked = []
        self.error = None

    async def append(self, subject, data, **_):
        if self.error is not None:
            raise self.error
        self.frames.append(decode_frame(data))
        return len(self.frames)

    async def ask(self, subject, body, **_):
        self.asked.append(body)
        if body["do"] == "heard":
            return np.full(3, NOW).tobytes() if not body["start"] else b""
        while body["do"] == "folded" and self.folded < body["upto"]:
            await asyncio.sleep(0)
        return b"0"

    def firsts(self):
        """First value of each frame."""
        return [f.batch.value[0] for f in self.frames]

    def rows(self):
        return sum(len(f.batch) for f in self.frames)


def rows(time, n=1, value=0.0, signal=0):
    return Batch.of(
        signal=np.full(n, signal), time=time + np.arange(n), received=np.zeros(n), value=np.full(n, value), status=np.zeros(n)
    )


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def story(body, twin=None):
    """Run a story with a framer that cuts frames, all of whose signals were heard of just now."""

    async def told():
        mine = twin or Twin()
        framer = Framer(mine, REGISTRY, Clock())
        await framer.learn()
        cutting = asyncio.create_task(framer.run())
        try:
            await body(framer, mine)
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)

    asyncio.run(told())


def test_live_rows_overtake_a_mountain_of_old_ones():
    """By order, not by time: one frame of the past is in the log unfolded, all that is live goes before the rest."""

    async def body(framer, twin):
        twin.folded = 0
        old = asyncio.create_task(framer.add(rows(NOW - 300 * DAY, 5 * ROWS, value=1)))
        await until(lambda: twin.frames)
        for value in (7, 8):
            await framer.add(rows(NOW + value, value=value))
        assert twin.firsts() == [1, 7, 8]
        assert framer.backlog.rows == 4 * ROWS == 5 * ROWS + 2 - twin.rows()
        assert framer.waiting == 0
        twin.folded = 1  # that frame alone: room for one more
        await until(lambda: len(twin.frames) == 4)
        await framer.add(rows(NOW + 9, value=9))
        assert twin.firsts()[3:] == [1, 9]
        assert not old.done()
        twin.folded = 1 << 40
        await old
        assert set(twin.firsts()[5:]) == {1}
        assert twin.rows() == 5 * ROWS + 3

    story(body)


def test_who_brings_old_rows_is_told_when_the_last_of_them_is_in_the_log():
    """Killed before that, nobody was told: the source brings them again."""

    async def body(framer, twin):
        twin.folded = 0
        one, two = (asyncio.create_task(framer.add(rows(NOW - DAY, n, value=n))) for n in (10, 2 * ROWS))
        await one
        assert (twin.firsts(), twin.rows()) == ([10], ROWS)
        while twin.rows() < 10 + 2 * ROWS:
            assert not two.done()
            twin.folded = len(twin.frames)
            await until(lambda: len(twin.frames) > twin.folded)
        await two
        assert framer.backlog.rows == 0

    story(body)


def test_rows_of_the_past_stay_in_the_order_in_which_they_came():
    async def body(framer, twin):
        await asyncio.gather(*(framer.add(rows(NOW - DAY, 3, value=v)) for v in range(5)))
        values = np.concatenate([f.batch.value for f in twin.frames])
        assert values.tolist() == np.repeat(np.arange(5.0), 3).tolist()

    story(body)


def test_a_reading_is_split_and_told_when_both_parts_are_there():
    async def body(framer, twin):
        twin.folded = 0
        await framer.add(rows(NOW - DAY, value=1))
        both = Batch.concat([rows(NOW - 2 * DAY, value=2), rows(NOW + 1, value=3)])
        mixed = asyncio.create_task(framer.add(both))
        await until(lambda: len(twin.frames) == 2)
        assert twin.firsts() == [1, 3]
        assert not mixed.done()
        twin.folded = 2
        await mixed
        assert twin.firsts()[2:] == [2]

    story(body)


def test_the_newest_of_a_signal_is_not_old():
    """A device that was cut off brings its last hour: judged in its order, as it was measured."""
    heard = Heard(2)
    hour = np.arange(NOW - 3600 * SECOND, NOW - 3500 * SECOND, SECOND)
    assert not heard.overtaken(np.zeros(100, np.int32), hour, NOW).any()
    assert heard.overtaken(np.zeros(100, np.int32), hour, NOW).all()  # the same again has been overtaken
    assert not heard.overtaken(np.ones(100, np.int32), hour, NOW).any()


def test_years_of_a_signal_that_says_nothing_now_are_old():
    """Else the history of a sensor that is not yet connected would stand before all that is live."""
    heard = Heard(1)
    at = np.array([NOW - PAST - 1, NOW - PAST])
    assert heard.overtaken(np.zeros(2, np.int32), at, NOW).tolist() == [True, False]


def test_what_a_window_may_wait_for_is_not_old():
    heard = Heard(1)
    heard.learn(0, np.array([NOW]))
    at = np.array([NOW - OLD - 1, NOW - OLD, NOW - SECOND, NOW])
    assert heard.overtaken(np.zeros(4, np.int32), at, NOW).tolist() == [True, False, False, False]


def test_signals_that_came_with_a_new_plant_are_known_too():
    heard = Heard(1)
    heard.fit(3)
    heard.learn(2, np.array([NOW, NOW]))
    assert heard.overtaken(np.array([1, 2, 3], np.int32), np.full(3, NOW - DAY), NOW).tolist() == [False, True, True]


def test_old_rows_are_received_when_they_go_into_the_log():
    """Else what was known at a time would tell of rows that the twin did not have by then."""

    async def body(framer, twin):
        twin.folded = 0
        await framer.add(rows(NOW - DAY, value=1))
        later = asyncio.create_task(framer.add(rows(NOW - DAY, value=2)))
        await asyncio.sleep(0)
        framer._clock.time = NOW + 50 * SECOND
        twin.folded = 1
        await later
        assert [f.batch.received[0] - NOW for f in twin.frames] == [0, 50 * SECOND]

    story(body)


def test_a_frame_names_the_registry_that_numbered_its_rows():
    """Rows that wait while the plant is changed keep their numbers' meaning, old or live."""

    async def body(framer, twin):
        twin.folded = 0
        await framer.add(rows(NOW - DAY, value=1))
        waiting = [asyncio.create_task(framer.add(rows(at, value=2))) for at in (NOW - DAY, NOW + 1)]
        await asyncio.sleep(0)
        framer.number_by(Registry.of([{"path": f"a/b/rig/s{i}"} for i in range(4)]))
        late = asyncio.create_task(framer.add(rows(NOW - DAY, value=3)))
        twin.folded = 1 << 40
        await asyncio.gather(late, *waiting)
        of = {(f.batch.value[0], f.header.registry) for f in twin.frames}
        assert of == {(1, REGISTRY.digest), (2, REGISTRY.digest), (3, framer._registry.digest)}
        assert all(len(np.unique(f.batch.value)) == 1 for f in twin.frames)

    story(body)


def test_a_frame_that_cannot_be_sent_is_told_to_all_whose_rows_it_had():
    """The one whose rows go on in the next frame too: told that all is well, it would forget what is lost."""

    async def body(framer, twin):
        twin.folded = 0
        await framer.add(rows(NOW - DAY))
        two = [asyncio.create_task(framer.add(rows(NOW - DAY, n))) for n in (10, 2 * ROWS)]
        await asyncio.sleep(0)
        twin.error, twin.folded = DefectError("broken"), 1
        for one in two:
            with pytest.raises(DefectError):
                await one
        twin.error, twin.folded = None, 1 << 40
        await framer.add(rows(NOW - DAY, value=5))
        assert twin.frames[-1].batch.value[-1] == 5

    story(body)


class Guard:
    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()


def posted(framer, time):
    return take_rows({"rows": [["a/b/rig/s0", time, 1.0, None]]}, REGISTRY, framer, Guard())


def test_a_request_with_more_of_the_past_is_refused_and_one_with_live_rows_is_not():
    async def body(framer, twin):
        twin.folded = 0
        waiting = asyncio.create_task(framer.add(rows(NOW - DAY, MOST + ROWS)))
        await until(lambda: twin.frames)
        with pytest.raises(StorageError, match="past"):
            await posted(framer, NOW - DAY)
        assert await posted(framer, NOW + 1) == b"[]"
        waiting.cancel()

    story(body)


def test_while_the_twin_is_away_there_is_no_room():
    """What is live goes into the log all the same: the twin has it first when it comes back."""

    class Away(Twin):
        async def ask(self, subject, body, **_):
            if body["do"] == "folded" and self.folded < 0:
                raise StorageError("the twin does not answer")
            return await super().ask(subject, body)

    async def body(framer, twin):
        twin.folded = -1
        old = asyncio.create_task(framer.add(rows(NOW - DAY)))
        await framer.add(rows(NOW + 1, value=3))
        assert twin.firsts() == [3]
        twin.folded = 5
        await old
        assert twin.firsts() == [3, 0]

    story(body, Away())


def test_a_twin_that_fails_over_a_question_holds_up_nothing_else():
    """What it cannot read ahead it reads when the rows come; what else it cannot answer is asked again."""

    class Failing(Twin):
        failed = 0

        async def ask(self, subject, body, **_):
            self.failed += 1
            if body["do"] == "ahead" or self.failed < 5:
                raise GemelError("OSError: no space left on device")
            return await super().ask(subject, body)

    async def body(framer, twin):
        framer._heard.learn(0, np.full(3, NOW))
        await framer.add(rows(NOW - DAY, value=1))
        await framer.add(rows(NOW + 1, value=2))
        assert (twin.firsts(), twin.failed > 5) == ([1, 2], True)

    story(body, Failing())


def test_a_twin_that_does_not_say_what_it_heard_makes_nothing_old():
    class Mute:
        async def ask(self, *_, **__):
            raise StorageError("the twin does not answer")

    heard = Heard(2)
    asyncio.run(FoldRoom(Mute()).heard(2, heard))
    assert not heard.overtaken(np.array([0, 1], np.int32), np.full(2, NOW - DAY), NOW).any()
