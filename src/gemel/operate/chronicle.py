"""The record as columns, beside the twin: which facts stood at a time is found without reading all of them.

    FACTS ─► when, what, about whom (24 bytes a fact, in memory) + the stored bytes (a file that nobody else sees)

Facts are kept in the order of the record; their times `at` are not: a late reading raises its alarm in the past.
"""

import asyncio
import os
import tempfile
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from gemel import sealing
from gemel.bus import Bus, StreamReader
from gemel.bus.link import FACTS
from gemel.samples.batch import I32, I64
from gemel.samples.fact import Fact, decode

EVER: Final = 2**62  # a time that everything is before [ns]
AT_ONCE: Final = 1_000_000  # facts that one question may ask for


class _Brief(msgspec.Struct):
    """What the columns need of a fact."""

    kind: str
    at: int
    recorded: int
    subject: str = ""


class Words:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._number: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Give a text's number, a new one where it is new."""
        number = self._number.setdefault(text, len(self.texts))
        if number == len(self.texts):
            self.texts.append(text)
        return number

    def where(self, wanted: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
        """Tell for each number whether its text is wanted."""
        return np.fromiter(map(wanted, self.texts), np.bool_, len(self.texts))


class Chronicle:
    """Facts by time, kind and subject.

    Args:
        bus: where the record is read.
        folder: where the file with their bytes may lie; it has no name and is gone with the process. Of sealed
            data it lies in memory.
        wall: whether the plant's time is the wall's: then a fact was known once it was recorded; in a replay of
            old data, once it had happened.
    """

    def __init__(self, bus: Bus, folder: Path, *, wall: bool = True) -> None:
        self._bus = bus
        self._folder = folder
        self._wall = wall
        self._turn = asyncio.Lock()
        self._file: int | None = None
        self._size = 0
        self._kinds, self._subjects = Words(), Words()
        self._at, self._known, self._offset = array("q"), array("q"), array("q", [0])
        self._kind, self._subject = array("i"), array("i")

    @property
    def position(self) -> int:
        """How many facts are read."""
        return len(self._at)

    async def follow(self) -> None:
        """Read what was recorded since; raises StorageError where the log is away."""
        async with self._turn:
            _, last, _ = await self._bus.bounds(FACTS)
            if last <= self.position:
                return
            reader = StreamReader(self._bus, FACTS, self.position)
            try:
                while reader.position < last:
                    self.take(message.data for message in await reader.take())
            finally:
                await reader.close()

    def take(self, stored: Iterable[bytes]) -> None:
        """Append facts as they are stored, in the order of the record."""
        block = []
        for data in stored:
            fact = _brief(data)
            self._at.append(fact.at)
            self._known.append(fact.recorded if self._wall else fact.at)
            self._kind.append(self._kinds.number(fact.kind))
            self._subject.append(self._subjects.number(fact.subject))
            self._offset.append(self._offset[-1] + len(data))
            block.append(data)
        if block:
            os.pwrite(self._handle(), b"".join(block), self._size)
            self._size = self._offset[-1]

    def find(
        self, at: int = EVER, known: int = EVER, *, kinds: Callable[[str], bool] | None = None,
        subjects: Callable[[str], bool] | None = None, after: int = 0,
    ) -> I64:  # fmt: skip
        """Give the positions (seq) of facts that had happened by `at` and were known by `known` [ns], in order."""
        wanted = (np.array(self._at) <= at) & (np.array(self._known) <= known)
        if kinds is not None:
            wanted &= _taken(self._kinds.where(kinds), self._kind)
        if subjects is not None:
            wanted &= _taken(self._subjects.where(subjects), self._subject)
        found = np.flatnonzero(wanted) + 1
        return np.asarray(found[np.searchsorted(found, after, "right") :], np.int64)

    def newest(self, first: int, last: int) -> tuple[int, int]:
        """Give by when all facts of a stretch that can be read had happened, and were known [ns]."""
        at, known = np.array(self._at[first - 1 : last]), np.array(self._known[first - 1 : last])
        readable = at <= EVER
        return int(at[readable].max(initial=0)), int(known[readable].max(initial=0))

    def facts(self, positions: Iterable[int]) -> list[Fact]:
        """Read facts; one that was changed in the record and cannot be read is left out, for the verdict to tell."""
        found = []
        for seq in positions:
            start, end = self._offset[seq - 1], self._offset[seq]
            try:
                found.append(decode(os.pread(self._handle(), end - start, start)))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return found

    async def read(self, after: int, limit: int) -> list[Fact]:
        """Give facts after a position, as the record would."""
        await self.follow()
        return self.facts(range(after + 1, min(after + limit, self.position) + 1))

    def close(self) -> None:
        """Give the file up."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _handle(self) -> int:
        if self._file is None:
            if sealing.folder_of(self._folder) is not None:  # nothing of it may lie on the disk in the clear
                self._file = os.memfd_create("facts", os.MFD_CLOEXEC)
                return self._file
            with tempfile.TemporaryFile(dir=self._folder) as file:
                self._file = os.dup(file.fileno())
        return self._file


def _taken(words: npt.NDArray[np.bool_], numbers: "array[int]") -> npt.NDArray[np.bool_]:
    of: I32 = np.array(numbers, np.int32)
    return words[of] if len(words) else np.zeros(len(of), np.bool_)


def _brief(data: bytes) -> _Brief:
    try:
        return msgspec.json.decode(data, type=_Brief)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Brief("", EVER + 1, EVER + 1)  # it takes its place, and is never found
