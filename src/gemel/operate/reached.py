"""How far the log was read, noted beside it: its server leaves out what it finds damaged, and says nothing.

A block of the log with a changed bit ends, for nats-server, before the message that it is in; what followed is gone,
and new messages take its positions. Without a note of how far the log once went nobody could tell.
"""

import contextlib
import os
import struct
import zlib
from pathlib import Path
from typing import Final, NamedTuple

NOTE: Final = "reached"
_FORM: Final = struct.Struct("<4sQqI")  # magic, sequence, when it was stored [ns], CRC-32 of these
_MAGIC: Final = b"GMR1"


class Mark(NamedTuple):
    """A position of the log, and when the message there was stored, wall clock [ns]."""

    sequence: int
    stored: int

    def taken_again_by(self, other: "Mark") -> bool:
        """Tell whether a message stands at a position up to here that was stored after this: what stood there is gone."""
        return other.sequence <= self.sequence and (
            other.stored > self.stored or (other.sequence == self.sequence and other.stored != self.stored)
        )


class Reached:
    """The note of one partition. It is not synced: it need only outlive its process, not the machine's power."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / NOTE
        self._handle = -1

    def load(self) -> Mark:
        """Give the mark of former runs; the beginning where there is none, or it was torn."""
        with contextlib.suppress(OSError, struct.error):
            magic, sequence, stored, check = _FORM.unpack(self._file.read_bytes())
            if magic == _MAGIC and check == _check(sequence, stored):
                return Mark(sequence, stored)
        return Mark(0, 0)

    def note(self, mark: Mark) -> None:
        """Keep a mark; where the disk does not take it, the one before stays."""
        with contextlib.suppress(OSError):
            if self._handle < 0:
                self._handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._handle, _FORM.pack(_MAGIC, *mark, _check(*mark)), 0)

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def _check(sequence: int, stored: int) -> int:
    return zlib.crc32(struct.pack("<Qq", sequence, stored))
