"""A snapshot written by a process of its own: a fork of the twin is its state at one moment, whatever comes after.

While millions of signals are copied readings would wait, and memory would hold the state twice. After a fork the
kernel copies only the pages that change while the child writes (fork(2); Redis saves so too). In the child no other
thread exists and what others had locked stays locked: it does nothing but NumPy, checksums and write(2), and lets go of
every file and connection first, so that it holds no lock of a twin that died. Where there is no Linux the state is
copied and written by a thread.

A sealed snapshot comes to the parent through a pipe, and a thread of it seals: a cipher's library may hold locks too.

A child that does not come to its end (a disk that hangs, a lock met in the child after all) is killed once it is later
than the slowest disk would be, so that the next snapshot can be tried.
"""

import ctypes
import errno
import gc
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from gemel import sealing
from gemel.durable import replace
from gemel.samples import Snapshot

FORKS: Final = sys.platform == "linux"
UNKNOWN: Final = 255  # exit code of a child that failed for no reason that has an errno
PIECE: Final = 1 << 20  # bytes taken from the pipe at a time
PATIENCE_S: Final = 120.0  # to gather, begin and end: some hundred times what ten million signals take
SLOWEST: Final = 4_000_000  # bytes a second of the slowest disk: an SD card of Speed Class 4 (SD Association)
GONE_S: Final = 5.0  # a killed process is gone at once, save where the kernel waits for a disk
PAUSE_S: Final = 0.05  # between two looks at the child
_PIPE: Final = 3  # the child's end of it
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None) if FORKS else None


class Saving:
    """A snapshot that is being written.

    Args:
        path: the file; it is there once `keep` returns.
        take: gives the snapshot, views into the state where it is asked for none copied.
    """

    def __init__(self, path: Path, take: Callable[[bool], Snapshot]) -> None:
        self._path = path
        self._beside = path.with_name(path.name + ".new")
        self._snapshot = None if FORKS else take(True)
        self._pipe, end = os.pipe() if FORKS and sealing.seal_of(path) is not None else (0, 0)
        try:
            work = (lambda: _pour(take(False))) if end else (lambda: _write(take(False), self._beside))
            self._child = _fork(work, end) if FORKS else 0
        finally:
            if end:
                os.close(end)

    def keep(self) -> None:
        """Wait until it is written and give it its name, durably; raises OSError where it could not be written.

        TimeoutError where its writer is later than `PATIENCE_S` and the slowest disk: the writer is killed.
        """
        began = time.monotonic()
        try:
            if self._snapshot is not None:
                _write(self._snapshot, self._beside)
            if self._pipe:
                self._seal(began)
            if self._child:
                self._wait(began)
        except OSError:
            self.discard()
            raise
        replace(self._beside, self._path)

    def discard(self) -> None:
        """Leave nothing of it."""
        pipe, self._pipe = self._pipe, 0
        if pipe:
            os.close(pipe)
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            until = time.monotonic() + GONE_S
            while not self.ended() and time.monotonic() < until:
                time.sleep(PAUSE_S / 10)
        self._beside.unlink(missing_ok=True)

    def ended(self) -> bool:
        """Tell whether its writer is gone; one that was killed while the kernel waits for a disk is not at once."""
        return not self._child or self._reap() is not None

    def _seal(self, began: float) -> None:
        source, self._pipe = self._pipe, 0
        with os.fdopen(source, "rb", buffering=0) as pipe, _file(self._beside) as file:
            out = sealing.writer(self._path, file)
            while piece := self._read(pipe, file, began):
                out.write(piece)
            sealing.end(out)
            file.flush()
            os.fsync(file.fileno())

    def _read(self, pipe: FileIO, file: BinaryIO, began: float) -> bytes:
        """Give what the writer says next, nothing where it has said all."""
        readable = select.poll()
        readable.register(pipe, select.POLLIN)
        while not readable.poll(PAUSE_S * 1e3):
            _check(began, file.tell())
        return pipe.read(PIECE) or b""

    def _wait(self, began: float) -> None:
        pause = PAUSE_S / 50
        while (code := self._reap()) is None:
            _check(began, self._beside.stat().st_size if self._beside.exists() else 0)
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_S)
        if code:
            known = 0 < code < UNKNOWN
            raise OSError(code if known else errno.EIO, os.strerror(code) if known else "the snapshot's writer ended early")

    def _reap(self) -> int | None:
        """Give the exit code of a child that ended, None of one that has not."""
        child, status = os.waitpid(self._child, os.WNOHANG)
        if not child:
            return None
        self._child = 0
        return os.waitstatus_to_exitcode(status)


def _check(began: float, written: int) -> None:
    """Raise TimeoutError where a writer has taken longer than what it has written explains."""
    allowed = PATIENCE_S + written / SLOWEST
    if time.monotonic() - began > allowed:
        raise TimeoutError(errno.ETIMEDOUT, f"the snapshot's writer was killed: {written} bytes in {allowed:.0f} s")


def _write(snapshot: Snapshot, path: Path) -> None:
    with _file(path) as file:
        out = file if FORKS else sealing.writer(path, file)
        snapshot.write(out)
        sealing.end(out)
        file.flush()
        os.fsync(file.fileno())


def _pour(snapshot: Snapshot) -> None:
    with os.fdopen(_PIPE, "wb") as pipe:
        snapshot.write(pipe)


def _file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _fork(work: Callable[[], None], pipe: int = 0) -> int:
    """Do work in a child, which keeps a pipe and no other file; give its process id. To be called by the thread that changes the state."""
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: see above
        child = os.fork()
    if not child:
        _be_child(parent, work, pipe)
    return child


def _be_child(parent: int, work: Callable[[], None], pipe: int) -> NoReturn:
    code = UNKNOWN
    try:
        gc.disable()  # a collection would write to every page that it looks at
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if pipe:
            os.dup2(pipe, _PIPE)
        os.closerange(_PIPE + bool(pipe), os.sysconf("SC_OPEN_MAX"))
        if os.getppid() == parent:
            work()
            code = 0
    except OSError as e:
        code = e.errno if e.errno and e.errno < UNKNOWN else UNKNOWN
    finally:
        os._exit(code)
