"""Roll-ups over the hierarchy: what a plant file says, and the cells of time that they are made of.

Without a window a roll-up is an expression: `{of: power, over: parts, by: sum}` is ``sum(parts.power)``. With one
(`per`) it is made of *cells*: for each signal that counts, how long it was known within the window, its integral, its
extremes, and by how much a counter rose.

Key performance indicators follow ISO 22400-2:2014: availability = actual production time / planned busy time;
effectiveness = planned run time per item x produced quantity / actual production time; quality ratio = good quantity /
produced quantity; OEE index = availability x effectiveness x quality ratio.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gemel.assets.laying import laid_among_signals
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.assets.spec import Rollup, Signal, Template
from gemel.errors import AssetError
from gemel.samples import units
from gemel.samples.batch import F64, I32, I64
from gemel.samples.calendar import Windows, windows
from gemel.samples.expression_kinds import QUALITY, product

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

NOW: Final = ("sum", "mean", "min", "max", "worst")  # without a window
KPIS: Final = ("availability", "effectiveness", "quality", "oee")
WITHIN: Final = ("time_weighted", "energy", "min", "max", "worst", *KPIS)  # with one
DEFAULT_UNITS: Final = {"energy": "kW.h", **dict.fromkeys(KPIS, "%")}
STATE_ROLES: Final = {"running": "running", "planned": "planned"}
COUNTED: Final = ("produced", "good")
TIMED: Final = frozenset({"availability", "effectiveness", "oee"})  # rest on times in states
NEEDS: Final = {
    "availability": ("of", "running"), "effectiveness": ("of", "running", "produced", "ideal_cycle"), "quality": ("produced", "good"),
    "oee": ("of", "running", "produced", "good", "ideal_cycle"),
}  # fmt: skip
NONE: Final = np.empty(0, np.int32)


def with_rollups(node: Node, problems: Problems) -> Node:
    """Lay the roll-ups of a type among its signals."""

    def make(name: str, said: Node, laid: Mapping[str, Node]) -> Node | None:
        return _signal(said, laid) if _is_whole(name, said, problems) else None

    return laid_among_signals(node, "rollups", "is a signal or a rule, and a roll-up", make, problems)


def _is_whole(name: str, said: Node, problems: Problems) -> bool:
    by, per = said.plain("by"), said.get("per")
    if by is None:
        problems.error(
            said, f"roll-up {name!r} has no by", f"add by: one of {', '.join(dict.fromkeys((*NOW, *WITHIN)))}"
        )
        return False
    if by not in (NOW if per is None else WITHIN):
        remedy = "add per: 1 h, shift or day" if per is None else "leave per out, or write time_weighted"
        problems.error(
            said.fields["by"],
            f"{by} of {name!r} {'needs a window' if per is None else 'has no window'}",
            remedy,
        )
        return False
    if per is not None and (examples := said.get("examples")) is not None:
        problems.error(
            examples,
            f"roll-up {name!r} has a window, and examples",
            "examples stand beside expressions and rules",
        )
        return False
    for key in NEEDS.get(by, ("of",) if per is not None else ("of", "over")):
        if said.get(key) is None:
            problems.error(said, f"roll-up {name!r} has no {key}", f"add {key}:")
            return False
    return by not in TIMED or _production_is_planned(name, said, problems)


def _production_is_planned(name: str, said: Node, problems: Problems) -> bool:
    """Tell whether production is part of the planned busy time, as in ISO 22400-2:2014: else availability could pass 1."""
    running, planned = said.plain("running"), said.plain("planned")
    if not running:
        problems.error(
            said.fields["running"], f"running of {name!r} names no state", "write running: [the words]"
        )
        return False
    strange = next((word for word in running if planned and word not in planned), None)
    if strange is not None:
        problems.error(
            said.fields["running"],
            f"{strange!r} of {name!r} is production and not planned busy time",
            f"add {strange} to planned:, or take it out of running:",
        )
    return strange is None


def _signal(said: Node, signals: Mapping[str, Node]) -> Node:
    def new(value: str) -> Node:
        return Node(value, said.file, said.line)

    by, kept = (
        said.plain("by"),
        ("unit", "description", "retention", "range", "alarm", "stale_after", "examples"),
    )
    fields = {k: v for k, v in said.fields.items() if k in kept}
    if by == "worst":
        fields["states"] = Node([new(word) for word in QUALITY], said.file, said.line)
    elif "unit" not in fields:
        own = signals.get(str(said.plain("of", "")))
        unit = own.plain("unit") if own is not None and not said.get("over") else None
        fields["unit"] = new(DEFAULT_UNITS.get(by) or unit or "")
        if not fields["unit"].value:
            del fields["unit"]
    if said.get("per") is None:
        over, of = said.plain("over"), said.plain("of")
        fields["derived"] = Node(f"{by}({over}.{of})", said.file, said.line)
    else:
        fields["rollup"] = said
    return Node(fields, said.file, said.line)


def read_rollup(name: str, node: Node) -> Rollup | None:
    """Give the roll-up that stands behind a signal, where one with a window does."""
    said = node.get("rollup")
    if said is None:
        return None
    per, cycle = said.plain("per"), said.plain("ideal_cycle")
    return Rollup(
        name=name, by=said.plain("by"), of=str(said.plain("of", "")), over=str(said.plain("over", "")),
        per=per if per in {"shift", "day"} else round(units.quantity(per, "s") * 1e9),
        running=tuple(said.plain("running", ())), planned=tuple(said.plain("planned", ())),
        produced=str(said.plain("produced", "")), good=str(said.plain("good", "")), ideal_cycle=cycle,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What is kept of each signal that counts, a row each; of all windows of one kind.

    Args:
        signal: its number.
        codes: which of `sets` its states are looked for in; -1: its value counts.
        scale, offset: into the unit of the roll-up's first member.
        sets: codes of states.
    """

    signal: I32
    codes: I32
    scale: F64
    offset: F64
    sets: Sequence[npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class RollupProgram:
    """A roll-up of all assets of a type.

    Args:
        type, name: whose signal it is.
        by: how the cells are brought together.
        target: number of the signal of each asset.
        counts: how many members each asset has.
        cells: by role (`of`, `planned`, `running`, `produced`, `good`): the cell of each member, one asset's after another's.
        cycle_s: planned run time per item of each member [s]; empty where it does not count.
        scale, offset: from what the cells give to the declared unit.
        low, high: what its values may be; NaN: any.
    """

    type: str
    name: str
    by: str
    target: I32
    counts: I64
    cells: Mapping[str, I32]
    cycle_s: F64
    scale: float = 1.0
    offset: float = 0.0
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class RollupPlan:
    """All roll-ups of one kind of window."""

    windows: Windows
    cells: Cells
    programs: tuple[RollupProgram, ...]

    def numbered(self, numbers: I32) -> "RollupPlan":
        """Give the same with the numbers of another registry."""
        programs = tuple(replace(p, target=numbers[p.target]) for p in self.programs)
        return replace(self, cells=replace(self.cells, signal=numbers[self.cells.signal]), programs=programs)


@dataclass
class _Gathered:
    """Cells of one kind of window while they are found: equal ones are one."""

    keys: dict[tuple[int, int, float, float], int] = field(default_factory=dict)
    sets: list[tuple[float, ...]] = field(default_factory=list)
    programs: list[RollupProgram] = field(default_factory=list)

    def cells(
        self, signals: I32, codes: Sequence[tuple[float, ...] | None], factors: Sequence[tuple[float, float]]
    ) -> I32:
        """Give the cell of each member."""
        found = []
        for signal, wanted, (scale, offset) in zip(signals.tolist(), codes, factors, strict=True):
            if wanted is not None and wanted not in self.sets:
                self.sets.append(wanted)
            key = (signal, -1 if wanted is None else self.sets.index(wanted), scale, offset)
            found.append(self.keys.setdefault(key, len(self.keys)))
        return np.array(found, np.int32)

    def plan(self, kind: Windows) -> RollupPlan:
        columns = list(zip(*self.keys, strict=True)) or [(), (), (), ()]
        cells = Cells(
            np.array(columns[0], np.int32), np.array(columns[1], np.int32), np.array(columns[2], np.float64), np.array(columns[3], np.float64),
            [np.array(s) for s in self.sets],
        )  # fmt: skip
        return RollupPlan(kind, cells, tuple(self.programs))


class Gatherer:
    """Finds the cells of all roll-ups of a plant."""

    def __init__(self, plant: "Plant", signals: Callable[..., I32]) -> None:
        self._plant = plant
        self._signals = signals
        self._found: dict[Windows, _Gathered] = {}

    def add(self, template: Template, signal: Signal, rows: npt.NDArray[np.intp]) -> RollupProgram:
        """Bind a roll-up to the assets of a type; raises AssetError for what cannot be."""
        rollup = signal.rollup
        assert rollup is not None
        counts, members = self._members(rollup, template, rows)
        kind = windows(rollup.per, self._plant.shifts, self._plant.timezone)
        if rollup.per == "shift" and not self._plant.shifts:
            raise AssetError(
                "the plant has no shifts", remedy='add shifts: ["06:00", "14:00", "22:00"] at the top'
            )
        gathered = self._found.setdefault(kind, _Gathered())
        unit, cells = self._cells(rollup, template, members, gathered)
        scale, offset = (1.0, 0.0) if rollup.by == "worst" else units.conversion(unit, signal.unit)
        limits = (float("nan") if limit is None else limit for limit in (signal.low, signal.high))
        program = RollupProgram(
            template.type, signal.name, rollup.by, self._signals(rows, signal.name, signal.lane), counts, cells,
            self._cycles(rollup, template, members), scale, offset, *limits,
        )  # fmt: skip
        gathered.programs.append(program)
        return program

    def plans(self) -> tuple[RollupPlan, ...]:
        """Give all that was added."""
        return tuple(gathered.plan(kind) for kind, gathered in self._found.items())

    def _members(self, rollup: Rollup, template: Template, rows: npt.NDArray[np.intp]) -> tuple[I64, I32]:
        names = [n for n in (rollup.of, rollup.produced, rollup.good) if n]
        if not rollup.over:
            known = [s.name for s in template.signals]
            missing = next((n for n in names if n not in known), None)
            if missing is not None:
                raise AssetError(
                    f"{template.type} has no signal {missing!r}", remedy=f"there are: {', '.join(known)}"
                )
            return np.ones(len(rows), np.int64), rows.astype(np.int32)
        way = tuple(rollup.over.split("."))
        for name in names:
            self._plant.ways.check(way, name)
        counts, found = self._plant.ways.follow(rows, way)
        has = np.array([set(names) <= {s.name for s in t.signals} for t in self._plant.templates], np.bool_)
        keep = has[self._plant.assets.template[found]]
        if len(found) and not keep.any():
            raise AssetError(
                f"no asset that is {rollup.over} of a {template.type} has {' and '.join(names)}",
                remedy="see the names of their signals",
            )
        owner = np.repeat(np.arange(len(rows)), counts)[keep]
        return np.bincount(owner, minlength=len(rows)).astype(np.int64), found[keep]

    def _cells(
        self, rollup: Rollup, template: Template, members: I32, gathered: _Gathered
    ) -> tuple[str, dict[str, I32]]:
        kinds = self._plant.assets.template[members]
        found: dict[str, I32] = {}
        unit = "1"
        if rollup.by in TIMED:
            for role, words in (("running", rollup.running), ("planned", rollup.planned)):
                by_kind = [
                    self._codes(t, rollup.of, words, role) if k else None for t, k in self._used(kinds)
                ]
                plain = [(1.0, 0.0)] * len(members)
                found[role] = gathered.cells(
                    self._signals(members, rollup.of), [by_kind[k] for k in kinds], plain
                )
        elif rollup.of:
            unit, factors = self._factors(rollup, kinds)
            found["of"] = gathered.cells(
                self._signals(members, rollup.of), [None] * len(members), [factors[k] for k in kinds]
            )
        if rollup.by in KPIS:
            found |= self._counters(rollup, members, gathered)
        return (product(unit, "s") if rollup.by == "energy" else unit), found

    def _counters(self, rollup: Rollup, members: I32, gathered: _Gathered) -> dict[str, I32]:
        """Give the cells of the counters, all in the unit of what is produced by the first that counts."""
        kinds, found = self._plant.assets.template[members], {}
        used = [t for t, is_used in self._used(kinds) if is_used]
        for role in (r for r in COUNTED if getattr(rollup, r)):
            name = getattr(rollup, role)
            signals = [s for t in used for s in t.signals if s.name == name]
            other = next((s for s in signals if s.kind != "total"), None)
            if other is not None:
                raise AssetError(
                    f"{name!r} is no counter", remedy=f"{role}: must name a signal of kind: total"
                )
            items = [s.unit for t in used for s in t.signals if s.name == (rollup.produced or name)]
            if rollup.ideal_cycle is not None and len(set(items)) > 1:
                raise AssetError(
                    f"{rollup.produced!r} is counted in {' and in '.join(sorted(set(items)))}", code="wrong-dimension",
                    remedy="give it one unit: ideal_cycle is the time for one of it",
                )  # fmt: skip
            factors = {s.unit: units.conversion(s.unit, items[0]) for s in signals}
            by_kind = [factors.get(_unit(t, name), (1.0, 0.0)) for t in self._plant.templates]
            found[role] = gathered.cells(
                self._signals(members, name), [None] * len(members), [by_kind[k] for k in kinds]
            )
        return found

    def _used(self, kinds: I32) -> list[tuple[Template, bool]]:
        used = set(np.unique(kinds).tolist())
        return [(t, i in used) for i, t in enumerate(self._plant.templates)]

    def _codes(self, template: Template, name: str, words: tuple[str, ...], role: str) -> tuple[float, ...]:
        signal = next(s for s in template.signals if s.name == name)
        if not signal.states:
            raise AssetError(f"{name!r} is no state", remedy="of: must name a state of the asset")
        strange = next((w for w in words if w not in signal.states), None)
        if strange is not None:
            raise AssetError(
                f"{role}: {strange!r} is no state of {name!r}",
                remedy=f"there are: {', '.join(signal.states)}",
            )
        return tuple(float(i) for i, w in enumerate(signal.states) if w in words or not words)

    def _factors(self, rollup: Rollup, kinds: I32) -> tuple[str, list[tuple[float, float]]]:
        signals = [
            next((s for s in t.signals if s.name == rollup.of), None) if used else None
            for t, used in self._used(kinds)
        ]
        own = [s for s in signals if s is not None]
        if not own:
            return "1", [(1.0, 0.0)] * len(signals)
        if rollup.by != "worst" and any(s.kind == "state" for s in own):
            raise AssetError(
                f"{rollup.of!r} is a state", remedy="write by: availability, and running: [the words]"
            )
        unit = own[0].unit
        if rollup.by == "worst":
            return unit, [(1.0, 0.0)] * len(signals)
        return unit, [(1.0, 0.0) if s is None else units.conversion(s.unit, unit) for s in signals]

    def _cycles(self, rollup: Rollup, template: Template, members: I32) -> F64:
        said = rollup.ideal_cycle
        if said is None:
            return np.empty(0)
        kinds = [
            self._plant.templates[k] for k in np.unique(self._plant.assets.template[members]).tolist()
        ] or [template]
        if isinstance(said, str) and all(any(p.name == said for p in t.parameters) for t in kinds):
            unit = next(p.unit for p in kinds[0].parameters if p.name == said)
            scale, _ = units.conversion(unit, "s")
            known = self._plant.assets.parameters.get(said)
            return np.full(len(members), np.nan) if known is None else known[members] * scale
        return np.full(len(members), units.quantity(said, "s"))


def _unit(template: Template, name: str) -> str:
    return next((s.unit for s in template.signals if s.name == name), "")
