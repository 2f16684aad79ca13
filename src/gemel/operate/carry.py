"""A snapshot carried over to another registry: what was known of a signal is known of the one that goes on from it.

Rows of a registry stay where they are, so nearly all of a snapshot is as it was. Only where a unit was changed does a
new signal take over: the former one's samples, the memory of its checks and its readings of the recent past become
the new one's, in the new unit; the former one has then seen nothing. Alarms follow their signal to its name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.condition.memory import REF_VALUE, RUN_VALUE, VALUE, bits, blank, floats
from gemel.operate.numbering import successions
from gemel.samples import Registry, Snapshot, units
from gemel.twin.lanes import Lane

Arrays = dict[str, npt.NDArray[Any]]
LANES: Final = "lanes."
MEMORY: Final = "condition.memory"
WINDOW: Final = "condition.window."
DERIVED: Final = "derived."
STALENESS: Final = "staleness."
ALARMS: Final = "alarms."


@dataclass(frozen=True, slots=True)
class Move:
    """One signal that goes on as another: ``value there = value here x scale + offset``."""

    former: int
    number: int
    scale: float
    offset: float


def moves(former: Registry, now: Registry) -> list[Move]:
    """Give the signals that go on as others from one registry to the next."""
    gone = np.flatnonzero(now.retired[: len(former)] & ~former.retired)
    found = []
    for earlier, later in successions(now).items():
        if earlier in gone:
            factors = units.conversion(former.row(earlier)["unit"], now.row(later)["unit"])
            found.append(Move(earlier, later, *factors))
    return found


def carried(snapshot: Snapshot, former: Registry, now: Registry) -> Snapshot:
    """Give the snapshot under the other registry; what has nothing to do with the change is the very same."""
    arrays: Arrays = dict(snapshot.arrays)
    found = moves(former, now)
    if found:
        for name in [n for n in arrays if n.startswith(LANES)]:
            arrays[name] = _lane(name, arrays[name], found, len(now))
        if MEMORY in arrays:
            arrays[MEMORY] = _memory(arrays[MEMORY], found, len(now))
        _counts(arrays, found, len(former), len(now))
        _window(arrays, found)
        _derived(arrays, found)
        _believed(arrays, found)
        for name in [n for n in arrays if n.startswith(STALENESS)]:
            del arrays[name]  # judged anew, from the samples
    notes = dict(snapshot.notes)
    if "alarms" in notes:
        notes["alarms"] = _alarms(notes["alarms"], found, former, now)
    if "overrides" in notes:
        notes["overrides"] = [_override(note, found, former, now) for note in notes["overrides"]]
    if "desired" in notes:
        notes["desired"] = _desired(notes["desired"], found, former, now)
    return replace(snapshot, registry=now.digest, arrays=arrays, notes=notes)


def _lane(name: str, column: npt.NDArray[Any], found: list[Move], n: int) -> npt.NDArray[Any]:
    of_sigma = name.endswith(".sigma")
    empty = np.nan if of_sigma else getattr(Lane.empty(1), name.rpartition(".")[2])[0]
    grown = _grown(column, n, empty)
    for move in found:
        value = grown[move.former]
        converted = value * move.scale + move.offset if name.endswith(".value") else value
        grown[move.number] = value * abs(move.scale) if of_sigma else converted
        grown[move.former] = empty
    return grown


def _memory(memory: npt.NDArray[Any], found: list[Move], n: int) -> npt.NDArray[Any]:
    grown = blank(n)
    grown[: len(memory)] = memory
    for move in found:
        grown[move.number] = _converted(grown[move.former][None, :], move)[0]
        grown[move.former] = blank(1)[0]
    return grown


def _converted(memory: npt.NDArray[np.int64], move: Move) -> npt.NDArray[np.int64]:
    """Give rows of the checks' memory with their values in the other unit; bits that stand for nothing stay."""
    out = memory.copy()
    for column in (VALUE, RUN_VALUE, REF_VALUE):
        values = floats(out[:, column])
        known = ~np.isnan(values)
        out[known, column] = bits(values[known] * move.scale + move.offset)
    return out


def _counts(arrays: Arrays, found: list[Move], before: int, n: int) -> None:
    """Move what is counted and averaged of a signal: columns of the checks with one number a signal."""
    for name, column in arrays.items():
        if not name.startswith("condition.") or name.startswith(WINDOW) or name == MEMORY:
            continue
        if column.shape != (before,):
            continue
        nothing = np.nan if name in ("condition.timing.interval", "condition.timing.jitter") else 0
        grown = _grown(column, n, nothing)
        for move in found:
            grown[move.number], grown[move.former] = grown[move.former], nothing
        arrays[name] = grown


def _window(arrays: Arrays, found: list[Move]) -> None:
    """Move the readings of the recent past: what comes late is judged with them."""
    for prefix in (WINDOW, WINDOW + "aside."):
        signal, value = arrays.get(prefix + "signal"), arrays.get(prefix + "value")
        if signal is None or value is None:
            return
        if (sigma := arrays.get(prefix + "sigma")) is not None:
            arrays[prefix + "sigma"] = _rescaled(signal, sigma, found)
        arrays[prefix + "signal"], arrays[prefix + "value"] = _relabelled(signal, value, found)
    disturbed = arrays[WINDOW + "disturbed"].copy()
    for move in found:
        disturbed[disturbed == move.former] = move.number
    order = np.argsort(disturbed)
    arrays[WINDOW + "disturbed"] = disturbed[order]
    arrays[WINDOW + "disturbances"] = arrays[WINDOW + "disturbances"][order]
    _generations(arrays, found)


