"""A gap is a row without a value, so that no line is drawn over it."""

from typing import Final

import numpy as np

from gemel.samples.batch import F32, F64, I64, U32

BAD_NO_DATA: Final = 0x809B0000  # OPC UA StatusCode Bad_NoData


Told = tuple[I64, F64, U32, F32 | None]


def with_gaps(time: I64, value: F64, status: U32, sigma: F32 | None, gap_ns: int) -> Told:
    """Give sorted columns with one row more in each gap.

    Args:
        time: [ns], sorted.
        value: of each row.
        status: of each row.
        sigma: standard uncertainty of each value; None: of none.
        gap_ns: the silence that counts as a gap [ns]; 0: none does.

    >>> with_gaps(np.array([0, 1, 9]), np.zeros(3), np.zeros(3, np.uint32), None, 5)[0].tolist()
    [0, 1, 5, 9]
    """
    if gap_ns <= 0 or len(time) < 2:
        return time, value, status, sigma
    after = np.flatnonzero(np.diff(time) > gap_ns)
    if not len(after):
        return time, value, status, sigma
    middle = time[after] + (time[after + 1] - time[after]) // 2
    return (
        np.insert(time, after + 1, middle),
        np.insert(value, after + 1, np.nan),
        np.insert(status, after + 1, np.uint32(BAD_NO_DATA)),
        None if sigma is None else np.insert(sigma, after + 1, np.nan),
    )
