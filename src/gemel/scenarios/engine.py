"""Running an ensemble: compiled for this processor, blocks of lanes over threads, told how far, stopped when asked."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final, Protocol

import numpy as np

from gemel.dynamics import Compiled
from gemel.scenarios.foreign import ForeignEngine, is_foreign
from gemel.scenarios.kernel import write_kernel
from gemel.scenarios.machine import FLOAT32, FLOAT64, Precision
from gemel.scenarios.plan import START, Gauge, Members, Plan, Raw
from gemel.scenarios.trace import Untranslated

Told = Callable[[float], bool]
"""Takes how much is done (0 to 1); gives whether to go on."""

_TURN: Final = threading.Lock()  # of those who look for code
SLICE: Final = 4096  # steps of a block between two looks at whether to go on: some milliseconds


class Cancelled(Exception):  # noqa: N818 - a wish, not an error
    """Somebody asked to stop."""


class Engine(Protocol):
    """Runs members of one plan."""

    name: str

    def run(self, members: Members, told: Told) -> Raw:
        """Run all members; raises Cancelled where `told` says so."""
        ...


def engine_for(plan: Plan, precision: str = "float32", engine: str = "auto") -> Engine:
    """Give the fastest engine there is for a plan: machine code, JAX where something has no translation or the model is stiff; a foreign model's own.

    With ``jax`` it is JAX in any case, on the device that JAX finds.
    """
    if is_foreign(plan.model):
        return ForeignEngine(plan)
    why = "the model is stiff" if plan.model.stiff else "it was asked for"
    if engine != "jax" and not plan.model.stiff:
        try:
            return MachineEngine(plan, FLOAT32 if precision == "float32" else FLOAT64)
        except (ImportError, Untranslated) as e:
            why = str(e)
    from gemel.scenarios.batched import BatchedEngine

    return BatchedEngine(plan, why)


class MachineEngine:
    """An ensemble as machine code.

    Args:
        plan: what to run.
        of: in which precision; parameters, states and results are of that type.
    """

    def __init__(self, plan: Plan, of: Precision) -> None:
        self.plan, self.of = plan, of
        self.name = f"machine code, {of.name}"
        with _TURN:
            code = _code(plan.model, plan.watch, plan.gauges, (plan.weights, plan.driven, plan.jumping), of)
        made = code.made()
        if isinstance(made, str):
            raise Untranslated(made)
        self._code = made

    def run(self, members: Members, told: Told = lambda done: True) -> Raw:
        """Run all members over all threads there are; raises Cancelled."""
        memory = _Memory(self.plan, self.of, members)
        blocks = range(0, memory.wide, self.of.lanes)
        progress = _Progress(len(blocks) * self.plan.steps, told)
        threads = min(len(blocks), os.cpu_count() or 1)
        pool = ThreadPoolExecutor(threads)
        try:
            for done in [pool.submit(self._block, memory, b, progress) for b in blocks]:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
        return memory.raw()

    def _block(self, memory: _Memory, first: int, progress: _Progress) -> None:
        plan, width = self.plan, max(1, SLICE // self.plan.every)
        last = plan.points - 1
        for i in range(0, last, width):
            until = min(i + width, last)
            self._code.call(i, until, plan.every, plan.every, plan.substeps, *memory.at(first))
            progress.add((until - i) * plan.every)
        self._code.call(last, last + 1, plan.every, 0, plan.substeps, *memory.at(first))


class _Memory:
    """Arrays of a run as the machine wants them: members last, filled up to whole vectors with the last member."""

    def __init__(self, plan: Plan, of: Precision, members: Members) -> None:
        self.plan, self.count, self.item = plan, len(members), of.dtype.itemsize
        self.wide = -(-self.count // of.lanes) * of.lanes
        self.x, self.gain, self.bias = (self._wide(a, of) for a in (members.x0, members.gain, members.bias))
        # what rounding takes off the beginning is carried along too: a run may be one of many that follow each other
        self.carry = np.ascontiguousarray(self.x - _filled(members.x0, self.wide), of.dtype)
        self.drive = np.ascontiguousarray(members.drive_to(plan.steps), of.dtype)
        self.limits = np.ascontiguousarray(members.limits, of.dtype)
        self.jumps = np.ascontiguousarray(members.jumps_to(plan.steps, len(plan.jumping)), of.dtype)
        self.gauges = np.zeros((len(plan.gauges), 2, self.wide), of.dtype)
        for row, gauge in zip(self.gauges, plan.gauges, strict=True):
            row[0] = START.get(gauge.reading, 0.0)
        self.kept = np.empty((plan.points, len(plan.watch), self.wide), of.dtype)

    def _wide(self, array: Any, of: Precision) -> Any:
        return np.ascontiguousarray(_filled(array, self.wide), of.dtype)

    def at(self, first: int) -> tuple[Any, ...]:
        """Give the rest of the kernel's arguments for the block that begins at a member."""
        moved = first * self.item
        ours = [a.ctypes.data + moved for a in (self.x, self.carry, self.gain, self.bias)]
        shared = [self.drive.ctypes.data, self.limits.ctypes.data]
        kept = [a.ctypes.data + moved for a in (self.gauges, self.kept)]
        return (self.wide, self.plan.dt / self.plan.substeps, *ours, *shared, *kept, self.jumps.ctypes.data)

    def raw(self) -> Raw:
        """Give what came out, without the filling."""
        n = self.count
        end = self.x[:, :n].astype(np.float64) - self.carry[:, :n]
        return Raw(self.gauges[:, 0, :n], self.kept[:, :, :n], end.T, self.gauges[:, 1, :n])


