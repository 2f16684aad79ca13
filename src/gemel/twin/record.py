"""The record: the shell that appends facts to the FACTS stream, one appender a site, each fact once.

The pure part (what is hashed, what is signed, what a check finds) is in `chain`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gemel.bus import Bus, StreamReader
from gemel.bus.link import FACTS
from gemel.errors import ConflictError, StorageError
from gemel.samples.fact import Draft, Fact, decode
from gemel.twin import chain

log = logging.getLogger(__name__)
SUBJECT: Final = "facts"
MAX_BYTES: Final = 8 << 30
RECENT: Final = 20_000  # facts kept in memory; older ones are read from the stream


class Record:
    """The appender; `open` reads the stream and checks its chain on the way."""

    def __init__(self, bus: Bus, heads: Path) -> None:
        self._bus = bus
        self._head_file = heads / "head.json"
        self._key_file = heads / "head.key"
        self._lock = asyncio.Lock()
        self._ids: set[str] = set()
        self._recent: list[Fact] = []
        self._head = chain.Head(0, chain.GENESIS)
        self._listeners: list[asyncio.Queue[Fact]] = []
        self.verdict: chain.Verdict | None = None

    @property
    def position(self) -> int:
        """Sequence of the last fact."""
        return self._head.seq

    @property
    def head_hash(self) -> str:
        """SHA-256 (hex) of the last fact's stored bytes."""
        return self._head.hash

    async def open(self) -> None:
        """Read the whole record, verify it against the signed head, and go on from its end."""
        await self._bus.ensure_stream(FACTS, SUBJECT, MAX_BYTES)
        stored = [data async for data in self._stored(0)]
        self._key = self._load_key()
        signed = self._load_head()
        self.verdict = chain.verify(stored, signed, key=self._key.public_key())
        for data in stored:
            with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
                fact = decode(data)
                self._ids.add(fact.id)
                self._recent.append(fact)
        self._recent = self._recent[-RECENT:]
        if stored:
            self._head = chain.Head(len(stored), chain.digest(stored[-1]))

    async def append(self, draft: Draft) -> Fact | None:
        """Append a fact durably; None where its id is in the record already."""
        async with self._lock:
            if draft.id in self._ids:
                return None
            fact, stored = chain.append(draft, self._head, time.time_ns())
            await self._store(stored, fact)
            self._head = chain.Head(fact.seq, chain.digest(stored))
            self._save_head()
            self._ids.add(fact.id)
            self._recent = (
                [*self._recent[-RECENT + 1 :], fact] if len(self._recent) >= RECENT else [*self._recent, fact]
            )
        for queue in self._listeners:
            queue.put_nowait(fact)
        return fact

    async def _store(self, stored: bytes, fact: Fact) -> None:
        for attempt in range(100):
            try:
                await self._bus.append(SUBJECT, stored, once=fact.id, expect_last=fact.seq - 1)
            except StorageError:
                if attempt == 99:
                    raise
                await asyncio.sleep(0.1)
            except ConflictError:
                # the first try may have been stored though its acknowledgement was lost
                if await self._holds(fact.seq, stored):
                    return
                raise
            else:
                return

    async def _holds(self, seq: int, stored: bytes) -> bool:
        message = await self._bus.js.get_msg(FACTS, seq)
        return message.data == stored

    def between(self, after: int, upto: int) -> list[Fact]:
        """Give the facts with after < seq ≤ upto that are kept in memory."""
        if not self._recent or upto <= after:
            return []
        first = self._recent[0].seq
        return self._recent[max(after + 1 - first, 0) : max(upto + 1 - first, 0)]

    async def read(self, after: int, limit: int) -> list[Fact]:
        """Give facts after a position, from memory or from the stream."""
        if self._recent and after + 1 >= self._recent[0].seq:
            return self.between(after, after + limit)
        facts = []
        async for data in self._stored(after):
            facts.append(decode(data))
            if len(facts) >= limit:
                break
        return facts

    async def verify(self) -> chain.Verdict:
        """Read the whole record again and check every byte of it."""
        return chain.verify(
            [data async for data in self._stored(0)], self._load_head(), key=self._key.public_key()
        )

    def listen(self) -> asyncio.Queue[Fact]:
        """Give a queue that gets every fact from now on."""
        queue: asyncio.Queue[Fact] = asyncio.Queue()
        self._listeners.append(queue)
        return queue

    async def _stored(self, after: int) -> AsyncIterator[bytes]:
        _, last, _ = await self._bus.bounds(FACTS)
        reader = StreamReader(self._bus, FACTS, after)
        try:
            while reader.position < last:
                for message in await reader.take():
                    yield message.data
        finally:
            await reader.close()

    def _load_key(self) -> Ed25519PrivateKey:
        if not self._key_file.exists():
            self._key_file.touch(0o600)
            self._key_file.write_bytes(chain.new_key())
        return chain.load_key(self._key_file.read_bytes())

    def _load_head(self) -> chain.SignedHead | None:
        with contextlib.suppress(FileNotFoundError):
            return chain.SignedHead.from_bytes(self._head_file.read_bytes())
        return None

    def _save_head(self) -> None:
        signed = chain.sign(self._head, self._key)
        beside = self._head_file.with_suffix(".new")
        beside.write_bytes(signed.to_bytes())
        beside.replace(self._head_file)


def chronicle(facts: Iterable[Fact], kind: str | None, subject: str | None) -> list[Fact]:
    """Keep the facts of a kind and about a subject."""
    return [
        f for f in facts if (not kind or f.kind == kind) and (not subject or f.subject.startswith(subject))
    ]
