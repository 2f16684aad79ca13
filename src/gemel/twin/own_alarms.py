"""What a twin watches of itself, with limits as any other signal has (ISA-18.2-2016, clause 9: rationalised).

The signals are no rows of the log: they are measured by the process that folds it, on the machine's clock. A log that
is behind cannot tell in time that it is behind.
"""

from dataclasses import dataclass
from typing import Final

from gemel.samples import Registry
from gemel.samples.clock import SECOND

ASSET: Final = "gemel"  # <plant>/gemel/<signal>


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """A limit on one of the twin's own signals; see `gemel.twin.alarm_limits.Limit`."""

    signal: int
    level: str
    limit: float
    priority: int
    delay_ns: int
    deadband: float
    cause: str
    consequence: str
    response: str
    respond_within_s: float | None = None


# name, unit, levels with their limit and priority, delay [s], dead band, cause, consequence, response
_WATCHED: Final[tuple[tuple[str, str, dict[str, tuple[float, int]], float, float, str, str, str], ...]] = (
    ("behind", "s", {"high": (5, 2), "high_high": (60, 1)}, 10, 2,
     "more arrives than this machine can fold, or its disk is slow",
     "what is shown, and every alarm, comes late",
     "see the rate under quality; send less, or give it a faster machine"),
    ("log_filled", "%", {"high": (70, 2), "high_high": (90, 1)}, 0, 5,
     "the lake does not take readings, or the twin is far behind",
     "at 100 % nothing more is taken from the sources",
     "gemel doctor tells why the lake does not take them"),
    ("disk_margin", "%", {"low": (50, 2), "low_low": (0, 1)}, 0, 5,
     "the disk fills up",
     "below the reserve nothing more is taken from the sources",
     "free space, keep history for a shorter time, or move the data directory"),
    ("commit_age", "s", {"high": (60, 2)}, 0, 10,
     "the lake refuses, or the disk is slow", "the log grows until it is full", "gemel doctor tells why"),
    ("snapshot_age", "s", {"high": (300, 3)}, 0, 60,
     "snapshots fail", "after a restart the twin needs long to come back", "gemel doctor tells why"),
    ("restarts", "1", {"high": (2, 2)}, 0, 1,
     "a process of the family ends again and again", "gaps of seconds on the page", "read the logs of the process"),
    ("connections_down", "1", {"high": (0, 2)}, 60, 0,
     "a broker or device is away, or refuses the log-in", "its readings are missing", "see the connection under quality"),
    ("memory_free", "%", {"low": (10, 2), "low_low": (4, 1)}, 30, 2,
     "something on this machine takes the memory", "the kernel may end a process", "see what takes it; gemel doctor tells gemel's part"),
    ("record_broken", "1", {"high": (0, 1)}, 0, 0,
     "the record was changed or torn", "who did what cannot be proven", "restore the record from a back-up"),
)  # fmt: skip
SIGNALS: Final = tuple(name for name, *_ in _WATCHED)


def own_registry(root: str) -> Registry:
    """Give the registry of the twin's own signals, by the order of `SIGNALS`."""
    return Registry.of([{"path": f"{root}/{ASSET}/{name}", "unit": unit} for name, unit, *_ in _WATCHED])


def own_limits() -> list[OwnLimit]:
    """Give the limits on them."""
    return [
        OwnLimit(number, level, limit, priority, int(delay * SECOND), deadband, cause, consequence, response)
        for number, (_, _, levels, delay, deadband, cause, consequence, response) in enumerate(_WATCHED)
        for level, (limit, priority) in levels.items()
    ]
