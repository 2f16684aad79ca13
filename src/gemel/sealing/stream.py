"""The stored form of a sealed file: chunks that are sealed one by one, so that any part of it can be read alone.

    GMS1 | bytes of a chunk, uint32 | id of the folder's key, 8 bytes | salt, 32 bytes      the head
    chunk 0, tag | chunk 1, tag | … | last chunk, tag                                       AES-256-GCM

The key of a file is HKDF-SHA-256 (RFC 5869) of the folder's key and the head; a chunk's nonce is its number and
whether it is the last (STREAM: V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár, "Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance", 2015, section 6). So no chunk can be changed, moved, left out or cut off unnoticed.
"""

import errno
import io
import os
import struct
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"GMS1"
HEAD: Final = struct.Struct("<4sI8s32s")
CHUNK: Final = 1 << 16  # bytes; a footer of Parquet fits into one, and a look at one costs some 30 microseconds
TAG: Final = 16  # bytes
LARGEST: Final = 1 << 26  # bytes of a chunk that is believed: a changed head must not ask for all memory

KeyOf = Callable[[bytes, bytes], AESGCM]  # of the folder's key id and a file's head


def size_of(stored: int, chunk: int = CHUNK) -> int:
    """Give how many bytes a sealed file of `stored` bytes holds.

    >>> size_of(HEAD.size + TAG), size_of(HEAD.size + CHUNK + TAG + 1 + TAG) == CHUNK + 1
    (0, True)
    """
    body = stored - HEAD.size
    return body - TAG * max(-(-body // (chunk + TAG)), 1)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Writer(io.BufferedIOBase):
    """Seals what is written on its way into a file; nothing can be read before `close` has sealed the last chunk."""

    def __init__(self, file: BinaryIO, key_id: bytes, key_of: KeyOf) -> None:
        super().__init__()
        head = HEAD.pack(MAGIC, CHUNK, key_id, os.urandom(32))
        self._file, self._key = file, key_of(key_id, head)
        self._held = bytearray()
        self._number = self._written = 0
        file.write(head)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        """Take bytes; a chunk is sealed when it is known that another follows."""
        given = memoryview(data).cast("B")
        at = 0
        if self._held:
            at = min(CHUNK - len(self._held), len(given))
            self._held += given[:at]
            if len(self._held) == CHUNK and at < len(given):
                self._seal(self._held, last=False)
                self._held = bytearray()
        while len(given) - at > CHUNK:
            self._seal(given[at : at + CHUNK], last=False)
            at += CHUNK
        self._held += given[at:]
        self._written += len(given)
        return len(given)

    def close(self) -> None:
        """Seal the last chunk and close the file; a second call does nothing."""
        if self.closed:
            return
        try:
            if not self._file.closed:
                self._seal(self._held, last=True)
        finally:
            self._file.close()
            super().close()

    def end(self) -> None:
        """Seal the last chunk, and leave the file open for whoever syncs it."""
        self._seal(self._held, last=True)
        super().close()

    def _seal(self, plain: bytes | bytearray | memoryview, *, last: bool) -> None:
        self._file.write(self._key.encrypt(_nonce(self._number, last=last), plain, None))
        self._number += 1


class Reader(io.BufferedIOBase):
    """Reads any part of a sealed file. Each thread has a place of its own in it, so that seek and read of two never mix.

    What was changed raises OSError (EIO), as a block does that a disk cannot read.
    """

    def __init__(self, file: BinaryIO, key_of: KeyOf) -> None:
        super().__init__()
        self._file = file
        self._read_at, stored = _source(file)
        head = self._read_at(HEAD.size, 0)
        if len(head) < HEAD.size or stored < HEAD.size + TAG:
            raise broken(file, "it is cut off")
        _, self._chunk, key_id, _ = HEAD.unpack(head)
        if not 0 < self._chunk <= LARGEST:
            raise broken(file, "its head is changed")
        self._key = key_of(key_id, head)
        self._size = size_of(stored, self._chunk)
        self._last = (stored - HEAD.size - 1) // (self._chunk + TAG)
        if not self._last * self._chunk + min(self._last, 1) <= self._size:
            raise broken(file, "it is cut off, or longer than it was")
        self._places = threading.local()
        self._kept: tuple[int, bytes] = (-1, b"")
        if not self._size:  # of an empty file nothing is ever read: one that was cut off would pass for it
            self._chunks(0, 0)

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("a sealed file is not read by its descriptor")

    def tell(self) -> int:
        return int(getattr(self._places, "at", 0))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._size}[whence]
        self._places.at = max(start + offset, 0)
        return int(self._places.at)

    def read(self, size: int | None = -1) -> bytes:
        at = self.tell()
        end = self._size if size is None or size < 0 else min(at + size, self._size)
        if end <= at:
            return b""
        self._places.at = end
        first, last = at // self._chunk, (end - 1) // self._chunk
        parts = self._chunks(first, last)
        offset = at - first * self._chunk
        if len(parts) == 1:
            return parts[0][offset : offset + end - at]
        parts[0], parts[-1] = parts[0][offset:], parts[-1][: end - last * self._chunk]
        return b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        done = 0
        while done < len(target):  # some chunks at a time: no second copy of a large column
            data = self.read(min(len(target) - done, 64 * self._chunk))
            if not data:
                break
            target[done : done + len(data)] = data
            done += len(data)
        return done

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            super().close()

    def _chunks(self, first: int, last: int) -> list[bytes]:
        number, kept = self._kept
        if first == last == number:
            return [kept]
        full = self._chunk + TAG
        stored = memoryview(self._read_at((last - first + 1) * full, HEAD.size + first * full))
        parts = [self._open(n, stored[(n - first) * full : (n - first + 1) * full]) for n in range(first, last + 1)]
        self._kept = (last, parts[-1])
        return parts

    def _open(self, number: int, sealed: memoryview) -> bytes:
        try:
            return self._key.decrypt(_nonce(number, last=number == self._last), sealed, None)
        except (InvalidTag, ValueError):
            raise broken(self._file, f"the seal of bytes {number * self._chunk} and on is broken") from None


def _source(file: BinaryIO) -> tuple[Callable[[int, int], bytes], int]:
    """Give how to read so many bytes at a place of a file, and how many there are."""
    if isinstance(file, io.BytesIO):
        held = file.getvalue()
        return lambda n, at: held[at : at + n], len(held)
    descriptor = file.fileno()
    return lambda n, at: os.pread(descriptor, n, at), os.fstat(descriptor).st_size


def broken(file: BinaryIO, why: str) -> OSError:
    """Give the error that says that a sealed file is not as it was written."""
    return OSError(errno.EIO, f"damaged: {why}", str(getattr(file, "name", "")))
