"""Reading a stream in order from a position, with credit instead of polling.

nats-py's own `fetch` waits for a full batch or a time-out; a twin wants each frame at once and many at a time
when it is behind. So a reader asks ahead: it keeps some messages and bytes on order, and takes what has come.
"""

import asyncio
import contextlib
import logging
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from gemel.bus.link import Bus, Message
from gemel.errors import StorageError

log = logging.getLogger(__name__)

CREDIT: Final = 256  # messages on order
CREDIT_BYTES: Final = 32 << 20  # under 64 MiB, above which the server drops a client
EXPIRES_S: Final = 20
SILENCE_S: Final = 3.0  # after this the consumer is made anew, from where it stood


class StreamReader:
    """Messages of a stream after a sequence, in order, each once."""

    def __init__(self, bus: Bus, stream: str, after: int) -> None:
        self._bus = bus
        self._stream = stream
        self.position = after
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._on_order = 0
        self._next = ""
        self._inbox = ""
        self._delivered = 0  # the consumer's own count: a hole in it is a message lost on its way
        self._subscription: object | None = None
        self._silent = 0.0
        self._generation = bus.generation
        self.pending = 0  # how many messages the stream holds beyond the last one received

    async def take(self, timeout_s: float = 1.0, most: int = CREDIT) -> list[Message]:
        """Give what has come, at least one message, or none after the time-out."""
        if self._generation != self._bus.generation:
            await self._restart()
        if self._subscription is None:
            await self._start()
        try:
            async with asyncio.timeout(timeout_s):
                messages = [await self._queue.get()]
        except TimeoutError:
            self._silent += timeout_s
            if self._silent >= SILENCE_S:
                await self._restart()
            return []
        self._silent = 0.0
        while not self._queue.empty() and len(messages) < most:
            messages.append(self._queue.get_nowait())
        if self._on_order < CREDIT // 2:
            await self._order()
        fresh = []
        for m in messages:
            if m.sequence > self.position:
                self.position = m.sequence
                fresh.append(m)
        return fresh

    async def close(self) -> None:
        """Stop reading."""
        if self._subscription is not None:
            with contextlib.suppress(NatsError):
                await self._subscription.unsubscribe()  # type: ignore[attr-defined]
            self._subscription = None

    async def _start(self) -> None:
        self._queue = asyncio.Queue()
        self._on_order = self._delivered = 0
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self.position + 1,
            ack_policy=AckPolicy.NONE, inactive_threshold=60, mem_storage=True,
        )  # fmt: skip
        try:
            self._inbox = self._bus.client.new_inbox()
            self._subscription = await self._bus.client.subscribe(
                self._inbox, cb=self._on_message, pending_bytes_limit=512 << 20
            )
            info = await self._bus.js.add_consumer(self._stream, config=config)
            self._next = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{info.name}"
            await self._order()
        except (NatsError, TimeoutError, OSError) as e:
            await self.close()
            await asyncio.sleep(0.2)
            log.debug("reading %s: %s", self._stream, e)

    async def _restart(self) -> None:
        self._silent = 0.0
        self._generation = self._bus.generation
        await self.close()
        if not self._bus.up:
            return
        try:
            first, last, _ = await self._bus.bounds(self._stream)
        except StorageError:  # away: asked again at the next silence
            return
        if first > self.position + 1:
            raise StorageError(
                f"the log {self._stream} no longer holds what follows {self.position}", code="log-trimmed",
                remedy="start from a newer snapshot",
            )  # fmt: skip
        if last < self.position:  # what comes next would take positions that were read already
            raise StorageError(
                f"the log {self._stream} ends at {last}, and was read up to {self.position}", code="log-lost",
                remedy="start anew: the log is then moved on beyond what is known",
            )  # fmt: skip

    async def _order(self) -> None:
        count = CREDIT - self._on_order
        request = {"batch": count, "max_bytes": CREDIT_BYTES, "expires": EXPIRES_S * 1_000_000_000}
        await self._bus.client.publish(self._next, msgspec.json.encode(request), reply=self._inbox)
        self._on_order += count

    async def _on_message(self, message: Msg) -> None:
        if message.headers and (status := message.headers.get("Status")):
            left = message.headers.get("Nats-Pending-Messages")
            self._on_order -= int(left) if left else 0
            if status != "100" and self._on_order < CREDIT // 2:
                self._on_order = max(self._on_order, 0)
                await self._order()
            return
        # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>
        parts = message.reply.split(".")
        if int(parts[-3]) != self._delivered + 1:
            self._generation = -1  # read again from the last one taken
            return
        self._delivered += 1
        self._on_order -= 1
        self.pending = int(parts[-1])
        self._queue.put_nowait(Message(sequence=int(parts[-4]), data=message.data, stored=int(parts[-2])))
