"""What the rest of gemel takes from a plant: registry, checks, sources and alarm limits, as columns.

Layout (declared signals, taken per signal) -> Registry, Checks, Sources, alarm limits
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from gemel.assets.checks import Checks
from gemel.assets.commands import filled
from gemel.assets.layout import Layout
from gemel.assets.limits import AlarmLimit, AlarmLimits, deviation
from gemel.assets.spec import Signal
from gemel.errors import DefectError
from gemel.samples import Registry, units
from gemel.samples.batch import F64, I32
from gemel.samples.registry import SCHEMA, uid_of
from gemel.samples.texts import Texts

BLOCK: Final = 500_000  # signals numbered together

if TYPE_CHECKING:
    from gemel.assets.plant import Plant


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where the readings of one connection come from, a row a signal; placeholders are filled.

    Args:
        signal: number in the registry.
        topic: topic, or a filter with wildcards.
        path: JSON path of the value; None: the payload is the value.
        time_path: JSON path of its time; None: the time of receipt counts.
        time_unit: s, ms, us, ns or iso; None: by its looks.
        status_path: JSON path of its quality, or None.
    """

    signal: I32
    topic: Sequence[str]
    path: Sequence[str | None]
    time_path: Sequence[str | None]
    time_unit: Sequence[str | None]
    status_path: Sequence[str | None]


