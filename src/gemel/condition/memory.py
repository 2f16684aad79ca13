"""What judging the next reading of a signal needs to remember: one row of seven 64-bit words a signal.

A row is the state of the pure function `judge`: rows are copied, kept and put back as a whole, so they lie
together in one array. Floats are kept as their bits.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, I64

TIME, VALUE, SOURCE, RUN_VALUE, RUN_TIME, REF_TIME, REF_VALUE = range(7)
WIDTH: Final = 7
NEVER: Final = -(1 << 62)  # no reading yet; any time of a plant less this still fits an int64
NOTHING: Final = int(np.array([np.nan]).view(np.int64)[0])  # bits that no sound value has

Memory = npt.NDArray[np.int64]  # [signals, WIDTH]


def blank(n: int) -> Memory:
    """Give the memory of `n` signals that have said nothing.

    TIME, VALUE and SOURCE are of the newest reading; RUN_VALUE and RUN_TIME of the sound value that repeats and
    of the reading that began it; REF_TIME and REF_VALUE of the last believed reading.
    """
    memory = np.empty((n, WIDTH), np.int64)
    memory[:] = (NEVER, NOTHING, -1, NOTHING, 0, 0, NOTHING)
    return memory


def bits(value: F64) -> I64:
    """Give the bits of floats."""
    return np.ascontiguousarray(value).view(np.int64)


def floats(column: I64) -> F64:
    """Give the floats that a column of bits stands for."""
    return np.ascontiguousarray(column).view(np.float64)
