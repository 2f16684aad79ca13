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
    from gemel.scenarios.functions import Functions
    from gemel.scenarios.graph import MOVING, Graph, reachable
    from gemel.scenarios.trace import Traced

    class Library(Functions):
        """Elementary functions left to the C library."""

        exp = lambda self, x: self.graph._node("exp", (x,), 0.0, "")  # noqa: E731
        tanh = lambda self, x: self.graph._node("tanh", (x,), 0.0, "")  # noqa: E731
        power = lambda self, x, y: self.graph._node("pow", (x, y), 0.0, "")  # noqa: E731

    words = {**WORDS, "exp": "exp({0})", "tanh": "tanh({0})", "pow": "{0} ** {1}"}
    g = Graph()
    sizes = {"x": len(model.states), "u": len(model.inputs), "p": len(model.parameters)}
    given = [np.array([g.given(f"{k}[{i}]", MOVING) for i in range(n)], object) for k, n in sizes.items()]
    time_ = np.array(g.given("0.0", MOVING), object)
    traced = Traced(model.rate, [(), *((n,) for n in sizes.values())])
    rates = list(traced.apply(Library(g, double=True), time_, *given)[0])
    lines = ["def rate(x, u, p):"]
    names: dict[int, str] = {}
    for node in reachable(rates):
        if node.op == "given":
            names[node.number] = node.name
        elif node.op == "const":
            names[node.number] = repr(node.value)
        else:
            names[node.number] = f"v{node.number}"
            text = words[node.op].format(*(names[a.number] for a in node.args))
            lines.append(f"    v{node.number} = {text}")
    lines.append(f"    return [{', '.join(names[r.number] for r in rates)}]")
    space: dict[str, Any] = {n: getattr(math, n) for n in ("sqrt", "exp", "tanh", "floor", "ldexp", "frexp")}
    exec("\n".join(lines), space)  # noqa: S102 - our own lines, of our own model
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
    """FMPy on an FMU of the same equations, stepped by 10 s; absent where none can be built here."""
    return {"fmpy_futures_per_s": None, "fmpy_note": "no compiled FMU of this station is shipped"}


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


def _timed(name: str, one: Callable[[], None]) -> dict[str, Any]:
    began, count = time.monotonic(), 0
    while time.monotonic() - began < ENOUGH_S:
        one()
        count += 1
    return {f"{name}_futures_per_s": round(count / (time.monotonic() - began), 3)}
