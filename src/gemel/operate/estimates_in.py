"""Estimates on their way into the log: a frame is taken as it is, or refused; it may speak of estimated signals only.

Who estimates has no other way to the log than this one, and this one leads nowhere but to the signals that the plant
file says a dynamic model gives: what is computed can neither pass for a measurement nor reach the plant. It counts as
received when it is taken: who estimates may be behind the log, and what was known at a time is what the log had by then.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np

from gemel.bus import Bus, Frame, decode_frame, encode_frame
from gemel.errors import ConflictError, RefusedError, StorageError
from gemel.operate.estimates_declared import PRODUCER, estimated_signals
from gemel.operate.ingest import DiskGuard, believable
from gemel.operate.site import Site
from gemel.samples import Clock

SUBJECT: Final = "ingest.estimates"


async def take_estimates(body: dict[str, Any], site: Site, bus: Bus, guard: DiskGuard, clock: Clock) -> bytes:
    """Append a frame of estimates, received by the clock that dates receipts; give its position in the log.

    Raises RefusedError where it speaks of anything else, ConflictError where it is of another version of the plant,
    StorageError where the disk or the log does not take it.
    """
    if not guard.open.is_set():
        raise StorageError("the disk is nearly full: nothing more is taken", code="disk-nearly-full", remedy="free disk space")
    frame = decode_frame(body["frame"])
    check(frame, site)
    once = f"{frame.header.producer}-{frame.header.sequence}"
    rows = frame.batch
    taken = encode_frame(frame.header, rows.with_columns(received=np.maximum(rows.received, clock.now())))
    return msgspec.json.encode(await bus.append("samples.0", taken, once=once))


def check(frame: Frame, site: Site) -> None:
    """Raise RefusedError, or ConflictError where a frame is of another version of the plant."""
    header, rows = frame.header, frame.batch
    if header.kind != "samples" or header.partition != 0 or not header.producer.startswith(PRODUCER):
        raise _refused("it is no frame of estimates")
    if header.registry != site.registry.digest:
        raise ConflictError(
            "these estimates are numbered by another version of the plant", code="not-in-force", remedy="estimate anew"
        )
    if not np.isin(rows.signal, estimated_signals(site.plant, site.registry)).all():
        raise _refused("it speaks of signals that no dynamic model gives")
    if not np.isfinite(rows.value).all() or not all(map(believable, (rows.time.min(initial=0), rows.received.min(initial=0)))):
        raise _refused("a value is no number, or a time is none")


def _refused(why: str) -> RefusedError:
    return RefusedError(f"these estimates are refused: {why}", code="no-estimate",
                        remedy="say dynamics: true of the signals that the model gives, and apply the plant file")  # fmt: skip
