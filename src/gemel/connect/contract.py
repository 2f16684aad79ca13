"""The contract every protocol of a plant implements: a source that is read in batches and acknowledged late.

    open -> read -> (rows durable in the log) -> acknowledge -> read … -> close

Eight steps to a new connector:

1. Take a frozen settings object (parse the plant file's options at the edge, secrets through a resolver).
2. Take `Sources` (which address of yours feeds which signal) and compile it once into a plan.
3. `open` starts the connection and returns at once; a device that is down is a state, not an error.
   Decide about reconnecting in `gemel.connect.reconnect`, never in a callback.
4. `read` waits for something, lingers some milliseconds for more, and decodes by column: `payload.Decoder`
   for bytes, or arrays. What cannot be used is refused with a word of `refusals.REASONS`, and counted.
5. Hand out a receipt that names what the rows came from. Acknowledge to the device in `acknowledge` and
   nowhere else; a receipt of a connection that is gone is void.
6. Bound everything: what is not yet read (messages and bytes), what is not yet acknowledged, examples,
   counters. If nobody reads, stop taking.
7. `write` sends one command once, waits for the device's word and never sends it again by itself.
8. Run `gemel.testing.conformance` over it, against a foreign server.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from gemel.connect.refusals import Refusals
from gemel.samples import Batch

State = Literal["closed", "connecting", "connected", "waiting"]


class Receipt(Protocol):
    """Names what a reading came from; opaque to whoever acknowledges it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one `read` gives.

    Args:
        rows: decoded samples in order of arrival; `value` is the source's number in the source's unit.
        refused: what could not be used, counted by reason, with a few examples.
        receipt: hand it to `acknowledge` once the rows are durable (at once if there are none).
        messages: how many messages of the source it covers.
        ended: a finite source (a file) has nothing more; always false on a live one.
        registry: digest of the registry that numbers the rows; empty: the one in force when they are stored.

    """

    rows: Batch
    refused: Refusals
    receipt: Receipt
    messages: int = 0
    ended: bool = False
    registry: str = ""


@dataclass(frozen=True, slots=True)
class WriteOrder:
    """One command for the device: sent at most once, refused rather than sent late.

    Args:
        topic: where to (MQTT topic, node, register).
        payload: what to send, encoded.
        timeout_s: how long the device or broker may take to say it has it [s].

    """

    topic: str
    payload: bytes
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What became of a command: whether the other side said it has it, and its words."""

    acknowledged: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """How a connection is doing.

    Args:
        name, protocol: as in the plant file.
        state: closed, connecting, connected, or waiting (before the next try).
        since: since when [ns].
        messages, values: taken from the source since `open`; `values` are those that were usable.
        waiting: messages taken but not yet read.
        unacknowledged: messages read but not yet acknowledged.
        reconnects: connections made after the first.
        refused: counts by reason.
        examples: a few of each reason: {"reason", "topic", "text"}.
        error: the last trouble in words, or none.

    """

    name: str
    protocol: str
    state: State
    since: int
    messages: int = 0
    values: int = 0
    waiting: int = 0
    unacknowledged: int = 0
    reconnects: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, str]] = field(default_factory=list)
    error: str | None = None


class Connector(Protocol):
    """A connection to a plant. All methods are called from one event loop.

    Attributes:
        name: as in the plant file.
        delivery: the stated guarantee, in words a user understands.

    """

    name: str

    @property
    def delivery(self) -> str:
        """The stated guarantee."""

    async def open(self) -> None:
        """Start connecting; returns before the connection stands. Raises ConnectError for bad settings only."""

    async def read(self) -> Reading:
        """Wait for the next batch. May be cancelled without loss. Raises ConnectError once closed."""

    async def acknowledge(self, receipt: Receipt) -> None:
        """Tell the source that what the receipt names is durable. A void receipt does nothing."""

    async def write(self, order: WriteOrder) -> WriteOutcome:
        """Send one command, once; an outcome without acknowledgement says why."""

    async def close(self) -> None:
        """Leave within 5 s; what was not acknowledged comes again with the next `open`."""

    def status(self) -> ConnectionStatus:
        """Say how the connection is doing; cheap, bounded in size."""
