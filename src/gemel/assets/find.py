"""Finding assets: by type, place, part, relation, and by what is known of their properties. Parameters, no language.

Query -> a mask over the fleet per parameter, ANDed -> the rows of a page, by keyset: `after` is the last row given.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from gemel.assets.graph import FEEDS, Direction
from gemel.assets.named import named
from gemel.assets.problem import did_you_mean, no_asset
from gemel.errors import AssetError, NotFoundError
from gemel.samples.batch import F64, I32
from gemel.samples.units import quantity

if TYPE_CHECKING:
    from gemel.assets.plant import Plant
    from gemel.assets.spec import Template

Mask = npt.NDArray[np.bool_]
WHERE: Final = r"^ *([A-Za-z_][A-Za-z0-9_-]*) *(>=|<=|!=|=|>|<) *([^ =<>!].*)$"
_COMPARE: Final = {
    ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal, "=": np.equal, "!=": np.not_equal,
}  # fmt: skip


class Live(Protocol):
    """What is known now, by position of a signal in the plant's layout."""

    def values(self, positions: npt.NDArray[np.int64]) -> F64:
        """Give the shown values, in the declared unit; NaN where nothing was ever seen."""

    def quality(self, word: str) -> npt.NDArray[np.int64]:
        """Give the positions of the signals that are of a quality; raises AssetError for a word that is none."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A property or parameter compared with a number, in the declared unit or another that fits, or with a state's word.

    >>> Condition.read("bearing_temperature >= 353 K")
    Condition(name='bearing_temperature', compare='>=', to='353 K')
    """

    name: str
    compare: str
    to: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``name>number``, ``name<=number unit`` or ``name=word``; raises AssetError."""
        found = re.fullmatch(WHERE, text)
        if found is None:
            raise AssetError(
                f"{text[:100]!r} is no condition", code="condition",
                remedy="write a property or parameter, one of > >= < <= = !=, and a number or a state: wear>0.2",
            )  # fmt: skip
        name, compare, to = found.groups()
        return cls(name, compare, to.strip())


@dataclass(frozen=True, slots=True)
class Query:
    """Which assets are wanted; what is None does not matter, and everything else must hold.

    Args:
        type: name of their type, or of one that it extends.
        name: words that are all in their path below the site or in their title, in any case.
        under: path that they stand under.
        part_of: path of what they are part of, by the hierarchy and by relations.
        downstream_of, upstream_of: path of an asset that feeds them, or that they feed, over others too.
        related_to, relation, direction: path of an asset, the word of a relation, and which way it leads from there:
            ``out`` (`related_to` word them), ``in`` (they word `related_to`) or ``both``.
        depth: most steps along relations and parts; None: any number.
        where: conditions on properties and parameters.
        quality: word of a quality that one of their properties has.
        among: rows of the fleet; what else is known of them (an alarm) is the caller's.
    """

    type: str | None = None
    name: str | None = None
    under: str | None = None
    part_of: str | None = None
    downstream_of: str | None = None
    upstream_of: str | None = None
    related_to: str | None = None
    relation: str = FEEDS
    direction: Direction = "out"
    depth: int | None = None
    where: Sequence[Condition] = ()
    quality: str | None = None
    among: I32 | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found.

    Args:
        rows: rows of the fleet, in the order of the plant.
        next: the `after` of the next page; None: this is the last.
        count: how many assets there are in all pages.
        values: what the conditions looked at, by name, as long as `rows`.
    """

    rows: I32
    next: int | None
    count: int
    values: Mapping[str, F64] = field(default_factory=dict)


def find(
    plant: "Plant", query: Query, live: Live, *, after: int | None = None, limit: int | None = None
) -> Found:
    """Give the assets that a query wants, from behind the row `after` on.

    A page is found by the row that the one before ended with, so an asset is never given twice, however values change
    in between. Raises NotFoundError (a type, path, word or name that is none) and AssetError (a value that does not fit).
    """
    wanted = _placed(plant, query)
    values = {}
    for condition in query.where:
        told = _told(plant, condition.name, live)
        wanted &= _holds(plant, condition, told)
        values[condition.name] = told
    if query.quality is not None:
        wanted &= _mask(plant, plant.layout.asset[live.quality(query.quality)])
    rows = np.flatnonzero(wanted).astype(np.int32)
    start = 0 if after is None else int(np.searchsorted(rows, after, side="right"))
    page = rows[start:] if limit is None else rows[start : start + limit]
    more = start + len(page) < len(rows)
    return Found(
        page, int(page[-1]) if more else None, len(rows), {name: v[page] for name, v in values.items()}
    )


