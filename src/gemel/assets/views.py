"""One asset with its context, and the tree of all: made when somebody looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gemel.assets.relations import Relation
from gemel.assets.spec import CommandSpec, Signal

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

LEVELS: Final = (
    "enterprise",
    "site",
    "area",
    "line",
    "unit",
)  # ISA-95 (IEC 62264-1, clause 5.3), from the root


@dataclass(frozen=True, slots=True)
class SignalView:
    """A signal of an asset.

    Args:
        path, name, unit, kind, states, description: as declared.
        range: what the sensor can say; None: unknown.
        normal: where it usually is; None: unknown.
        interval_s: expected distance of readings [s]; None: unknown.
        stale_after_s: age above which it is stale [s].
        alarm: limits by level; None: it has no alarm.
        spec: all that is declared.
    """

    path: str
    name: str
    unit: str
    kind: str
    states: tuple[str, ...]
    range: tuple[float, float] | None
    normal: tuple[float, float] | None
    interval_s: float | None
    stale_after_s: float
    description: str
    alarm: Mapping[str, float] | None
    spec: Signal


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset: what it is, where it is, what is measured, what it can be told.

    Args:
        path, name, title, type, at, description: as declared.
        parent: path of what it is in: an asset, or a level of the plant.
        signals, commands: in the order of the file.
        parameters: ``{name: {"value": number or None, "unit": unit}}``.
        relations: those it takes part in.
    """

    path: str
    name: str
    title: str
    type: str
    at: str
    parent: str
    description: str
    signals: Sequence[SignalView]
    commands: Sequence[CommandSpec]
    parameters: Mapping[str, Mapping[str, Any]]
    relations: Sequence[Relation]


def asset_view(plant: "Plant", path: str) -> AssetView:
    """Give an asset; raises NotFoundError."""
    fleet = plant.assets
    row = fleet.row(path)
    template = plant.template(row)
    return AssetView(
        path=path, name=fleet.names[row], title=fleet.titles[row], type=fleet.types[row], at=fleet.at[row],
        parent=path.rpartition("/")[0], description=fleet.descriptions[row] or template.description,
        signals=[signal_view(path, s) for s in template.signals], commands=plant.commands.of(path),
        parameters={p.name: {"value": _known(fleet.parameters, p.name, row), "unit": p.unit} for p in template.parameters},
        relations=plant.related.get(path, []),
    )  # fmt: skip


def signal_view(asset: str, spec: Signal) -> SignalView:
    """Give a signal of an asset."""
    return SignalView(
        path=f"{asset}/{spec.name}", name=spec.name, unit=spec.unit, kind=spec.kind, states=spec.states,
        range=None if spec.low is None or spec.high is None else (spec.low, spec.high), normal=spec.normal,
        interval_s=spec.interval_ns / 1e9 or None, stale_after_s=spec.stale_after_ns / 1e9,
        description=spec.description, alarm={str(level): limit for level, limit in spec.alarm.limits.items()} if spec.alarm else None, spec=spec,
    )  # fmt: skip


def _known(columns: Mapping[str, Any], name: str, row: int) -> float | None:
    value = float(columns[name][row]) if name in columns else np.nan
    return None if np.isnan(value) else value


def tree_of(plant: "Plant") -> dict[str, Any]:
    """Give the plant as nested ``{"path", "name", "title", "kind", "children"}``, from the enterprise down."""
    nodes: dict[str, dict[str, Any]] = {}

    def node(path: str) -> dict[str, Any]:
        if path not in nodes:
            parent, _, name = path.rpartition("/")
            row = plant.assets.find(path)
            kind = LEVELS[min(path.count("/"), len(LEVELS) - 1)] if row is None else "asset"
            title = "" if row is None else plant.assets.titles[row]
            nodes[path] = {"path": path, "name": name, "title": title, "kind": kind, "children": []}
            if parent:
                node(parent)["children"].append(nodes[path])
        return nodes[path]

    node(plant.root)["title"] = plant.title
    for path in plant.assets.paths:
        node(path)
    return nodes[plant.root.split("/")[0]]