def registry_of(plant: "Plant") -> Registry:
    """Make the registry of a plant, in the order of its file."""
    layout = plant.layout
    paths = layout.paths(plant.assets)
    texts = {name: layout.texts(attrgetter(name)) for name in ("lane", "unit", "kind", "retention")}
    states = pa.array([list(s.states) for s in layout.specs], pa.list_(pa.string())).take(
        pa.array(layout.spec)
    )
    columns = {
        "uid": [uid_of(path, lane) for path, lane in zip(paths, Texts(texts["lane"]), strict=True)], "path": paths.array,
        **texts, "states": states, "partition": np.zeros(len(paths), np.int16),
        "source": layout.texts(_sent),
        "formerly": pa.repeat("", len(paths)), "retired": np.zeros(len(paths), np.bool_),
    }  # fmt: skip
    return Registry(pa.table([pa.array(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA))


def _sent(signal: Signal) -> str:
    """Give the unit in which a source sends, where a number must be converted; else nothing."""
    source = signal.source
    if source is None or source.unit is None or (signal.scale, signal.offset) == (1.0, 0.0):
        return ""
    return source.unit


def numbers_in(plant: "Plant", registry: Registry) -> I32:
    """Give the number that each signal of a plant has in a registry; raises DefectError where one has none."""
    numbers = np.empty(len(plant.layout), np.int32)
    for start in range(0, len(numbers), BLOCK):
        rows = slice(start, min(start + BLOCK, len(numbers)))
        numbers[rows] = _numbers(plant.layout, plant.layout.paths(plant.assets, rows).array, registry, rows)
        if numbers[rows].min() < 0:
            path = plant.layout.paths(plant.assets, rows)[int(numbers[rows].argmin())]
            raise DefectError(f"the registry does not know {path!r}", context={"registry": registry.digest})
    return numbers


def _numbers(layout: Layout, paths: pa.Array, registry: Registry, rows: slice) -> I32:
    """Number a run of signals: at a glance where they stand in the registry as in the plant file."""
    lanes = pa.array([s.lane for s in layout.specs], pa.string()).take(pa.array(layout.spec[rows]))
    span = len(paths)
    stands = {name: registry.table.column(name).slice(rows.start, span) for name in ("path", "lane")}
    same = stands["path"].equals(pa.chunked_array([paths])) and stands["lane"].equals(
        pa.chunked_array([lanes])
    )
    if same and not registry.retired[rows].any():
        return np.arange(rows.start, rows.stop, dtype=np.int32)
    own = pa.table({"path": paths, "lane": lanes})
    return registry.numbers_named(own)


def checks_of(plant: "Plant", registry: Registry) -> Checks:
    """Make what `condition` judges by; a signal of the registry that the plant does not have is believed.

    One that it no longer has keeps the unit that its source had: readings may be on their way.
    """
    layout, numbers = plant.layout, plant.numbers(registry)
    gone = [registry.row(signal) for signal in np.flatnonzero(registry.retired).tolist()]
    units_of = list(dict.fromkeys((row["source"], row["unit"]) for row in gone if row["source"]))
    checks = Checks.plain(1 + len(layout.specs) + len(units_of))
    for row, spec in enumerate(layout.specs, 1):
        _declare(checks, row, spec)
    former = 1 + len(layout.specs)
    for row, (source, unit) in enumerate(units_of, former):
        checks.scale[row], checks.offset[row] = units.conversion(source, unit)
    kind = np.zeros(len(registry), np.int32)
    for signal, told in zip(np.flatnonzero(registry.retired).tolist(), gone, strict=True):
        kind[signal] = former + units_of.index((told["source"], told["unit"])) if told["source"] else 0
    kind[numbers] = layout.spec + 1
    return replace(checks, kind=kind)


def _declare(checks: Checks, row: int, spec: Signal) -> None:
    checks.scale[row], checks.offset[row] = spec.scale, spec.offset
    for column, told in ((checks.low, spec.low), (checks.high, spec.high), (checks.max_rate, spec.max_rate)):
        column[row] = np.nan if told is None else told
    checks.stuck_after[row], checks.interval[row] = spec.stuck_after_ns, spec.interval_ns
    checks.stale_after[row] = spec.stale_after_ns


def accuracy_of(plant: "Plant", registry: Registry) -> F64:
    """Give the declared standard uncertainty of each signal, in its unit; NaN where none is declared."""
    accuracy = np.full(len(registry), np.nan)
    if len(plant.layout):
        accuracy[plant.numbers(registry)] = plant.layout.numbers(lambda s: s.accuracy)
    return accuracy


def sources_of(plant: "Plant", connection: str, registry: Registry) -> Sources:
    """Give what comes from a connection."""
    found = plant.layout.where(lambda s: s.source is not None and s.source.connection == connection)
    columns: tuple[list[str], list[str | None], list[str | None], list[str | None], list[str | None]] = (
        [],
        [],
        [],
        [],
        [],
    )
    last, values = -1, dict[str, str]()
    for row, spec in plant.layout.pairs(found.tolist()):
        if row != last:
            last, values = row, plant.assets.values(row)
        values["signal"] = spec.name
        source = spec.source
        assert source is not None
        columns[0].append(filled(source.topic, values))
        columns[1].append(source.path and filled(source.path, values))
        columns[2].append(source.time and filled(source.time, values))
        columns[3].append(source.time_unit)
        columns[4].append(source.status and filled(source.status, values))
    return Sources(plant.numbers(registry)[found], *columns)


def alarms_of(plant: "Plant", registry: Registry) -> AlarmLimits:
    """Give the alarm limits, signal by signal."""
    declared = [_limits(spec) for spec in plant.layout.specs]
    count = np.array([len(limits) for limits in declared], np.int64)
    first = np.cumsum(count) - count
    spec = plant.layout.spec[np.argsort(plant.numbers(registry), kind="stable")]
    per_signal = count[spec] if len(count) else np.zeros(0, np.int64)
    within = np.arange(int(per_signal.sum())) - np.repeat(np.cumsum(per_signal) - per_signal, per_signal)
    which = (np.repeat(first[spec], per_signal) if len(count) else within) + within
    signal = np.repeat(np.sort(plant.numbers(registry)), per_signal)
    return AlarmLimits([one for limits in declared for one in limits], signal, which.astype(np.int32))


def _limits(spec: Signal) -> list[AlarmLimit]:
    deviations = [deviation(lane.priority) for lane in spec.others if lane.modelled]
    alarm = spec.alarm
    if alarm is None:
        return deviations
    return deviations + [
        AlarmLimit(
            signal=-1, level=level, limit=limit, delay_ns=alarm.delay_ns, deadband=alarm.deadband,
            priority=alarm.priorities.get(level, 2), cause=alarm.cause, consequence=alarm.consequence,
            response=alarm.response, respond_within_s=alarm.respond_within_s,
        )
        for level, limit in alarm.limits.items()
    ]  # fmt: skip
