"""One browser's end of the live socket: what it asked for, and the little that waits to be sent to it."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

FRAMES_WAITING: Final = 2  # of a subscription; the oldest is dropped, for only the latest counts
EVENTS_WAITING: Final = 1000  # beyond it the oldest are dropped: their sequence numbers tell


@dataclass(eq=False)
class Client:
    """Frames and events that wait for one socket; the hub puts, the socket's writer takes.

    Attributes:
        dropped: frames that were never sent because newer ones came.
    """

    _frames: dict[int, deque[bytes]] = field(default_factory=dict)
    _events: deque[str] = field(default_factory=lambda: deque(maxlen=EVENTS_WAITING))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: int = 0

    def subscribed(self, number: int) -> None:
        """Begin a subscription anew: what waits of the former order of signals is void."""
        self._frames[number] = deque(maxlen=FRAMES_WAITING)

    def unsubscribed(self, number: int) -> None:
        """End a subscription."""
        self._frames.pop(number, None)

    def frame(self, number: int, data: bytes) -> None:
        """Offer a value frame."""
        waiting = self._frames.get(number)
        if waiting is None:
            return
        self.dropped += len(waiting) == FRAMES_WAITING
        waiting.append(data)
        self._wake.set()

    def event(self, text: str) -> None:
        """Offer an event; it goes before frames."""
        self._events.append(text)
        self._wake.set()

    def take(self) -> str | bytes | None:
        """Give what is to be sent next, or none."""
        if self._events:
            return self._events.popleft()
        for waiting in self._frames.values():
            if waiting:
                return waiting.popleft()
        return None

    async def wait(self, timeout_s: float) -> None:
        """Wait until there is something to take, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()
