"""The same station in the hands of others: each runs whole futures of 24 h, one after another, as its users do.

They are given the model as plain straight-line Python of numbers, written from the same trace as the machine code:
nobody is slowed down by JAX.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

import numpy as np

from gemel.bench.whatif_lines import Lines

ENOUGH_S: Final = 3.0  # so long each runs, and at least one future
WORDS: Final = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}", "neg": "-{0}", "abs": "abs({0})",
    "max": "({0} if {0} > {1} else {1})", "min": "({0} if {0} < {1} else {1})", "sqrt": "sqrt({0})", "fma": "{0} * {1} + {2}",
    "floor": "floor({0})", "round": "round({0})", "lt": "{0} < {1}", "le": "{0} <= {1}", "gt": "{0} > {1}", "ge": "{0} >= {1}",
    "eq": "{0} == {1}", "ne": "{0} != {1}", "and": "{0} and {1}", "or": "{0} or {1}", "not": "not {0}",
    "select": "{1} if {0} else {2}", "ldexp": "ldexp({0}, int({1}))", "exponent": "frexp({0})[1] - 1", "mantissa": "2 * frexp({0})[0]",
}  # fmt: skip
Rate = Callable[[Any, Any, Any], list[float]]


def plain(model: Any) -> Rate:
    """Give the model's rates as a function of three lists of numbers: states, inputs, parameters."""
    lines = Lines(model)
    words = {**WORDS, "exp": "exp({0})", "tanh": "tanh({0})", "pow": "{0} ** {1}"}
    text = [f"    {name} = {written}" for name, written in lines.written(words)]
    whole = ["def rate(x, u, p):", *text, f"    return [{', '.join(lines.ends)}]"]
    space: dict[str, Any] = {n: getattr(math, n) for n in ("sqrt", "exp", "tanh", "floor", "ldexp", "frexp")}
    exec("\n".join(whole), space)  # noqa: S102 - our own lines, of our own model
    found: Rate = space["rate"]
    return found


def scipy(model: Any, start: Any, question: Any) -> dict[str, Any]:
    """SciPy's LSODA (Petzold 1983), the usual choice, at its usual accuracy of 1e-6."""
    from scipy.integrate import solve_ivp

    rate, (u, p), day = plain(model), (list(start.u), list(start.p)), start.profiles["demand"]

    def one() -> None:
        x = list(start.x)
        for hour in range(24):  # demand steps every hour
            held = [*u]
            held[model.inputs.index("demand")] = day[hour][1]
            solved = solve_ivp(
                lambda _t, x, held=held: rate(x.tolist(), held, p), (0.0, 3600.0), x, method="LSODA", rtol=1e-6,
                t_eval=np.arange(0.0, 3601.0, 10.0),
            )  # fmt: skip
            x = solved.y[:, -1]

    return _timed("scipy", one)


def fmpy(model: Any, start: Any, question: Any) -> dict[str, Any]:
    """FMPy on a compiled FMU of the same equations, stepped by 10 s; absent where FMPy or a C compiler is."""
    from gemel.bench.whatif_fmu import ABSENT, runner

    with runner(model, start) as one:
        return {"fmpy_futures_per_s": None, "fmpy_note": ABSENT} if one is None else _timed("fmpy", one)


def progpy(model: Any, start: Any, question: Any) -> dict[str, Any]:
    """NASA's ProgPy, its simulation by Runge–Kutta 4 at steps of 10 s; absent where it is not installed."""
    try:
        from progpy import PrognosticsModel
    except ImportError:
        return {"progpy_futures_per_s": None, "progpy_note": "not installed"}
    rate, u, p = plain(model), list(start.u), list(start.p)

    class Station(PrognosticsModel):  # type: ignore[misc]
        inputs: ClassVar[list[str]] = list(model.inputs)
        states: ClassVar[list[str]] = list(model.states)
        outputs: ClassVar[list[str]] = ["level"]
        events: ClassVar[list[str]] = []
        default_parameters: ClassVar[dict[str, Any]] = {"x0": dict(zip(model.states, start.x.tolist(), strict=True))}

        def dx(self, x: Any, u: Any) -> Any:
            return self.StateContainer(np.array([rate(x.matrix[:, 0].tolist(), u.matrix[:, 0].tolist(), p)]).T)

        def output(self, x: Any) -> Any:
            return self.OutputContainer({"level": x["level"]})

    simulated = Station(integration_method="rk4")
    load = simulated.InputContainer(dict(zip(model.inputs, u, strict=True)))

    def one() -> None:
        simulated.simulate_to(86_400.0, lambda t, x=None: load, dt=10.0, save_freq=600.0)

    return _timed("progpy", one)


def _timed(name: str, one: Callable[[], object]) -> dict[str, Any]:
    began, count = time.monotonic(), 0
    while time.monotonic() - began < ENOUGH_S:
        one()
        count += 1
    return {f"{name}_futures_per_s": round(count / (time.monotonic() - began), 3)}
