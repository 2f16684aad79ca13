"""Signals that balances hold together, as machines that are followed: reconciled each instant, watched, and weighed who is wrong.

    balances: {header: a/flow + b/flow = c/flow} ─► those that share signals ─► flows that close them (`estimate.reconciled`) ─► Kind

It goes the way of all estimates: lane, residuals, facts, snapshot. All of one net are in the unit of its first signal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np

from gemel.assets import Plant
from gemel.assets.balances import Balance
from gemel.assets.spec import Signal
from gemel.dynamics import Quantity, compile_model
from gemel.errors import DefectError
from gemel.estimate import Noise, Problem
from gemel.estimate.reconciled import LOSS, WIDE, Balanced, Reconciling
from gemel.operate.binding import Binding
from gemel.operate.estimates_kind import Kind, version
from gemel.operate.estimates_plan import said_of
from gemel.operate.estimating import Wires
from gemel.samples import Registry
from gemel.samples.batch import I32
from gemel.samples.clock import SECOND
from gemel.samples.units import conversion
from gemel.twin.releases import Releases

SHARE: Final = 0.1  # of the largest flow of a balance: so large a loss is expected where it does not close
UNKNOWN: Final = 0.01  # of its usual size, of a flow that nothing measures


def makes_of_balances(plant: Plant, registry: Registry) -> Iterator[tuple[str, Callable[[], Kind]]]:
    """Give the names of balances that hold together, and what makes their kind; that raises ModelError where one follows from the others (`balance`)."""
    for balances in nets(plant.balances):
        yield f"balance {'+'.join(one.name for one in balances)}", partial(_kind, plant, registry, balances)


def _kind(plant: Plant, registry: Registry, balances: Sequence[Balance]) -> Kind:
    return _Net(plant, balances).kind(registry)


def check_balances(plant: Plant) -> None:
    """Raise ModelError where a balance follows from the others (`balance`)."""
    for balances in nets(plant.balances):
        _Net(plant, balances).flows()


def nets(balances: Sequence[Balance]) -> list[list[Balance]]:
    """Give balances in groups that share signals."""
    found: list[tuple[set[str], list[Balance]]] = []
    for one in balances:
        paths, together = {path for path, _ in one.terms}, [one]
        apart = []
        for signals, others in found:
            if signals & paths:
                paths, together = paths | signals, [*others, *together]
            else:
                apart.append((signals, others))
        found = [*apart, (paths, together)]
    order = {one.name: at for at, one in enumerate(balances)}
    return sorted((sorted(together, key=lambda one: order[one.name]) for _, together in found), key=lambda net: order[net[0].name])


class _Net:
    """Balances that share signals."""

    def __init__(self, plant: Plant, balances: Sequence[Balance]) -> None:
        self._balances, self._root = balances, f"{plant.root}/"
        self._signals = {path: _signal(plant, path) for one in balances for path, _ in one.terms}
        unit = next(iter(self._signals.values())).unit
        self._units = {path: conversion(s.unit, unit) for path, s in self._signals.items()}
        self._flows = {self._short(p): Quantity(unit, 0.0, nominal=self._size(p, s)) for p, s in self._signals.items()}

    def _short(self, path: str) -> str:
        return path.removeprefix(self._root)

    def flows(self) -> Balanced:
        terms = {one.name: {self._short(path): factor for path, factor in one.terms} for one in self._balances}
        return Balanced(self._flows, terms)

    def kind(self, registry: Registry) -> Kind:
        problem = self._problem()
        names, p, model = "+".join(one.name for one in self._balances), problem.model.p0[None], problem.model
        reference = repr((self._balances, self._flows))
        said = said_of(reference, model, problem)
        sizes = {f"{LOSS}{one.name}": SHARE * max(self._flows[self._short(path)].nominal for path, _ in one.terms) for one in self._balances}
        return Kind(
            names, (f"{self._root}{names}",), problem, self._wires(problem, registry), p, model.x0[None], np.zeros((1, 0)), version("balances", said, p),
            _unbound, said, problem, np.zeros((1, 0)), ((),), Reconciling(), sizes,
        )  # fmt: skip

    def _problem(self) -> Problem:
        model = compile_model(self.flows())
        sizes, nothing = model.scales("states"), np.zeros(0)
        sensor = np.array([max(abs((s.accuracy or 0.0) * self._units[p][0]), 0.0) or UNKNOWN * self._size(p, s) for p, s in self._signals.items()])
        every = max([s.interval_ns for s in self._signals.values()] + [0]) or SECOND
        return Problem(model, (), Noise(sizes, nothing, sensor, WIDE * sizes, nothing), every / 1e9)

    def _wires(self, problem: Problem, registry: Registry) -> Wires:
        scale, offset = np.ones(len(registry)), np.zeros(len(registry))

        def number(path: str, there: bool, lane: str) -> int:
            """Give the number of a signal on a lane, and note its unit; -1 where it has none."""
            if not there:
                return -1
            found = int(registry.index(path, lane))
            scale[found], offset[found] = self._units[path]
            return found

        read = [number(path, s.source is not None, "measured") for path, s in self._signals.items()]
        told = [number(path, any(one.modelled for one in s.lanes), "estimated") for path, s in self._signals.items()]
        states = [-1] * len(problem.model.states)  # told as outputs
        inputs: I32 = np.zeros((1, 0), np.int32)
        return Wires(inputs, np.array([read], np.int32), np.array([[*states, *told]], np.int32), scale, offset)

    def _size(self, path: str, signal: Signal) -> float:
        """Give a usual size: the end of its range that is farther from zero, else a hundred times its accuracy."""
        scale, offset = self._units[path]
        ends = [abs(end * scale + offset) for end in (signal.low, signal.high) if end is not None]
        return max([*ends, 0.0]) or abs(100.0 * (signal.accuracy or 0.0) * scale) or 1.0


def _signal(plant: Plant, path: str) -> Signal:
    asset, _, name = path.rpartition("/")
    return next(s for s in plant.template(plant.assets.find(asset) or 0).signals if s.name == name)


def _unbound(path: str, _: Releases) -> Binding:
    raise DefectError(f"{path} has no parameters to release")
