"""Estimates of machines of one kind, as readings come: rows in, at ticks rows on the estimated lane out.

conditioned rows -> instants of a grid (SI) -> filter of each machine, all in one compiled step -> rows, plant's units

It follows the rows and the ticks only: the same rows and ticks give the same estimates, in whatever order the rows of an
instant came. A row of an instant already passed is put where it belongs and the instants since are made again, as long
as the lag keeps them; what changes is told again, with the later `received` of the tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gemel.estimate import Instant, Lag, Method, Problem, step
from gemel.samples import status as codes
from gemel.samples.batch import F64, I32, Batch


@dataclass(frozen=True, eq=False)
class Wires:
    """Which signals are what, for machines side by side; -1 where there is none.

    Args:
        inputs, outputs: numbers of the signals read [machines, inputs], [machines, outputs].
        told: numbers of the signals on the estimated lane [machines, names], names being states, estimated parameters, outputs.
        scale, offset: by number of a signal: SI = value * scale + offset.
    """

    inputs: I32
    outputs: I32
    told: I32
    scale: F64
    offset: F64


class Estimating:
    """The filters of machines of one kind.

    Args:
        problem: what is estimated of each.
        method: the filter.
        wires: their signals.
        p: their parameters [machines, parameters], SI.
        start_ns: plant time of instant 0.
        length: instants that can be gone back.
        wait: instants waited for readings before an instant is met.
    """

    def __init__(
        self,
        problem: Problem,
        method: Method,
        wires: Wires,
        p: F64,
        *,
        start_ns: int,
        length: int = 60,
        wait: int = 1,
    ) -> None:
        import jax

        self._wires, self._start, self._wait = wires, start_ns, wait
        self._every = round(problem.dt * 1e9)
        machines, (mean, sd) = len(p), problem.start
        many = jax.jit(
            jax.vmap(lambda belief, now: step(problem, method, belief, now), (0, Instant(None, 0, 0, 0)))
        )
        begin = jax.vmap(lambda m: method.start(problem, m, sd))(np.tile(mean, (machines, 1)))
        self._lag, self._length = Lag(many, begin, p, length), length
        self._held = np.tile(problem.model.u0, (machines, 1))
        self._open: dict[int, dict[int, tuple[int, int, float]]] = {}
        self._since: int | None = None
        self._place = {int(n): (0, *at) for at, n in np.ndenumerate(wires.inputs) if n >= 0}
        self._place |= {int(n): (1, *at) for at, n in np.ndenumerate(wires.outputs) if n >= 0}
        self._shape = wires.outputs.shape
        self.too_late = 0

    @property
    def at(self) -> int:
        """Number of the instant that is met next."""
        return self._lag.at

    def take(self, rows: Batch) -> None:
        """Take conditioned rows; those that are not of these machines, or Bad, are passed by."""
        mine = np.isin(rows.signal, np.fromiter(self._place, np.int32, len(self._place)))
        usable = mine & (rows.status < np.uint32(codes.BAD)) & np.isfinite(rows.value)
        signal, value = rows.signal[usable], rows.value[usable]
        si = value * self._wires.scale[signal] + self._wires.offset[signal]
        instants = (rows.time[usable] - self._start + self._every // 2) // self._every
        newest = zip(
            signal.tolist(),
            instants.tolist(),
            rows.time[usable].tolist(),
            rows.received[usable].tolist(),
            si.tolist(),
            strict=True,
        )
        for number, instant, time, received, one in newest:
            if instant < self._lag.at:
                self._late(number, instant, one)
            else:
                slot = self._open.setdefault(instant, {})
                slot[number] = max(slot.get(number, (0, 0, 0.0)), (time, received, one))

    def tick(self, now_ns: int) -> tuple[Batch, list[Any]]:
        """Meet the instants that are due; give rows on the estimated lane, received at the tick, and their estimates."""
        made = (
            []
            if self._since is None
            else list(zip(range(self._since, self._lag.at), self._lag.again(self._since), strict=True))
        )
        self._since = None
        last = (now_ns - self._start) // self._every - self._wait
        while self._lag.at <= last:
            at = self._lag.at
            made.append((at, self._meet(at)))
        rows = Batch.concat([self._rows(at, estimate, now_ns) for at, estimate in made])
        return rows, [estimate for _, estimate in made]

    def _meet(self, at: int) -> Any:
        y = np.full(self._shape, np.nan)
        for number, (_, _, value) in self._open.pop(at, {}).items():
            kind, *place = self._place[number]
            (y if kind else self._held)[tuple(place)] = value
        return self._lag.meet(self._held, y)

    def _late(self, number: int, instant: int, value: float) -> None:
        kind, *place = self._place[number]
        # an input that comes late is held from the next instant on only: what was done since was done with the former
        if kind and self._lag.late(int(instant), tuple(place), value):
            self._since = min(int(instant), self._lag.at if self._since is None else self._since)
        else:
            self.too_late += 1

    def _rows(self, at: int, estimate: Any, now_ns: int) -> Batch:
        values = np.concatenate((np.asarray(estimate.mean), np.asarray(estimate.output)), 1)
        said = (self._wires.told >= 0) & np.isfinite(values)
        signal = self._wires.told[said]
        plain = (values[said] - self._wires.offset[signal]) / self._wires.scale[signal]
        time = np.full(len(signal), self._start + at * self._every)
        return Batch.of(signal=signal, time=time, received=np.full(len(signal), now_ns), value=plain,
                        status=np.zeros(len(signal)))  # fmt: skip


def wired(
    numbers: Sequence[tuple[Sequence[int], Sequence[int], Sequence[int]]], scale: F64, offset: F64
) -> Wires:
    """Give the wires of machines: for each the numbers of its inputs, outputs, and told signals."""
    inputs, outputs, told = (np.array([one[i] for one in numbers], np.int32) for i in range(3))
    return Wires(inputs, outputs, told, scale, offset)