def _derived(arrays: Arrays, found: list[Move]) -> None:
    """Move what derived signals remember of what they read."""
    for name in [n for n in arrays if n.startswith(DERIVED) and n.endswith(".signal")]:
        value = name.removesuffix("signal") + "value"
        arrays[name], arrays[value] = _relabelled(arrays[name], arrays[value], found)
    if DERIVED + "known" in arrays:
        known = arrays[DERIVED + "known"].copy()
        for move in found:
            known[known == move.former] = move.number
        arrays[DERIVED + "known"] = np.sort(known)


def _relabelled(
    signal: npt.NDArray[Any], value: npt.NDArray[Any], found: list[Move]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    signal, value = signal.copy(), value.copy()
    for move in found:
        rows = signal == move.former
        signal[rows], value[rows] = move.number, value[rows] * move.scale + move.offset
    return signal, value


def _rescaled(signal: npt.NDArray[Any], sigma: npt.NDArray[Any], found: list[Move]) -> npt.NDArray[Any]:
    sigma = sigma.copy()
    for move in found:
        sigma[signal == move.former] *= abs(move.scale)
    return sigma


def _generations(arrays: Arrays, found: list[Move]) -> None:
    known, before = arrays[WINDOW + "known"].copy(), arrays[WINDOW + "before"].copy()
    start = 0
    for size in arrays[WINDOW + "sizes"][:, 1].tolist():
        span = slice(start, start + size)
        for move in found:
            rows = start + np.flatnonzero(known[span] == move.former)
            known[rows], before[rows] = move.number, _converted(before[rows], move)
        order = start + np.argsort(known[span], kind="stable")
        known[span], before[span] = known[order], before[order]
        start += size
    arrays[WINDOW + "known"], arrays[WINDOW + "before"] = known, before


def _grown(column: npt.NDArray[Any], n: int, nothing: Any) -> npt.NDArray[Any]:
    grown = np.full(n, nothing, column.dtype)
    grown[: len(column)] = column
    return grown


def renamed(names: Iterable[str], former: Registry, now: Registry) -> dict[str, str]:
    """Give what the alarms of one registry are called under the next: ``<signal path>#<level>``."""
    moved = {move.former: move.number for move in moves(former, now)}
    found = {}
    for name in names:
        path, _, level = name.rpartition("#")
        number = next(iter(former.lanes_of(path).values()), None)
        found[name] = name if number is None else f"{now.paths[moved.get(number, number)]}#{level}"
    return found


def _move(path: str, found: list[Move], former: Registry) -> Move | None:
    """Give what becomes of a property; None where it is none."""
    number = next(iter(former.lanes_of(path).values()), None)
    if number is None:
        return None
    return next((m for m in found if m.former == number), Move(number, number, 1.0, 0.0))


def _override(note: Mapping[str, Any], found: list[Move], former: Registry, now: Registry) -> dict[str, Any]:
    """Give an override under its property's name and in its unit."""
    move = _move(note["path"], found, former)
    if move is None:
        return dict(note)
    return {**note, "path": now.paths[move.number], "value": note["value"] * move.scale + move.offset}


def _desired(
    notes: Mapping[str, Any], found: list[Move], former: Registry, now: Registry
) -> dict[str, Any]:
    """Give what properties shall be, under their names; one whose unit changed is forgotten until the next command."""

    def named(note: Mapping[str, Any]) -> dict[str, Any] | None:
        moves = {key: _move(note[key], found, former) for key in ("target", "read_back")}
        if any(m is not None and m.former != m.number for m in moves.values()):
            return None
        return {**note, **{key: now.paths[m.number] for key, m in moves.items() if m is not None}}

    kept = {key: [n for n in map(named, notes[key]) if n is not None] for key in ("desired", "before")}
    asked = {command: n for command, note in notes["asked"].items() if (n := named(note)) is not None}
    return {"asked": asked, **kept}


def _alarms(
    notes: Mapping[str, Any], found: list[Move], former: Registry, now: Registry
) -> dict[str, Any]:
    moved = {move.former: move for move in found}
    paths = {former.paths[move.former]: move for move in found}
    kept = {}
    for name, new in renamed(notes["alarms"], former, now).items():
        alarm, move = notes["alarms"][name], paths.get(name.rpartition("#")[0])
        value = alarm["value"] if move is None else alarm["value"] * move.scale + move.offset
        kept[new] = {**alarm, "value": value}
    if "signal" in notes:  # a snapshot of 0.1 has the columns here
        notes = {**notes, "signal": [moved[s].number if s in moved else s for s in notes["signal"]]}
    return {**notes, "alarms": kept}


def _believed(arrays: Arrays, found: list[Move]) -> None:
    """Move when a signal with alarms was last believed."""
    if ALARMS + "signal" in arrays:
        signal = arrays[ALARMS + "signal"].copy()
        for move in found:
            signal[signal == move.former] = move.number
        order = np.argsort(signal, kind="stable")
        arrays[ALARMS + "signal"], arrays[ALARMS + "last"] = signal[order], arrays[ALARMS + "last"][order]
