"""A snapshot written by a process of its own: a fork of the twin is its state at one moment, whatever comes after.

While millions of signals are copied readings would wait, and memory would hold the state twice. After a fork the
kernel copies only the pages that change while the child writes (fork(2); Redis saves so too). In the child no other
thread exists and what others had locked stays locked: it does nothing but NumPy, checksums and write(2), and lets go of
every file and connection first, so that it holds no lock of a twin that died. Where there is no Linux the state is
copied and written by a thread.

A sealed snapshot comes to the parent through a pipe, and a thread of it seals: a cipher's library may hold locks too.
"""

import ctypes
import errno
import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from gemel import sealing
from gemel.durable import replace
from gemel.samples import Snapshot

FORKS: Final = sys.platform == "linux"
UNKNOWN: Final = 255  # exit code of a child that failed for no reason that has an errno
PIECE: Final = 1 << 20  # bytes taken from the pipe at a time
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
        """Wait until it is written and give it its name, durably; raises OSError where it could not be written."""
        if self._snapshot is not None:
            _write(self._snapshot, self._beside)
        if self._pipe:
            self._seal()
        if self._child:
            code = self._reap()
            if code:
                self._beside.unlink(missing_ok=True)
                known = 0 < code < UNKNOWN
                raise OSError(code if known else errno.EIO, os.strerror(code) if known else "the snapshot's writer ended early")
        replace(self._beside, self._path)

    def discard(self) -> None:
        """Leave nothing of it."""
        if self._pipe:
            os.close(self._pipe)
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            self._reap()
        self._beside.unlink(missing_ok=True)

    def _seal(self) -> None:
        source, self._pipe = self._pipe, 0
        try:
            with os.fdopen(source, "rb", buffering=0) as pipe, _file(self._beside) as file:
                out = sealing.writer(self._path, file)
                while piece := pipe.read(PIECE):
                    out.write(piece)
                sealing.end(out)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.discard()
            raise

    def _reap(self) -> int:
        child, self._child = self._child, 0
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


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
