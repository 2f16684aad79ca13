"""Dimensions: numbers with units read into the declared unit, and names that promise a dimension (`flow` in `kg`)."""

import re
from typing import Final

from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.errors import AssetError
from gemel.samples import units

_RATE: Final = re.compile(
    r"^\s*(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(?P<unit>.*)/\s*(?P<time>[A-Za-zµ]+)\s*$"
)

# What a name promises, as units of the dimensions it may have. A name is judged by its last word.
PROMISES: Final = {
    "flow": ("m3/s", "kg/s", "mol/s", "m/s", "1/s"), "flowrate": ("m3/s", "kg/s", "mol/s"),
    "pressure": ("Pa", "m"), "temperature": ("K",), "level": ("m", "m3", "kg"), "speed": ("1/s", "m/s"),
    "power": ("W", "V*A"), "current": ("A",), "voltage": ("V",), "frequency": ("1/s",), "torque": ("N*m",),
    "force": ("N",), "mass": ("kg",), "volume": ("m3",), "energy": ("J",), "vibration": ("m/s", "m/s2", "m"),
    "acceleration": ("m/s2",), "density": ("kg/m3",), "humidity": ("kg/m3", "kg/kg"), "head": ("m",),
}  # fmt: skip
_MODIFIERS: Final = frozenset(
    [
        "setpoint",
        "sp",
        "pv",
        "rms",
        "mean",
        "avg",
        "average",
        "min",
        "max",
        "raw",
        "measured",
        "actual",
        "target",
        "drop",
        "difference",
        "inlet",
        "outlet",
        "in",
        "out",
        "rate",
        "value",
    ]
)
_OTHER_FLOWS: Final = frozenset(
    ["heat", "energy", "thermal", "enthalpy", "data", "cash", "information", "traffic", "current"]
)


def amount(node: Node | None, unit: str, problems: Problems, *, difference: bool = False) -> float | None:
    """Read a number, or a number with a unit, into `unit`; a unit that does not fit is a problem."""
    if node is None or not isinstance(node.value, int | float | str):
        return None
    try:
        return units.quantity(node.value, unit, difference=difference)
    except AssetError as e:
        problems.error(node, e.message, e.remedy)
        return None


def duration_s(node: Node | None) -> float | None:
    """Read a duration [s] that its shape has checked already."""
    return None if node is None else units.quantity(node.value, "s")  # type: ignore[arg-type]


def duration_ns(node: Node | None, default: int = 0) -> int:
    """Read a duration [ns]."""
    seconds = duration_s(node)
    return default if seconds is None else round(seconds * 1_000_000_000)


def rate(node: Node | None, unit: str, problems: Problems) -> float | None:
    """Read a rate of change into `unit` per second; a bare number is already that."""
    if node is None:
        return None
    if isinstance(node.value, int | float):
        return float(node.value)
    remedy = f"write a number, a unit and a time, such as '5 {unit}/s' or '5 {unit}/min'"
    match = _RATE.match(str(node.value))
    if match is None:
        problems.error(node, f"{node.value!r} is not a rate of change", remedy)
        return None
    try:
        step = units.conversion(match["unit"].strip() or "1", unit)[0]
        return float(match["number"]) * step / units.conversion(match["time"], "s")[0]
    except (AssetError, ValueError):
        problems.error(node, f"{node.value!r} is not a rate of change of something in {unit!r}", remedy)
        return None


def pair(node: Node | None, unit: str, name: str, problems: Problems) -> tuple[float, float] | None:
    """Read ``[low, high]`` into `unit`; the wrong way round is a problem."""
    if node is None:
        return None
    low, high = (amount(n, unit, problems) for n in node.items)
    if low is None or high is None:
        return None
    if low >= high:
        problems.error(
            node,
            f"{name} is inverted: {low:g} is not below {high:g}",
            f"write [{high:g}, {low:g}]" if low > high else "write two different numbers",
        )
        return None
    return low, high


def breaks_promise(name: str, unit: str) -> str | None:
    """Give the units that a name promises, where its unit is of another dimension; None where all is well.

    Without a dimension (a share, a percentage) is always well.

    >>> breaks_promise("discharge_flow", "kg"), breaks_promise("flow", "m3/h")
    ('m3/s, kg/s, mol/s, m/s', None)
    """
    words = [w for w in re.split(r"[^a-z]+", name.lower()) if w]
    while len(words) > 1 and words[-1] in _MODIFIERS:
        words.pop()
    promised = PROMISES.get(words[-1]) if words else None
    if promised is None or (words[-1] == "flow" and _OTHER_FLOWS & set(words)) or units.fits(unit, "1"):
        return None
    if any(units.fits(unit, p) for p in promised):
        return None
    return ", ".join(p for p in promised if p != "1/s") or "1/s"