def _placed(plant: "Plant", query: Query) -> Mask:
    """Tell which assets stand where they should, whatever their values."""
    graph = plant.graph
    wanted = np.ones(len(plant.assets), np.bool_)
    if query.type is not None:
        wanted &= _of_type(plant, query.type)
    if query.name is not None:
        wanted &= named(plant.assets, query.name)
    if query.under is not None:
        wanted &= graph.hierarchy.under(_place(plant, query.under))
    if query.part_of is not None:
        wanted &= _mask(plant, graph.parts(_place(plant, query.part_of), query.depth))
    if query.among is not None:
        wanted &= _mask(plant, query.among)
    ways: tuple[tuple[str | None, str, Direction], ...] = (
        (query.downstream_of, FEEDS, "out"), (query.upstream_of, FEEDS, "in"), (query.related_to, query.relation, query.direction),
    )  # fmt: skip
    for path, word, direction in ways:
        if path is not None:
            seed = np.array([row_of(plant, path)])
            wanted &= _mask(plant, graph.along(word, direction).reached(seed, query.depth))
    return wanted


def _mask(plant: "Plant", rows: I32) -> Mask:
    mask = np.zeros(len(plant.assets), np.bool_)
    mask[rows] = True
    return mask


def row_of(plant: "Plant", name: str) -> int:
    """Give the row of an asset by its path, its path below the site, or its name where only one is called so.

    Raises NotFoundError.
    """
    fleet = plant.assets
    for path in (name, f"{fleet.root}/{name}"):
        if (row := fleet.find(path)) is not None:
            return row
    called = [] if "/" in name else pc.indices_nonzero(pc.equal(fleet.names.plain, name)).to_pylist()
    if len(called) == 1:
        return int(called[0])
    if called:
        several = ", ".join(fleet.paths[row] for row in called[:6])
        raise NotFoundError(f"{len(called)} assets are called {name!r}", remedy=f"write the path: {several}")
    raise no_asset(name)


def _place(plant: "Plant", name: str) -> str:
    """Give the whole path of an asset or a level, from however it is called."""
    try:
        return plant.assets.paths[row_of(plant, name)]
    except NotFoundError:
        root = plant.assets.root
        inside = name == root or root.startswith(f"{name}/") or name.startswith(f"{root}/")
        return name if inside else f"{root}/{name}"


def _of_type(plant: "Plant", name: str) -> Mask:
    kinds = {word for t in plant.templates for word in (t.type, *t.lineage)}
    if name not in kinds:
        raise NotFoundError(
            f"no asset is of a type {name[:100]!r}", code="type", remedy=did_you_mean(name, kinds)
        )
    fits = np.array([name == t.type or name in t.lineage for t in plant.templates], np.bool_)
    return fits[plant.assets.template]


def _told(plant: "Plant", name: str, live: Live) -> F64:
    """Give what is known by a name, an asset a row: its property, else its parameter; NaN where it has neither."""
    fleet, layout = plant.assets, plant.layout
    positions = layout.where(lambda s: s.name == name)
    if not len(positions) and name not in fleet.parameters:
        known = {s.name for s in layout.specs} | set(fleet.parameters)
        raise NotFoundError(
            f"no asset has a property or parameter {name[:100]!r}",
            code="condition",
            remedy=did_you_mean(name, known),
        )
    told = fleet.parameters[name].copy() if name in fleet.parameters else np.full(len(fleet), np.nan)
    told[layout.asset[positions]] = live.values(positions)
    return told


def _holds(plant: "Plant", condition: Condition, told: F64) -> Mask:
    """Compare in each template's own unit; what is not known never holds."""
    limits = np.array([_limit(t, condition) for t in plant.templates] or [np.nan])
    if np.isnan(limits).all():
        raise AssetError(
            f"{condition.to!r} is no value of {condition.name!r}", code="condition",
            remedy="write a number, with or without a unit, or one of its states",
        )  # fmt: skip
    limit = limits[plant.assets.template]
    holds: Mask = np.asarray(_COMPARE[condition.compare](told, limit), np.bool_)
    holds &= ~np.isnan(told) & ~np.isnan(limit)
    return holds


def _limit(template: "Template", condition: Condition) -> float:
    """Give what to compare with, in the template's unit; NaN where it has no such property, or no such state."""
    for signal in template.signals:
        if signal.name == condition.name:
            if condition.to in signal.states:
                return float(signal.states.index(condition.to))
            return _number(condition.to, signal.unit)
    for parameter in template.parameters:
        if parameter.name == condition.name:
            return _number(condition.to, parameter.unit)
    return np.nan


def _number(text: str, unit: str) -> float:
    try:
        return quantity(text, unit)
    except AssetError as e:
        if e.code != "not-a-quantity":
            raise
        return np.nan
