"""Units: what a plant file may write, whether two fit, and how one becomes the other.

UCUM codes (`m3/h`, `Cel`, `[gal_us]/min`) and common spellings (`degC`, `gal/min`, `rpm`, `%`) are both taken.
Conversion is affine, ``declared = source * scale + offset``; equal units give exactly (1.0, 0.0), so that the
bits of a reading are unchanged.
"""

import contextlib
import math
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

from gemel.errors import AssetError

_SPELLINGS: Final = {
    "": "dimensionless",
    "1": "dimensionless",
    "%": "percent",
    "°C": "degC", "C": "degC", "Cel": "degC", "celsius": "degC",
    "°F": "degF", "F": "degF",
    "m3": "meter**3", "m³": "meter**3",
    "m3/h": "meter**3/hour", "m³/h": "meter**3/hour", "m3/s": "meter**3/second",
    "l/min": "liter/minute", "L/min": "liter/minute", "l/s": "liter/second",
    "gpm": "gallon/minute", "gal/min": "gallon/minute",
    "rpm": "revolutions_per_minute", "1/min": "revolutions_per_minute",
    "barg": "bar", "bara": "bar",
    "mm/s2": "millimeter/second**2", "m/s2": "meter/second**2",
    "g": "gram", "gn": "standard_gravity",
    "Ohm": "ohm",
}  # fmt: skip


LONGEST: Final = 200  # characters of a unit
MOST: Final = 100  # what all exponents of a unit may come to, multiplied
_POWER: Final = re.compile(r"(?:\*\*|\^)\s*\(?\s*(?P<by>[-+]?\d{1,2}(?:\.\d{1,17})?)(?:\s*/\s*\d)?\s*\)?(?!\s*(?:\*\*|\^|[\d.]))")
_RAISED: Final = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_ENDLESS: Final = re.compile(r"[A-Za-zµ\])*]-?\d{3,}")  # UCUM's exponents, written without a sign


@lru_cache(1)
def _pint() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=None)


@lru_cache(1)
def _ucum() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@lru_cache(4096)
def parse(unit: str) -> Any:
    """Read a unit, by common spelling first, then as UCUM; raises AssetError with a remedy."""
    text = unit.strip()
    if _monstrous(text):
        raise _unknown(unit)
    registry = _pint()
    spelled = _SPELLINGS.get(text) or re.sub(r"(?<=[A-Za-zµ])([23])\b", r"**\1", text)
    with contextlib.suppress(Exception):  # pint raises a dozen kinds; each means "not a unit"
        return registry.parse_units(spelled)
    try:
        return registry.parse_units(str(_ucum().from_ucum(text).units))
    except Exception:
        raise _unknown(unit) from None


def _monstrous(text: str) -> bool:
    """Whether reading a unit could take for ever: the libraries multiply powers of plain numbers out (9**9**9)."""
    if len(text) > LONGEST or _ENDLESS.search(text):
        return True
    powers, raised = [m["by"] for m in _POWER.finditer(text)], _RAISED.findall(text)
    if len(powers) != len(re.findall(r"\*\*|\^", text)):  # one that is no plain small number
        return True
    sizes = [abs(float(p)) for p in powers] + [float(unicodedata.normalize("NFKC", r)) for r in raised]
    return math.prod(max(s, 1.0) for s in sizes) > MOST


def _unknown(unit: str) -> AssetError:
    return AssetError(
        f"unknown unit {unit[:LONGEST]!r}", code="unknown-unit",
        remedy="write a UCUM code or a common spelling, such as m3/h, degC, bar, rpm, kW",
    )  # fmt: skip


def fits(unit: str, other: str) -> bool:
    """Tell whether two units measure the same dimension.

    >>> fits("m3/h", "gal/min"), fits("m3/h", "kg")
    (True, False)
    """
    return bool(parse(unit).dimensionality == parse(other).dimensionality)


@lru_cache(4096)
def conversion(source: str, declared: str) -> tuple[float, float]:
    """Give (scale, offset) with ``declared = source * scale + offset``; raises AssetError where they do not fit.

    >>> conversion("degF", "degC")[0]
    0.5555555555555556
    """
    if source.strip() == declared.strip():
        return 1.0, 0.0
    if not fits(source, declared):
        raise AssetError(
            f"{source!r} cannot become {declared!r}: they measure different things",
            code="wrong-dimension",
            remedy=f"write a unit that measures the same as {declared!r}",
        )
    registry, a, b = _pint(), parse(source), parse(declared)
    if a == b:
        return 1.0, 0.0
    zero = float(registry.Quantity(0.0, a).to(b).magnitude)
    delta_a, delta_b = (registry.parse_units(re.sub(r"\bdegree_", "delta_degree_", str(u))) for u in (a, b))
    return float(registry.Quantity(1.0, delta_a).to(delta_b).magnitude), zero


_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")


def quantity(text: str | float, unit: str, *, difference: bool = False) -> float:
    """Read ``"32 m"`` or ``32`` as a number in `unit`; a bare number is already in it.

    With ``difference`` an offset is left out: a dead band of 2 degF is 1.1 degC.

    >>> quantity("1 min", "s"), quantity(5, "s")
    (60.0, 5.0)
    """
    if isinstance(text, (int, float)):
        return float(text)
    match = _QUANTITY.match(text)
    if match is None:
        raise AssetError(
            f"{text!r} is not a quantity",
            code="not-a-quantity",
            remedy=f"write a number and a unit, such as '5 {unit or '1'}'",
        )
    number, given = float(match[1]), match[2]
    if not given:
        return number
    scale, offset = conversion(given, unit)
    return number * scale if difference else number * scale + offset


def after(unit: str) -> str:
    """Give what follows a number in a sentence: the unit, or nothing where it has none.

    >>> f"{0.3:g}{after('1')} of {3:g}{after('mm')}"
    '0.3 of 3 mm'
    """
    return "" if unit in ("", "1") else f" {unit}"


def seconds(text: str) -> float:
    """Read a length of time as people write it: a number and a unit, up to years; raises AssetError.

    >>> seconds("36 h"), seconds("1 year") / 86_400, seconds("2y") / 86_400
    (129600.0, 365.25, 730.5)
    """
    return quantity(re.sub(r"^([0-9.]+) *y$", r"\1 year", text.strip()), "s")
