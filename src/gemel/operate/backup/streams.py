"""Messages of the log as packs: so they are kept whatever the log's server does with its own files.

pack = magic "GMP1" | per message: sequence u64, stored [ns] i64, size u32, bytes

A pack ends at fixed sequences, so that the next back-up cuts the same ones and stores them no second time.
"""

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gemel.bus import Bus, Message, StreamReader
from gemel.errors import StorageError
from gemel.operate.backup.manifest import Entry, Stretch
from gemel.operate.backup.vault import CHUNK, Vault
from gemel.sealing.cipher import damaged

MAGIC: Final = b"GMP1"
EACH: Final = 1024  # sequences to a pack at most
IN_FLIGHT: Final = 64
QUIET_S: Final = 5.0  # no message for so long where more were said to be there: the log's server is gone
_HEAD: Final = struct.Struct("<QqI")

Last = Callable[[Message], bool]


class _Packer:
    """Cuts messages into packs and stores them."""

    def __init__(self, vault: Vault, stream: str) -> None:
        self._vault = vault
        self._stream = stream
        self._buffer = bytearray(MAGIC)
        self._first = 0
        self.packs: list[Entry] = []
        self.messages = 0
        self.last = 0

    def add(self, message: Message) -> None:
        self._first = self._first or message.sequence
        self._buffer += _HEAD.pack(message.sequence, message.stored, len(message.data)) + message.data
        self.messages += 1
        self.last = message.sequence
        if message.sequence % EACH == 0 or len(self._buffer) > CHUNK:
            self.cut()

    def cut(self) -> None:
        if len(self._buffer) > len(MAGIC):
            path = f"{self._stream}/{self._first:020d}"
            data = bytes(self._buffer)
            chunks = [self._vault.put(data[i : i + CHUNK]) for i in range(0, len(data), CHUNK)]
            self.packs.append(Entry(path=path, size=len(data), chunks=chunks))
            self._buffer = bytearray(MAGIC)
            self._first = 0


async def export(
    bus: Bus, vault: Vault, stream: str, after: int, upto: int, is_last: Last
) -> tuple[Stretch, Message | None]:
    """Store the messages of a stream after a position, to the first one at or beyond `upto` that `is_last`.

    Gives what was stored and its last message. Where the stream ends before one comes, it is taken up to its end.
    """
    subject = "facts" if stream == "FACTS" else stream.lower().replace("_", ".")
    packer, last = _Packer(vault, stream), None
    reader = StreamReader(bus, stream, after)
    ended = upto <= after
    try:
        while not ended:
            messages = await reader.take(QUIET_S)
            if not messages:
                _, end, _ = await bus.bounds(stream)
                if reader.position < end:
                    raise StorageError(
                        "the log does not give what it holds", code="log-away", remedy="it is tried again"
                    )
                break
            for message in messages:
                packer.add(message)
                last = message
                if message.sequence >= upto and is_last(message):
                    ended = True
                    break
    finally:
        await reader.close()
    packer.cut()
    stretch = Stretch(
        stream=stream, subject=subject, after=after, upto=packer.last or after, messages=packer.messages,
        packs=packer.packs,
    )  # fmt: skip
    return stretch, last


def unpack(data: bytes) -> Iterator[Message]:
    """Read a pack; raises StorageError where it is none."""
    if data[: len(MAGIC)] != MAGIC:
        raise damaged("a pack of log messages is not of the form that is known here")
    at = len(MAGIC)
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise damaged("a pack of log messages ends in the middle")
        sequence, stored, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if len(data) - at < size:
            raise damaged("a pack of log messages ends in the middle")
        yield Message(sequence=sequence, data=data[at : at + size], stored=stored)
        at += size


def messages(vault: Vault, stretch: Stretch) -> Iterator[Message]:
    """Give the messages of a stretch, in order; raises StorageError where it is not whole."""
    count, last = 0, stretch.after
    for pack in stretch.packs:
        for message in unpack(b"".join(vault.content(pack))):
            if message.sequence <= last:
                raise damaged(f"the messages of {stretch.stream} are out of order")
            last = message.sequence
            count += 1
            yield message
    if count != stretch.messages:
        raise damaged(f"{stretch.stream} has {count} messages instead of {stretch.messages}")


async def put_back(bus: Bus, vault: Vault, stretch: Stretch, max_bytes: int) -> None:
    """Make a stream anew with the same messages at the same sequences."""
    await bus.ensure_stream(stretch.stream, stretch.subject, max_bytes)
    if stretch.after:
        await bus.trim(stretch.stream, stretch.after + 1)
    following = stretch.after + 1
    waiting: list[Message] = []
    for message in messages(vault, stretch):
        if message.sequence > following or len(waiting) >= IN_FLIGHT:
            await _append(bus, stretch.subject, waiting)
            waiting = []
        for missing in range(following, message.sequence):  # so that the rest keeps its place
            await bus.append(stretch.subject, b"missing")
            await bus.remove(stretch.stream, missing)
        waiting.append(message)
        following = message.sequence + 1
    await _append(bus, stretch.subject, waiting)
    _, last, _ = await bus.bounds(stretch.stream)
    if last != following - 1:
        raise StorageError(
            f"the log {stretch.stream} ends at {last} instead of {following - 1}", code="restore-log",
            remedy="is the disk full? remove the directory and restore again",
        )  # fmt: skip


async def _append(bus: Bus, subject: str, waiting: Sequence[Message]) -> None:
    """Send some messages at once; the server refuses one that does not come in its turn."""
    await asyncio.gather(
        *(bus.append(subject, m.data, expect_last=m.sequence - 1, timeout_s=30) for m in waiting)
    )
