"""What a fit is made on: inputs and outputs of a machine on an even grid, with how much each reading counts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.errors import ModelError
from gemel.samples import status as codes
from gemel.samples.batch import F64, I64

SUSPECT: Final = (
    0.1  # weight of an Uncertain reading beside 1 of a Good one: its noise counts for √10 times as much
)
SHORTEST: Final = 4  # steps; less cannot even tell a state


@dataclass(frozen=True, eq=False)
class Record:
    """A record of a machine, in SI, on an even grid.

    Args:
        dt: from instant to instant [s].
        inputs: [steps, inputs], each held from its instant to the next; all finite.
        outputs: [steps, outputs]; NaN where there is none.
        weights: [steps, outputs]: 0 does not count, 1 counts in full.
        start: time of the first instant [s], for people.
    """

    dt: float
    inputs: F64
    outputs: F64
    weights: F64
    start: float = 0.0

    def __post_init__(self) -> None:
        if not (self.dt > 0 and np.isfinite(self.inputs).all() and len(self.inputs) == len(self.outputs)):
            raise ModelError(
                "a record needs an even grid and finite inputs",
                code="record",
                remedy="fill or leave out the gaps",
            )

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which outputs count [steps, outputs]."""
        return np.isfinite(self.outputs) & (self.weights > 0)

    @property
    def distinct(self) -> int:
        """How many usable readings do not just repeat one of the same output at the same inputs: a value that stands still says it once."""
        seen = self.usable
        return sum(
            len(np.unique(np.column_stack([self.inputs, y])[there], axis=0)) for y, there in zip(self.outputs.T, seen.T, strict=True)
        )

    def part(self, first: int, last: int | None = None) -> Record:
        """Give the steps from `first` to before `last`."""
        cut = slice(first, last)
        return Record(
            self.dt, self.inputs[cut], self.outputs[cut], self.weights[cut], self.start + first * self.dt
        )

    def cut(self, steps: int) -> list[Record]:
        """Cut into pieces of equal length; what is left over at the end is dropped."""
        return [self.part(at, at + steps) for at in range(0, len(self) - steps + 1, steps)]


def of_columns(dt: float, inputs: F64, outputs: F64) -> Record:
    """Give a record of columns that are all good; a NaN among the outputs is a missing reading."""
    u, y = np.asarray(inputs, np.float64), np.asarray(outputs, np.float64)
    return Record(dt, u, y, np.isfinite(y).astype(np.float64))


def weights_of(status: npt.NDArray[np.uint32]) -> F64:
    """Give what readings of these statuses count for: Good 1, Uncertain `SUSPECT`, Bad 0."""
    return np.where(codes.is_good(status), 1.0, np.where(codes.is_bad(status), 0.0, SUSPECT))


@dataclass(frozen=True, eq=False)
class Readings:
    """Readings of one signal: times [ns] ascending, values in SI, statuses."""

    times: I64
    values: F64
    status: npt.NDArray[np.uint32]


def on_grid(inputs: list[Readings], outputs: list[Readings], dt: float, longest_hold: float) -> list[Record]:
    """Bring readings that come when they like to an even grid, and cut it where an input is not known.

    Args:
        inputs: each is held from its last reading that is not Bad, for at most `longest_hold` [s].
        outputs: at each instant the newest reading of the step before counts, with its status.
        dt: of the grid [s].
        longest_hold: an input silent for longer is unknown, and the record ends there.

    Returns:
        Records of at least four steps, in order of time; none where the inputs are never known together.
    """
    ends = [r.times for r in (*inputs, *outputs) if len(r.times)]
    if not ends:
        return []
    step = round(dt * 1e9)
    grid = np.arange(min(t[0] for t in ends), max(t[-1] for t in ends) + 1, step, dtype=np.int64)
    u = np.column_stack([_held(r, grid, longest_hold) for r in inputs] or [np.zeros((len(grid), 0))])
    y, w = (np.column_stack(c) for c in zip(*(_at(r, grid, step) for r in outputs), strict=True))
    return [
        Record(dt, u[a:b], y[a:b], w[a:b], float(grid[a]) / 1e9)
        for a, b in _runs(np.asarray(np.isfinite(u).all(axis=1))) if b - a >= SHORTEST and (w[a:b] > 0).any()
    ]  # fmt: skip


def _held(readings: Readings, grid: I64, longest: float) -> F64:
    usable = ~codes.is_bad(readings.status) & np.isfinite(readings.values)
    times, values = readings.times[usable], readings.values[usable]
    at = np.searchsorted(times, grid, side="right") - 1
    known = at >= 0
    known[known] &= (grid[known] - times[at[known]]) <= longest * 1e9
    return np.where(known, values[np.maximum(at, 0)] if len(values) else np.nan, np.nan)


def _at(readings: Readings, grid: I64, step: int) -> tuple[F64, F64]:
    at = np.searchsorted(readings.times, grid, side="right") - 1
    known = at >= 0
    known[known] &= (grid[known] - readings.times[at[known]]) < step
    if not len(readings.times):
        return np.full(len(grid), np.nan), np.zeros(len(grid))
    at = np.maximum(at, 0)
    value = np.where(known, readings.values[at], np.nan)
    return value, np.where(np.isfinite(value), weights_of(readings.status[at]), 0.0)


def _runs(good: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def good_share(records: Sequence[Record]) -> float:
    """Give the share of the readings of records that are Good; 0 where there is none."""
    there = [np.isfinite(r.outputs) for r in records]
    good = sum(int((r.weights[t] == 1.0).sum()) for r, t in zip(records, there, strict=True))
    return good / max(sum(int(t.sum()) for t in there), 1)


def side_by_side(records: list[Record], longest: int) -> list[Record]:
    """Cut records into pieces of at most `longest` steps and fill them up to one length with steps that do not count."""
    pieces = [piece for record in records for piece in _even(record, longest) if piece.usable.any()]
    length = max((len(p) for p in pieces), default=0)
    return [_filled(piece, length) for piece in pieces]


def _even(record: Record, longest: int) -> list[Record]:
    count = -(-len(record) // longest)
    edges = np.linspace(0, len(record), count + 1).astype(int).tolist()
    return [record.part(a, b) for a, b in itertools.pairwise(edges)]


def _filled(record: Record, length: int) -> Record:
    more = length - len(record)
    if not more:
        return record
    inputs = np.concatenate([record.inputs, np.repeat(record.inputs[-1:], more, axis=0)])
    outputs = np.concatenate([record.outputs, np.full((more, record.outputs.shape[1]), np.nan)])
    weights = np.concatenate([record.weights, np.zeros((more, record.weights.shape[1]))])
    return Record(record.dt, inputs, outputs, weights, record.start)
