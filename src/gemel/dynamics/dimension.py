"""Whether a model's equations agree with the units it declares, read from its trace.

Every value of the trace has a dimension or none that is known: a number written in a formula may stand for anything
(9.81 is an acceleration there), so it fits everything, and what is multiplied by it is unknown, but for a few plain
factors. What is added, compared or chosen from must agree; products and powers follow; an exponent, an angle must be
dimensionless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from gemel.samples.units import parse

Dimension = tuple[tuple[str, float], ...]
"""Powers of base units, sorted, none of them zero; () is dimensionless."""
Known = Dimension | None

_BASE: Final = {
    "[length]": "m", "[mass]": "kg", "[time]": "s", "[temperature]": "K", "[current]": "A", "[substance]": "mol", "[luminosity]": "cd",
}  # fmt: skip
_PLAIN: Final = frozenset({1.0, -1.0, 2.0, -2.0, 0.5, -0.5})  # factors that carry no unit
_SAME: Final = frozenset({
    "neg", "abs", "convert_element_type", "broadcast_in_dim", "reshape", "squeeze", "stop_gradient", "copy", "copy_p",
    "floor", "ceil", "round", "real", "slice", "expand_dims", "reduce_sum", "reduce_max", "reduce_min", "reduce_precision",
})  # fmt: skip
_AGREE: Final = frozenset({"add", "sub", "max", "min", "add_any", "rem", "nextafter"})
_COMPARE: Final = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_PURE: Final = frozenset({"exp", "exp2", "sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "acos", "logistic", "erf"})
_CALLS: Final = frozenset({"pjit", "jit", "custom_jvp_call", "custom_vjp_call", "closed_call", "core_call", "remat", "checkpoint"})


@dataclass(slots=True)
class Walk:
    """A walk through a trace; `wrong` collects what does not agree, in words."""

    wrong: list[str] = field(default_factory=list)

    def through(self, jaxpr: Any, given: Sequence[Known]) -> list[Known]:
        """Give the dimensions of what a trace gives for those of its arguments."""
        known: dict[Any, Known] = dict(zip(jaxpr.invars, given, strict=True))
        numbers: dict[Any, float] = {}

        def of(atom: Any) -> Known:
            return None if hasattr(atom, "val") else known.get(atom)

        def number(atom: Any) -> float | None:
            return _number(atom.val) if hasattr(atom, "val") else numbers.get(atom)

        for equation in jaxpr.eqns:
            name, inner = equation.primitive.name, _inner(equation)
            found = [of(a) for a in equation.invars]
            values = [number(a) for a in equation.invars]
            if inner is not None and len(inner.invars) == len(found):
                outs = self.through(inner, found)
            else:
                outs = [self._one(equation, name, found, values)] * len(equation.outvars)
            known.update(zip(equation.outvars, outs, strict=True))
            if name in _SAME and values and values[0] is not None and name != "neg":
                numbers[equation.outvars[0]] = values[0]
        return [of(atom) for atom in jaxpr.outvars]

    def _one(self, equation: Any, name: str, found: Sequence[Known], values: Sequence[float | None]) -> Known:
        if name in _SAME:
            return found[0]
        if name in _AGREE:
            return self._agree(equation, name, found)
        if name in _COMPARE:
            self._agree(equation, "comparison", found)
            return None
        if name == "select_n":
            return self._agree(equation, "choice", found[1:])
        if name == "clamp":
            return self._agree(equation, "limit", found)
        if name in {"mul", "div"}:
            sign = 1.0 if name == "mul" else -1.0
            a, b = (
                () if number in _PLAIN else dimension for dimension, number in zip(found, values, strict=True)
            )
            return None if a is None or b is None else _product(a, b, sign)
        if name in _PURE and found[0]:
            self._say(equation, f"{name} of a value in {words(found[0])}: it must be a plain number")
        return _power(equation, name, found, values)

    def _agree(self, equation: Any, name: str, found: Sequence[Known]) -> Known:
        there = [d for d in found if d is not None]
        if any(d != there[0] for d in there):
            self._say(equation, f"{name} of values in {' and '.join(words(d) for d in there)}")
        return there[0] if there else None

    def _say(self, equation: Any, text: str) -> None:
        self.wrong.append(f"{text}{_line(equation)}")


def _power(equation: Any, name: str, found: Sequence[Known], values: Sequence[float | None]) -> Known:
    fixed = {"sqrt": 0.5, "rsqrt": -0.5, "cbrt": 1 / 3, "square": 2.0, "reciprocal": -1.0}
    exponent = {"integer_pow": equation.params.get("y"), "pow": values[1] if len(values) > 1 else None}
    by = fixed.get(name, exponent.get(name))
    base = found[0] if found else None
    if by is None or base is None:
        return () if base == () and name == "pow" else None
    return tuple((k, round(v * float(by), 9)) for k, v in base) if by else ()


def _product(a: Dimension, b: Dimension, sign: float) -> Dimension:
    powers = dict(a)
    for unit, power in b:
        powers[unit] = powers.get(unit, 0.0) + sign * power
    return tuple(sorted((k, round(v, 9)) for k, v in powers.items() if abs(v) > 1e-9))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _inner(equation: Any) -> Any:
    if equation.primitive.name not in _CALLS:
        return None
    inner = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
    return getattr(inner, "jaxpr", inner)


def _line(equation: Any) -> str:
    """Say where in the author's file it stands, where the trace tells."""
    try:
        from jax._src import source_info_util

        frame = source_info_util.user_frame(equation.source_info.traceback)
        return f" ({frame.file_name.rsplit('/', 1)[-1]}, line {frame.start_line})" if frame else ""
    except Exception:  # not part of what JAX promises: without it the words stand alone
        return ""


@lru_cache(1024)
def dimension(unit: str) -> Dimension:
    """Give the dimension of a unit; raises AssetError where there is no such unit."""
    return tuple(sorted((str(k), round(float(v), 9)) for k, v in parse(unit).dimensionality.items()))


def per_second(of: Dimension) -> Dimension:
    """Give the dimension of a rate."""
    return _product(of, (("[time]", 1.0),), -1.0)


def words(of: Dimension) -> str:
    """Write a dimension by its base units, such as m3.s-1."""
    return ".".join(f"{_BASE.get(k, k)}{'' if v == 1 else f'{v:g}'}" for k, v in of) or "1"


def compared(what: Callable[[str], str], found: Mapping[str, Known], wanted: Mapping[str, Dimension]) -> list[str]:
    """Say of which names the dimension found is another than the one wanted."""
    return [
        f"{what(name)} comes out in {words(is_)}, declared is {words(wanted[name])}"
        for name, is_ in found.items()
        if is_ is not None and is_ != wanted[name]
    ]
