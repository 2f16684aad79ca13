"""What is old on its way into the log: it waits here until the fold has room, so that nothing live stands behind it.

    rows ─► older than the window, and than what their signal said last? ─► backlog ─► a frame ─► log
                                                                               ▲                   │
                                                                               └── once it is folded ◄─┘

Only one frame of the past is in the log and not yet folded, so a live reading waits for one such frame at most,
however many years are filled in; and what the history has of its signals and times was read before, beside the fold. Whoever brought the rows is told once they are in the log, as for all others:
killed before that, it brings them again. A row of the last week that is the newest of its signal is not old: a device that
was cut off and brings its last hours is judged in its order.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gemel.bus import Bus
from gemel.errors import GemelError
from gemel.samples import Batch
from gemel.samples.batch import I32, I64
from gemel.samples.clock import DAY, SECOND
from gemel.twin.lanes import NEVER

OLD: Final = 60 * SECOND  # behind plant time: no window waits for it any more, by far
PAST: Final = 7 * DAY  # behind plant time: old also where its signal said nothing since
ROWS: Final = 4096  # of the first frame of the past; then as many as are folded in time
LEAST: Final = 2048
LARGEST: Final = 16_384
SHARE_S: Final = 0.02  # for which a frame of the past may keep what is live waiting
MOST: Final = 200_000  # rows of the past that requests may have waiting: a second of the fold's work
AGAIN_S: Final = 0.1


class Heard:
    """The newest source time of each signal, of what came in here and of what the twin knew."""

    def __init__(self, signals: int) -> None:
        self._newest = np.full(signals, NEVER)

    def fit(self, signals: int) -> None:
        """Know so many signals; numbers are only ever added."""
        more = signals - len(self._newest)
        if more > 0:
            self._newest = np.append(self._newest, np.full(more, NEVER))

    def learn(self, first: int, times: I64) -> None:
        """Take the newest times [ns] that somebody else knows, of the signals from `first` on."""
        self.fit(first + len(times))
        part = self._newest[first : first + len(times)]
        np.maximum(part, times, out=part)

    def overtaken(self, signal: I32, time: I64, now: int) -> npt.NDArray[np.bool_]:
        """Tell which readings are old at a plant time [ns]; note the others."""
        old = time < now - OLD
        if old.any():
            old &= (time <= self._newest[signal]) | (time < now - PAST)
            signal, time = signal[~old], time[~old]
        np.maximum.at(self._newest, signal, time)
        return old


def resized(rows: int, took_s: float) -> int:
    """Give how many rows the next frame has, where one of so many took so long to be folded [s].

    >>> resized(4096, 0.05), resized(4096, 0.005), resized(4096, 0.015), resized(2048, 9.0)
    (2048, 5120, 4096, 2048)
    """
    if took_s > SHARE_S:
        return max(rows // 2, LEAST)
    return min(rows + rows // 4, LARGEST) if took_s < SHARE_S / 2 else rows


class Room(Protocol):
    """Tells when the fold has room."""

    async def announce(self, registry: str, rows: Batch) -> None:
        """Say what comes next, so that what the history has of it is at hand then."""

    async def reached(self, position: int) -> None:
        """Return once the fold has reached a position of the log."""


class FoldRoom:
    """Asks the twin; while it does not answer there is no room.

    Args:
        bus: where it is asked.

    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def announce(self, registry: str, rows: Batch) -> None:
        with contextlib.suppress(GemelError):  # the fold then looks by itself
            body = {"do": "ahead", "registry": registry, "signal": rows.signal.tobytes(), "time": rows.time.tobytes()}
            await self._bus.ask("twin.ask", body, timeout_s=10)

    async def reached(self, position: int) -> None:
        while True:
            try:
                await self._bus.ask("twin.ask", {"do": "folded", "upto": position}, timeout_s=10)
            except GemelError:
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def heard(self, signals: int, heard: Heard) -> None:
        """Learn what the twin knows of so many signals; nothing where it does not answer: then nothing is old until it is heard."""
        first = 0
        while first < signals:
            try:
                told = await self._bus.ask("twin.ask", {"do": "heard", "start": first}, timeout_s=10)
            except GemelError:
                return
            times = np.frombuffer(told, np.int64)
            if not len(times):
                return
            heard.learn(first, times)
            first += len(times)


@dataclass(slots=True, eq=False)
class _Waiting:
    rows: Batch
    registry: str
    done: asyncio.Future[None]

    def landed(self) -> None:
        """A frame with rows of it is in the log: it is done where that was the last."""
        if not len(self.rows) and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Some of its rows cannot be stored."""
        if not self.done.done():
            self.done.set_exception(error)


Append = Callable[[str, Batch], Awaitable[int]]  # registry, rows -> position in the log


class Backlog:
    """Rows of the past, in the order in which they came.

    Args:
        append: cuts a frame and gives its position once it is in the log.
        room: tells when that position is folded.

    """

    def __init__(self, append: Append, room: Room) -> None:
        self._append = append
        self._room = room
        self._waiting: deque[_Waiting] = deque()
        self._some = asyncio.Event()
        self._size = ROWS  # of a frame
        self.rows = 0  # that wait

    async def add(self, rows: Batch, registry: str) -> None:
        """Wait until these rows are durable in the log."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(rows, registry, done))
        self.rows += len(rows)
        self._some.set()
        await done

    async def run(self) -> None:
        """Append a frame whenever there is room, until cancelled."""
        async with asyncio.TaskGroup() as group:
            before: asyncio.Task[None] | None = None
            while True:
                await self._some.wait()
                rows, of = self._cut()
                await self._room.announce(of[0].registry, rows)
                await (before or self._folded(0))
                try:
                    position = await self._append(of[0].registry, rows)
                except Exception as e:  # whoever waits must hear of it: a source would stand still without a word
                    for one in of:
                        one.fail(e)
                else:
                    for one in of:
                        one.landed()
                    before = group.create_task(self._folded(position, len(rows)))
                self.rows -= len(rows)
                if not self._waiting:
                    self._some.clear()

    async def _folded(self, position: int, rows: int = 0) -> None:
        """Wait until a frame is folded; the next ones are as large as fits what that took."""
        began = time.monotonic()
        await self._room.reached(position)
        if rows == self._size:
            self._size = resized(self._size, time.monotonic() - began)

    def _cut(self) -> tuple[Batch, list[_Waiting]]:
        """Take the rows of a frame, and say whose they are."""
        parts, of, left = [], [self._waiting[0]], self._size
        while left and self._waiting and (first := self._waiting[0]).registry == of[0].registry:
            parts.append(first.rows[:left])
            first.rows = first.rows[left:]
            left -= len(parts[-1])
            if first is not of[-1]:
                of.append(first)
            if not len(first.rows):
                self._waiting.popleft()
        return Batch.concat(parts), of
