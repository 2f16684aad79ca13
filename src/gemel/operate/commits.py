"""What is folded on its way into the lake: it waits in the tail, and is stored together with the position that it reaches."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import numpy.typing as npt

from gemel.errors import StorageError
from gemel.history import Store
from gemel.operate.tail import Part, Tail
from gemel.samples import Batch

log = logging.getLogger(__name__)
COMMIT_S: Final = 10.0
COMMIT_ROWS: Final = 1_000_000
MOST_COMMIT: Final = 1_000_000  # rows in one transaction: what a commit needs beside them is six times their size
IDLE_PROGRESS: Final = 5_000  # positions; an idle plant's ticks need no commit each ten seconds


class Commits:
    """Stores the rows of one partition.

    Args:
        store: of the lake.
        partition: its number.
        classes: retention class of each signal.
        reached: gives the position of the log, and the plant's time [ns], that the state has reached.

    """

    def __init__(
        self, store: Store, partition: int, classes: npt.NDArray[Any], reached: Callable[[], tuple[int, int]]
    ) -> None:
        self.tail = Tail()
        self.classes = classes
        self.due = asyncio.Event()  # without waiting for the next turn
        self.stored = 0  # position up to which rows are in the lake
        self.stored_time = 0  # the plant's time when that was reached
        self.took_s = 0.0  # the last one
        self.rows = 0  # stored since the start
        self.problem = ""
        self.on_stored: Callable[[int], None] = _nothing
        self._store = store
        self._partition = partition
        self._reached = reached
        self._epoch = 0
        self._turn = asyncio.Lock()
        self._waiting_since = 0.0  # since when rows wait for the lake; 0: none do

    async def take_over(self) -> None:
        """Take the lake from whoever had it, and go on where its rows end."""
        self._epoch = await asyncio.to_thread(self._store.take_over, self._partition)
        progress = self._store.progress().get(self._partition)
        self.stored = progress.sequence if progress else 0

    def add(self, sequence: int, rows: Batch) -> None:
        """Have rows stored that end at a position of the log."""
        self.tail.add(sequence, rows)
        self._waiting_since = self._waiting_since or time.monotonic()
        if self.tail.rows >= COMMIT_ROWS:
            self.due.set()

    def age_s(self) -> float:
        """Give for how long rows have waited to be stored [s]."""
        return time.monotonic() - self._waiting_since if self._waiting_since else 0.0

    async def run(self) -> None:
        """Store every ten seconds, or a million rows, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.due.wait(), COMMIT_S)
            self.due.clear()
            try:
                await self.commit()
                self.problem = ""
            except StorageError as e:
                self.problem = str(e)
                log.error("the lake does not take rows: %s", e)
                await asyncio.sleep(1)

    async def commit(self) -> int:
        """Store all rows folded so far, with the position they reach, in one transaction; give the position."""
        upto, _ = self._reached()
        if self.tail.rows or upto - self.stored >= IDLE_PROGRESS:
            await self.store(upto)
        return upto

    async def store(self, upto: int) -> None:
        """Store the rows up to a position.

        Shielded: a commit under way ends well even where its waiter is cancelled, and what it stored is then known.
        Else the rows would be stored once more, with the next commit.
        """
        await asyncio.shield(asyncio.ensure_future(self._store_rows(upto)))

    async def _store_rows(self, upto: int) -> None:
        async with self._turn:
            if upto <= self.stored:
                return
            _, reached = self._reached()
            for part in self.tail.parts(upto, MOST_COMMIT):
                began = time.monotonic()
                await asyncio.to_thread(self._commit, part, self.classes)
                self.stored = part.sequence
                self.on_stored(part.sequence)
                self.tail.drop(part.sequence)
                self.took_s = time.monotonic() - began
                self.rows += part.rows
                self._waiting_since = began if self.tail.rows else 0.0
            self.stored_time = reached

    def _commit(self, part: Part, classes: npt.NDArray[Any]) -> None:
        """Put rows together and store them, in a thread: a million rows are 50 ms in which readings need not wait."""
        self._store.commit(self._partition, self._epoch, part.sequence, Batch.concat(part.pieces), classes)


def _nothing(_position: int) -> None:
    """Nobody asked to hear of it."""
