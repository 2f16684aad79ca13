"""Running one request in a child process with limits of time and memory; its end, of whatever kind, is an answer."""

from __future__ import annotations

import pickle
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


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
    """Give the child's answer, or ``{"error": words}`` where it crashed, hung or gave none."""
    bounds = (limits.memory_bytes, int(limits.time_s) + 1)

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (bounds[0], bounds[0]))
        resource.setrlimit(resource.RLIMIT_CPU, (bounds[1], bounds[1] + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "gemel.operate.fmi.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=bound, start_new_session=True,
    )  # fmt: skip
    try:
        said, complaint = child.communicate(pickle.dumps(request), timeout=limits.time_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return {"error": f"it did not end within {limits.time_s:g} s"}
    if child.returncode < 0:
        return {"error": f"its process was ended by {signal.Signals(-child.returncode).name}"}
    try:
        answer: dict[str, Any] = pickle.loads(said)  # noqa: S301 - our own child wrote it
    except Exception:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        return {"error": f"its process ended with {child.returncode} and said {last[0]}"}
    return answer
