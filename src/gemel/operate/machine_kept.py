"""A machine as plain values, so that whoever works on a job has it without the plant file; and again from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gemel.assets.spec import Signal
from gemel.operate.machine import Known, Line, Machine, fitted
from gemel.samples.batch import F64


def kept(machine: Machine) -> dict[str, Any]:
    """Give a machine as plain JSON; numbers in SI, a bound that is none as null."""
    return {
        "asset": machine.asset, "reference": machine.reference,
        "inputs": [_line(line) for line in machine.inputs], "outputs": [_line(line) for line in machine.outputs],
        "parameters": [[k.name, k.unit, k.scale, k.offset, k.calibrate, k.source] for k in machine.parameters],
        "held": dict(machine.held), "given": list(machine.model.outputs), "p": machine.p.tolist(), "low": _bounds(machine.low), "high": _bounds(machine.high),
    }  # fmt: skip


def machine_again(told: Mapping[str, Any]) -> Machine:
    """Give the machine that `kept` told of; its model is compiled once a process."""
    low, high = (
        np.array([bound if v is None else v for v in told[key]], np.float64)
        for key, bound in (("low", -np.inf), ("high", np.inf))
    )
    return Machine(
        told["asset"], told["reference"], fitted(told["reference"], told["held"], told["given"]), _lines(told["inputs"]), _lines(told["outputs"]),
        tuple(Known(*k) for k in told["parameters"]), np.array(told["p"], np.float64), low, high, told["held"],
    )  # fmt: skip


def _line(line: Line) -> list[Any]:
    return [line.path, line.spec.unit, line.scale, line.offset]


def _lines(told: Sequence[Sequence[Any]]) -> tuple[Line, ...]:
    return tuple(Line(path, Signal(path.rpartition("/")[2], unit), scale, offset) for path, unit, scale, offset in told)


def _bounds(values: F64) -> list[float | None]:
    return [v if np.isfinite(v) else None for v in values.tolist()]
