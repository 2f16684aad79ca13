"""The array code that an expression becomes: every value a pair of columns, numbers and how far to believe them.

What is not known is NaN. The status of a result is the worst of what it rests on (quality never improves by
arithmetic); where one side alone decides (false and …, true or …, the branch that is taken) it rests on that side.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, U32
from gemel.samples.status import BAD_NO_DATA, GOOD

Counts = npt.NDArray[np.int64]
SUBNORMAL: Final = np.uint32(0x40950000)
# OPC UA Part 8, table of DataAccess status codes: Uncertain_SubNormal, derived from fewer good sources than required
_SEVERITY: Final = np.uint32(30)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A value for each row: numbers (NaN: not known) and their statuses; either may be a single one for all."""

    value: F64
    status: U32


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What an expression is evaluated on.

    Args:
        columns: one for each leaf; of a relation's leaf the members of all rows, one row's after another's.
        counts: for each relation how many members each row has.
    """

    columns: Sequence[Column]
    counts: Mapping[str, Counts]


Run = Callable[[Scene], Column]
GOOD_U32: Final = np.uint32(GOOD)


def constant(value: float) -> Run:
    """Give one number for all rows."""
    column = Column(np.float64(value), GOOD_U32)  # type: ignore[arg-type]
    return lambda _: column


def leaf(index: int) -> Run:
    """Give a column of the scene."""
    return lambda scene: scene.columns[index]


def spread(run: Run, relation: str) -> Run:
    """Repeat each row's value for each of its members."""

    def repeated(scene: Scene) -> Column:
        column, counts = run(scene), scene.counts[relation]
        value, status = (
            np.repeat(np.broadcast_to(c, counts.shape), counts) for c in (column.value, column.status)
        )
        return Column(value, status)

    return repeated


def apply(function: Callable[..., Any], *runs: Run) -> Run:
    """Apply a function of arrays; the worst status counts."""
    if len(runs) == 1:
        only = runs[0]

        def one(scene: Scene) -> Column:
            a = only(scene)
            return Column(function(a.value), a.status)

        return one

    def many(scene: Scene) -> Column:
        found = [run(scene) for run in runs]
        status = found[0].status
        for column in found[1:]:
            status = np.maximum(status, column.status)
        return Column(function(*(column.value for column in found)), status)

    return many


def scaled(run: Run, scale: float, offset: float) -> Run:
    """Convert to another unit; the identity keeps the bits."""
    if (scale, offset) == (1.0, 0.0):
        return run
    if offset == 0.0:
        return apply(lambda v: v * scale, run)
    return apply(lambda v: v * scale + offset, run)


def compared(operation: Callable[..., Any]) -> Callable[[F64, F64], F64]:
    """Make a comparison that does not know what one side does not know."""

    def compare(left: F64, right: F64) -> F64:
        return np.where(np.isnan(left) | np.isnan(right), np.nan, operation(left, right).astype(np.float64))

    return compare


def negated(run: Run) -> Run:
    """Give ``not``."""
    return apply(lambda v: 1.0 - v, run)


def both(left: Run, right: Run, decides: float) -> Run:
    """Give ``and`` (0 decides) or ``or`` (1 decides), three-valued: S. C. Kleene, Introduction to metamathematics, 1952."""

    def joined(scene: Scene) -> Column:
        a, b = left(scene), right(scene)
        first, second = a.value == decides, b.value == decides
        unknown = np.isnan(a.value) | np.isnan(b.value)
        value = np.where(first | second, decides, np.where(unknown, np.nan, 1.0 - decides))
        status = np.where(
            first & second, np.minimum(a.status, b.status),
            np.where(first, a.status, np.where(second, b.status, np.maximum(a.status, b.status))),
        )  # fmt: skip
        return Column(value, status)

    return joined


