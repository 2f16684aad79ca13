"""What a value of an expression is: a number with a unit, a truth, or one of some states; and how units combine.

A temperature on a scale (degC, degF) is a *point*: two points have a difference, but no sum. Numbers stay in the
units they come in and are converted only where two must fit, so that what needs no conversion keeps its bits.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from gemel.samples import units

QUALITY: Final = ("good", "uncertain", "bad")  # the words of `worst`


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is.

    Args:
        sort: ``number``, ``truth`` (1 true, 0 false) or ``state`` (a code of `states`).
        unit: of a number.
        point: a number on a scale with an origin of its own, such as degC.
        states: the words of a state's codes 0, 1, 2 …
    """

    sort: Literal["number", "truth", "state"]
    unit: str = ""
    point: bool = False
    states: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say what it is, for a message."""
        if self.sort == "number":
            return f"a number in {self.unit}" if self.unit not in {"", "1"} else "a number without unit"
        return "true or false" if self.sort == "truth" else f"a state ({', '.join(self.states)})"


TRUTH: Final = Kind("truth")
PLAIN: Final = Kind("number", "1")


def number(unit: str) -> Kind:
    """Give the kind of what is measured in a unit.

    >>> number("degC").point, number("K").point
    (True, False)
    """
    return Kind("number", unit, point=_has_origin(unit))


def state(words: tuple[str, ...]) -> Kind:
    """Give the kind of a state with these words."""
    return Kind("state", states=words)


@lru_cache(4096)
def _has_origin(unit: str) -> bool:
    return units.fits(unit, "K") and units.conversion(unit, "K")[1] != 0.0


@lru_cache(4096)
def difference_unit(unit: str) -> str:
    """Give the unit of the difference of two points: kelvin."""
    return "K" if _has_origin(unit) else unit


@lru_cache(4096)
def product(left: str, right: str) -> str:
    """Give the unit of a product."""
    return _text(units.parse(left) * units.parse(right))


@lru_cache(4096)
def quotient(left: str, right: str) -> str:
    """Give the unit of a quotient."""
    return _text(units.parse(left) / units.parse(right))


@lru_cache(4096)
def power(unit: str, exponent: float) -> str:
    """Give the unit of a power."""
    return _text(units.parse(unit) ** exponent)


def _text(unit: object) -> str:
    text = str(unit)
    return "1" if text == "dimensionless" else text
