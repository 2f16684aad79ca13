"""What an expression is made of: nodes that remember where they stand in the text."""

from dataclasses import dataclass

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number, with a unit or without."""

    at: int
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A signal, a parameter or a word of a state; through relations where it has several steps."""

    at: int
    path: Path


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``not x``."""

    at: int
    op: str
    operand: "Tree"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what stands between them; `at` is its place."""

    at: int
    op: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True, slots=True)
class OneOf:
    """``state in (a, b)``."""

    at: int
    operand: "Tree"
    words: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """``if condition then yes else no``."""

    at: int
    condition: "Tree"
    yes: "Tree"
    no: "Tree"


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    at: int
    function: str
    arguments: tuple["Tree", ...]


Tree = Number | Name | Unary | Binary | OneOf | Choice | Call


def names(tree: Tree) -> list[Name]:
    """Give every name in a tree, from left to right."""
    match tree:
        case Name():
            return [tree]
        case Number():
            return []
        case Unary(operand=x):
            parts: tuple[Tree, ...] = (x,)
        case OneOf(operand=x, words=words):
            parts = (x, *words)
        case Binary(left=a, right=b):
            parts = (a, b)
        case Choice(condition=c, yes=a, no=b):
            parts = (c, a, b)
        case Call(arguments=parts):
            pass
    return [name for part in parts for name in names(part)]