def chosen(condition: Run, yes: Run, no: Run) -> Run:
    """Give ``if``: it rests on the condition and on the branch that is taken; unknown where the condition is."""

    def choose(scene: Scene) -> Column:
        c, a, b = condition(scene), yes(scene), no(scene)
        unknown = np.isnan(c.value)
        value = np.where(unknown, np.nan, np.where(c.value == 1.0, a.value, b.value))
        branch = np.where(c.value == 1.0, a.status, b.status)
        return Column(value, np.where(unknown, c.status, np.maximum(c.status, branch)))

    return choose


def missing(run: Run) -> Run:
    """Tell what is not known; that much is certain."""

    def tell(scene: Scene) -> Column:
        value = run(scene).value
        return Column(np.isnan(value).astype(np.float64), GOOD_U32)  # type: ignore[arg-type]

    return tell


# ---- over the members of a relation


def folded(ufunc: np.ufunc, flat: npt.NDArray[Any], counts: Counts, empty: Any) -> npt.NDArray[Any]:
    """Reduce each row's members; a row without members gives `empty`."""
    result = np.full(len(counts), empty, flat.dtype)
    some = counts > 0
    if some.any():
        starts = np.cumsum(counts) - counts
        result[some] = ufunc.reduceat(flat, starts[some])
    return result


Reduce = Callable[[F64, U32, Counts], tuple[F64, U32]]


def _worst(status: U32, counts: Counts) -> U32:
    return folded(np.maximum, status, counts, GOOD_U32)


def total(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Sum; of no members 0."""
    return folded(np.add, value, counts, 0.0), _worst(status, counts)


def mean(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Arithmetic mean; of no members unknown."""
    sums, worst = total(value, status, counts)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), _none_is_bad(worst, counts)


def greatest(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Maximum; of no members unknown."""
    return folded(np.maximum, value, counts, np.nan), _none_is_bad(_worst(status, counts), counts)


def least(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Minimum; of no members unknown."""
    return folded(np.minimum, value, counts, np.nan), _none_is_bad(_worst(status, counts), counts)


def any_of(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Whether one at least is true: one that is, decides."""
    return _decided(value, status, counts, 1.0)


def all_of(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Whether all are true: one that is not, decides."""
    return _decided(value, status, counts, 0.0)


def worst_quality(value: F64, status: U32, counts: Counts) -> tuple[F64, U32]:
    """Give the worst quality among the members: 0 good, 1 uncertain, 2 bad. What it says is certain."""
    severity = np.minimum(_worst(status, counts) >> _SEVERITY, 2)
    return severity.astype(np.float64), np.zeros(len(counts), np.uint32)


def _decided(value: F64, status: U32, counts: Counts, decides: float) -> tuple[F64, U32]:
    deciding = value == decides
    found = folded(np.logical_or, deciding, counts, False)
    unknown = folded(np.logical_or, np.isnan(value), counts, False)
    best = folded(np.minimum, np.where(deciding, status, np.uint32(0xFFFFFFFF)), counts, GOOD_U32)
    result = np.where(found, decides, np.where(unknown, np.nan, 1.0 - decides))
    return result, np.where(found, best, _worst(status, counts))


def _none_is_bad(status: U32, counts: Counts) -> U32:
    return np.where(counts > 0, status, np.uint32(BAD_NO_DATA))


def reduced(run: Run, relation: str, reduce: Reduce, *, known_only: bool) -> Run:
    """Bring a relation's members together; with `known_only` those that are not known are left out, and that is said."""

    def bring(scene: Scene) -> Column:
        column, counts = run(scene), scene.counts[relation]
        n = int(counts.sum())
        value, status = np.broadcast_to(column.value, n), np.broadcast_to(column.status, n)
        if not known_only:
            return Column(*reduce(value, status, counts))
        keep = ~np.isnan(value)
        left = folded(np.add, keep.astype(np.int64), counts, 0)
        result, worst = reduce(value[keep], status[keep], left)
        none = (left == 0) & (counts > 0)
        worst = np.where(left < counts, np.maximum(worst, SUBNORMAL), worst)
        return Column(np.where(none, np.nan, result), np.where(none, np.uint32(BAD_NO_DATA), worst))

    return bring
