"""Sets of times as sorted runs (start, end): what of a question is answered, and what is left of it."""

from collections.abc import Iterable

import numpy as np

from gemel.samples.batch import I64

Runs = list[tuple[int, int]]


def joined(runs: Iterable[tuple[int, int]]) -> Runs:
    """Give the same times in as few runs as can be.

    >>> joined([(5, 9), (0, 2), (2, 3), (4, 4)])
    [(0, 3), (5, 9)]
    """
    found: Runs = []
    for start, end in sorted(r for r in runs if r[0] < r[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def hulls(runs: Runs, gap: int) -> Runs:
    """Give the runs with what lies between those that are less than `gap` apart.

    >>> hulls([(0, 2), (3, 5), (50, 60)], 10)
    [(0, 5), (50, 60)]
    """
    wide = joined((start, end + gap) for start, end in runs)
    return [(start, end - gap) for start, end in wide]


def minus(runs: Runs, holes: Runs) -> Runs:
    """Give what of some runs is in no hole; both joined.

    >>> minus([(0, 10), (20, 30)], [(2, 4), (9, 25)])
    [(0, 2), (4, 9), (25, 30)]
    """
    found: Runs = []
    at = 0
    for start, end in runs:
        while at < len(holes) and holes[at][1] <= start:
            at += 1
        left, here = start, at
        while here < len(holes) and holes[here][0] < end:
            found.append((left, holes[here][0]))
            left = holes[here][1]
            here += 1
        found.append((left, end))
    return [(start, end) for start, end in found if start < end]


def chunks(numbers: I64, width: int) -> Runs:
    """Give the times of numbered chunks of one width; numbers sorted, each once.

    >>> chunks(np.array([3, 4, 7]), 10)
    [(30, 50), (70, 80)]
    """
    if not len(numbers):
        return []
    cuts = np.flatnonzero(np.diff(numbers) > 1) + 1
    first, last = numbers[np.append(0, cuts)], numbers[np.append(cuts, len(numbers)) - 1]
    return [(int(a) * width, (int(b) + 1) * width) for a, b in zip(first, last, strict=True)]


def within(times: I64, runs: Runs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which times lie in a run."""
    edges = np.array(runs, np.int64).reshape(-1)
    return np.asarray(np.searchsorted(edges, times, side="right") % 2 == 1)


def aligned(runs: Runs, width: int, most: int) -> Runs:
    """Give the whole intervals of a width that lie in the runs, before `most`.

    >>> aligned([(5, 38)], 10, 30)
    [(10, 30)]
    """
    cut = [(-(-start // width) * width, min(end, most) // width * width) for start, end in runs]
    return [(start, end) for start, end in cut if start < end]
