"""The record: the shell that appends facts to the FACTS stream, one appender a site, each fact once.

The pure part (what is hashed, what is signed, what a check finds) is in `chain`.
"""

import asyncio
import contextlib
import logging
import os
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gemel.bus import Bus, StreamReader
from gemel.bus.link import FACTS
from gemel.durable import sync
from gemel.errors import ConflictError, StorageError
from gemel.samples.fact import Draft, Fact, decode
from gemel.twin import chain

log = logging.getLogger(__name__)
SUBJECT: Final = "facts"
MAX_BYTES: Final = 8 << 30
TRIES: Final = 100  # a tenth of a second apart, where the log answers at once
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
        self._unsure: tuple[Fact, bytes] | None = None  # sent, and never answered: the log may hold it
        self.verdict: chain.Verdict | None = None
        self.tries = TRIES
        self.problem = ""  # why the head is not kept in its second place

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
        self.verdict = self._checked(stored)
        facts = _readable(stored)
        self._ids.update(fact.id for fact in facts)
        self._recent = facts[-RECENT:]
        if stored:
            self._head = chain.Head(len(stored), chain.digest(stored[-1]))

    async def append(self, draft: Draft) -> Fact | None:
        """Append a fact durably; None where its id is in the record already.

        Raises StorageError where the log is away for long. Who stops waiting does not stop the appending: what the
        log took would not be counted, and nothing could follow it.
        """
        return await asyncio.shield(asyncio.ensure_future(self._append(draft)))

    async def _append(self, draft: Draft) -> Fact | None:
        async with self._lock:
            await self._settle()
            if draft.id in self._ids:
                return None
            fact, stored = chain.append(draft, self._head, time.time_ns())
            self._unsure = fact, stored
            await self._store(stored, fact)
            await self._took(fact, stored)
        return fact

    async def _settle(self) -> None:
        """Find out what became of a fact that the log never answered for."""
        if self._unsure is None:
            return
        fact, stored = self._unsure
        if await self._bus.stored(FACTS, fact.seq) == stored:
            await self._took(fact, stored)
        self._unsure = None

    async def _took(self, fact: Fact, stored: bytes) -> None:
        self._unsure = None
        self._head = chain.Head(fact.seq, chain.digest(stored))
        self._ids.add(fact.id)
        self._recent.append(fact)
        if len(self._recent) > 2 * RECENT:
            del self._recent[:-RECENT]
        for queue in self._listeners:
            queue.put_nowait(fact)
        try:
            await asyncio.to_thread(self._save_head)
            self.problem = ""
        except OSError as e:  # the fact stands; the head is kept with the next one
            self.problem = f"the record's head is not kept in its second place: {e}"
            log.error("%s", self.problem)

    async def _store(self, stored: bytes, fact: Fact) -> None:
        for attempt in range(1, self.tries + 1):
            try:
                await self._bus.append(SUBJECT, stored, once=fact.id, expect_last=fact.seq - 1)
            except StorageError:
                if attempt == self.tries:
                    raise
                await asyncio.sleep(0.1)
            except ConflictError:
                # the first try may have been stored though its acknowledgement was lost
                if await self._bus.stored(FACTS, fact.seq) == stored:
                    return
                raise
            else:
                return

    def between(self, after: int, upto: int) -> list[Fact]:
        """Give the facts with after < seq ≤ upto that are kept in memory."""
        if not self._recent or upto <= after:
            return []
        start, end = (bisect_right(self._recent, seq, key=_seq) for seq in (after, upto))
        return self._recent[start:end]

    def last(self, kind: str) -> Fact | None:
        """Give the last fact of a kind that is kept in memory."""
        return next((f for f in reversed(self._recent) if f.kind == kind), None)

    def knows(self, fact_id: str) -> bool:
        """Tell whether there is a fact of this name."""
        return fact_id in self._ids

    async def read(self, after: int, limit: int) -> list[Fact]:
        """Give facts after a position, from memory or from the stream."""
        if self._recent and after + 1 >= self._recent[0].seq:
            return self.between(after, after + limit)
        stored = []
        async for data in self._stored(after):
            stored.append(data)
            if len(stored) >= limit:
                break
        return _readable(stored)

    async def verify(self) -> chain.Verdict:
        """Read the whole record again and check every byte of it."""
        return self._checked([data async for data in self._stored(0)])

    def _checked(self, stored: Sequence[bytes]) -> chain.Verdict:
        try:
            signed = self._load_head()
        except StorageError as e:
            return chain.Verdict(False, 0, None, e.message)
        return chain.verify(stored, signed, key=self._key.public_key())

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
        if not self._key_file.exists() or not self._key_file.stat().st_size:
            _write(self._key_file, chain.new_key())
        return chain.load_key(self._key_file.read_bytes())

    def _load_head(self) -> chain.SignedHead | None:
        with contextlib.suppress(FileNotFoundError):
            return chain.SignedHead.from_bytes(self._head_file.read_bytes())
        return None

    def _save_head(self) -> None:
        signed = chain.sign(self._head, self._key)
        _write(self._head_file, signed.to_bytes())


def _write(path: Path, data: bytes) -> None:
    """Replace a file, so that a power cut leaves the old or the new one; nobody else may read it."""
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    sync(path.parent)  # the name too: a key that is gone with the power makes the head look forged


def _readable(stored: Iterable[bytes]) -> list[Fact]:
    """Give the facts that can be read: one that was changed is for the verdict, not a reason to end."""
    facts = []
    for data in stored:
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            facts.append(decode(data))
    return facts


def _seq(fact: Fact) -> int:
    return fact.seq


def chronicle(facts: Iterable[Fact], kind: str | None, subject: str | None) -> list[Fact]:
    """Keep the facts of a kind and about a subject."""
    return [
        f for f in facts if (not kind or f.kind == kind) and (not subject or f.subject.startswith(subject))
    ]
