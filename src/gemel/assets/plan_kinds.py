"""What assets have, before and after: each pair of templates is compared once, however many assets stand behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from gemel.assets.changes import Changes, differences, shown
from gemel.assets.fmus import same_fmu
from gemel.assets.spec import Signal, Template
from gemel.samples.lineage import continues, same_meaning

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

_MEANING: Final = ("unit", "kind", "states")
_NAMED: Final = frozenset({"name", "formerly", "others"})
_TOLD: Final = frozenset({"type", "lineage", "versions", "signals", "parameters", "commands"})
GONE: Final = "nothing more is taken for it; what is stored stays readable until its retention is over"


def compare_kinds(
    applied: "Plant", plant: "Plant", rows: Sequence[tuple[int, int]], changes: Changes
) -> None:
    """Compare what the assets that both plants have (rows before and after) are told to have."""
    _compare_versions(applied, plant, changes)
    for (before, after), assets in _pairs(applied, plant, rows).items():
        old, new = applied.templates[before], plant.templates[after]
        which = _which(plant, assets)
        _compare_signals(old.signals, new.signals, which, changes)
        _compare_others("parameter", old.parameters, new.parameters, which, changes)
        _compare_others("command", old.commands, new.commands, which, changes)
        _compare_rest(old, new, which, changes)


def _compare_versions(applied: "Plant", plant: "Plant", changes: Changes) -> None:
    before, after = _versions(applied.templates), _versions(plant.templates)
    for name, now in after.items():
        was = before.get(name, now)
        if was != now:
            changes.note("version", "type {}", f"{name}: version {was} became {now}")


def _versions(templates: Sequence[Template]) -> dict[str, int]:
    return {name: v for t in templates for name, v in zip(t.lineage, t.versions, strict=False)}


def _pairs(
    applied: "Plant", plant: "Plant", rows: Sequence[tuple[int, int]]
) -> Mapping[tuple[int, int], list[int]]:
    pairs: dict[tuple[int, int], list[int]] = {}
    was, now = applied.assets.template.tolist(), plant.assets.template.tolist()
    for before, after in rows:
        pairs.setdefault((was[before], now[after]), []).append(after)
    return pairs


def _which(plant: "Plant", rows: Sequence[int]) -> str:
    first = plant.assets.paths[rows[0]].removeprefix(plant.root + "/")
    return first if len(rows) == 1 else f"{len(rows)} assets such as {first}"


def _compare_signals(old: Sequence[Signal], new: Sequence[Signal], which: str, changes: Changes) -> None:
    before, after = {s.name: s for s in old}, {s.name: s for s in new}
    taken = set()
    for name, signal in after.items():
        was = name if name in before else signal.formerly
        if was not in before or (was != name and was in after):
            changes.note("added", "new signal {}", f"{name} of {which}")
            continue
        taken.add(was)
        if was != name:
            changes.note("renamed", "signal {} renamed: it keeps its history", f"{was} → {name} of {which}")
        _compare_signal(before[was], signal, which, changes)
        _compare_lanes(before[was], signal, which, changes)
    gone = (f"{name} of {which}" for name in before if name not in taken)
    changes.note("removed", "signal {} is gone", *gone, loss=GONE)


def _compare_lanes(old: Signal, new: Signal, which: str, changes: Changes) -> None:
    before, after = ({s.lane: s for s in signal.lanes} for signal in (old, new))
    for lane, signal in after.items():
        if lane not in before:
            changes.note("added", "new lane {}", f"{lane} of {new.name} of {which}")
        elif signal is not new:
            changed = differences(before[lane], signal, without=_NAMED)
            if changed:
                changes.take("changed {}", f"{', '.join(changed)} of {new.name} ({lane}) of {which}")
    gone = (f"{lane} of {new.name} of {which}" for lane in before if lane not in after)
    changes.note("removed", "lane {} is gone", *gone, loss=GONE)


def _compare_signal(old: Signal, new: Signal, which: str, changes: Changes) -> None:
    was, now = asdict(old), asdict(new)
    if not same_meaning(was, now):
        _note_meaning(old, new, which, changes, goes_on=continues(was, now))
    elif old.states != new.states:
        changes.take("changed {}", f"states of {new.name} of {which}: {shown(new.states)}")
    if old.retention != new.retention:
        words = f"{new.name} of {which}: {old.retention} became {new.retention}; what is stored is kept by its former class"
        changes.take("changed retention of {}", words)
    changed = differences(old, new, without=(*_MEANING, *_NAMED, "retention"))
    if changed:
        changes.take("changed {}", f"{', '.join(changed)} of {new.name} of {which}")


def _note_meaning(old: Signal, new: Signal, which: str, changes: Changes, *, goes_on: bool) -> None:
    words = ", ".join(
        f"{name} {shown(getattr(old, name))} became {shown(getattr(new, name))}"
        for name in _MEANING
        if getattr(old, name) != getattr(new, name)
    )
    if goes_on:
        changes.note("reunited", "signal {}: a new signal goes on from it, and its history is read in the new unit",
                     f"{new.name} of {which}: {words}")  # fmt: skip
    else:
        changes.note("reunited", "signal {}", f"{new.name} of {which}: {words}",
                     loss="what is stored cannot be read so: its history begins anew, the former one stays readable by its uid")  # fmt: skip


def _compare_others(kind: str, old: Sequence[Any], new: Sequence[Any], which: str, changes: Changes) -> None:
    before, after = {d.name: d for d in old}, {d.name: d for d in new}
    changes.note("added", f"new {kind} {{}}", *(f"{name} of {which}" for name in after if name not in before))
    changes.note(
        "removed", f"{kind} {{}} is gone", *(f"{name} of {which}" for name in before if name not in after)
    )
    for name, declared in after.items():
        changed = differences(before[name], declared) if name in before else []
        if changed:
            changes.take("changed {}", f"{', '.join(changed)} of the {kind} {name} of {which}")


def _compare_rest(old: Template, new: Template, which: str, changes: Changes) -> None:
    """Compare whatever else a type says; words of its own are not needed where nothing stored depends on it."""
    for name in (f.name for f in fields(new) if f.name not in _TOLD):
        if getattr(old, name) != getattr(new, name) and not (name == "dynamics" and same_fmu(old.dynamics, new.dynamics)):
            changes.take("changed {}", f"{name} of {which}")
