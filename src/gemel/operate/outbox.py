"""What the twin has to tell, on its way into the record: in order, and none forgotten before it is recorded."""

import asyncio
from collections import deque
from typing import Final

from gemel.errors import StorageError
from gemel.samples import Draft
from gemel.twin.record import Record

AGAIN_S: Final = 0.5


class Outbox:
    """Drafts that wait for the record; `problem` says why they do."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._waiting: deque[Draft] = deque()
        self._recorded = 0
        self._turn = asyncio.Lock()
        self._more = asyncio.Event()
        self.problem = ""

    @property
    def waiting(self) -> list[Draft]:
        """What is not recorded yet."""
        return list(self._waiting)

    def put(self, draft: Draft) -> None:
        """Have something recorded."""
        self._waiting.append(draft)
        self._more.set()

    async def flush(self) -> None:
        """Record what was put up to now; raises StorageError where the record is away.

        A draft leaves only when it is recorded: whoever is cancelled here leaves it for the next.
        """
        upto = self._recorded + len(self._waiting)
        while self._recorded < upto:
            async with self._turn:
                if self._recorded < upto:
                    await self._record.append(self._waiting[0])
                    self._waiting.popleft()
                    self._recorded += 1

    async def run(self) -> None:
        """Record what is put, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                await self.flush()
                self.problem = ""
            except StorageError as e:
                self.problem = str(e)
                self._more.set()
                await asyncio.sleep(AGAIN_S)
