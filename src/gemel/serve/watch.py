"""Subscriptions by condition: told when it begins to hold, when it ends, and when nobody can tell any more.

    expression + members ─► a part for each kind of member (compiled once) ─► columns of what is shown ─► true, false, unknown

The language is that of derived signals (docs/expressions.md). Over signals the names are ``value``, ``quality``, ``lane``,
``stale`` and ``age``; over assets the names of their properties, and ``flow.quality`` and so on for each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from gemel.errors import GemelError, NotFoundError, RefusedError
from gemel.samples import LANES, Registry
from gemel.samples.batch import F64, I32
from gemel.samples.clock import SECOND
from gemel.samples.expression import (
    Column,
    Expression,
    Kind,
    Leaf,
    Names,
    Path,
    compile_expression,
    number,
    state,
)
from gemel.samples.expression_kinds import TRUTH
from gemel.samples.status import BAD_NO_DATA, is_bad
from gemel.serve import frames
from gemel.serve.names import Names as PlantNames
from gemel.twin.properties import Shown

I8 = npt.NDArray[np.int8]
FALSE, TRUE, UNKNOWN, NEW = 0, 1, -1, -2
HOLDS: Final = {FALSE: False, TRUE: True, UNKNOWN: None}
MOST: Final = 10_000  # members of one watch
LOOKS: Final[dict[str, Kind]] = {
    "quality": state(frames.WORDS), "lane": state(LANES), "stale": TRUTH, "age": Kind("number", "s"),
}  # fmt: skip


class Face(Protocol):
    """Gives what properties show."""

    def __call__(self, properties: I32) -> Shown: ...


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Members of one kind: the same expression reads them all.

    Args:
        expression: compiled for them.
        rows: their places among the members.
        leaves: for each name that it reads, the property of each member, and what is read of it.
    """

    expression: Expression
    rows: npt.NDArray[np.intp]
    leaves: Sequence[tuple[I32, str]]

    def truth(self, face: Face, now: int, *, heard: bool) -> I8:
        """Tell of each member whether it holds."""
        columns = [_column(face(properties), what, now, heard=heard) for properties, what in self.leaves]
        value, status = self.expression.evaluate(columns, len(self.rows))
        return np.where(is_bad(status), UNKNOWN, value != 0).astype(np.int8)


@dataclass(slots=True, eq=False)
class Watch:
    """A condition over members, and what was told of it last."""

    members: Sequence[str]
    parts: Sequence[Part]
    told: I8 = field(default_factory=lambda: np.zeros(0, np.int8))
    looked_at: float = 0.0
    sequence: int = 0
    properties: I32 = field(init=False)  # all that it reads

    def __post_init__(self) -> None:
        self.told = np.full(len(self.members), NEW, np.int8)
        read = [properties for part in self.parts for properties, _ in part.leaves]
        self.properties = np.unique(np.concatenate(read)) if read else np.zeros(0, np.int32)

    def look(self, face: Face, now: int, *, heard: bool) -> list[dict[str, Any]]:
        """Give what is another than was told; at first only what holds, for nearly nothing ever does."""
        truth = self.told.copy()
        for part in self.parts:
            truth[part.rows] = part.truth(face, now, heard=heard)
        news = np.where(self.told == NEW, truth == TRUE, truth != self.told)
        self.told = truth
        return [
            {"path": self.members[i], "holds": HOLDS[int(truth[i])]} for i in np.flatnonzero(news).tolist()
        ]


def over_signals(text: str, registry: Registry, properties: I32) -> Watch:
    """Watch properties, each on its own; raises ExpressionError."""
    kinds: dict[Kind, list[int]] = {}
    for row, signal in enumerate(properties.tolist()):
        kinds.setdefault(_kind(registry, signal), []).append(row)
    parts: list[Part] = []
    failed: list[GemelError] = []
    for kind, rows in kinds.items():
        scope = Names({"value": Leaf(("value",), kind), **{n: Leaf((n,), k) for n, k in LOOKS.items()}})
        at = np.array(rows, np.intp)
        try:
            expression = compile_expression(text, scope, TRUTH)
        except GemelError as e:  # it may fit other kinds of members
            failed.append(e)
        else:
            parts.append(Part(expression, at, [(properties[at], leaf.path[0]) for leaf in expression.leaves]))
    return _watch([registry.paths[s] for s in properties.tolist()], parts, failed)


