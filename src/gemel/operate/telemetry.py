"""Rows given over HTTP on their way into the log: names become numbers, what cannot be is refused, row by row."""

import math
from typing import Any, Final

import msgspec
import numpy as np

from gemel.errors import StorageError
from gemel.operate.ingest import NO_TIME, DiskGuard, Framer, believable
from gemel.samples import Batch, Registry

MAX_EXACT: Final = 2**53  # integers beyond it do not fit a float64


async def take_rows(body: dict[str, Any], registry: Registry, framer: Framer, guard: DiskGuard) -> bytes:
    """Put rows into the log and wait until they are durable; answer with the refusals.

    A row is path, time, value, status, and perhaps its standard uncertainty, in the unit of the source. ``lane`` is that
    of their signals: what comes by HTTP says none, and is measured.
    """
    if not guard.open.is_set():
        raise StorageError(
            "the disk is nearly full: nothing more is taken",
            code="disk-nearly-full",
            remedy="free disk space",
        )
    framer.check()
    taken: list[tuple[int, int, float, int, float | None]] = []
    refusals = []
    lane = str(body.get("lane", "measured"))
    numbers = registry.numbers([row[0] for row in body["rows"]], lane).tolist()
    for i, (number, (path, time, value, status, *sigma)) in enumerate(zip(numbers, body["rows"], strict=True)):
        if why := unknown(path, lane) if number < 0 else refusal(time, value):
            refusals.append({"row": i, "code": why[0], "message": why[1]})
            continue
        taken.append((number, NO_TIME if time is None else time, float(value), status or 0, sigma[0] if sigma else None))
    if taken:
        signal, times, values, statuses, told = zip(*taken, strict=True)
        rows = Batch.of(
            signal=signal, time=times, received=np.zeros(len(signal)), value=values, status=statuses,
            sigma=np.array(told, np.float64),
        )  # fmt: skip
        await framer.add(rows.plain(), registry.digest, patient=False)
    return msgspec.json.encode(refusals)


def unknown(path: str, lane: str = "measured") -> tuple[str, str]:
    """Tell that there is no such signal."""
    return "unknown_signal", f"no signal {path!r} on the lane {lane!r}"


def refusal(time: int | None, value: float) -> tuple[str, str] | None:
    """Tell why a row of a known signal cannot be taken, or None."""
    if time is not None and not believable(time):
        return "absurd_time", f"{time} ns is not between 1970 and 2100"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "wrong_type", f"{value!r} is not a number"
    if not math.isfinite(value):
        return "not_finite", f"{value!r} is not a finite number"
    if isinstance(value, int) and abs(value) > MAX_EXACT:
        return "integer_too_large", f"{value} does not fit a float64 exactly"
    return None
