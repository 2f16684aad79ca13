"""Value frames: what the page shows, as bytes, little-endian, ten times a second.

    u8 type · u8 id · u16 n · u32 sequence · f64 plant time [s] · u8 quality[n] · (type 2: u16 age[n] [0.1 s])
    · padding to 4 · f32 value[n] · padding to 8 · f64 wide[m]

The order of the signals is agreed at subscription, and so is which of them also travel as float64 (`wide`).
"""

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples import LANES, Registry
from gemel.samples.batch import F64, I32
from gemel.samples.clock import SECOND
from gemel.samples.status import GOOD_LOCAL_OVERRIDE, UNCERTAIN_SUBSTITUTE
from gemel.twin.properties import Shown

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
VALUES: Final = 1
VALUES_AND_AGE: Final = 2
MOST: Final = 65_535  # signals in a frame
OLD: Final = 65_535  # an age too great to say, or never seen
NONE, GOOD, UNCERTAIN, BAD, STALE, SUBSTITUTED, SIMULATED, MANUAL = range(8)
WORDS: Final = ("none", "good", "uncertain", "bad", "stale", "substituted", "simulated", "manual")
ESTIMATED: Final = LANES.index("estimated")  # from here on a lane comes from a dynamic model, not from the plant
_HEADER: Final = struct.Struct("<BBHId")
_SUBCODE: Final = np.uint32(0xFFFF0000)


def encode(
    kind: int,
    number: int,
    sequence: int,
    time_s: float,
    *,
    quality: U8,
    age: U16 | None,
    value: F64,
    wide: npt.NDArray[np.intp],
) -> bytes:
    """Give a frame; `age` goes with type 2 only."""
    with np.errstate(over="ignore"):  # beyond float32 is infinite there, and exact in `wide`
        narrow = value.astype("<f4")
    parts = [_HEADER.pack(kind, number, len(value), sequence & 0xFFFFFFFF, time_s), quality.tobytes()]
    if kind == VALUES_AND_AGE:
        assert age is not None
        parts.append(age.astype("<u2").tobytes())
    parts += [bytes(-sum(map(len, parts)) % 4), narrow.tobytes()]
    if len(wide):
        parts += [bytes(-sum(map(len, parts)) % 8), value[wide].astype("<f8").tobytes()]
    else:
        parts.append(bytes(-sum(map(len, parts)) % 8))
    return b"".join(parts)


def qualities(shown: Shown, *, heard: bool) -> U8:
    """Give one code a property. While the twin is not heard nothing looks live."""
    stale = shown.stale if heard else np.True_
    code = code_of(shown.status, stale, shown.lane >= ESTIMATED)
    return np.where(shown.seen, code, NONE).astype(np.uint8)


def code_of(
    status: npt.NDArray[np.uint32], stale: npt.NDArray[np.bool_] | np.bool_, simulated: npt.NDArray[np.bool_]
) -> U8:
    """Give the code of each status: old before bad, bad before where it came from."""
    severity = (status >> np.uint32(30)).astype(np.uint8)
    code = np.minimum(severity, 2).astype(np.uint8) + np.uint8(GOOD)
    sub = status & _SUBCODE
    code[sub == np.uint32(GOOD_LOCAL_OVERRIDE)] = MANUAL
    code[sub == np.uint32(UNCERTAIN_SUBSTITUTE)] = SUBSTITUTED
    code[simulated & (code != BAD)] = SIMULATED
    return np.where(stale, np.uint8(STALE), code)


def ages(shown: Shown, now: int) -> U16:
    """Give ages [0.1 s] at a plant time [ns]."""
    tenths = (now - shown.time.astype(np.float64)) / (SECOND / 10)
    known = shown.seen & (tenths < OLD)
    return np.where(known, np.clip(np.rint(tenths), 0, OLD - 1), OLD).astype(np.uint16)


def needs_float64(registry: Registry, signals: I32) -> npt.NDArray[np.intp]:
    """Give the positions whose resolution float32 would lose: totalisers."""
    kinds = registry.table.column("kind").take(signals).to_pylist()
    return np.flatnonzero(np.array([k == "total" for k in kinds], dtype=np.bool_))

