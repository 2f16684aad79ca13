"""Which of the recent data a fit may learn from: the machine runs, the readings are good, every regime has its share.

records ─► instants at which it runs ─► blocks of one length ─► each its regime ─► the newest of each; of those the newest unseen

A regime is a bin of each of some inputs or outputs (speed below 1000, above 1000). A machine that stood in one regime all
night must not push out what was learned of the others: of each regime the newest blocks count, however long ago they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.record import Record, good_share
from gemel.samples.batch import F64, I64

PIECES: Final = 20  # blocks that a record is cut into, where nothing else is said
SHORT: Final = 50  # steps that a block has at least
GOOD: Final = 0.5  # of the readings of a block that must count in full
Regime = tuple[int, ...]


@dataclass(frozen=True)
class Regimes:
    """What is told apart, by names of inputs and outputs, in SI.

    Args:
        running: between which values the machine runs; what is outside of one of them is no data.
        bins: edges, ascending; n edges make n + 1 bins.
    """

    running: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bins: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Choice:
    """What is learned from, and what is kept unseen for the judgement.

    Args:
        fitted, unseen: records; neighbouring blocks are joined again.
        steps: by regime, (fitted, unseen).
        left_out: steps not taken, by reason.
        good: share of all readings offered, while it runs, that were Good, whether they were taken or not.
    """

    fitted: tuple[Record, ...]
    unseen: tuple[Record, ...]
    steps: Mapping[Regime, tuple[int, int]]
    left_out: Mapping[str, int]
    good: float = 1.0


@dataclass(frozen=True, eq=False)
class _Block:
    source: int
    first: int
    last: int
    start: float
    regime: Regime


def choose(
    records: Sequence[Record], names: Sequence[str], regimes: Regimes = Regimes(), *,
    block: int = 0, most: int = 10_000, unseen: float = 0.3, after_s: float = -np.inf,
) -> Choice:  # fmt: skip
    """Choose blocks of records.

    Args:
        records: of one machine, in the order of time.
        names: of the columns of their inputs and outputs, side by side.
        regimes: what is told apart.
        block: its steps; 0: a twentieth of all, at least fifty.
        most: blocks of each regime, the newest.
        unseen: share of each regime's blocks, the newest, that is not fitted.
        after_s: only what begins at or after this time [s] may be unseen: before, the champion has seen it.
    """
    total = sum(len(r) for r in records)
    size = block or max(total // PIECES, SHORT)
    left = {"not running": 0, "not good": 0, "too short": 0, "older than needed": 0}
    blocks = [b for at, r in enumerate(records) for b in _blocks(at, r, names, regimes, size, left)]
    fitted: list[_Block] = []
    kept: list[_Block] = []
    steps = {}
    for regime in sorted({b.regime for b in blocks}):
        mine = sorted((b for b in blocks if b.regime == regime), key=lambda b: -b.start)
        left["older than needed"] += sum(b.last - b.first for b in mine[most:])
        mine = mine[:most]
        count = min(round(unseen * len(mine)), sum(b.start >= after_s for b in mine))
        kept += mine[:count]
        fitted += mine[count:]
        steps[regime] = sum(b.last - b.first for b in mine[count:]), sum(b.last - b.first for b in mine[:count])
    good = good_share([_running(r, names, regimes) for r in records])
    return Choice(_joined(records, fitted), _joined(records, kept), steps, left, good)


def words(regime: Regime, regimes: Regimes) -> str:
    """Say a regime.

    >>> words((1,), Regimes(bins={"speed": (100.0, 200.0)}))
    'speed 100 … 200'
    """
    told = []
    for at, (name, edges) in zip(regime, regimes.bins.items(), strict=True):
        low, high = [None, *edges][at], [*edges, None][at]
        told.append(f"{name} {'' if low is None else f'{low:g} '}…{'' if high is None else f' {high:g}'}")
    return ", ".join(told) or "all"


def _blocks(
    source: int, record: Record, names: Sequence[str], regimes: Regimes, size: int, left: dict[str, int]
) -> list[_Block]:
    columns = np.concatenate((record.inputs, record.outputs), axis=1)
    runs = _runs(columns, names, regimes)
    regime = _regime(columns, names, regimes)
    left["not running"] += int((~runs).sum())
    found = []
    at = 0
    for running, some in groupby(runs.tolist()):
        n = len(list(some))
        # every block has the length asked for or up to twice it: what is left at the end goes with the last
        edges = np.linspace(0, n, max(n // size, 1) + 1).astype(int).tolist() if running else []
        for a, b in pairwise(edges):
            if b - a < min(size, SHORT):
                left["too short"] += b - a
            elif not _good(record.part(at + a, at + b)):
                left["not good"] += b - a
            else:
                there = regime[at + a : at + b]
                kinds, counts = np.unique(there, axis=0, return_counts=True)
                mine = tuple(kinds[int(np.argmax(counts))].tolist())
                found.append(_Block(source, at + a, at + b, record.start + (at + a) * record.dt, mine))
        at += n
    return found


def _good(block: Record) -> bool:
    there = np.isfinite(block.outputs)
    return bool(there.any()) and float(block.weights[there].mean()) >= GOOD


def _runs(columns: F64, names: Sequence[str], regimes: Regimes) -> npt.NDArray[np.bool_]:
    runs = np.ones(len(columns), np.bool_)
    for name, (low, high) in regimes.running.items():
        value = columns[:, list(names).index(name)]
        runs &= (value >= low) & (value <= high)  # what is not known does not run
    return runs


def _running(record: Record, names: Sequence[str], regimes: Regimes) -> Record:
    """Give a record without the readings of a machine that stands."""
    runs = _runs(np.concatenate((record.inputs, record.outputs), axis=1), names, regimes)
    return replace(record, outputs=np.where(runs[:, None], record.outputs, np.nan))


def _regime(columns: F64, names: Sequence[str], regimes: Regimes) -> I64:
    bins = [np.searchsorted(edges, np.nan_to_num(columns[:, list(names).index(name)]), side="right")
            for name, edges in regimes.bins.items()]  # fmt: skip
    return np.stack(bins, axis=1).astype(np.int64) if bins else np.zeros((len(columns), 0), np.int64)


def _joined(records: Sequence[Record], blocks: Sequence[_Block]) -> tuple[Record, ...]:
    spans: list[tuple[int, int, int]] = []
    for b in sorted(blocks, key=lambda b: (b.source, b.first)):
        if spans and spans[-1][0] == b.source and spans[-1][2] == b.first:
            spans[-1] = (b.source, spans[-1][1], b.last)
        else:
            spans.append((b.source, b.first, b.last))
    return tuple(records[source].part(a, b) for source, a, b in spans)
