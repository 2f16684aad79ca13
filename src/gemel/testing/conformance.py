"""The conformance kit of connectors: what every one must hold, checked against a real source.

    for name, check in CHECKS.items(): await check(rig)      a failed one raises AssertionError with a sentence

A rig is the source's side: it sends readings and rubbish, and hears what is written. Use it with pytest by
parametrizing over `CHECKS`, or without by `run`.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeVar

import numpy as np

from gemel.connect import Connector, Reading, WriteOrder
from gemel.errors import ConnectError
from gemel.samples import Batch
from gemel.samples.clock import MILLISECOND, SECOND

PATIENCE_S: Final = 15.0
CLOSE_S: Final = 5.0
START: Final = 1_700_000_000 * SECOND
SIGNALS: Final = 3  # that a rig's plan must have, numbered 0, 1, 2


class Rig(Protocol):
    """What the kit needs of the source's side.

    Attributes:
        connector: under test, over signals 0, 1, 2, each with a time of its own.
        most_waiting: messages it may hold unread.
        rubbish: a reason's word and how often `send_rubbish` makes it count, or none.
        order: a command that the source understands, or none where it takes none.
    """

    connector: Connector
    most_waiting: int
    rubbish: str | None
    order: WriteOrder | None

    async def prepare(self) -> None:
        """Make the source keep what is sent from now on, even while the connector is away."""

    async def send(self, readings: list[tuple[int, int, float]]) -> None:
        """Send (signal, time [ns], value) and return when the source has taken them."""

    async def send_rubbish(self, count: int) -> None:
        """Send so many readings that must be refused."""

    async def heard(self) -> bytes:
        """Wait for what the connector wrote, as the other side sees it."""

    async def cut(self) -> bool:
        """Cut the line in the middle; false where the protocol has none."""


T = TypeVar("T")
Check = Callable[[Rig], Awaitable[None]]


async def reads_what_was_sent(rig: Rig) -> None:
    """Every reading sent is read once, with its value and its time, in order."""
    sent = readings(300)
    await rig.prepare()
    await rig.send(sent)
    await rig.connector.open()
    try:
        got = await collect(rig.connector, len(sent), acknowledge=True)
    finally:
        await rig.connector.close()
    assert rows(got) == sorted(sent), "what was read is not what was sent"
    assert (got.received > 0).all(), "a reading lacks the time it was received"


async def unacknowledged_comes_again(rig: Rig) -> None:
    """What was read but not acknowledged comes again after `open`; what was acknowledged does not."""
    first, second = readings(15), readings(15, after=15)  # fewer than the 20 under way of MQTT 3.1.1
    await rig.prepare()
    await rig.send(first)
    await rig.connector.open()
    await collect(rig.connector, len(first), acknowledge=False)
    await rig.connector.close()
    await rig.connector.open()
    again = await collect(rig.connector, len(first), acknowledge=True)
    await settled(rig.connector)
    await rig.connector.close()
    assert rows(again) == sorted(first), "what was not acknowledged did not come again"
    await rig.send(second)
    await rig.connector.open()
    try:
        last = await collect(rig.connector, len(second), acknowledge=True)
    finally:
        await rig.connector.close()
    assert rows(last) == sorted(second), f"what was acknowledged came again: {rows(last)}"


async def survives_a_cut_line(rig: Rig) -> None:
    """After a cut it connects by itself, a receipt of the old line is void, and nothing is lost."""
    sent, later = readings(60), readings(60, after=60)
    await rig.prepare()
    await rig.send(sent)
    await rig.connector.open()
    try:
        before = [await rig.connector.read()]
        if not await rig.cut():
            return
        for reading in before:
            await rig.connector.acknowledge(reading.receipt)
        await rig.send(later)
        wanted = set(sent) | set(later)
        seen: set[tuple[int, int, float]] = set()
        for reading in before:
            seen |= set(rows(reading.rows))
        while not wanted <= seen:
            reading = await patiently(rig.connector.read())
            await rig.connector.acknowledge(reading.receipt)
            seen |= set(rows(reading.rows))
        assert seen == wanted, "readings appeared that nobody sent"
        assert rig.connector.status().reconnects >= 1, "the cut was not noticed"
    finally:
        await rig.connector.close()


async def counts_what_it_refuses(rig: Rig) -> None:
    """Rubbish is refused with a word, counted, shown by few examples, and does not stop what is good."""
    if rig.rubbish is None:
        return
    await rig.prepare()
    await rig.send_rubbish(100)
    await rig.send(readings(3))
    await rig.connector.open()
    try:
        got = await collect(rig.connector, 3, acknowledge=True)
        status = rig.connector.status()
    finally:
        await rig.connector.close()
    assert rows(got) == sorted(readings(3)), "good readings were lost among rubbish"
    assert status.refused.get(rig.rubbish) == 100, f"{rig.rubbish} counted {status.refused}"
    examples = [e for e in status.examples if e["reason"] == rig.rubbish]
    assert 1 <= len(examples) <= 10, "no example of what was refused, or too many"
    assert all(len(e["text"]) <= 200 for e in examples), "an example is long"


async def holds_little_when_nobody_reads(rig: Rig) -> None:
    """If nobody reads, it stops taking; once somebody reads, all comes."""
    sent = readings(3 * rig.most_waiting)
    await rig.prepare()
    await rig.connector.open()
    try:
        await connected(rig.connector)
        await rig.send(sent)
        assert rig.connector.status().waiting <= rig.most_waiting, "it holds more than it says"
        if rig.connector.status().values == 0:  # a file opened before it was written is looked at again
            await rig.connector.close()
            await rig.connector.open()
        got = await collect(rig.connector, len(sent), acknowledge=True)
    finally:
        await rig.connector.close()
    assert rows(got) == sorted(sent), "what waited was lost"


async def may_be_cancelled_while_reading(rig: Rig) -> None:
    """A read that is cancelled takes nothing with it."""
    sent = readings(120)
    await rig.prepare()
    await rig.send(sent)
    await rig.connector.open()
    parts: list[Batch] = []
    try:
        for _ in range(5):
            reading = asyncio.ensure_future(rig.connector.read())
            await asyncio.sleep(0)
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # or it was quicker
                parts.append((await reading).rows)
        missing = len(sent) - sum(map(len, parts))
        parts.append(await collect(rig.connector, missing, acknowledge=True))
    finally:
        await rig.connector.close()
    assert rows(Batch.concat(parts)) == sorted(sent), "a cancelled read took readings with it"


async def closes_in_time(rig: Rig) -> None:
    """`close` returns within 5 s, a waiting read ends with ConnectError, and the state says closed."""
    await rig.prepare()
    await rig.connector.open()
    await connected(rig.connector)
    reading = asyncio.ensure_future(_until_closed(rig.connector))
    began = time.monotonic()
    await rig.connector.close()
    assert time.monotonic() - began < CLOSE_S, "closing took more than 5 s"
    assert await patiently(reading), "a read outlived the connection"
    assert rig.connector.status().state == "closed"


async def writes_once(rig: Rig) -> None:
    """A command arrives as it was given, and its outcome says that the other side has it."""
    if rig.order is None:
        await rig.connector.open()
        refused = await rig.connector.write(WriteOrder("anything", b"1"))
        await rig.connector.close()
        assert not refused.acknowledged, "a command vanished into a source that takes none"
        assert refused.note, "a refusal says why"
        return
    early = await rig.connector.write(rig.order)
    assert not early.acknowledged, "a command was taken before there was a connection"
    await rig.prepare()
    await rig.connector.open()
    try:
        await connected(rig.connector)
        outcome = await rig.connector.write(rig.order)
        assert outcome.acknowledged, f"the command was not acknowledged: {outcome.note}"
        assert await patiently(rig.heard()) == rig.order.payload
    finally:
        await rig.connector.close()


CHECKS: Final[Mapping[str, Check]] = {
    check.__name__: check
    for check in (
        reads_what_was_sent,
        unacknowledged_comes_again,
        survives_a_cut_line,
        counts_what_it_refuses,
        holds_little_when_nobody_reads,
        may_be_cancelled_while_reading,
        closes_in_time,
        writes_once,
    )
}


async def run(make: Callable[[], Awaitable[Rig]]) -> dict[str, str | None]:
    """Run all checks, each on a rig of its own; give what failed in words, none where it holds."""
    found: dict[str, str | None] = {}
    for name, check in CHECKS.items():
        try:
            await check(await make())
        except (AssertionError, TimeoutError) as why:
            found[name] = str(why) or type(why).__name__
        else:
            found[name] = None
    return found


# What checks are made of


def readings(count: int, after: int = 0) -> list[tuple[int, int, float]]:
    """Make readings that differ in time and value, spread over the signals."""
    return [(i % SIGNALS, START + i * 10 * MILLISECOND, i + 0.5) for i in range(after, after + count)]


def rows(batch: Batch) -> list[tuple[int, int, float]]:
    """Give a batch as sorted readings."""
    return sorted(zip(batch.signal.tolist(), batch.time.tolist(), batch.value.tolist(), strict=True))


async def collect(connector: Connector, count: int, *, acknowledge: bool) -> Batch:
    """Read until so many rows are there."""
    parts: list[Reading] = []
    while sum(len(p.rows) for p in parts) < count:
        reading = await patiently(connector.read())
        assert not reading.ended, (
            f"the source ended after {sum(len(p.rows) for p in parts)} of {count} readings"
        )
        parts.append(reading)
        if acknowledge:
            await connector.acknowledge(reading.receipt)
    together = Batch.concat([p.rows for p in parts])
    return together.take(np.arange(len(together)))


async def connected(connector: Connector) -> None:
    """Wait until the connection stands."""
    await _wait_until(
        lambda: connector.status().state == "connected", lambda: f"not connected: {connector.status().error}"
    )


async def settled(connector: Connector) -> None:
    """Wait until nothing is unacknowledged."""
    await _wait_until(lambda: not connector.status().unacknowledged, lambda: "acknowledgements were not sent")


async def patiently(work: Awaitable[T]) -> T:
    """Wait for something, but not for ever."""
    return await asyncio.wait_for(work, PATIENCE_S)


async def _wait_until(true: Callable[[], bool], why: Callable[[], str]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends, why()
        await asyncio.sleep(0.01)


async def _until_closed(connector: Connector) -> bool:
    try:
        while not (await connector.read()).ended:
            pass
    except ConnectError:
        return True
    return True