def over_assets(text: str, registry: Registry, kinds: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Watch:
    """Watch assets; raises ExpressionError.

    Args:
        text: the condition.
        registry: what their properties are called.
        kinds: for each kind of asset the names of its properties and the paths of its assets.

    """
    members: list[str] = []
    parts: list[Part] = []
    failed: list[GemelError] = []
    for names, assets in kinds:
        try:
            part = _part(text, registry, names, assets)
        except GemelError as e:
            failed.append(e)
        else:
            parts.append(Part(part.expression, part.rows + len(members), part.leaves))
            members += assets
    return _watch(members, parts, failed)


def _part(text: str, registry: Registry, names: Sequence[str], assets: Sequence[str]) -> Part:
    kinds = {name: _kind(registry, registry.index(f"{assets[0]}/{name}")) for name in names}
    expression = compile_expression(text, _AssetScope(kinds), TRUTH)
    leaves = []
    for leaf in expression.leaves:
        properties = np.array([registry.index(f"{asset}/{leaf.path[0]}") for asset in assets], np.int32)
        leaves.append((properties, leaf.path[1] if len(leaf.path) > 1 else "value"))
    return Part(expression, np.arange(len(assets)), leaves)


@dataclass(frozen=True, slots=True)
class _AssetScope:
    """The properties of a kind of asset, and what may be asked of each."""

    kinds: dict[str, Kind]

    def find(self, path: Path) -> Leaf | None:
        kind = self.kinds.get(path[0])
        if kind is None or len(path) > 2:
            return None
        if len(path) == 2:
            kind = LOOKS.get(path[1])
        return None if kind is None else Leaf(path, kind)

    def known(self) -> list[str]:
        return [*self.kinds, *(f"{name}.{look}" for name in self.kinds for look in LOOKS)]


def _watch(members: Sequence[str], parts: Sequence[Part], failed: Sequence[GemelError]) -> Watch:
    if not parts:
        raise (
            failed[0]
            if failed
            else NotFoundError("there is nothing to watch", remedy="name signals or assets")
        )
    kept = np.concatenate([part.rows for part in parts])
    place = np.full(len(members), -1)
    place[kept] = np.arange(len(kept))
    return Watch(
        [members[i] for i in kept.tolist()], [Part(p.expression, place[p.rows], p.leaves) for p in parts]
    )


def _kind(registry: Registry, signal: int) -> Kind:
    row = registry.row(signal)
    return state(tuple(row["states"])) if row["states"] else number(row["unit"] or "1")


def _column(shown: Shown, what: str, now: int, *, heard: bool) -> Column:
    stale = shown.stale if heard else np.ones(len(shown), np.bool_)
    good = np.zeros(len(shown), np.uint32)
    if what == "value":  # what is old says nothing of now
        return Column(shown.value, np.where(stale | ~shown.seen, np.uint32(BAD_NO_DATA), shown.status))
    if what == "quality":
        return Column(frames.qualities(shown, heard=heard).astype(np.float64), good)
    if what == "lane":
        return Column(shown.lane.astype(np.float64), good)
    if what == "stale":
        return Column(stale.astype(np.float64), good)
    age: F64 = np.maximum(now - shown.time.astype(np.float64), 0.0) / SECOND
    return Column(age, np.where(shown.seen, good, np.uint32(BAD_NO_DATA)))


def watching(text: str, signals: Sequence[str], assets: Sequence[str], names: PlantNames) -> Watch:
    """Make a watch over the properties, or over the assets, that paths and patterns mean.

    Raises ExpressionError (it cannot be read, or fits none of them), NotFoundError (there are none) and RefusedError
    (too many, or both at once).
    """
    if bool(signals) == bool(assets):
        raise RefusedError("watch either signals or assets", code="watch", remedy="leave one of them out")
    if assets:
        rows = list(dict.fromkeys(row for pattern in assets for row in names.assets_meant(pattern)))
        _check(len(rows))
        return over_assets(text, names.registry, names.kinds_of(rows))
    meant = dict.fromkeys(number for pattern in signals for _, number in names.meant(pattern))
    _check(len(meant))
    return over_signals(text, names.registry, np.unique(names.properties.of(np.array(list(meant), np.int32))))


def _check(members: int) -> None:
    if not members:
        raise NotFoundError(
            "there is nothing of these names to watch", remedy="see GET /api/v1/signals and /assets"
        )
    if members > MOST:
        raise RefusedError(
            f"{members} are too many for one condition", code="watch", remedy=f"at most {MOST} each"
        )