def _filled(array: Any, wide: int) -> Any:
    """Give members last [columns, wide], filled up with the last of them."""
    return np.concatenate([array.T, np.repeat(array[-1:].T, wide - len(array), axis=1)], axis=1)


class _Progress:
    """Counts over threads; asks at most twenty times a second whether to go on."""

    def __init__(self, total: int, told: Told) -> None:
        self._total, self._told, self._done = max(total, 1), told, 0
        self._lock, self._next, self._stopped = threading.Lock(), 0.0, False

    def add(self, steps: int) -> None:
        """Count; raises Cancelled in every thread once one was told to stop."""
        with self._lock:
            self._done += steps
            if time.monotonic() >= self._next:
                self._stopped = self._stopped or not self._told(self._done / self._total)
                self._next = time.monotonic() + 0.05
            if self._stopped:
                raise Cancelled


class _Code:
    """Machine code in memory; kept as long as anyone may call it."""

    def __init__(self, text: str) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features().flatten()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features, opt=2
        )
        module = llvm.parse_assembly(text)
        module.triple = llvm.get_process_triple()
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
        builder.getModulePassManager().run(module, builder)
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        whole, pointer = ctypes.c_int64, ctypes.c_void_p
        kind = ctypes.CFUNCTYPE(None, *([whole] * 6), ctypes.c_double, *([pointer] * 9))
        self.call = kind(self._engine.get_function_address("span"))


@lru_cache(64)
def _code(
    model: Compiled,
    watch: tuple[str, ...],
    gauges: tuple[Gauge, ...],
    varying: tuple[int, tuple[int, ...], tuple[int, ...]],
    of: Precision,
) -> _Once:
    """Give what all plans of the same shape share: the horizon and the step come in later."""
    weights, driven, jumping = varying
    return _Once(Plan(model, 1.0, 1, 1, 1, watch, gauges, weights, driven, jumping), of)


class _Once:
    """The code of a plan, compiled when it is first asked for; who asks for it meanwhile waits for that."""

    def __init__(self, plan: Plan, of: Precision) -> None:
        self._plan, self._of = plan, of
        self._turn = threading.Lock()
        self._made: _Code | str | None = None

    def made(self) -> _Code | str:
        """Give it; or say what has no translation."""
        with self._turn:
            if self._made is None:
                try:
                    self._made = _Code(write_kernel(self._plan, self._of))
                except Untranslated as e:
                    self._made = str(e)
            return self._made
