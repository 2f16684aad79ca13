"""What assets have, before and after: each pair of templates is compared once, however many assets stand behind it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gemel.assets.changes import Changes, differences, shown
from gemel.assets.spec import Signal
from gemel.samples import units

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

_FIXED: Final = {
    "unit": "what is stored in one unit would be read in the other",
    "kind": "what is stored would mean something else",
    "states": "codes that are stored would mean other words",
    "retention": "what is stored is kept by its former class",
}


def compare_kinds(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    """Compare signals, parameters and commands of the assets that both plants have."""
    for (before, after), rows in _pairs(applied, plant).items():
        old, new = applied.templates[before], plant.templates[after]
        which = _which(plant, rows)
        _compare_signals(old.signals, new.signals, which, changes)
        _compare_others("parameter", old.parameters, new.parameters, which, changes)
        _compare_others("command", old.commands, new.commands, which, changes)


def _pairs(applied: "Plant", plant: "Plant") -> Mapping[tuple[int, int], list[int]]:
    pairs: dict[tuple[int, int], list[int]] = {}
    now = plant.assets.template.tolist()
    was = applied.assets.template.tolist()
    for row, path in enumerate(plant.assets.paths):
        before = applied.assets.find(path)
        if before is not None:
            pairs.setdefault((was[before], now[row]), []).append(row)
    return pairs


def _which(plant: "Plant", rows: Sequence[int]) -> str:
    first = plant.assets.paths[rows[0]].removeprefix(plant.root + "/")
    return first if len(rows) == 1 else f"{len(rows)} assets such as {first}"


def _compare_signals(old: Sequence[Signal], new: Sequence[Signal], which: str, changes: Changes) -> None:
    before, after = {s.name: s for s in old}, {s.name: s for s in new}
    for name, signal in before.items():
        if name not in after:
            changes.refuse("signal {}: its history would be orphaned", f"{name} of {which} is gone")
        else:
            _compare_signal(signal, after[name], which, changes)
    changes.take("new signal {}", *(f"{name} of {which}" for name in after if name not in before))


def _compare_signal(old: Signal, new: Signal, which: str, changes: Changes) -> None:
    for name, why in _FIXED.items():
        was, now = getattr(old, name), getattr(new, name)
        if was != now and not (name == "unit" and _same_unit(was, now)):
            changes.refuse(
                "signal {}", f"{old.name} of {which}: {name} {shown(was)} became {shown(now)}: {why}"
            )
    changed = differences(old, new, without=_FIXED)
    if changed:
        changes.take("changed {}", f"{', '.join(changed)} of {old.name} of {which}")


def _same_unit(was: str, now: str) -> bool:
    """Tell whether two spellings mean one unit: m3/h and m³/h."""
    return units.fits(was, now) and units.conversion(was, now) == (1.0, 0.0)


def _compare_others(kind: str, old: Sequence[Any], new: Sequence[Any], which: str, changes: Changes) -> None:
    before, after = {d.name: d for d in old}, {d.name: d for d in new}
    changes.take(f"new {kind} {{}}", *(f"{name} of {which}" for name in after if name not in before))
    changes.take(f"{kind} {{}} is gone", *(f"{name} of {which}" for name in before if name not in after))
    for name, declared in after.items():
        changed = differences(before[name], declared) if name in before else []
        if changed:
            changes.take("changed {}", f"{', '.join(changed)} of the {kind} {name} of {which}")
