"""From a tree to array code: names are found, dimensions and states are checked, units are converted where two must fit.

tree + what its names stand for -> Typed (kind, over which members, code)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from gemel.errors import AssetError, ExpressionError
from gemel.samples import units
from gemel.samples.expression_arrays import (
    Reduce,
    all_of,
    any_of,
    apply,
    both,
    chosen,
    compared,
    constant,
    greatest,
    leaf,
    least,
    mean,
    missing,
    negated,
    reduced,
    spread,
    total,
    worst_quality,
)  # fmt: skip
from gemel.samples.expression_kinds import (
    PLAIN,
    QUALITY,
    TRUTH,
    Kind,
    difference_unit,
    number,
    power,
    product,
    quotient,
    state,
)  # fmt: skip
from gemel.samples.expression_tree import Binary, Call, Choice, Name, Number, OneOf, Tree, Unary
from gemel.samples.expression_typed import (
    CONSTANT,
    ROW,
    Leaf,
    Scope,
    Typed,
    bare,
    convert,
    is_nought,
    is_truth,
    literal,
    nearest,
    scaled_by,
    vector,
    wrong,
)

_NUMBER_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"exp": np.exp, "log": np.log, "log10": np.log10}
_REDUCTIONS: Final[dict[str, Reduce]] = {
    "sum": total, "mean": mean, "max": greatest, "min": least, "any": any_of, "all": all_of, "count": total, "worst": worst_quality,
}  # fmt: skip
_COMPARE: Final[dict[str, Callable[..., Any]]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
FUNCTIONS: Final = (*_REDUCTIONS, *_NUMBER_FUNCTIONS, "abs", "sqrt", "clip", "missing", "known")


@dataclass
class Compiler:
    """Compiles one tree; `leaves` are what it reads, each once."""

    scope: Scope
    leaves: list[Leaf] = field(default_factory=list)

    def compile(self, tree: Tree, wanted: Kind | None = None) -> Typed:
        """Give the code of a tree; a word is looked for among the states that are wanted."""
        match tree:
            case Number():
                return Typed(number(tree.unit) if tree.unit else PLAIN, CONSTANT, constant(tree.value))
            case Name():
                return self._name(tree, wanted)
            case Unary():
                return self._unary(tree)
            case Binary():
                return self._binary(tree)
            case OneOf():
                return self._one_of(tree)
            case Choice():
                return self._choice(tree, wanted)
            case Call():
                return self._call(tree, wanted)

    # ---- names

    def _name(self, tree: Name, wanted: Kind | None) -> Typed:
        word = tree.path[0]
        if wanted is not None and len(tree.path) == 1 and word in wanted.states:
            return Typed(wanted, CONSTANT, constant(float(wanted.states.index(word))))
        if word in {"true", "false"} and len(tree.path) == 1:
            return Typed(TRUTH, CONSTANT, constant(float(word == "true")))
        found = self._found(tree)
        if found is None:
            if wanted is not None and wanted.states and len(tree.path) == 1:
                raise wrong(tree, f"{word!r} is no state and no name", nearest(word, wanted.states))
            shown = ".".join(tree.path)
            raise wrong(tree, f"nothing is called {shown!r}", nearest(shown, self.scope.known()))
        if found not in self.leaves:
            self.leaves.append(found)
        return Typed(found.kind, found.over, leaf(self.leaves.index(found)))

    def _found(self, tree: Name) -> Leaf | None:
        try:
            return self.scope.find(tree.path)
        except ExpressionError:
            raise
        except AssetError as e:
            raise wrong(tree, e.message, e.remedy) from e

    # ---- operators

    def _unary(self, tree: Unary) -> Typed:
        if tree.op == "not":
            inner = self._truth(tree.operand)
            return Typed(TRUTH, inner.over, negated(inner.run))
        inner = vector(self._number(tree.operand))
        return Typed(inner.kind, inner.over, apply(np.negative, inner.run))

    def _binary(self, tree: Binary) -> Typed:
        match tree.op:
            case "and" | "or":
                left, right = self._aligned(tree.at, self._truth(tree.left), self._truth(tree.right))
                return Typed(TRUTH, left.over, both(left.run, right.run, float(tree.op == "or")))
            case "+" | "-":
                return self._sum(tree)
            case "*" | "/":
                return self._product(tree)
            case "^":
                return self._power(tree)
        return self._comparison(tree)

    def _sum(self, tree: Binary) -> Typed:
        left, right = self._number(tree.left), self._number(tree.right)
        minus = tree.op == "-"
        if left.kind.point and right.kind.point:
            if not minus:
                raise wrong(
                    tree, "two temperatures on a scale have no sum", "take their difference, or mean(…)"
                )
            left, right = vector(left), vector(right)
            kind = left.kind
        elif right.kind.point:
            if minus:
                raise wrong(tree, "a temperature cannot be taken from a difference", "turn them round")
            left, right, kind = right, left, right.kind
        else:
            kind = left.kind
        step = Kind("number", difference_unit(kind.unit)) if kind.point else kind
        if kind.point:  # in kelvin, and back: a step of one degF is not a step of one degC
            scale = units.conversion("K", kind.unit)[0]
            moved = scaled_by(self._fitted(tree, right, step), scale)
        else:
            left, right, kind = self._fitted_pair(tree, left, right)
            moved = right
        left, moved = self._aligned(tree.at, left, moved)
        return Typed(kind, left.over, apply(np.subtract if minus else np.add, left.run, moved.run))

    def _product(self, tree: Binary) -> Typed:
        left, right = (vector(self._number(side)) for side in (tree.left, tree.right))
        left, right = self._aligned(tree.at, left, right)
        times = tree.op == "*"
        unit = (product if times else quotient)(left.kind.unit, right.kind.unit)
        return Typed(
            Kind("number", unit), left.over, apply(np.multiply if times else np.divide, left.run, right.run)
        )

    def _power(self, tree: Binary) -> Typed:
        left, exponent = vector(self._number(tree.left)), literal(tree.right)
        if exponent is None:
            raise wrong(tree, "an exponent must be a plain number", "write it out, such as x^2 or x^0.5")
        kind = Kind("number", power(left.kind.unit, exponent))
        return Typed(kind, left.over, apply(lambda v: np.power(v, exponent), left.run))

    def _comparison(self, tree: Binary) -> Typed:
        left, right = self._compared(tree.left, tree.right)
        if left.kind.sort == right.kind.sort == "number":
            left, right, _ = self._fitted_pair(tree, left, right)
        elif left.kind != right.kind and not (is_truth(left.kind) and is_truth(right.kind)):
            raise wrong(
                tree, f"{left.kind.words} is compared with {right.kind.words}", "compare like with like"
            )
        elif tree.op not in {"==", "!="} and left.kind.sort != "state":
            raise wrong(tree, "truths have no order", "write == or !=")
        left, right = self._aligned(tree.at, left, right)
        return Typed(TRUTH, left.over, apply(compared(_COMPARE[tree.op]), left.run, right.run))

    def _compared(self, a: Tree, b: Tree) -> tuple[Typed, Typed]:
        """Compile the sides of a comparison; a word takes its meaning from the other side's states."""
        if isinstance(a, Name) and len(a.path) == 1 and self._found(a) is None:
            right = self.compile(b)
            return self.compile(a, right.kind), right
        left = self.compile(a)
        return left, self.compile(b, left.kind if left.kind.sort == "state" else None)

    def _one_of(self, tree: OneOf) -> Typed:
        inner = self.compile(tree.operand)
        if inner.kind.sort != "state":
            raise wrong(tree, f"{inner.kind.words} is not one of some words", "`in` is for states")
        codes = []
        for word in tree.words:
            if word.path[0] not in inner.kind.states:
                raise wrong(word, f"{word.path[0]!r} is no state", nearest(word.path[0], inner.kind.states))
            codes.append(float(inner.kind.states.index(word.path[0])))

        def within(value: Any) -> Any:
            return np.where(np.isnan(value), np.nan, np.isin(value, codes).astype(np.float64))

        return Typed(TRUTH, inner.over, apply(within, inner.run))

    def _choice(self, tree: Choice, wanted: Kind | None) -> Typed:
        condition = self._truth(tree.condition)
        yes, no = self.compile(tree.yes, wanted), self.compile(tree.no, wanted)
        if yes.kind.sort == no.kind.sort == "number":
            yes, no, kind = self._fitted_pair(tree, yes, no)
        elif yes.kind != no.kind:
            raise wrong(
                tree,
                f"one branch gives {yes.kind.words}, the other {no.kind.words}",
                "let both give the same",
            )
        else:
            kind = yes.kind
        condition, yes, no = self._aligned(tree.at, condition, yes, no)
        return Typed(kind, condition.over, chosen(condition.run, yes.run, no.run))

    # ---- functions

    def _call(self, tree: Call, wanted: Kind | None) -> Typed:
        name, given = tree.function, len(tree.arguments)
        if name not in FUNCTIONS:
            raise wrong(tree, f"there is no function {name!r}", nearest(name, FUNCTIONS))
        if name in {"min", "max"} and given > 1:
            return self._extreme(tree)
        if name == "clip":
            return self._clip(tree)
        if given != 1:
            raise wrong(tree, f"{name} takes one value, not {given}", f"write {name}(x)")
        argument = tree.arguments[0]
        if name in _REDUCTIONS:
            return self._reduction(tree, argument)
        if name == "known":
            raise wrong(
                tree,
                "known(…) stands only within sum, mean, min, max, count, any or all",
                "write mean(known(…))",
            )
        if name == "missing":
            inner = self.compile(argument)
            return Typed(TRUTH, inner.over, missing(inner.run))
        return self._scalar(name, tree, self._number(argument))

    def _scalar(self, name: str, tree: Call, inner: Typed) -> Typed:
        inner = vector(inner)
        if name == "abs":
            return Typed(inner.kind, inner.over, apply(np.abs, inner.run))
        if name == "sqrt":
            return Typed(Kind("number", power(inner.kind.unit, 0.5)), inner.over, apply(np.sqrt, inner.run))
        plain = self._fitted(tree, inner, PLAIN)
        return Typed(PLAIN, plain.over, apply(_NUMBER_FUNCTIONS[name], plain.run))

    def _extreme(self, tree: Call) -> Typed:
        first = self._number(tree.arguments[0])
        rest = [self._fitted(tree, self._number(a), first.kind) for a in tree.arguments[1:]]
        found = self._aligned(tree.at, first, *rest)
        ufunc = np.maximum if tree.function == "max" else np.minimum

        def extreme(*values: Any) -> Any:
            result = values[0]
            for value in values[1:]:
                result = ufunc(result, value)
            return result

        return Typed(first.kind, found[0].over, apply(extreme, *(f.run for f in found)))

    def _clip(self, tree: Call) -> Typed:
        if len(tree.arguments) != 3:
            raise wrong(
                tree, f"clip takes three values, not {len(tree.arguments)}", "write clip(x, low, high)"
            )
        first = self._number(tree.arguments[0])
        low, high = (self._fitted(tree, self._number(a), first.kind) for a in tree.arguments[1:])
        found = self._aligned(tree.at, first, low, high)

        def clip(value: Any, lowest: Any, highest: Any) -> Any:
            return np.minimum(np.maximum(value, lowest), highest)

        return Typed(first.kind, found[0].over, apply(clip, *(f.run for f in found)))

    def _reduction(self, tree: Call, argument: Tree) -> Typed:
        known_only = (
            isinstance(argument, Call) and argument.function == "known" and len(argument.arguments) == 1
        )
        if known_only and isinstance(argument, Call):
            argument = argument.arguments[0]
        name = tree.function
        inner = self._truth(argument) if name in {"any", "all", "count"} else self.compile(argument)
        if inner.over in {ROW, CONSTANT}:
            raise wrong(
                tree, f"{name} runs over related assets, and there is one value only",
                f"write a relation, such as {name}(parts.power)",
            )  # fmt: skip
        if name in {"sum", "mean"} and inner.kind.sort != "number":
            raise wrong(tree, f"{name} of {inner.kind.words}", "count(…) counts how many are true")
        if name in {"min", "max"} and inner.kind.sort == "truth":
            raise wrong(tree, f"{name} of {inner.kind.words}", "write any(…) or all(…)")
        if name == "sum" and inner.kind.point:
            raise wrong(tree, "temperatures on a scale have no sum", "take their mean(…)")
        kind = {"any": TRUTH, "all": TRUTH, "count": PLAIN, "worst": state(QUALITY)}.get(name, inner.kind)
        return Typed(kind, ROW, reduced(inner.run, inner.over, _REDUCTIONS[name], known_only=known_only))

    # ---- what must fit

    def _number(self, tree: Tree) -> Typed:
        found = self.compile(tree)
        if found.kind.sort != "number":
            raise wrong(tree, f"{found.kind.words} stands where a number must", "compare it: x == word")
        return found

    def _truth(self, tree: Tree) -> Typed:
        found = self.compile(tree)
        if is_truth(found.kind):
            return Typed(TRUTH, found.over, found.run)
        raise wrong(tree, f"{found.kind.words} is neither true nor false", "compare it with something")

    def _fitted_pair(self, tree: Binary | Choice, left: Typed, right: Typed) -> tuple[Typed, Typed, Kind]:
        """Bring two numbers into one unit; a bare nought fits any."""
        a, b = (tree.left, tree.right) if isinstance(tree, Binary) else (tree.yes, tree.no)
        if is_nought(a) and not right.kind.point:
            return left, right, right.kind
        if is_nought(b) and not left.kind.point:
            return left, right, left.kind
        return left, self._fitted(tree, right, left.kind), left.kind

    def _fitted(self, tree: Tree, found: Typed, kind: Kind) -> Typed:
        try:
            return convert(found, kind)
        except AssetError as e:
            raise wrong(tree, f"{found.kind.words} does not fit {kind.words}", bare(found, kind)) from e

    def _aligned(self, at: int, *parts: Typed) -> tuple[Typed, ...]:
        """Bring parts over the same members; what is one a row is repeated for each."""
        over = {p.over for p in parts} - {CONSTANT, ROW}
        if len(over) > 1:
            raise ExpressionError(
                f"members of {' and '.join(sorted(over))} are mixed", at=at,
                remedy="bring each together first, with sum, mean, min, max, any or all",
            )  # fmt: skip
        if not over:
            row = ROW if any(p.over == ROW for p in parts) else CONSTANT
            return tuple(Typed(p.kind, row, p.run) for p in parts)
        (relation,) = over
        return tuple(
            Typed(p.kind, relation, spread(p.run, relation) if p.over == ROW else p.run) for p in parts
        )
