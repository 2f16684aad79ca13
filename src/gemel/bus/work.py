"""A work queue: each message goes to one who takes it, and to another where that one falls silent.

JOBS (work-queue retention): taken ─► kept alive while worked on ─► done, or given back by silence.
"""

import contextlib
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from gemel.bus.link import Bus
from gemel.errors import StorageError

JOBS: Final = "JOBS"
WORKERS: Final = "reason"
SILENT_S: Final = 6.0  # who did not say for so long that they work on it has died
TRIES: Final = 3
MOST_BYTES: Final = 256 << 20


class Work:
    """One message of the queue, taken."""

    def __init__(self, message: Msg) -> None:
        self._message = message
        self.data = bytes(message.data)

    @property
    def tries(self) -> int:
        """How often it was taken, this time included."""
        return int(self._message.metadata.num_delivered or 1)

    async def alive(self) -> None:
        """Say that it is worked on."""
        with contextlib.suppress(NatsError):
            await self._message.in_progress()

    async def done(self) -> None:
        """Say that it need not be taken again."""
        with contextlib.suppress(NatsError):
            await self._message.ack()


class WorkQueue:
    """The queue, for who puts and for who takes."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._taker: JetStreamContext.PullSubscription | None = None

    async def ensure(self) -> None:
        """Make the queue where it is missing; raises StorageError where the log is away."""
        config = StreamConfig(
            name=JOBS, subjects=["jobs.queue"], retention=RetentionPolicy.WORK_QUEUE, storage=StorageType.FILE,
            max_bytes=MOST_BYTES, duplicate_window=1,
        )  # fmt: skip
        wanted = ConsumerConfig(
            durable_name=WORKERS, ack_policy=AckPolicy.EXPLICIT, ack_wait=SILENT_S, max_deliver=TRIES + 1,
            max_ack_pending=1000,
        )  # fmt: skip
        try:
            try:
                await self._bus.js.stream_info(JOBS)
            except NotFoundError:
                await self._bus.js.add_stream(config)
            try:
                await self._bus.js.consumer_info(JOBS, WORKERS)
            except NotFoundError:
                await self._bus.js.add_consumer(JOBS, wanted)
        except (NatsError, APIError, OSError) as e:
            raise StorageError("the job queue does not answer", code="log-away", remedy="try again") from e

    async def put(self, data: bytes) -> None:
        """Put work into the queue, durably; raises StorageError."""
        await self._bus.append("jobs.queue", data)

    async def take(self, wait_s: float) -> Work | None:
        """Take the next work, waiting for it so long [s]; None where there is none."""
        if self._taker is None:
            self._taker = await self._bus.js.pull_subscribe_bind(WORKERS, JOBS)
        try:
            return Work((await self._taker.fetch(1, timeout=wait_s))[0])
        except (NatsTimeout, TimeoutError):
            return None
        except (NatsError, APIError, OSError):  # the server is away: reached anew, it is the same queue
            self._taker = None
            raise StorageError(
                "the job queue does not answer", code="log-away", remedy="it is tried again"
            ) from None
