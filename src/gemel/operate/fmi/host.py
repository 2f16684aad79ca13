"""Running requests in a child process with limits of time and memory; its end, of whatever kind, is an answer."""

from __future__ import annotations

import os
import pickle
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gemel.operate.fmi.private import in_plain, made, private

_COMMAND: Final = (sys.executable, "-P", "-m", "gemel.operate.fmi.child")
_LENGTH: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a foreign model may use.

    Args:
        time_s: wall time of one run [s].
        memory_bytes: address space of its process.
    """

    time_s: float = 60.0
    memory_bytes: int = 2_000_000_000


def ask(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Give the answer of a child made for it, or ``{"error": words}`` where it crashed, hung or gave none."""
    with private() as folder:
        child = _child(folder, limits, once=True)
        try:
            said, complaint = child.communicate(pickle.dumps(in_plain(request, folder)), timeout=limits.time_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return {"error": _too_long(limits)}
        if child.returncode < 0:
            return {"error": f"its process was ended by {signal.Signals(-child.returncode).name}"}
        try:
            answer: dict[str, Any] = pickle.loads(said)  # noqa: S301 - our own child wrote it
        except Exception:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
            return {"error": f"its process ended with {child.returncode} and said {last[0]}"}
        return answer


class Standing:
    """A child that answers request after request; after one that goes wrong the next has a new child.

    Args:
        limits: the time is that of each request.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._ended: weakref.finalize[Any, Any] | None = None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Give its answer, as `ask`."""
        with self._turn:
            try:
                return self._asked(request)
            except (OSError, EOFError, TimeoutError) as e:
                ended = self._end()
                if isinstance(e, TimeoutError) or ended == -signal.SIGALRM:
                    return {"error": _too_long(self._limits)}
                name = signal.Signals(-ended).name if ended is not None and ended < 0 else f"status {ended}"
                return {"error": f"its process was ended by {name}"}

    def close(self) -> None:
        """End the child, and remove what it unpacked; asked again, there is a new one."""
        with self._turn:
            self._end(0.0)

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._child is None:
            self._folder = made()
            self._child = _child(self._folder, self._limits, once=False)
            self._ended = weakref.finalize(self, _close, self._child, self._folder)
        assert self._folder is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        data = pickle.dumps(in_plain(request, self._folder) if "path" in request else request)
        self._child.stdin.write(_LENGTH.pack(len(data)) + data)
        self._child.stdin.flush()
        until = time.monotonic() + self._limits.time_s
        length = _LENGTH.unpack(_exactly(self._child.stdout.fileno(), _LENGTH.size, until))[0]
        answer: dict[str, Any] = pickle.loads(_exactly(self._child.stdout.fileno(), length, until))  # noqa: S301 - our own child wrote it
        return answer

    def _end(self, patience_s: float = 0.5) -> int | None:
        """End the child; give how it had ended, where it had."""
        child, self._child = self._child, None
        if child is None:
            return None
        try:
            ended: int | None = child.wait(patience_s)  # a broken pipe is seen before the end that broke it
        except subprocess.TimeoutExpired:
            ended = None
        if self._ended is not None:
            self._ended()
        return ended


def _child(folder: Path, limits: Limits, *, once: bool) -> subprocess.Popen[bytes]:
    bounds = (limits.memory_bytes, int(limits.time_s) + 1)

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (bounds[0], bounds[0]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if once:
            resource.setrlimit(resource.RLIMIT_CPU, (bounds[1], bounds[1] + 1))

    return subprocess.Popen(
        [*_COMMAND, *([] if once else [str(bounds[1])])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if once else subprocess.DEVNULL, preexec_fn=bound, start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},  # what it unpacks goes with it, however it ends
    )  # fmt: skip


def _exactly(file: int, length: int, until: float) -> bytes:
    found = bytearray()
    while len(found) < length:
        ready, _, _ = select.select([file], [], [], max(until - time.monotonic(), 0.0))
        if not ready:
            raise TimeoutError
        part = os.read(file, min(length - len(found), 1 << 20))
        if not part:
            raise EOFError
        found += part
    return bytes(found)


def _close(child: subprocess.Popen[bytes], folder: Path) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was still to be written
                pipe.close()
    shutil.rmtree(folder, ignore_errors=True)


def _too_long(limits: Limits) -> str:
    return f"it did not end within {limits.time_s:g} s"
