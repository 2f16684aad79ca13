"""A system with FMUs for co-simulation as something that goes on from what it remembers: `Remembered` of each, coupled as `March` does.

memory: what each FMU saved · state of all else · what FMUs show · what sources showed one point before
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.dynamics.solution import Floats
from gemel.operate.fmi.coupled import Coupled
from gemel.operate.fmi.march import Coupling, Named, by_name, columns
from gemel.operate.fmi.model import plain
from gemel.operate.fmi.remembered import Bytes, Remembered

POINTS: Final = 4  # at which they tell one another, in one step of a filter, at least


@dataclass(eq=False)
class _Now:
    """Members at a point: what each FMU saved, the state of all else, what FMUs show, what sources showed before (NaN: nothing yet)."""

    saved: dict[str, Bytes]
    x: Floats
    shown: Named
    before: Named


class RememberedSystem:
    """The steps of a system.

    Args:
        of: the system, whose FMUs save their states.
        inputs: those that are given, in their order.
        held: the other ones, with their values.
        seen: names of what it is to show.
        points: communication points in one step.

    Raises ModelError (`model-foreign`) where an FMU cannot save its state.
    """

    def __init__(self, of: Coupled, inputs: Sequence[str], held: Mapping[str, float], seen: Sequence[str], points: int = POINTS) -> None:
        self._of, self._inputs, self._fixed, self._seen, self._points = of, tuple(inputs), dict(held), tuple(seen), points
        self._coupling = Coupling(of)
        self._fmus = {c: Remembered(plain(m), tuple(dict.fromkeys((*m.states, *m.outputs)))) for c, m in of.whole.items()}
        self._told = tuple(f"{c}/{n}" for c, m in of.whole.items() for n in dict.fromkeys((*m.states, *m.outputs)))
        self.tunable = tuple(n for n in of.parameters if n in of.tunable)
        self.movable = () if of.inner is None else of.inner.states
        self._bounds = (np.zeros(0), np.zeros(0)) if of.inner is None else of.inner.bounds("states")
        self._widths: dict[str, int] = {}

    def begin(self, x: Floats, u: Floats, p: Floats) -> tuple[Bytes, Floats]:
        """Give what members remember [members, bytes] and show [members, seen] that begin with states, inputs, parameters."""
        n, given, saved = len(x), self._given(u, p), dict[str, Bytes]()
        states = by_name(self._of.states, x)

        def begin(c: str, *of: Floats) -> Named:
            saved[c], shown = self._fmus[c].begin(*of)
            return self._by_name(c, shown)

        shown = self._coupling.begun((states, *given), n, begin)
        self._widths = {c: row.shape[1] for c, row in saved.items()}
        now = _Now(saved, columns(self.movable, states, n), shown, {name: np.full(n, np.nan) for name in self._coupling.sources})
        return self._packed(now), self._showing(now, given, 0.0)

    def step(self, memory: Bytes, times: Floats, dt: float, given: tuple[Floats, Floats], moved: Floats | None = None) -> tuple[Bytes, Floats]:
        """Give what members remember and show `dt` [s] later, as `begin`; `moved` is then added to the state of what is no FMU."""
        now, named, h = self._unpacked(memory), self._given(*given), dt / self._points
        for i in range(self._points):

            def go(c: str, _t: float, _dt: float, own: tuple[Floats, Floats], i: int = i) -> Named:
                now.saved[c], shown = self._fmus[c].step(now.saved[c], times + i * h, h, own)
                return self._by_name(c, shown)

            seen = self._coupling.everything(0.0, named, now.x, now.shown)
            before = {name: np.where(np.isfinite(was), was, seen[name]) for name, was in now.before.items()}
            now.x, now.shown = self._coupling.stepped((i * h, h), named[1], now.x, (seen, before), go)
            now.before = {name: seen[name] for name in self._coupling.sources}
        if moved is not None:
            now.x = np.clip(now.x + moved, *self._bounds)
        return self._packed(now), self._showing(now, named, dt)

    def show(self, memory: Bytes, given: tuple[Floats, Floats], shown: Floats) -> Floats:
        """Give what members show with other inputs and parameters than those that they came here with."""
        return self._showing(self._unpacked(memory), self._given(*given), 0.0)

    def _showing(self, now: _Now, given: tuple[Named, Named], t: float) -> Floats:
        return columns(self._seen, self._coupling.everything(t, given, now.x, now.shown), len(now.x))

    def _given(self, u: Floats, p: Floats) -> tuple[Named, Named]:
        held = {name: np.full(len(u), value) for name, value in self._fixed.items()}
        return held | by_name(self._inputs, u), by_name(self._of.parameters, p)

    def _by_name(self, c: str, shown: Floats) -> Named:
        of = self._of.whole[c]
        return by_name(dict.fromkeys((*of.states, *of.outputs)), shown)

    def _packed(self, now: _Now) -> Bytes:
        n = len(now.x)
        numbers = np.hstack((now.x, columns(self._told, now.shown, n), columns(self._coupling.sources, now.before, n)))
        parts: list[Any] = [*(now.saved[c] for c in self._fmus), np.ascontiguousarray(numbers, np.float64).view(np.uint8).reshape(n, -1)]
        return np.hstack(parts)

    def _unpacked(self, memory: Bytes) -> _Now:
        saved, at = {}, 0
        for c, width in self._widths.items():
            saved[c], at = np.ascontiguousarray(memory[:, at : at + width]), at + width
        numbers = np.ascontiguousarray(memory[:, at:]).view(np.float64)
        x, shown, before = np.split(numbers, [len(self.movable), len(self.movable) + len(self._told)], axis=1)
        return _Now(saved, x, by_name(self._told, shown), by_name(self._coupling.sources, before))
