"""Estimates of machines of one kind, as readings come: rows in, at ticks rows on the estimated lane out.

conditioned rows -> instants of a grid (SI) -> filter of each machine, all in one compiled step -> rows, plant's units

It follows the rows and the ticks only: the same rows and ticks give the same estimates, in whatever order the rows of an
instant came. A row of an instant already passed is put where it belongs and the instants since are made again, as long
as the lag keeps them; what changes is told again, with the later `received` of the tick (the log says when it came in).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.estimate import Estimate, Instant, Lag, Method, Problem, step
from gemel.estimate.discrepancy import by_model
from gemel.estimate.lag import Met, Step
from gemel.samples import status as codes
from gemel.samples.batch import F64, I32, Batch

DOUBTFUL: Final = 30  # instants without a reading of a machine, after which what is believed of it is Uncertain …
SILENT: Final = 3600  # … and after which nothing more is told, and the filter begins anew with the next reading


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


def stepping(problem: Problem, method: Method) -> Callable[[Any, Instant], tuple[Any, Estimate]]:
    """Give the step of machines side by side, to be compiled: beliefs before an instant and its readings in, beliefs before the next out."""
    import jax

    def one(belief: Any, now: Instant) -> tuple[Any, Estimate]:
        before = method.moments(problem, belief)[0]
        after, estimate = step(problem, method, belief, now)
        return after, by_model(problem, estimate, before)

    return jax.vmap(one, (0, Instant(None, 0, 0, 0)))


def started(problem: Problem, method: Method, means: F64) -> Any:
    """Give the beliefs that machines begin with, of their means [machines, joint vector]."""
    import jax

    sd = problem.start[1]
    return jax.tree.map(np.asarray, jax.vmap(lambda m: method.start(problem, m, sd))(means))


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
        begin: the mean that each begins with [machines, joint vector]; None: as the problem declares.
        held: what each input is until it is read [machines, inputs], SI; None: as the model declares.
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
        begin: F64 | None = None,
        held: F64 | None = None,
    ) -> None:
        self._wires, self._start, self._wait = wires, start_ns, wait
        self._every = round(problem.dt * 1e9)
        machines, (mean, _) = len(p), problem.start
        self._problem, self._method = problem, method
        self._begin = self._started(np.tile(mean, (machines, 1)) if begin is None else begin)
        self._lag, self._length = Lag(self._step(), self._begin, p, length), length
        self._held = np.tile(problem.model.u0, (machines, 1)) if held is None else held.copy()
        self._open: dict[int, dict[int, tuple[int, int, float]]] = {}
        self._since: int | None = None
        self.met: list[tuple[int, F64, F64]] = []  # instants of the last tick: number, inputs, readings as they came
        self.distrusted = np.zeros(wires.outputs.shape, np.bool_)  # readings that are not listened to
        self._heard = np.full(machines, -1, np.int64)  # last instant with a reading of each machine
        self._place = {int(n): (0, *at) for at, n in np.ndenumerate(wires.inputs) if n >= 0}
        self._place |= {int(n): (1, *at) for at, n in np.ndenumerate(wires.outputs) if n >= 0}
        self._shape = wires.outputs.shape
        self.too_late = 0
        self.on: Callable[[], object] = lambda: None  # told of each instant that is met

    @property
    def at(self) -> int:
        """Number of the instant that is met next."""
        return self._lag.at

    @property
    def belief(self) -> Any:
        """What is believed of the machines, before the instant that is met next."""
        return self._lag.belief

    @property
    def inputs(self) -> F64:
        """What the inputs were at the newest instants, those that can be gone back to [instants, machines, inputs], SI."""
        kept = list(self._lag.kept)  # asked from another thread than it grows in
        return np.array([met.u for met in kept]).reshape(len(kept), *self._held.shape)

    def time(self, at: int) -> int:
        """Give the plant time of an instant [ns]."""
        return self._start + at * self._every

    def take(self, rows: Batch) -> None:
        """Take conditioned rows; those that are not of these machines, Bad, or of a sensor that is stuck, are passed by."""
        mine = np.isin(rows.signal, np.fromiter(self._place, np.int32, len(self._place)))
        usable = mine & codes.is_evidence(rows.status) & np.isfinite(rows.value)
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
        self._since, self.met = None, []
        last = (now_ns - self._start) // self._every - self._wait
        self._pass_silence(last)
        while self._lag.at <= last:
            at = self._lag.at
            made.append((at, self._meet(at)))
            self.on()
        rows = Batch.concat([self._rows(at, estimate, now_ns) for at, estimate in made])
        return rows, [estimate for _, estimate in made]

    def _started(self, means: F64) -> Any:
        """Give the beliefs that machines begin with, of their means [machines, joint vector]."""
        return started(self._problem, self._method, means)

    def _step(self) -> Step:
        """Give the compiled step of all machines."""
        import jax

        return jax.jit(stepping(self._problem, self._method))

    def adopt(self, problem: Problem, p: F64, begin: F64) -> None:
        """Take other parameters, from the next instant on; what is believed goes on, and a later beginning is another.

        The steps made until now were made with the former ones, so that none of them is made again: of what is to come
        late, readings of a time before are refused.
        """
        if problem is not self._problem:
            self._problem = problem
            self._lag.step = self._step()
        self._lag.parameters, self._begin = p, self._started(begin)
        self._lag.kept.clear()

    def _pass_silence(self, last: int) -> None:
        """Begin anew behind a time without any reading: what was believed before it says nothing of what is now."""
        first = min((at for at in self._open if at >= self._lag.at), default=last + 1)
        if first - max(self._lag.at, int(self._heard.max(initial=-1))) > SILENT and first > self._lag.at:
            self._lag = Lag(self._lag.step, self._begin, self._lag.parameters, self._length, first)

    def _meet(self, at: int) -> Any:
        y = np.full(self._shape, np.nan)
        for number, (_, _, value) in self._open.pop(at, {}).items():
            kind, *place = self._place[number]
            (y if kind else self._held)[tuple(place)] = value
        self._heard[np.isfinite(y).any(1)] = at
        self.met.append((at, self._held.copy(), y))
        return self._lag.meet(self._held, np.where(self.distrusted, np.nan, y))

    def aside(self, estimate: Any) -> npt.NDArray[np.bool_]:
        """Give which sensors the filter itself did not listen to in an estimate [machines, outputs]."""
        heard = estimate.innovation.heard
        found: npt.NDArray[np.bool_] = (
            np.zeros(self._shape, np.bool_) if heard is None else ~np.asarray(heard) & (self._wires.outputs >= 0)
        )
        return found

    def _late(self, number: int, instant: int, value: float) -> None:
        kind, *place = self._place[number]
        # an input that comes late is held from the next instant on only: what was done since was done with the former
        if kind and self.distrusted[tuple(place)]:
            return
        if kind and self._lag.late(int(instant), tuple(place), value):
            self._since = min(int(instant), self._lag.at if self._since is None else self._since)
        else:
            self.too_late += 1

    def _rows(self, at: int, estimate: Any, now_ns: int) -> Batch:
        values = np.concatenate((np.asarray(estimate.mean), np.asarray(estimate.output)), 1)
        spread = np.concatenate((np.asarray(estimate.sd), np.asarray(estimate.output_sd)), 1)
        silence = (at - self._heard)[:, None]
        heard = (self._heard >= 0)[:, None] & (silence < SILENT)
        said = (self._wires.told >= 0) & np.isfinite(values) & np.isfinite(spread) & heard
        signal = self._wires.told[said]
        scale = self._wires.scale[signal]
        status = np.where(np.broadcast_to(silence > DOUBTFUL, said.shape), codes.UNCERTAIN_DATA_SUB_NORMAL, codes.GOOD)
        instead = np.zeros(said.shape, np.bool_)
        instead[:, said.shape[1] - self._shape[1] :] = self.distrusted | self.aside(estimate)
        status = np.where(instead, codes.UNCERTAIN_SUBSTITUTE, status)
        return Batch.of(
            signal=signal, time=np.full(len(signal), self.time(at)), received=np.full(len(signal), now_ns),
            value=(values[said] - self._wires.offset[signal]) / scale, status=status[said], sigma=spread[said] / np.abs(scale),
        )  # fmt: skip

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name: what goes on from it gives the very same rows."""
        kept = list(self._lag.kept)
        waiting = [(i, n, *told) for i, slot in sorted(self._open.items()) for n, told in sorted(slot.items())]
        since = self._lag.at if self._since is None else self._since
        return {
            "start": np.array([self._start, self._lag.at, since, self.too_late]),
            "held": self._held.copy(),
            "distrusted": self.distrusted.copy(),
            "heard": self._heard.copy(),
            "kept.at": np.array([met.at for met in kept], np.int64),
            "kept.u": np.array([met.u for met in kept]).reshape(len(kept), *self._held.shape),
            "kept.y": np.array([met.y for met in kept]).reshape(len(kept), *self._shape),
            "open": np.array([row[:4] for row in waiting], np.int64).reshape(len(waiting), 4),
            "open.value": np.array([row[4] for row in waiting], np.float64),
            **_leaves("belief", [self._lag.belief]),
            **_leaves("kept.belief", [met.belief for met in kept]),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what `state` gave, of the same machines and problem."""
        self._start, at, since, self.too_late = (int(n) for n in arrays["start"])
        self._held, self._heard, self.distrusted = (arrays[n].copy() for n in ("held", "heard", "distrusted"))
        self._since = None if since == at else since
        beliefs = _beliefs("kept.belief", arrays, self._begin, len(arrays["kept.at"]))
        columns = zip(arrays["kept.at"].tolist(), beliefs, arrays["kept.u"], arrays["kept.y"], strict=True)
        now = _beliefs("belief", arrays, self._begin, 1)[0]
        self._lag = Lag(self._lag.step, now, self._lag.parameters, self._length, at)
        self._lag.kept.extend(Met(k, belief, u.copy(), y.copy()) for k, belief, u, y in columns)
        self._open = {}
        for (instant, number, time, received), value in zip(
            arrays["open"].tolist(), arrays["open.value"].tolist(), strict=True
        ):
            self._open.setdefault(instant, {})[number] = (time, received, value)


def _leaves(name: str, beliefs: Sequence[Any]) -> dict[str, npt.NDArray[Any]]:
    import jax

    columns = zip(*(jax.tree.leaves(b) for b in beliefs), strict=True)
    return {f"{name}.{i}": np.stack([np.asarray(c) for c in column]) for i, column in enumerate(columns)}


def _beliefs(name: str, arrays: Mapping[str, npt.NDArray[Any]], like: Any, n: int) -> list[Any]:
    import jax

    whole, shape = jax.tree.flatten(like)
    leaves = [arrays[f"{name}.{i}"] for i in range(len(whole))] if n else []
    return [jax.tree.unflatten(shape, [leaf[k] for leaf in leaves]) for k in range(n)]


def wired(
    numbers: Sequence[tuple[Sequence[int], Sequence[int], Sequence[int]]], scale: F64, offset: F64
) -> Wires:
    """Give the wires of machines: for each the numbers of its inputs, outputs, and told signals."""
    inputs, outputs, told = (np.array([one[i] for one in numbers], np.int32) for i in range(3))
    return Wires(inputs, outputs, told, scale, offset)
