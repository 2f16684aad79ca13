"""A changed plant file against the applied one: what will change, what each change means, and what would be lost."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gemel.assets.changes import Changes, Kind, Plan, shown
from gemel.assets.commands import filled
from gemel.assets.plan_kinds import GONE, compare_kinds
from gemel.assets.retention import levels_of
from gemel.assets.succession import formerly
from gemel.samples.units import after

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

DAY_S: Final = 86_400
_OF_ITS_OWN: Final = (
    frozenset(  # fields of a plant that are compared by words of their own, or that are no content
        {"root", "clock", "retention", "rollups", "connections", "assets", "templates", "relations", "digest", "fmus"}
    )
)
Rows = Sequence[tuple[int, int]]


def plan(applied: "Plant", plant: "Plant") -> Plan:
    """Compare a plant with the applied one; pure."""
    changes = Changes()
    if applied.root != plant.root:
        changes.note("impossible", "plant: {}", f"{applied.root} became {plant.root}",
                     loss="all history stands under the former name; start with another --data")  # fmt: skip
        return changes.plan()
    if applied.digest == plant.digest:
        return changes.plan()
    _compare_whole(applied, plant, changes)
    _compare_retention(applied, plant, changes)
    _compare_connections(applied, plant, changes)
    rows = _compare_assets(applied, plant, changes)
    compare_kinds(applied, plant, rows, changes)
    changes.take("changed FMU {}", *(n for n, digest in plant.fmus.items() if applied.fmus.get(n, digest) != digest))
    _compare_relations(applied, plant, changes)
    if not changes.found:
        changes.take("changed {}", "what nothing here follows from")
    return changes.plan()


def _compare_whole(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    if applied.clock != plant.clock:
        changes.note("impossible", "clock: {}", f"{applied.clock} became {plant.clock}",
                     loss="what was late or stale would be judged by another clock; start with another --data")  # fmt: skip
    for name in (f.name for f in fields(plant) if f.name not in _OF_ITS_OWN):
        was, now = getattr(applied, name), getattr(plant, name)
        if was == now:
            continue
        plain = all(isinstance(v, str | bool | None) for v in (was, now))
        changes.take("changed {}", f"{name}: {shown(was)} became {shown(now)}" if plain else name)


def _compare_retention(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    for name, seconds in plant.retention.items():
        was = applied.retention.get(name)
        if was is None:
            changes.note("added", "new retention class {}", name)
        elif was != seconds:
            words = f"{name}: {was / DAY_S:g} days became {seconds / DAY_S:g} days"
            loss = f"its history older than {seconds / DAY_S:g} days is dropped" if was > seconds else ""
            changes.note("changed", "changed retention of {}", words, loss=loss)
    for name in plant.rollups:
        if name in applied.rollups:
            _compare_levels(name, applied, plant, changes)
    changes.note(
        "removed",
        "the retention class {} is gone: what is stored under it is no longer dropped",
        *(name for name in applied.retention if name not in plant.retention),
    )


def _compare_levels(name: str, applied: "Plant", plant: "Plant", changes: Changes) -> None:
    usual = levels_of(applied.retention[name]), levels_of(plant.retention[name])
    for level, seconds in plant.rollups[name].items():
        was = applied.rollups[name][level]
        if was != seconds and (was, seconds) != (usual[0][level], usual[1][level]):
            words = f"{name}, {level}: {was / DAY_S:g} days became {seconds / DAY_S:g} days"
            loss = f"its {level} older than {seconds / DAY_S:g} days are dropped" if was > seconds else ""
            changes.note("changed", "changed retention of roll-ups of {}", words, loss=loss)


def _compare_connections(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    for name, connection in plant.connections.items():
        if name not in applied.connections:
            changes.note("added", "new connection {}", name)
        elif applied.connections[name] != connection:
            changes.take("changed connection {}", name)
    gone = (n for n in applied.connections if n not in plant.connections)
    changes.note("removed", "connection {} is gone", *gone)


def _compare_assets(applied: "Plant", plant: "Plant", changes: Changes) -> Rows:
    """Compare the assets; give the pairs of rows, before and after, of those that both plants have."""
    head = plant.root + "/"
    pairs, fresh = _paired(applied, plant)
    old, new = applied.assets, plant.assets
    for was, now in pairs:
        before, after = old.paths[was].removeprefix(head), new.paths[now].removeprefix(head)
        if before != after:
            kind: Kind = "moved" if old.at[was] != new.at[now] else "renamed"
            changes.note(
                kind, f"asset {{}} {kind}: it keeps its signals and their history", f"{before} → {after}"
            )
            _compare_topics(applied, plant, (was, now), changes)
        _compare_asset(applied, plant, after, (was, now), changes)
    suggested = _compare_removed(applied, plant, {was for was, _ in pairs}, fresh, changes)
    changes.note(
        "added", "new asset {}", *(new.paths[r].removeprefix(head) for r in fresh if r not in suggested)
    )
    return pairs


def _compare_topics(applied: "Plant", plant: "Plant", rows: tuple[int, int], changes: Changes) -> None:
    """Say where a source follows the new name: the device may go on sending under the old one."""
    was, now = (_topics(p, row) for p, row in ((applied, rows[0]), (plant, rows[1])))
    moved = [f"{was[name]} → {topic}" for name, topic in now.items() if was.get(name, topic) != topic]
    changes.take("its topic follows the name: {}", *moved[:1])


def _topics(plant: "Plant", row: int) -> dict[str, str]:
    values = plant.assets.values(row)
    return {
        s.name: filled(s.source.topic, {**values, "signal": s.name})
        for s in plant.template(row).signals
        if s.source is not None
    }


def _paired(applied: "Plant", plant: "Plant") -> tuple[list[tuple[int, int]], list[int]]:
    moved = formerly(plant.assets)
    pairs, fresh, taken = [], [], set()
    for now, path in enumerate(plant.assets.paths):
        was = applied.assets.find(path)
        if was is None and now in moved and plant.assets.find(moved[now]) is None:
            was = applied.assets.find(moved[now])
        if was is None or was in taken:
            fresh.append(now)
        else:
            taken.add(was)
            pairs.append((was, now))
    return pairs, fresh


def _compare_removed(
    applied: "Plant", plant: "Plant", kept: set[int], fresh: Sequence[int], changes: Changes
) -> set[int]:
    """Note what is gone; where one new asset has its name and type, say how to keep its history."""
    head, old, new = plant.root + "/", applied.assets, plant.assets
    alike: dict[tuple[str, str], list[int]] = {}
    for row in fresh:
        alike.setdefault((new.names[row], new.types[row]), []).append(row)
    told = set()
    for row, path in enumerate(old.paths):
        if row in kept:
            continue
        short = path.removeprefix(head)
        found = alike.get((old.names[row], old.types[row]), [])
        if len(found) == 1:
            told.add(found[0])
            where = new.paths[found[0]].removeprefix(head)
            changes.note("removed", "asset {}", f"{short} is gone, and {where} is new",
                         loss=f"its history stays behind; if it was moved, write there: formerly: {short}")  # fmt: skip
        else:
            changes.note("removed", "asset {} is gone", short, loss=GONE)
    return told


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
            changes.take("changed parameter {}", f"{p.name} of {short}: {was:g} became {now:g}{after(p.unit)}")


def _number(columns: Mapping[str, Any], name: str, row: int) -> float:
    return float(columns[name][row]) if name in columns else float("nan")


def _compare_relations(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    def short(relation: Any) -> str:
        return " ".join(end.removeprefix(plant.root + "/") for end in tuple(relation)[:3])

    now_at = {old: new for new, old in _moved_paths(plant).items()}
    was = {_renamed(relation, now_at) for relation in applied.relations}
    now = set(plant.relations)
    changes.note("added", "new relation {}", *(short(r) for r in plant.relations if r not in was))
    changes.note(
        "removed",
        "relation {} is gone",
        *(short(r) for r in applied.relations if _renamed(r, now_at) not in now),
    )


def _moved_paths(plant: "Plant") -> Mapping[str, str]:
    paths = plant.assets.paths
    return {paths[row]: was for row, was in formerly(plant.assets).items()}


def _renamed(relation: Any, now_at: Mapping[str, str]) -> Any:
    """Give a relation as it is called after the move of its ends."""
    if not now_at or (relation[0] not in now_at and relation[2] not in now_at):
        return relation
    ends = now_at.get(relation[0], relation[0]), relation[1], now_at.get(relation[2], relation[2])
    return type(relation)(ends) if type(relation) is tuple else type(relation)(*ends, *relation[3:])
