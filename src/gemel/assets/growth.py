"""A changed plant file against the applied one: what may be taken, and what would lose data or change its meaning."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gemel.assets.changes import Changes, shown
from gemel.assets.regrown import compare_kinds

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

DAY_S: Final = 86_400


def growth(applied: "Plant", plant: "Plant") -> tuple[list[str], list[str]]:
    """Give (additions and harmless changes, refusals), in words."""
    if applied.root != plant.root:
        return [], [f"plant: {applied.root} became {plant.root}: all history stands under the former name"]
    changes = Changes()
    _compare_whole(applied, plant, changes)
    _compare_retention(applied, plant, changes)
    _compare_connections(applied, plant, changes)
    _compare_assets(applied, plant, changes)
    compare_kinds(applied, plant, changes)
    _compare_relations(applied, plant, changes)
    return changes.lines()


def _compare_whole(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    if applied.clock != plant.clock:
        changes.refuse(
            "clock: {}",
            f"{applied.clock} became {plant.clock}: what was late or stale would be judged by another clock",
        )
    for name in ("title", "description", "timezone", "writes", "namespace"):
        was, now = getattr(applied, name), getattr(plant, name)
        if was != now:
            changes.take("changed {}", f"{name}: {shown(was)} became {shown(now)}")


def _compare_retention(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    for name, seconds in plant.retention.items():
        was = applied.retention.get(name)
        if was is None:
            changes.take("new retention class {}", name)
        elif was != seconds:
            words = f"{name}: {was / DAY_S:g} days became {seconds / DAY_S:g} days"
            if was < seconds:
                changes.take("changed retention of {}", words)
            else:
                changes.refuse("retention of {}: history would be dropped", words)
    for name in applied.retention:
        if name not in plant.retention:
            changes.refuse("the retention class {} is gone: how long its history is kept would be open", name)


def _compare_connections(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    for name, connection in plant.connections.items():
        if name not in applied.connections:
            changes.take("new connection {}", name)
        elif applied.connections[name] != connection:
            changes.take("changed connection {}", name)
    changes.take("connection {} is gone", *(n for n in applied.connections if n not in plant.connections))


def _compare_assets(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    head = plant.root + "/"
    fresh: dict[str, list[str]] = {}
    for name, path in zip(plant.assets.names, plant.assets.paths, strict=True):
        if applied.assets.find(path) is None:
            fresh.setdefault(name, []).append(path.removeprefix(head))
    for row, path in enumerate(applied.assets.paths):
        now, short = plant.assets.find(path), path.removeprefix(head)
        if now is not None:
            _compare_asset(applied, plant, short, (row, now), changes)
        elif elsewhere := fresh.get(applied.assets.names[row]):
            changes.refuse("asset {}: its history would stay behind", f"{short} moved to {elsewhere.pop()}")
        else:
            changes.refuse("asset {} is gone: its history would be orphaned", short)
    changes.take("new asset {}", *(path for paths in fresh.values() for path in paths))


def _compare_asset(
    applied: "Plant", plant: "Plant", short: str, rows: tuple[int, int], changes: Changes
) -> None:
    old, new = applied.assets, plant.assets
    changed = [
        n for n in ("titles", "descriptions", "types") if getattr(old, n)[rows[0]] != getattr(new, n)[rows[1]]
    ]
    if changed:
        changes.take("changed {}", f"{', '.join(n.removesuffix('s') for n in changed)} of {short}")
    for p in plant.template(rows[1]).parameters:
        was, now = (_number(f.parameters, p.name, row) for f, row in ((old, rows[0]), (new, rows[1])))
        if not np.array_equal(was, now, equal_nan=True):
            changes.take("changed parameter {}", f"{p.name} of {short}: {was:g} became {now:g} {p.unit}")


def _number(columns: Mapping[str, Any], name: str, row: int) -> float:
    return float(columns[name][row]) if name in columns else float("nan")


def _compare_relations(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    def short(relation: tuple[str, str, str]) -> str:
        return " ".join(end.removeprefix(plant.root + "/") for end in relation)

    was, now = set(applied.relations), set(plant.relations)
    changes.take("new relation {}", *(short(r) for r in plant.relations if r not in was))
    changes.take("relation {} is gone", *(short(r) for r in applied.relations if r not in now))
