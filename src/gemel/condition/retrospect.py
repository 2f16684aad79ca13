"""How well signals came in during a past span, told by the rows that were kept of it.

The live counters say what was so since they began; for any past span the same is read from the history: every row is
kept with its status and both its times. Two things leave no row: a duplicate, which is not stored, and a reading that
could not be decoded.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.samples import status as codes
from gemel.samples.batch import F64, I32, I64
from gemel.samples.clock import SECOND

GAP: Final = 5  # intervals of silence that make a gap, as in `timing`
Mask = npt.NDArray[np.bool_]


def retrospect(signals: I32, rows: Batch, beat: I64, tolerance: int) -> dict[str, F64]:
    """Count what the rows of a span say, by signal, under the names of the live counters.

    Args:
        signals: which, in the order of the answer.
        rows: every version of every row of the span, sorted by (signal, time, received).
        beat: expected distance of readings of each of `signals` [ns]; 0: unknown.
        tolerance: how far from its beat a reading may come [ns].

    Returns:
        Columns as of `Conditioner.report`, without duplicates; ``last_time`` in ns. NaN where too little came to tell.
    """
    n = len(signals)
    order = np.argsort(signals, kind="stable")
    at = order[np.searchsorted(signals[order], rows.signal)]
    fresh = np.ones(len(rows), bool)  # the first version of its time
    fresh[1:] = (at[1:] != at[:-1]) | (rows.time[1:] != rows.time[:-1])
    last = np.append(fresh[1:], True)[: len(rows)]  # its last
    same = np.zeros(len(rows), bool)
    same[1:] = ~fresh[1:] & ((rows.value[1:] == rows.value[:-1]) | (np.isnan(rows.value[1:]) & np.isnan(rows.value[:-1])))

    def count(mask: Mask) -> F64:
        return np.bincount(at[mask], minlength=n).astype(np.float64)

    told = {"received": count(~same), "stored": count(~same), "correction": count(~fresh & ~same)}
    told["late"] = count(fresh & _late(at, rows))
    told |= _rhythm(at[fresh], rows.time[fresh], beat, tolerance)
    judged = rows.take(last)
    doubts = {name: np.bincount(at[last][mask], minlength=n).astype(np.float64) for name, mask in _reasons(judged).items()}
    newest = np.full(n, np.nan)
    newest[at[last]] = judged.time  # sorted: the latest of each is written last
    with np.errstate(divide="ignore", invalid="ignore"):
        good = 1.0 - np.sum(list(doubts.values()), axis=0) / count(fresh)
    return told | doubts | {"good_fraction": good, "last_time": newest}


def _late(at: I64, rows: Batch) -> Mask:
    """Tell which rows were received after one of their signal with a later time."""
    order = np.lexsort((rows.time, rows.received, at))
    if not len(order):
        return np.zeros(0, bool)
    since = rows.time - rows.time.min()
    lifted = since[order] + at[order] * (int(since.max()) + 1)  # each signal above the one before
    late = np.zeros(len(order), bool)
    late[order] = lifted < np.maximum.accumulate(lifted)
    return late


def _rhythm(at: I64, time: I64, beat: I64, tolerance: int) -> Mapping[str, F64]:
    """Give gaps, readings beside the beat, how far on average and at most, and the rate."""
    n = len(beat)
    inner = np.flatnonzero(at[1:] == at[:-1]) + 1
    whose, distance = at[inner], time[inner] - time[inner - 1]
    due = beat[whose]
    silent = (due > 0) & (distance > GAP * due)
    apart = np.where((due > 0) & ~silent, np.abs(distance - due), 0)
    steps = np.bincount(whose, minlength=n)
    worst = np.zeros(n)
    np.maximum.at(worst, whose, apart / 1e6)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "gap": np.bincount(whose[silent], minlength=n).astype(np.float64),
            "jitter": np.bincount(whose[apart > tolerance], minlength=n).astype(np.float64),
            "jitter_ms": np.where(beat > 0, np.bincount(whose, apart / 1e6, n) / steps, np.nan),
            "jitter_max_ms": np.where(beat > 0, worst, np.nan),
            "rate_per_s": steps * SECOND / np.bincount(whose, distance, n),
        }


def _reasons(rows: Batch) -> dict[str, Mask]:
    """Tell for each doubted row why, by what its status says; a source's own word is told apart where it can be."""
    code = rows.status & np.uint32(0xFFFF0000)
    failed = code == np.uint32(codes.BAD_SENSOR_FAILURE)
    stuck = (code == np.uint32(codes.UNCERTAIN_SENSOR_NOT_ACCURATE)) & (
        (rows.status & np.uint32(codes.LIMIT_CONSTANT)) == codes.LIMIT_CONSTANT
    )
    found = {
        "out_of_range": code == np.uint32(codes.BAD_OUT_OF_RANGE), "rate": failed & np.isfinite(rows.value), "stuck": stuck,
        "future": code == np.uint32(codes.BAD_INVALID_TIMESTAMP), "not_a_number": failed & ~np.isfinite(rows.value),
    }  # fmt: skip
    known = np.logical_or.reduce(list(found.values()))
    bad = codes.is_bad(rows.status)
    found["source_bad"] = bad & ~known
    found["source_uncertain"] = ~bad & ~codes.is_good(rows.status) & ~known
    return found
