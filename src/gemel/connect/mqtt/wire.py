"""A socket that paho reads and writes through a buffer: one system call for many packets, not three for one.

paho asks for one byte, one byte and the rest of every packet, and sends each acknowledgement by itself. Behind
this wrapper those calls are slices of memory; the real socket is touched once per readiness, by `fill` and
`flush`.
"""

import contextlib
import socket
import ssl
import time
from typing import Final

from paho.mqtt.client import Client

CHUNK: Final = 1 << 16
GOODBYE_S: Final = 1.0
MOST_PENDING_OUT: Final = 8 << 20  # bytes; then paho keeps its packets and is told to wait
_LATER: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BufferedSocket:
    """What paho takes for a socket (its SocketLike protocol), with `fill` and `flush` for the event loop."""

    def __init__(self, under: socket.socket) -> None:
        self._under = under
        self._in = b""
        self._at = 0
        self._out = bytearray()
        self._ended = False

    def fill(self) -> bool:
        """Take what the network has, up to a chunk; tell whether there may be more. Never blocks."""
        try:
            taken = self._under.recv(CHUNK)
        except _LATER:
            return False
        except OSError:
            taken = b""
        self._ended = not taken
        self._in = self._in[self._at :] + taken
        self._at = 0
        return bool(taken)

    def flush(self) -> bool:
        """Send what waits, as far as the network takes it; tell whether all is sent. Never blocks."""
        try:
            while self._out:
                del self._out[: self._under.send(self._out)]
        except _LATER:
            return False
        except OSError:
            self._out.clear()
            self._ended = True
        return True

    def end(self) -> None:
        """Make the reader see the end of the stream, which is how a line is given up."""
        self._ended = True

    @property
    def hidden(self) -> bool:
        """Tell whether TLS holds bytes that no event loop will announce."""
        return (
            isinstance(self._under, ssl.SSLSocket) and self._under.fileno() >= 0 and self._under.pending() > 0
        )

    @property
    def unsent(self) -> int:
        """Bytes that wait for `flush`."""
        return len(self._out)

    @property
    def pending(self) -> int:
        """Bytes to be read without touching the network; an end counts as one."""
        return len(self._in) - self._at + self._ended

    def recv(self, size: int) -> bytes:
        """Give up to `size` bytes of the buffer; BlockingIOError if it is empty, b"" at the end."""
        at = self._at
        if at >= len(self._in):
            if self._ended:
                return b""
            raise BlockingIOError
        taken = self._in[at : at + size]
        self._at = at + len(taken)
        return taken

    def send(self, buffer: bytes | bytearray) -> int:
        """Take all of the bytes to be flushed; BlockingIOError when too much waits."""
        if len(self._out) > MOST_PENDING_OUT:
            raise BlockingIOError
        self._out += buffer
        return len(buffer)

    def close(self) -> None:
        """Send what waits (the last acknowledgements, a DISCONNECT), hear the other side out, and close, in a second.

        Closing with unread bytes makes the kernel reset the line, and the broker then throws away what it has not
        read: acknowledgements that were sent would be lost.
        """
        with contextlib.suppress(OSError):
            self._under.settimeout(GOODBYE_S)
            if self._out and not self._ended:
                self._under.sendall(self._out)
                self._under.shutdown(socket.SHUT_WR)
                ends = time.monotonic() + GOODBYE_S
                while time.monotonic() < ends and self._under.recv(CHUNK):
                    pass
        self._under.close()

    def fileno(self) -> int:
        """Give the file descriptor of the real socket."""
        return self._under.fileno()

    def setblocking(self, flag: bool) -> None:
        """Pass on; paho sets its sockets non-blocking."""
        self._under.setblocking(flag)


class BufferedClient(Client):
    """paho's client on a buffered socket: the one place that reaches into paho (2.2, pinned).

    It dials by itself, for paho leaves a socket open whose handshake failed.
    """

    context: ssl.SSLContext | None = None  # TLS where it is set

    def _create_socket(self) -> BufferedSocket:
        under = socket.create_connection((self.host, self.port), timeout=self.connect_timeout)
        try:
            under.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                under = self.context.wrap_socket(under, server_hostname=self.host)
        except BaseException:
            under.close()
            raise
        return BufferedSocket(under)
