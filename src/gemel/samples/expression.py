"""The one expression language, for derived signals, rules and constraints: a small grammar, dimensions checked, array code.

    text ─► parse (Pratt) ─► tree ─► compile (names, dimensions, states) ─► Expression ─► evaluate on columns

No Python is ever run from what a user writes. What may be written stands in docs/expressions.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gemel.errors import AssetError, ExpressionError
from gemel.samples.batch import F64, U32
from gemel.samples.expression_arrays import Column, Counts, Run, Scene
from gemel.samples.expression_compile import Compiler
from gemel.samples.expression_kinds import Kind, number, state
from gemel.samples.expression_parse import parse
from gemel.samples.expression_tree import Path, Tree, names
from gemel.samples.expression_typed import CONSTANT, ROW, Leaf, Scope, Typed, convert
from gemel.samples.status import BAD_NO_DATA, BAD_OUT_OF_RANGE, is_bad

__all__ = [
    "Column",
    "Expression",
    "Kind",
    "Leaf",
    "Names",
    "Path",
    "Scope",
    "compile_expression",
    "names",
    "number",
    "parse",
    "state",
]

_PLAIN_BITS = np.uint32(
    0xFFFF0000
)  # what a status says of its own reading (limit bits) is not said of a result


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """An expression, checked: it reads `leaves` and gives `kind`.

    Args:
        text: as it was written.
        kind: what it gives.
        leaves: what it reads, each once; columns are handed over in this order.
        run: its array code.
    """

    text: str
    kind: Kind
    leaves: tuple[Leaf, ...]
    run: Run

    def evaluate(
        self, columns: Sequence[Column], rows: int, counts: Mapping[str, Counts] | None = None
    ) -> tuple[F64, U32]:
        """Give value and status of each row.

        Args:
            columns: one for each leaf: float64, NaN where not known, and uint32; those over a relation hold the
                members of all rows, one row's after another's. A Bad reading counts as not known.
            rows: how many.
            counts: for each relation how many members each row has, int64 [rows].

        A result that is not known is NaN, and Bad; so is one that is no finite number (a division by nought).
        """
        believed = [
            Column(np.where(is_bad(c.status), np.nan, c.value), c.status & _PLAIN_BITS) for c in columns
        ]
        with np.errstate(all="ignore"):
            result = self.run(Scene(believed, counts or {}))
        value = np.array(np.broadcast_to(result.value, rows), np.float64)
        status = np.array(np.broadcast_to(result.status, rows), np.uint32)
        unknown = np.isnan(value) & ~is_bad(status)
        endless = np.isinf(value)
        status[unknown] = BAD_NO_DATA
        status[endless] = np.maximum(status[endless], np.uint32(BAD_OUT_OF_RANGE))
        value[endless | is_bad(status)] = np.nan
        return value, status


@dataclass(frozen=True, slots=True)
class Names:
    """A scope that is a table: names, with or without points, and what they are."""

    table: Mapping[str, Leaf]

    def find(self, path: Path) -> Leaf | None:
        """Give what a path stands for."""
        return self.table.get(".".join(path))

    def known(self) -> list[str]:
        """Give the names that there are."""
        return list(self.table)


def compile_expression(text: str, scope: Scope, wanted: Kind | None = None) -> Expression:
    """Read, check and compile an expression; raises ExpressionError with the place of what is wrong.

    Args:
        text: the expression.
        scope: what its names stand for.
        wanted: what it must give: a number is converted to that unit, a word is one of those states.

    >>> scope = Names({"flow": Leaf(("flow",), number("m3/h")), "head": Leaf(("head",), number("m"))})
    >>> e = compile_expression("flow * head * 9.81 kN/m3", scope, number("kW"))
    >>> e.evaluate([Column(np.array([36.0]), np.zeros(1, "u4")), Column(np.array([10.0]), np.zeros(1, "u4"))], 1)[0]
    array([0.981])
    """
    compiler = Compiler(scope)
    tree = parse(text)
    found = compiler.compile(tree, wanted)
    if found.over not in {ROW, CONSTANT}:
        raise ExpressionError(
            f"the members of {found.over} give many values, and one is wanted", at=tree.at,
            remedy="bring them together with sum, mean, min, max, any or all",
        )  # fmt: skip
    if wanted is not None:
        found = _as_wanted(tree, found, wanted)
    return Expression(text, found.kind, tuple(compiler.leaves), found.run)


def _as_wanted(tree: Tree, found: Typed, wanted: Kind) -> Typed:
    if found.kind.sort == wanted.sort == "number":
        try:
            return convert(found, wanted)
        except AssetError as e:
            raise ExpressionError(
                f"it gives {found.kind.words}, and {wanted.words} is declared", at=tree.at,
                remedy="declare another unit, or see whether a factor with a unit is missing",
            ) from e  # fmt: skip
    two = {"truth"} | ({"state"} if len(wanted.states) == 2 or wanted.sort == "truth" else set())
    boolean = found.kind.sort in two and (found.kind.sort == "truth" or len(found.kind.states) == 2)
    if found.kind == wanted or (boolean and (wanted.sort == "truth" or len(wanted.states) == 2)):
        return Typed(wanted, found.over, found.run)
    raise ExpressionError(
        f"it gives {found.kind.words}, and {wanted.words} is declared",
        at=tree.at,
        remedy="see the declaration",
    )
