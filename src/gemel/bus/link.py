"""One connection to the bus: durable streams, and messages that need not last.

`append` waits until the server has it on the disk. `ask` and `answer` are requests between processes of the
family; `tell` and `hear` are news that the next one supersedes.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Self

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from gemel.errors import ConflictError, GemelError, StorageError

log = logging.getLogger(__name__)

SAMPLES: Final = "SAMPLES_{}"
FACTS: Final = "FACTS"
TRIED_S: Final = 10.0  # what was not tried again for so long tells nothing any more
PING_S: Final = 2  # how often the server is asked whether it is there; one that ended closes the line by itself
PINGS: Final = 15  # an answer stands behind all that was sent before it: a reader with much to fold is slow to see it
WRONG_LAST_SEQUENCE: Final = 10071  # the server's error code for a failed Nats-Expected-Last-Sequence


class Message(msgspec.Struct, frozen=True):
    """One stored message of a stream."""

    sequence: int
    data: bytes
    stored: int  # when the server stored it, wall clock [ns]


class Bus:
    """A connection; make one with `Bus.open`."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=5)
        self._unanswered: dict[str, tuple[float, float]] = {}  # by subject: since when, and the last time
        self.generation = 0  # how often the server was reached anew: what it kept in memory is gone then

    @classmethod
    async def open(cls, url: str, name: str) -> Self:
        """Connect, and keep reconnecting for as long as the process lives."""
        client = Client()
        bus = cls(client)

        async def reached_anew() -> None:
            bus.generation += 1

        await client.connect(
            url, name=name, reconnected_cb=reached_anew, max_reconnect_attempts=-1, connect_timeout=2,
            reconnect_time_wait=0.1,  # type: ignore[arg-type]  # a tenth of a second is well taken
            ping_interval=PING_S, max_outstanding_pings=PINGS, pending_size=32 << 20, error_cb=_note, allow_reconnect=True,
        )  # fmt: skip
        return bus

    async def close(self) -> None:
        """Flush and leave."""
        with contextlib.suppress(OSError):  # a server that is gone needs no good-bye
            try:
                await asyncio.wait_for(self.client.drain(), 2)
            except (NatsError, TimeoutError):
                await self.client.close()

    @property
    def up(self) -> bool:
        """Tell whether the server is reached."""
        return bool(self.client.is_connected)

    async def ensure_stream(self, name: str, subject: str, max_bytes: int) -> None:
        """Make a stream where it is missing, or give it its new size; a full one refuses, nothing is evicted."""
        config = StreamConfig(
            name=name, subjects=[subject], storage=StorageType.FILE, discard=DiscardPolicy.NEW, max_bytes=max_bytes,
            duplicate_window=120,
        )  # fmt: skip
        with _reached():
            try:
                there = (await self.js.stream_info(name)).config
                if there.max_bytes != max_bytes:
                    there.max_bytes = max_bytes
                    await self.js.update_stream(there)
            except NotFoundError:
                await self.js.add_stream(config)

    async def append(
        self,
        subject: str,
        data: bytes,
        *,
        once: str = "",
        expect_last: int | None = None,
        timeout_s: float = 5.0,
    ) -> int:
        """Append durably and give the sequence; raises StorageError (full, away) or ConflictError (somebody was first)."""
        headers: dict[str, str] = {}
        if once:
            headers["Nats-Msg-Id"] = once
        if expect_last is not None:
            headers["Nats-Expected-Last-Sequence"] = str(expect_last)
        try:
            with _reached():
                ack = await self.js.publish(subject, data, headers=headers or None, timeout=timeout_s)
        except StorageError as e:
            if e.code == "log-away" and self.up:
                now = time.monotonic()
                self._unanswered[subject] = (self._unanswered.get(subject, (now, now))[0], now)
            raise
        self._unanswered.pop(subject, None)
        return int(ack.seq)

    @property
    def mute_s(self) -> float:
        """For how long a server that is reached has not answered what was to be appended [s].

        After a write that failed it takes nothing more into that stream, also when there is room again, until it is
        started anew.
        """
        now = time.monotonic()
        return max((now - first for first, last in self._unanswered.values() if now - last < TRIED_S), default=0.0)

    async def bounds(self, stream: str) -> tuple[int, int, int]:
        """Give first and last sequence and the size in bytes; raises StorageError where the log is away."""
        with _reached():
            state = (await self.js.stream_info(stream)).state
        return int(state.first_seq), int(state.last_seq), int(state.bytes)

    async def stored(self, stream: str, sequence: int) -> bytes | None:
        """Give one stored message, or None; raises StorageError where the log is away."""
        with _reached():
            try:
                return bytes((await self.js.get_msg(stream, sequence)).data or b"")
            except NotFoundError:
                return None

    async def trim(self, stream: str, below: int) -> None:
        """Remove everything below a sequence; raises StorageError where the log is away."""
        with _reached():
            await self.js.purge_stream(stream, seq=below)

    async def remove(self, stream: str, sequence: int) -> None:
        """Remove one message, its place stays empty; raises StorageError where the log is away."""
        with _reached():
            await self.js.delete_msg(stream, sequence)

    async def tell(self, subject: str, data: bytes) -> None:
        """Send news; who does not listen misses it. Nothing is queued while the server is away."""
        if self.up:
            with contextlib.suppress(NatsError):  # the line broke just now: missed like any other news
                await self.client.publish(subject, data)
            _not_cancelled()

    async def hear(
        self, subject: str, handle: Callable[[bytes], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """Call `handle` with every message on a subject; what is given ends it."""

        async def on(message: Msg) -> None:
            await handle(message.data)

        subscription = await self.client.subscribe(subject, cb=on, pending_bytes_limit=256 << 20)

        async def stop() -> None:
            with contextlib.suppress(NatsError):
                await subscription.unsubscribe()

        return stop

    async def ask(self, subject: str, body: Any, *, timeout_s: float = 5.0) -> bytes:
        """Ask another process of the family; its error comes back as the same kind of error."""
        try:
            reply = await self.client.request(subject, msgspec.msgpack.encode(body), timeout=timeout_s)
        except (NoRespondersError, NatsTimeout, NatsError) as e:
            _not_cancelled()
            raise StorageError(
                "the twin does not answer",
                code="twin-away",
                remedy="it restarts by itself; try again in some seconds",
            ) from e
        if reply.headers and (told := reply.headers.get("Gemel-Error")):
            raise _error_from(told)
        return bytes(reply.data)

    async def answer(self, subject: str, handle: Callable[[Any], Awaitable[bytes]]) -> None:
        """Answer requests on a subject; each runs as a task of its own."""
        running: set[asyncio.Task[None]] = set()

        async def reply(message: Msg) -> None:
            try:
                data = await handle(msgspec.msgpack.decode(message.data))
                await message.respond(data)
            except GemelError as e:
                await self._respond_error(message, e)
            except Exception as e:
                log.exception("a request on %s failed", subject)
                await self._respond_error(message, GemelError(f"{type(e).__name__}: {e}"))

        async def on(message: Msg) -> None:
            task = asyncio.create_task(reply(message))
            running.add(task)
            task.add_done_callback(running.discard)

        await self.client.subscribe(subject, cb=on)

    async def _respond_error(self, message: Msg, error: GemelError) -> None:
        told = msgspec.json.encode(
            {"kind": type(error).__name__, "message": error.message, "remedy": error.remedy, "code": error.code,
             "context": {k: str(v) for k, v in error.context.items()}}
        )  # fmt: skip
        await self.client.publish(message.reply, b"", headers={"Gemel-Error": told.decode()})


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Say in our words what the log did not do; hand on a cancellation that its client kept to itself.

    nats-py swallows one that meets it while it flushes; a loop that retries would then never end.
    """
    try:
        yield
        _not_cancelled()
    except APIError as e:
        if e.err_code == WRONG_LAST_SEQUENCE:
            raise ConflictError("somebody else appended to this stream", code="not-the-owner") from e
        raise StorageError(
            f"the log refused: {e.description}", code="log-refused", remedy="free disk space"
        ) from e
    except (NatsError, TimeoutError, OSError) as e:
        _not_cancelled()
        raise StorageError(
            f"the log does not answer: {type(e).__name__}", code="log-away", remedy="it is retried"
        ) from e


def _not_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _error_from(told: str) -> GemelError:
    body = msgspec.json.decode(told)
    kinds: dict[str, type[GemelError]] = {"GemelError": GemelError}
    pending = [GemelError]
    while pending:
        for kind in pending.pop().__subclasses__():
            kinds[kind.__name__] = kind
            pending.append(kind)
    kind = kinds.get(body["kind"], GemelError)
    return kind(body["message"], remedy=body["remedy"], code=body["code"], context=body["context"])


async def _note(error: Exception) -> None:
    log.debug("bus: %s: %s", type(error).__name__, error)
