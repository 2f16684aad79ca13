"""The parts that an expression is compiled from: what a name stands for, what a part gives, and when two fit."""

import difflib
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gemel.errors import AssetError, ExpressionError
from gemel.samples import units
from gemel.samples.expression_arrays import Run, scaled
from gemel.samples.expression_kinds import Kind
from gemel.samples.expression_tree import Number, Path, Tree, Unary

CONSTANT: Final = "constant"
ROW: Final = ""  # one value a row; anything else names the relation whose members there are


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a name stands for.

    Args:
        path: as it is written.
        kind: what it gives.
        over: the relation over whose members it runs; empty: one value a row.
    """

    path: Path
    kind: Kind
    over: str = ROW


class Scope(Protocol):
    """Knows what names stand for."""

    def find(self, path: Path) -> Leaf | None:
        """Give what a path stands for; None where there is nothing of that name. Raises AssetError with the reason."""

    def known(self) -> list[str]:
        """Give the names that there are, for a remedy."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A part of an expression: what it gives, over which members, by what code."""

    kind: Kind
    over: str
    run: Run


def convert(found: Typed, kind: Kind) -> Typed:
    """Bring a number into another unit; raises AssetError where it does not fit."""
    if kind.point != found.kind.point:  # a plain kelvin is a temperature too, but no scale's difference is
        if kind.point and found.kind.unit not in {"K", "kelvin"}:
            raise AssetError("a difference is no temperature", code="wrong-dimension")
        if kind.point and found.over != CONSTANT:
            raise AssetError("a difference is no temperature", code="wrong-dimension")
    scale, offset = units.conversion(found.kind.unit, kind.unit)
    return Typed(kind, found.over, scaled(found.run, scale, offset))


def vector(found: Typed) -> Typed:
    """Take a temperature on a scale as what it is above absolute zero."""
    return convert(found, Kind("number", "K")) if found.kind.point else found


def scaled_by(found: Typed, scale: float) -> Typed:
    """Stretch a number."""
    return Typed(found.kind, found.over, scaled(found.run, scale, 0.0))


def is_truth(kind: Kind) -> bool:
    """Tell whether something is true or false: a truth, or a state of two words."""
    return kind.sort == "truth" or (kind.sort == "state" and len(kind.states) == 2)


def is_nought(tree: Tree) -> bool:
    """Tell whether a bare 0 is written, which fits any unit."""
    return isinstance(tree, Number) and tree.value == 0.0 and not tree.unit


def literal(tree: Tree) -> float | None:
    """Give the bare number that is written; None where something else is."""
    if isinstance(tree, Unary) and tree.op == "-" and isinstance(tree.operand, Number):
        return None if tree.operand.unit else -tree.operand.value
    return tree.value if isinstance(tree, Number) and not tree.unit else None


def bare(found: Typed, kind: Kind) -> str:
    """Give a remedy for numbers that do not fit."""
    for one, other in ((found.kind, kind), (kind, found.kind)):
        if one.unit == "1" and other.unit != "1":
            return f"give the bare number a unit, such as {other.unit}"
    return "see the units on both sides"


def nearest(word: str, known: Any) -> str:
    """Give a remedy for a word that nobody knows."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(names[:12])}" if names else "there are none"


def wrong(tree: Tree, message: str, remedy: str) -> ExpressionError:
    """Make an error that says where."""
    return ExpressionError(message, at=tree.at, remedy=remedy)
