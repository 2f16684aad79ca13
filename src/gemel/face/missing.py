"""What damage took of the history, as whoever reads it is told: spans in which readings may be missing."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

HEADER: Final = "gemel-missing"


class Missing(NamedTuple):
    """A span in which readings may be missing: start <= time < end, UTC.

    >>> str(read_missing("2026-11-21T08:00:00.000000000Z/2026-11-21T09:00:00.000000000Z")[0])
    '2026-11-21T08:00:00.000000000Z to 2026-11-21T09:00:00.000000000Z'
    """

    start: np.datetime64
    end: np.datetime64

    def __str__(self) -> str:
        return f"{self.start}Z to {self.end}Z"


def read_missing(header: str) -> tuple[Missing, ...]:
    """Read the header ``Gemel-Missing``: ``START/END, …``."""
    spans = [span.strip().split("/") for span in header.split(",") if span.strip()]
    return tuple(Missing(_time(start), _time(end)) for start, end in spans)


def together(found: Iterable[tuple[Missing, ...]]) -> tuple[Missing, ...]:
    """Give the spans of several answers, each once, by time."""
    return tuple(sorted({span for spans in found for span in spans}))


def _time(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z"), "ns")
